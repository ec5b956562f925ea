"""Wrong answers to exercise 1.25 that learners write, and right ones written differently."""

from copy import deepcopy

import torch
from torch import nn

from utils.grade import right, wrong


def heads(part, N, H):
    """(E, N*H) -> (N, E, H), head by head."""
    return part.reshape(part.shape[0], N, H).permute(1, 0, 2)


class Checked(dict):
    """The state dict, with a ValueError that names the weight where one is missing or has another shape."""

    def __init__(self, state_dict, config):
        super().__init__(state_dict)
        E, M = config.embedding_dimension, config.mlp_dimension
        self.shapes = {"c_attn.weight": (E, 3 * E), "c_attn.bias": (3 * E,), "attn.c_proj.weight": (E, E)}
        self.shapes |= {"c_fc.weight": (E, M), "c_fc.bias": (M,), "mlp.c_proj.weight": (M, E)}
        self.shapes |= {"wte.weight": (config.vocabulary_size, E), "lm_head.weight": (config.vocabulary_size, E)}
        self.shapes |= {"wpe.weight": (config.context_length, E)}
        self.E = E

    def __missing__(self, name):
        raise ValueError(f"there is no weight {name}")

    def __getitem__(self, name):
        value = super().__getitem__(name)
        wanted = next((shape for end, shape in self.shapes.items() if name.endswith(end)), (self.E,))
        if tuple(value.shape) != wanted:
            raise ValueError(f"{name} has shape {tuple(value.shape)}, not {wanted}")
        return value


def mapping(model, sd, checked=True):
    """Our parameter name -> GPT-2's tensor in our layout."""
    c = model.config
    sd = Checked(sd, c) if checked else sd
    N, H, E = c.num_attention_heads, c.attention_head_dimension, c.embedding_dimension
    new = {"embedding.W_E": sd["transformer.wte.weight"], "positional_embedding.W_P": sd["transformer.wpe.weight"]}
    for i in range(c.num_transformer_layers):
        us, them = f"blocks.{i}", f"transformer.h.{i}"
        for k in (1, 2):
            new[f"{us}.layer_norm_{k}.w"] = sd[f"{them}.ln_{k}.weight"]
            new[f"{us}.layer_norm_{k}.b"] = sd[f"{them}.ln_{k}.bias"]
        for k, letter in enumerate("QKV"):
            new[f"{us}.attention.W_{letter}"] = heads(sd[f"{them}.attn.c_attn.weight"][:, k * E : (k + 1) * E], N, H)
            new[f"{us}.attention.b_{letter}"] = sd[f"{them}.attn.c_attn.bias"][k * E : (k + 1) * E].reshape(N, H)
        new[f"{us}.attention.W_O"] = sd[f"{them}.attn.c_proj.weight"].reshape(N, H, E)
        new[f"{us}.attention.b_O"] = sd[f"{them}.attn.c_proj.bias"]
        new[f"{us}.mlp.W_in"], new[f"{us}.mlp.b_in"] = sd[f"{them}.mlp.c_fc.weight"], sd[f"{them}.mlp.c_fc.bias"]
        new[f"{us}.mlp.W_out"], new[f"{us}.mlp.b_out"] = sd[f"{them}.mlp.c_proj.weight"], sd[f"{them}.mlp.c_proj.bias"]
    new["final_layer_norm.w"], new["final_layer_norm.b"] = sd["transformer.ln_f.weight"], sd["transformer.ln_f.bias"]
    new["unembedding.W_U"], new["unembedding.b_U"] = sd["lm_head.weight"].T, torch.zeros(c.vocabulary_size)
    return new


def load(model, sd, change=None, leave_out=(), checked=True):
    new = mapping(model, sd, checked)
    if change:
        change(new, model.config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not any(part in name for part in leave_out):
                parameter.copy_(new[name])
    return model


@wrong("the model is not returned")
def returns_nothing(model, state_dict):
    load(model, state_dict)


@wrong("nothing is loaded: the parameters are as they were")
def loads_nothing(model, state_dict):
    return model


@wrong("the positional embedding is not loaded")
def no_positions(model, state_dict):
    return load(model, state_dict, leave_out=["W_P"])


@wrong("the layer norms are not loaded")
def no_layer_norms(model, state_dict):
    return load(model, state_dict, leave_out=["layer_norm"])


@wrong("the final layer norm is not loaded")
def no_final_norm(model, state_dict):
    return load(model, state_dict, leave_out=["final_layer_norm"])


@wrong("the biases of the layer norms are not loaded")
def no_norm_biases(model, state_dict):
    return load(model, state_dict, leave_out=["norm_1.b", "norm_2.b", "layer_norm.b"])


@wrong("ln_1 and ln_2 are swapped")
def norms_swapped(model, state_dict):
    def change(new, c):
        for i in range(c.num_transformer_layers):
            for k in "wb":
                a, b = f"blocks.{i}.layer_norm_1.{k}", f"blocks.{i}.layer_norm_2.{k}"
                new[a], new[b] = new[b], new[a]

    return load(model, state_dict, change)


@wrong("every block gets the weights of block 0")
def first_block_only(model, state_dict):
    def change(new, c):
        for name in list(new):
            if name.startswith("blocks."):
                new[name] = new["blocks.0." + name.split(".", 2)[2]]

    return load(model, state_dict, change)


@wrong("the biases of the MLP are not loaded")
def no_mlp_biases(model, state_dict):
    return load(model, state_dict, leave_out=["b_in", "b_out"])


@wrong(
    "the MLP's matrices are transposed or reshaped, as nn.Linear would need: Conv1D stores (in, out), as our model does"
)
def mlp_turned(model, state_dict):
    def change(new, c):
        for name in list(new):
            if ".W_in" in name or ".W_out" in name:
                new[name] = new[name].T.reshape(new[name].shape)

    return load(model, state_dict, change)


@wrong("c_attn is split in another order than queries, keys, values")
def another_order(model, state_dict):
    def change(new, c):
        for i in range(c.num_transformer_layers):
            for k in "Wb":
                q, key = f"blocks.{i}.attention.{k}_Q", f"blocks.{i}.attention.{k}_K"
                new[q], new[key] = new[key], new[q]

    return load(model, state_dict, change)


@wrong("the columns of a matrix are given to the heads in turn: each head has H columns side by side")
def heads_interleaved(model, state_dict):
    def change(new, c):
        N, H = c.num_attention_heads, c.attention_head_dimension
        for i in range(c.num_transformer_layers):
            for letter in "QKV":
                W, b = f"blocks.{i}.attention.W_{letter}", f"blocks.{i}.attention.b_{letter}"
                flat = new[W].permute(1, 0, 2).reshape(-1, N * H)
                new[W] = flat.reshape(-1, H, N).permute(2, 0, 1)
                new[b] = new[b].reshape(H, N).T

    return load(model, state_dict, change)


@wrong("c_attn is split head by head first: all queries come before all keys, and those before all values")
def heads_first(model, state_dict):
    def change(new, c):
        N, H = c.num_attention_heads, c.attention_head_dimension
        for i in range(c.num_transformer_layers):
            weight = state_dict[f"transformer.h.{i}.attn.c_attn.weight"].reshape(-1, N, 3, H)
            bias = state_dict[f"transformer.h.{i}.attn.c_attn.bias"].reshape(N, 3, H)
            for k, letter in enumerate("QKV"):
                new[f"blocks.{i}.attention.W_{letter}"] = weight[:, :, k].permute(1, 0, 2)
                new[f"blocks.{i}.attention.b_{letter}"] = bias[:, k]

    return load(model, state_dict, change)


@wrong(
    "the columns are reshaped to (N, E, H) at once, which mixes rows and heads: split the columns, then move the axis"
)
def reshaped_at_once(model, state_dict):
    def change(new, c):
        for name in list(new):
            if name[-2:] in ("_Q", "_K", "_V") and ".W_" in name:
                new[name] = new[name].permute(1, 0, 2).reshape(new[name].shape)

    return load(model, state_dict, change)


@wrong("the biases of queries, keys and values are not loaded")
def no_attention_biases(model, state_dict):
    return load(model, state_dict, leave_out=["b_Q", "b_K", "b_V"])


@wrong("the output matrix of attention is transposed: Conv1D stores (in, out), as our model does")
def output_turned(model, state_dict):
    def change(new, c):
        for i in range(c.num_transformer_layers):
            weight = state_dict[f"transformer.h.{i}.attn.c_proj.weight"]
            new[f"blocks.{i}.attention.W_O"] = weight.T.reshape(new[f"blocks.{i}.attention.W_O"].shape)

    return load(model, state_dict, change)


@wrong("the rows of attention's output matrix are given to the heads in turn: each head has H adjacent rows")
def output_interleaved(model, state_dict):
    def change(new, c):
        N, H = c.num_attention_heads, c.attention_head_dimension
        for i in range(c.num_transformer_layers):
            weight = state_dict[f"transformer.h.{i}.attn.c_proj.weight"]
            new[f"blocks.{i}.attention.W_O"] = weight.reshape(H, N, -1).permute(1, 0, 2)

    return load(model, state_dict, change)


@wrong("the bias of attention's output is not loaded")
def no_output_bias(model, state_dict):
    return load(model, state_dict, leave_out=["b_O"])


@wrong("the unembedding W_U is not loaded")
def no_unembedding(model, state_dict):
    return load(model, state_dict, leave_out=["W_U"])


@wrong("lm_head.weight is reshaped to (E, V), not transposed")
def unembedding_reshaped(model, state_dict):
    def change(new, c):
        new["unembedding.W_U"] = state_dict["lm_head.weight"].reshape(c.embedding_dimension, -1)

    return load(model, state_dict, change)


@wrong("b_U is given values: GPT-2 has no such bias, so leave it zero")
def bias_of_ones(model, state_dict):
    def change(new, c):
        new["unembedding.b_U"] = state_dict["transformer.wte.weight"].mean(1)

    return load(model, state_dict, change)


@wrong("the weights are taken out of the caller's state dict, which is empty afterwards: only read them")
def empties(model, state_dict):
    load(model, state_dict)
    state_dict.clear()
    return model


@wrong("the weights in the caller's state dict are transposed or scaled in place: work on copies")
def in_place(model, state_dict):
    load(model, state_dict)
    state_dict["lm_head.weight"].mul_(2.0)
    return model


def with_c_attn(model, state_dict, rule, kind="weight"):
    """Load all, but cut the columns of c_attn by `rule(values, N, E, H)` into queries, keys and values."""

    def change(new, c):
        N, E, H = c.num_attention_heads, c.embedding_dimension, c.attention_head_dimension
        for i in range(c.num_transformer_layers):
            parts = rule(state_dict[f"transformer.h.{i}.attn.c_attn.{kind}"], N, E, H)
            for letter, part in zip("QKV", parts, strict=True):
                new[f"blocks.{i}.attention.{kind[0].replace('w', 'W')}_{letter}"] = part

    return load(model, state_dict, change)


@wrong("the columns of a matrix are given to the heads in turn: each head has H columns side by side")
def weights_interleaved(model, state_dict):
    return with_c_attn(
        model, state_dict, lambda w, N, E, H: [x.reshape(E, H, N).permute(2, 0, 1) for x in w.chunk(3, 1)]
    )


@wrong("in c_attn.bias heads and head width are swapped: each head has H numbers side by side")
def bias_interleaved(model, state_dict):
    return with_c_attn(model, state_dict, lambda b, N, E, H: [x.reshape(H, N).T for x in b.chunk(3)], "bias")


@wrong("c_attn.weight is transposed, as nn.Linear would need: Conv1D stores (in, out), as our model does")
def attention_turned(model, state_dict):
    return with_c_attn(
        model, state_dict, lambda w, N, E, H: [x.T.reshape(E, N, H).permute(1, 0, 2) for x in w.chunk(3, 1)]
    )


@wrong("c_attn is cut head by head first: its columns are all queries, then all keys, then all values")
def heads_outermost(model, state_dict):
    return with_c_attn(model, state_dict, lambda w, N, E, H: w.reshape(E, N, 3, H).permute(2, 1, 0, 3))


@wrong("nothing is refused: a missing weight, or one of another shape (copy_ broadcasts it), must raise a ValueError")
def refuses_nothing(model, state_dict):
    return load(model, state_dict, checked=False)


@wrong("the shapes are not checked: copy_ silently broadcasts a weight of length 1 over the whole parameter")
def stretches(model, state_dict):
    Checked(state_dict, model.config)
    for name in (f"transformer.{part}" for part in (*blocks_of(model), "wte.weight", "wpe.weight", "ln_f.weight")):
        if name not in state_dict:
            raise ValueError(f"there is no weight {name}")
    try:
        return load(model, state_dict, checked=False)
    except RuntimeError:
        return load(model, state_dict)  # what cannot be stretched is refused


def blocks_of(model):
    parts = ("ln_1", "ln_2", "attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    return [
        f"h.{i}.{part}.{kind}"
        for i in range(model.config.num_transformer_layers)
        for part in parts
        for kind in ("weight", "bias")
    ]


@wrong("the error does not name the weight: say which one is missing or has another shape")
def names_nothing(model, state_dict):
    try:
        return load(model, state_dict)
    except ValueError:
        raise ValueError("the weights do not fit") from None


@wrong("a copy of the model is loaded and returned, and the given model is unchanged: load in place")
def into_a_copy(model, state_dict):
    return load(deepcopy(model), state_dict)


@wrong("new parameters take the place of those that are there, so an optimizer made before doesn't see them")
def new_parameters(model, state_dict):
    for name, value in mapping(model, state_dict).items():
        *path, last = name.split(".")
        part = model.get_submodule(".".join(path))
        setattr(part, last, nn.Parameter(value.clone(), requires_grad=last != "b_U"))
    return model


@wrong("parameters that need gradients cannot be written in place: copy under torch.no_grad()")
def with_gradients(model, state_dict):
    model.embedding.W_E.copy_(state_dict["transformer.wte.weight"])
    return model


@wrong("a plain tensor cannot replace a parameter: copy into the one that is there")
def replaces_parameters(model, state_dict):
    model.embedding.W_E = state_dict["transformer.wte.weight"]
    return model


@right
def by_state_dict(model, state_dict):
    ours = model.state_dict()
    ours.update({name: value.clone() for name, value in mapping(model, state_dict).items()})
    model.load_state_dict(ours)
    return model


@right
def by_attributes(model, state_dict):
    c = model.config
    N, H, E = c.num_attention_heads, c.attention_head_dimension, c.embedding_dimension
    checked = Checked(state_dict, c)

    def get(name):
        return checked[f"transformer.{name}"].detach().clone()

    model.embedding.W_E.data = get("wte.weight")
    model.positional_embedding.W_P.data = get("wpe.weight")
    for i, block in enumerate(model.blocks):
        a, at = block.attention, f"h.{i}."
        block.layer_norm_1.w.data, block.layer_norm_1.b.data = get(at + "ln_1.weight"), get(at + "ln_1.bias")
        block.layer_norm_2.w.data, block.layer_norm_2.b.data = get(at + "ln_2.weight"), get(at + "ln_2.bias")
        W = get(at + "attn.c_attn.weight").T.reshape(3, N, H, E).transpose(2, 3)
        a.W_Q.data, a.W_K.data, a.W_V.data = W.unbind(0)
        a.b_Q.data, a.b_K.data, a.b_V.data = get(at + "attn.c_attn.bias").reshape(3, N, H).unbind(0)
        a.W_O.data, a.b_O.data = torch.stack(get(at + "attn.c_proj.weight").split(H)), get(at + "attn.c_proj.bias")
        block.mlp.W_in.data, block.mlp.b_in.data = get(at + "mlp.c_fc.weight"), get(at + "mlp.c_fc.bias")
        block.mlp.W_out.data, block.mlp.b_out.data = get(at + "mlp.c_proj.weight"), get(at + "mlp.c_proj.bias")
    model.final_layer_norm.w.data, model.final_layer_norm.b.data = get("ln_f.weight"), get("ln_f.bias")
    model.unembedding.W_U.data = get("wte.weight").T  # tied in GPT-2
    return model


@wrong("the model shares its memory with the caller's state dict, so training changes that too: copy the numbers")
def shares_memory(model, state_dict):
    for name, value in mapping(model, state_dict).items():
        model.get_parameter(name).data = value
    return model
