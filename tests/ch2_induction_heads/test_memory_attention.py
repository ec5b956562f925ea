"""Hidden tests of exercise 2.13. The fixture MemoryAttention is the class under test.

The oracle goes query by query over what it may read: no mask, no batch axis.
"""

import math

import torch

from utils.grade import close, equal, require
from utils.grade.suite import draws

B, T, D = 3, 5, 7  # all different
NAMES = ("wk", "wv", "wo")


def probe_attention(cls, dim, frozen, weights, x, directions):
    """Build the layer, copy weights in, run it, and go back from `directions` (out, A) to parameters and input."""
    layer = cls(dim, **frozen)
    found = dict(layer.named_parameters())
    report = {"shapes": {name: list(p.shape) for name, p in found.items()}}
    report["trainable"] = {name: p.requires_grad for name, p in found.items()}
    report["varied"] = {name: p.unique().numel() > 2 for name, p in found.items()}
    report["twins"] = [a for a in found for b in found if a < b and found[a].equal(found[b])]
    if set(weights) != set(found) or any(found[n].shape != w.shape for n, w in weights.items()):
        return report
    with torch.no_grad():
        for name, value in weights.items():
            found[name].copy_(value)
    given = x.clone().requires_grad_()
    result = layer(given * 1)
    if not isinstance(result, tuple) or len(result) != 2 or not all(torch.is_tensor(part) for part in result):
        return {
            **report,
            "kind": [type(part).__name__ for part in result] if type(result) is tuple else [str(type(result))],
        }
    report |= {"out": result[0], "A": result[1], "gradients": {}, "input_gradient": None}
    if result[0].shape == x.shape and result[0].requires_grad:
        (result[0] * directions).sum().backward()
        report["input_gradient"] = given.grad
        report["gradients"] = {name: p.grad for name, p in layer.named_parameters() if p.grad is not None}
    plain = x.clone()
    with torch.no_grad():
        again = layer(plain)
    return {**report, "again": again[0], "x": plain}


def probe_lengths(cls, dim, weights, inputs):
    """What one layer gives for inputs of several lengths, one after the other."""
    layer = cls(dim)
    with torch.no_grad():
        for name, p in layer.named_parameters():
            p.copy_(weights[name])
        return [layer(x) for x in inputs]


def probe_frozen(cls, dim, cases):
    """Which parameters are trainable after building the layer with each of these flags."""
    layers = [cls(dim, **case) for case in cases]
    return [{name: p.requires_grad for name, p in layer.named_parameters()} for layer in layers]


def tables(draw, length=T):
    """Weights by name and an input; the scores have a standard deviation of about 2."""
    weights = {name + ".weight": draw.normal(D, D, std=1.0 / D**0.5) for name in NAMES}
    weights["wk.weight"] *= 2.0
    return weights, draw.normal(B, length, D)


def full(draw):
    weights, x = tables(draw)
    return weights, x, *oracle(weights, x)


def single(draw):
    weights, x = tables(draw, length=1)
    return weights, x, *oracle(weights, x)


def equal_scores(draw):
    weights, x = tables(draw)
    weights["wk.weight"] = torch.zeros(D, D)
    return weights, x, *oracle(weights, x)


def low_scores(draw):
    """A token's score with itself is -20, the lowest there is."""
    weights, x = tables(draw)
    x = x / x.norm(dim=-1, keepdim=True) * D**0.25
    weights["wk.weight"] = -20.0 * torch.eye(D)
    return weights, x, *oracle(weights, x)


def large_scores(draw):
    """Scores in the hundreds, as loud memories give: -400 of one first token with itself, above 100 of another."""
    weights, x = tables(draw)
    for row, sign in ((0, -1), (1, 1)):
        while (score := float(x[row, 0] @ weights["wk.weight"] @ x[row, 0])) * sign < 1.0:
            x[row, 0] = draw.normal(D)
        if row == 0:
            low = score
    weights["wk.weight"] *= 400 * D**0.5 / abs(low)
    x[1, 0] *= max(1.0, (100 * D**0.5 / float(x[1, 0] @ weights["wk.weight"] @ x[1, 0])) ** 0.5)
    exact = oracle({name: value.double() for name, value in weights.items()}, x.double())
    return weights, x, *(part.float() for part in exact)


def with_gradients(draw):
    (weights, x), directions = tables(draw), draw.normal(B, T, D)
    leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
    given = x.clone().requires_grad_()
    (oracle(leaves, given)[0] * directions).sum().backward()
    return weights, x, directions, {name: leaf.grad for name, leaf in leaves.items()}, given.grad


def oracle(weights, x):
    """Query by query: a query reads itself and what is before it."""
    wk, wv, wo = (weights[name + ".weight"] for name in NAMES)
    outs, patterns = [], []
    for row in x:
        for t in range(len(row)):
            scores = torch.stack([row[t] @ (wk @ row[s]) for s in range(t + 1)]) / math.sqrt(x.shape[-1])
            shares = torch.exp(scores - scores.max().detach())
            shares = shares / shares.sum()
            outs.append(wo @ sum(share * (wv @ row[s]) for s, share in enumerate(shares)))
            patterns.append(torch.cat([shares, torch.zeros(len(row) - t - 1)]))
    return torch.stack(outs).view(x.shape), torch.stack(patterns).view(len(x), x.shape[1], -1)


def run(MemoryAttention, weights, x, directions=None, **frozen):
    got = MemoryAttention.run(
        probe_attention, x.shape[-1], frozen, weights, x, torch.ones_like(x) if directions is None else directions
    )
    says = "the layer's parameters must be wk.weight, wv.weight and wo.weight, (dim, dim) each, and no others (no bias)"
    require(got["shapes"] == {name + ".weight": [x.shape[-1]] * 2 for name in NAMES}, says, got=got["shapes"])
    require("kind" not in got, f"forward must return two tensors, (out, A), but it returns {got.get('kind')}")
    batch, length, dim = x.shape
    for name, shape in (("out", (batch, length, dim)), ("A", (batch, length, length))):
        says = f"{name} must have the shape {shape}, but it has {tuple(got[name].shape)}"
        require(tuple(got[name].shape) == shape, says)
    return got


@draws(1)
def test_parts(MemoryAttention, draw):
    weights, x, *_ = draw.once(full)
    got = run(MemoryAttention, weights, x)
    says = "the three maps must be separate and start at random, as nn.Linear makes them"
    require(all(got["varied"].values()) and not got["twins"], says)
    close(got["x"], x, "the input was changed in place: the residual stream is still needed")
    close(got["again"], got["out"], "two calls on the same input differ: nothing random (dropout) belongs in here")


@draws(1)
def test_frozen_maps(MemoryAttention, draw):
    cases = [{}] + [{f"freeze_{name}": bool(bits >> i & 1) for i, name in enumerate(NAMES)} for bits in range(8)]
    for case, got in zip(cases, MemoryAttention.run(probe_frozen, D, cases), strict=True):
        wanted = {"freeze_wk": False, "freeze_wv": True, "freeze_wo": False, **case}
        for name in NAMES:
            frozen, flags = wanted["freeze_" + name], case or "the defaults"
            says = f"with {flags} {name}.weight must be {'frozen' if frozen else 'trainable'}, but is not"
            equal(got.get(name + ".weight"), not frozen, says)


@draws(1)
def test_single_token(MemoryAttention, draw):
    weights, x, out, A = draw.once(single)
    got = run(MemoryAttention, weights, x)
    says = "a single token can only read itself: A must be 1 there, and out its own value through wv, then wo"
    close(got["A"], A, says, name="A", inputs={"x": x})
    close(got["out"], out, says, name="out", inputs={"x": x})


@draws(1)
def test_equal_scores_give_the_average(MemoryAttention, draw):
    weights, x, out, A = draw.once(equal_scores)
    got = run(MemoryAttention, weights, x)
    says = "with wk = 0 every position must read itself and all before it in equal shares, and nothing after it"
    close(got["A"], A, says, name="A", inputs={"x": x})
    close(got["out"], out, "with wk = 0 A is right, but out is not that mix of the values", name="out", inputs={"x": x})


def test_scores(MemoryAttention, draw):
    weights, x, out, A = draw.once(full)
    got = run(MemoryAttention, weights, x)
    says = "mask and values are right, but who reads from whom is not: look at query, key and scale of the scores"
    close(got["A"], A, says, name="A", atol=3e-5, inputs={"x": x})
    close(got["out"], out, "A is right, but out is not that mix of the values", name="out", atol=3e-5, inputs={"x": x})


@draws(1)
def test_hidden_scores_are_out_of_reach(MemoryAttention, draw):
    weights, x, _, A = draw.once(low_scores)
    got = run(MemoryAttention, weights, x)
    says = "the future leaks where the scores of the past are low: what is hidden must be so at any score"
    leaks = float(got["A"].triu(1).abs().max())
    require(leaks < 1e-4, says, expected=A, got=got["A"], inputs={"x": x})


@draws(1)
def test_large_scores(MemoryAttention, draw):
    weights, x, _, A = draw.once(large_scores)
    got = run(MemoryAttention, weights, x)
    says = "with scores in the hundreds, as a beta of 50 gives, A is not finite: torch's softmax does not overflow"
    require(got["A"].isfinite().all(), says, expected=A, got=got["A"])
    says = "the future leaks where the scores of the past are below -100: hide it by minus infinity"
    require(float(got["A"].triu(1).abs().max()) < 1e-4, says, expected=A, got=got["A"])
    close(got["A"], A, "with scores in the hundreds A is off", name="A", atol=2e-3, inputs={"x": x})


@draws(1)
def test_one_length_after_another(MemoryAttention, draw):
    weights, _ = tables(draw)
    inputs = [draw.normal(2, length, D) for length in (4, D + 3, 2)]  # longer than the first, and than dim
    for x, got in zip(inputs, MemoryAttention.run(probe_lengths, D, weights, inputs), strict=True):
        says = f"after other lengths, {x.shape[1]} positions of width {D} give another pattern: T is read off each x"
        close(got[1], oracle(weights, x)[1], says, name="A", atol=3e-5, inputs={"x": x})


def test_gradients(MemoryAttention, draw):
    weights, x, directions, expected, of_input = draw.once(with_gradients)
    got = run(MemoryAttention, weights, x, directions, freeze_wv=bool(draw.index))
    for name in weights:
        if name == "wv.weight" and draw.index:
            continue
        says = f"the gradient does not come back whole to {name}: something on the way is cut off"
        require(name in got["gradients"], says)
        close(got["gradients"][name], expected[name], says, atol=1e-3)
    says = "the gradient does not come back whole to the input: freezing a map must not cut off what flows through it"
    require(got["input_gradient"] is not None, says)
    close(got["input_gradient"], of_input, says, atol=1e-3)
