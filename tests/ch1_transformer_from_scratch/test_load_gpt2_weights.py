"""Hidden tests of exercise 1.25: a state dict laid out as GPT2LMHeadModel's, drawn here, parameter by parameter."""

import torch

from utils.grade import close, equal, require

CONFIG = {
    "embedding_dimension": 12,
    "vocabulary_size": 17,
    "context_length": 10,
    "attention_head_dimension": 3,
    "num_attention_heads": 4,
    "num_transformer_layers": 3,
    "mlp_dimension": 20,
    "layer_normalization_epsilon": 1e-5,
    "weight_initialization_range": 0.02,
    "device": "cpu",
}
E, V, T, H, N, L, M = (CONFIG[name] for name in list(CONFIG)[:7])


def probe_load(load_gpt2_weights, config, state_dict, faulty):
    """Load into a model with the chapter's parameters; every parameter of what is returned, and the state dict.

    `faulty`: only the error is of interest.
    """
    c = SimpleNamespace(**config)
    E, V, N, H = c.embedding_dimension, c.vocabulary_size, c.num_attention_heads, c.attention_head_dimension

    class Part(nn.Module):
        def __init__(self, **shapes):
            super().__init__()
            self.config = c
            for name, shape in shapes.items():
                start = torch.zeros(shape) if name == "b_U" else torch.full(shape, 0.5)
                self.register_parameter(name, nn.Parameter(start, requires_grad=name != "b_U"))

    model = Part()
    model.embedding, model.positional_embedding = Part(W_E=(V, E)), Part(W_P=(c.context_length, E))
    model.blocks = nn.ModuleList(Part() for _ in range(c.num_transformer_layers))
    for block in model.blocks:
        block.layer_norm_1, block.layer_norm_2 = Part(w=(E,), b=(E,)), Part(w=(E,), b=(E,))
        matrices = {"W_" + letter: (N, E, H) for letter in "QKV"} | {"b_" + letter: (N, H) for letter in "QKV"}
        block.attention = Part(**matrices, W_O=(N, H, E), b_O=(E,))
        block.mlp = Part(W_in=(E, c.mlp_dimension), b_in=(c.mlp_dimension,), W_out=(c.mlp_dimension, E), b_out=(E,))
    model.final_layer_norm, model.unembedding = Part(w=(E,), b=(E,)), Part(W_U=(E, V), b_U=(V,))
    before = dict(model.named_parameters())
    try:
        result = load_gpt2_weights(model, state_dict)
    except Exception as error:
        if not faulty:
            raise
        return {"error": [type(error).__name__, str(error)]}
    if faulty:
        return {"error": []}
    if not isinstance(result, nn.Module):
        return {"returned": type(result).__name__, "parameters": {}, "state_dict": {}, "new": [], "itself": False}
    new = [name for name, parameter in model.named_parameters() if before[name] is not parameter]
    values = {**dict(result.named_parameters()), **dict(result.named_buffers())}
    told = {"returned": "Module", "new": new, "itself": result is model}
    values = {name: value.detach().clone() for name, value in values.items()}
    with torch.no_grad():
        for parameter in result.parameters():
            parameter += 1.0
    # as it is after the model has learned something
    return {**told, "parameters": values, "state_dict": {k: v.clone() for k, v in state_dict.items()}}


def gpt2_state_dict(draw):
    """Random weights under the keys and in the layouts of GPT2LMHeadModel: Conv1D weights are (in, out)."""
    state = {"transformer.wte.weight": draw.normal(V, E), "transformer.wpe.weight": draw.normal(T, E)}
    for i in range(L):
        at = f"transformer.h.{i}"
        for norm in ("ln_1", "ln_2"):
            state |= {f"{at}.{norm}.weight": draw.normal(E), f"{at}.{norm}.bias": draw.normal(E)}
        for name, (rows, columns) in {
            "attn.c_attn": (E, 3 * E),
            "attn.c_proj": (E, E),
            "mlp.c_fc": (E, M),
            "mlp.c_proj": (M, E),
        }.items():
            state |= {f"{at}.{name}.weight": draw.normal(rows, columns), f"{at}.{name}.bias": draw.normal(columns)}
        if draw.index:  # older checkpoints hold the causal mask as well
            state[f"{at}.attn.bias"] = torch.ones(T, T).tril().bool()[None, None]
            state[f"{at}.attn.masked_bias"] = torch.tensor(-1e4)
    state |= {"transformer.ln_f.weight": draw.normal(E), "transformer.ln_f.bias": draw.normal(E)}
    state["lm_head.weight"] = state["transformer.wte.weight"].clone()  # GPT-2 ties the two
    return state


def run(load_gpt2_weights, draw):
    state = gpt2_state_dict(draw)
    got = load_gpt2_weights.run(probe_load, CONFIG, state, False)
    require(got["returned"] == "Module", f"the model must be returned, but the result is a {got['returned']}")
    return got, state


def check(got, name, expected, says):
    require(name in got["parameters"], f"the returned model has no parameter called {name} any more")
    close(got["parameters"][name], expected, says, name=name)


def blocks(state):
    return [(f"blocks.{i}", lambda key, i=i: state[f"transformer.h.{i}.{key}"]) for i in range(L)]


def test_embeddings(load_gpt2_weights, draw):
    got, state = run(load_gpt2_weights, draw)
    check(got, "embedding.W_E", state["transformer.wte.weight"], "the token embedding W_E is not wte.weight")
    check(got, "positional_embedding.W_P", state["transformer.wpe.weight"], "the positions W_P are not wpe.weight")


def test_layer_norms(load_gpt2_weights, draw):
    got, state = run(load_gpt2_weights, draw)
    for at, of in blocks(state):
        for ours, theirs in (("layer_norm_1", "ln_1"), ("layer_norm_2", "ln_2")):
            says = f"{at}.{ours} does not hold the gain and the bias of {theirs} of the same block"
            check(got, f"{at}.{ours}.w", of(f"{theirs}.weight"), says)
            check(got, f"{at}.{ours}.b", of(f"{theirs}.bias"), says)
    says = "the final layer norm does not hold the gain and the bias of ln_f"
    check(got, "final_layer_norm.w", state["transformer.ln_f.weight"], says)
    check(got, "final_layer_norm.b", state["transformer.ln_f.bias"], says)


def test_mlp(load_gpt2_weights, draw):
    got, state = run(load_gpt2_weights, draw)
    for at, of in blocks(state):
        for ours, theirs in (("in", "c_fc"), ("out", "c_proj")):
            says = f"{at}.mlp: W_{ours} and b_{ours} are not those of mlp.{theirs} of the same block"
            check(got, f"{at}.mlp.W_{ours}", of(f"mlp.{theirs}.weight"), says)
            check(got, f"{at}.mlp.b_{ours}", of(f"mlp.{theirs}.bias"), says)


def test_queries_keys_values(load_gpt2_weights, draw):
    got, state = run(load_gpt2_weights, draw)
    for at, of in blocks(state):
        weight, bias = of("attn.c_attn.weight"), of("attn.c_attn.bias")
        for part, letter in enumerate("QKV"):
            W, b = torch.empty(N, E, H), torch.empty(N, H)
            for head in range(N):
                columns = slice(part * E + head * H, part * E + (head + 1) * H)
                W[head], b[head] = weight[:, columns], bias[columns]
            check(got, f"{at}.attention.W_{letter}", W, f"W_{letter} is not cut from c_attn.weight head by head")
            check(got, f"{at}.attention.b_{letter}", b, f"b_{letter} is not cut from c_attn.bias head by head")


def test_attention_output(load_gpt2_weights, draw):
    got, state = run(load_gpt2_weights, draw)
    for at, of in blocks(state):
        weight = of("attn.c_proj.weight")
        W = torch.stack([weight[head * H : (head + 1) * H] for head in range(N)])
        check(got, f"{at}.attention.W_O", W, "W_O is not cut from the rows of attn.c_proj.weight head by head")
        check(got, f"{at}.attention.b_O", of("attn.c_proj.bias"), "b_O is not attn.c_proj.bias")


def test_unembedding(load_gpt2_weights, draw):
    got, state = run(load_gpt2_weights, draw)
    check(
        got,
        "unembedding.W_U",
        state["lm_head.weight"].T.contiguous(),
        "W_U is not lm_head.weight, transposed to (E, V)",
    )
    check(got, "unembedding.b_U", torch.zeros(V), "GPT-2 has no bias in its unembedding: b_U must be zero")


def test_loads_in_place(load_gpt2_weights, draw):
    got, _ = run(load_gpt2_weights, draw)
    require(got["itself"], "the model that is returned is another one: load into the given model, and return that")
    says = f"{(got['new'] or [''])[0]} is a new parameter: copy into the old one, which an optimizer may hold"
    require(not got["new"], says)


def refused(load_gpt2_weights, state, name, what):
    """Loading must raise a ValueError that names the weight."""
    error = load_gpt2_weights.run(probe_load, CONFIG, state, True)["error"]
    require(error, f"{name} {what}, and no error is raised: raise a ValueError that names it")
    require(error[0] == "ValueError", f"{name} {what}: a ValueError must say so, but it is a {error[0]}")
    require(name in error[1], f"{name} {what}: the ValueError must name it, but it says only: {error[1]}")


def test_missing_weight(load_gpt2_weights, draw):
    for name in ("transformer.h.1.mlp.c_fc.bias", "transformer.ln_f.weight"):
        state = gpt2_state_dict(draw)
        del state[name]
        refused(load_gpt2_weights, state, name, "is missing in the state dict")


def test_wrong_shape(load_gpt2_weights, draw):
    shapes = [
        {"transformer.h.1.mlp.c_fc.weight": (M, E), "transformer.h.0.attn.c_attn.weight": (E, 2 * E)},
        {"transformer.h.2.ln_1.bias": (1,), "transformer.wpe.weight": (1, E)},  # copy_ would stretch these
    ][draw.index]
    for name, shape in shapes.items():
        state = gpt2_state_dict(draw)
        state[name] = draw.normal(*shape)
        refused(load_gpt2_weights, state, name, f"has shape {shape}, which is not that of the model")


def test_state_dict_is_left_alone(load_gpt2_weights, draw):
    got, state = run(load_gpt2_weights, draw)
    equal(sorted(got["state_dict"]), sorted(state), "the caller's state dict has other keys after the call")
    for key, value in state.items():
        says = f"{key} of the caller's state dict has changed after the call, or changes when the model learns: copy it"
        require(torch.equal(got["state_dict"][key], value), says)
