"""Hidden tests of exercise 2.14. The fixture MemoryTransformer is the class under test.

The oracle adds up the two layers one sequence at a time with torch's own fused attention.
"""

import torch
import torch.nn.functional as F

from utils.grade import close, equal, require, shaped
from utils.grade.suite import draws

B, T, D, V, ROWS = 3, 5, 8, 11, 9  # all different; ROWS positions, more than the tokens that come
MAPS = [f"layers.{layer}.attention.{name}.weight" for layer in (0, 1) for name in ("wk", "wv", "wo")]
TABLES = ["tok_embeddings.weight", "output.weight"]
FROZEN = {MAPS[1], MAPS[2], MAPS[4]}  # W_V of both layers, W_O of the first
KEYS = ("A1", "A2", "h0", "h1", "h2")


def probe_transformer(cls, config, weights, tokens, direction, steps):
    """Build the model, copy the weights in, run it with and without the cache, go back, then train a few steps."""
    model = cls(SimpleNamespace(**config))
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    found = {**parameters, **buffers}
    report = {"parameters": {name: list(p.shape) for name, p in parameters.items()}}
    report["buffers"] = {name: list(b.shape) for name, b in buffers.items()}
    report["saved"] = "pe" in model.state_dict()
    if sorted(parameters) != sorted(set(weights) - {"pe"}) or "pe" not in buffers:
        return report
    if any(found[name].shape != value.shape for name, value in weights.items()):
        return report
    report["varied"] = all(parameters[name].unique().numel() > 2 for name in ("tok_embeddings.weight", "output.weight"))
    report["same_rows"] = bool((model.pe[0] == model.pe[1]).all())
    start = cls(SimpleNamespace(**config | {"max_length": 16 * config["max_length"]})).pe  # enough for a rough look
    report["mean_and_std"] = [round(2 * float(start.mean())) / 2, round(2 * float(start.std())) / 2]
    with torch.no_grad():
        for name, value in weights.items():
            found[name].copy_(value)
    logits, kept = model(tokens), tokens.clone()
    again = model(tokens)
    report["steady"] = bool((model.pe == weights["pe"]).all())
    if torch.is_tensor(logits) and torch.is_tensor(again):
        report["steady"] = report["steady"] and logits.shape == again.shape and bool((logits == again).all())
    if not report["steady"]:
        return report
    pair = model(tokens, return_cache=True)
    report |= {"logits": logits if torch.is_tensor(logits) else type(logits).__name__, "tokens": kept, "cache": {}}
    report["kinds"] = [type(part).__name__ for part in pair] if isinstance(pair, tuple) else [type(pair).__name__]
    report["pair"] = len(report["kinds"]) == 2 and torch.is_tensor(pair[0]) and isinstance(pair[1], dict)
    if report["pair"]:
        report |= {"cached_logits": pair[0], "keys": [str(key) for key in pair[1]]}
        report["cache"] = {str(key): value for key, value in pair[1].items()}
    if torch.is_tensor(logits) and logits.requires_grad and logits.shape == direction.shape:
        (logits * direction).sum().backward()
        report["gradients"] = {name: p.grad for name, p in parameters.items() if p.grad is not None}
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            (model(tokens) * direction).sum().backward()
            optimizer.step()
        report["after"] = {name: value for name, value in model.state_dict().items() if name in weights}
    return report


def make(draw, length=T):
    """A config, a state dict and tokens; scores have a standard deviation of about 1."""
    config = {"vocab_size": V, "dim": D, "max_length": ROWS, "freeze_embeddings": False, "freeze_output": False}
    others = ("final_ffn", "first_ffn", "tie_output", "use_rope", "sqrtd_embeddings", "no_sqrtd", "sin_cos")
    config |= dict.fromkeys(others, False) | {"linear_final_ffn": True, "linear_first_ffn": True}
    weights = {name: draw.normal(D, D, std=0.8 / D**0.5) for name in MAPS}
    weights |= {"tok_embeddings.weight": draw.normal(V, D), "pe": draw.normal(ROWS, D)}
    weights["output.weight"] = draw.normal(V, D, std=0.5)
    tokens = draw.integers(0, V, B, length)
    tokens[0, 0], tokens[1, -1] = 0, V - 1  # the first and the last token of the vocabulary are tokens like others
    return config, weights, tokens


def layer(weights, i, x):
    """What layer i (0 or 1) adds to one sequence x (T, d), and its pattern."""
    wk, wv, wo = (weights[name] for name in MAPS[3 * i : 3 * i + 3])
    out = F.scaled_dot_product_attention(x[None], (x @ wk.T)[None], (x @ wv.T)[None], is_causal=True)[0] @ wo.T
    scores = [torch.stack([q @ wk @ x[s] for s in range(t + 1)]) / D**0.5 for t, q in enumerate(x)]
    return out, torch.stack([F.pad(row.softmax(0), (0, len(x) - len(row))) for row in scores])


def oracle(weights, tokens):
    """Logits and cache, sequence by sequence."""
    rows = []
    for row in tokens:
        h0 = torch.stack([weights["tok_embeddings.weight"][z] + weights["pe"][t] for t, z in enumerate(row)])
        out1, A1 = layer(weights, 0, h0)
        out2, A2 = layer(weights, 1, h0 + out1)
        h2 = h0 + out1 + out2
        rows.append(
            {"A1": A1, "A2": A2, "h0": h0, "h1": h0 + out1, "h2": h2, "logits": h2 @ weights["output.weight"].T}
        )
    return {key: torch.stack([row[key] for row in rows]) for key in rows[0]}


def probe_trainable(cls, configs):
    """Names of the trainable parameters of a model built from each of these configs."""
    models = [cls(SimpleNamespace(**config)) for config in configs]
    return [sorted(name for name, p in model.named_parameters() if p.requires_grad) for model in models]


def whole(draw):
    config, weights, tokens = make(draw, length=(T, ROWS, 1, 2)[draw.index])
    return config, weights, tokens, oracle(weights, tokens)


def silent(draw):
    """Both layers write nothing."""
    config, weights, tokens = make(draw)
    weights |= {MAPS[2]: torch.zeros(D, D), MAPS[5]: torch.zeros(D, D)}
    return config, weights, tokens, oracle(weights, tokens)


def first_only(draw):
    """The second layer writes nothing."""
    config, weights, tokens = make(draw)
    weights[MAPS[5]] = torch.zeros(D, D)
    return config, weights, tokens, oracle(weights, tokens)


def with_gradients(draw):
    (config, weights, tokens), direction = make(draw), draw.normal(B, T, V)
    leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
    (oracle(leaves, tokens)["logits"] * direction).sum().backward()
    return config, weights, tokens, direction, {name: leaf.grad for name, leaf in leaves.items()}


def run(MemoryTransformer, config, weights, tokens, direction=None, steps=0):
    direction = torch.ones(*tokens.shape, V) if direction is None else direction
    got = MemoryTransformer.run(probe_transformer, config, weights, tokens, direction, steps)
    says = "the positions must be a buffer called pe, of shape (max_length, dim): never trained, saved with the model"
    require(got["buffers"].get("pe") == [ROWS, D] and got["saved"], says, got=got["buffers"])
    shapes = {name: list(value.shape) for name, value in weights.items() if name != "pe"}
    odd = sorted(set(shapes) ^ set(got["parameters"]))
    says = f"the parameters are not those of this model: look for {', '.join(odd[:3])}"
    require(not odd, says)
    says = "a parameter has another shape than (vocab_size, dim) for the two tables and (dim, dim) for the maps"
    require(got["parameters"] == shapes, says, got=got["parameters"])
    says = "two calls on the same tokens differ: nothing random belongs in forward, and positions are drawn in __init__"
    require(got["steady"], says)
    require(not isinstance(got["logits"], str), f"forward must return the logits alone, but returns a {got['logits']}")
    shaped(got["logits"], (*tokens.shape, V), "the logits must have the shape (B, T, V)")
    return got


@draws(1)
def test_parts(MemoryTransformer, draw):
    config, weights, tokens, _ = draw.once(whole)
    got = run(MemoryTransformer, config, weights, tokens)
    says = "tok_embeddings and output must keep the random start that the given lines of __init__ make"
    require(got["varied"], says)
    says = "pe must start as standard normal numbers, a vector of its own for each position"
    require(not got["same_rows"] and got["mean_and_std"] == [0, 1], says, got=got["mean_and_std"])
    require(bool(got["tokens"].equal(tokens)), "the tokens were changed in place: they belong to the caller")


@draws(1)
def test_trainable_parameters(MemoryTransformer, draw):
    config, weights, *_ = draw.once(whole)
    cases = [(True, True), (False, False), (True, False), (False, True)]
    configs = [config | {"freeze_embeddings": a, "freeze_output": b} for a, b in cases]
    for case, got in zip(cases, MemoryTransformer.run(probe_trainable, configs), strict=True):
        frozen = FROZEN | {name for name, yes in zip(TABLES, case, strict=True) if yes}
        odd = sorted(set(got) ^ (set(weights) - {"pe"} - frozen))
        says = f"with freeze_embeddings={case[0]} and freeze_output={case[1]}: {', '.join(odd)} must be "
        equal(odd, [], says + ("frozen, but is not" if odd and odd[0] in got else "trainable, but is not"))


@draws(1)
def test_layers_that_write_nothing(MemoryTransformer, draw):
    config, weights, tokens, wanted = draw.once(silent)
    got = run(MemoryTransformer, config, weights, tokens)
    says = "with both W_O = 0 the logits must be those of token embedding plus position, through the output map"
    close(got["logits"], wanted["logits"], says, inputs={"tokens": tokens})


@draws(1)
def test_first_layer(MemoryTransformer, draw):
    config, weights, tokens, wanted = draw.once(first_only)
    got = run(MemoryTransformer, config, weights, tokens)
    says = "with W_O^2 = 0 the logits are off: look at what the first layer reads, and how its result joins the stream"
    close(got["logits"], wanted["logits"], says, atol=1e-4, inputs={"tokens": tokens})


def test_both_layers(MemoryTransformer, draw):
    config, weights, tokens, wanted = draw.once(whole)
    got = run(MemoryTransformer, config, weights, tokens)
    says = "the first layer is right, the second is not: look at what it reads, and how its result joins the stream"
    close(got["logits"], wanted["logits"], says, atol=1e-4, inputs={"tokens": tokens})


@draws(1)
def test_cache(MemoryTransformer, draw):
    config, weights, tokens, wanted = draw.once(whole)
    got = run(MemoryTransformer, config, weights, tokens)
    require(got["pair"], "with return_cache=True forward must return the pair (logits, cache), cache a dict")
    missing = [key for key in KEYS if key not in got["keys"]]
    require(not missing, f"the cache lacks {', '.join(missing)}: its keys are {', '.join(KEYS)}")
    says = "the logits that come with the cache are not those that come without"
    close(got["cached_logits"], wanted["logits"], says, atol=1e-4, name="the logits")
    for key in KEYS:
        what = "pattern of that layer" if key[0] == "A" else "residual stream at that place"
        close(got["cache"][key], wanted[key], f"cache[{key!r}] is not the {what}", atol=1e-4, name=f"cache[{key!r}]")


@draws(1)
def test_gradients(MemoryTransformer, draw):
    config, weights, tokens, direction, expected = draw.once(with_gradients)
    got = run(MemoryTransformer, config, weights, tokens, direction, steps=2)
    for name in sorted(set(weights) - FROZEN - {"pe"}):
        says = f"the gradient does not come back whole to {name}: something on the way is cut off"
        require(name in got.get("gradients", {}), says)
        close(got["gradients"][name], expected[name], says, rtol=1e-3, atol=1e-3)
    for name in sorted(FROZEN | {"pe"}):
        says = f"{name} changes while the model is used or trained: it is frozen"
        require(bool(got["after"][name].equal(weights[name])), says)
