"""Hidden tests of exercise 5.5: content and position side by side in, content out, no mask."""

import torch
import torch.nn.functional as F

from utils.grade import close, require, shaped

B, T, D, P = 3, 5, 6, 4
HEADS = (2, 3)  # on the first draw and on the second


def probe_attention(cls, weights, x, pos, heads, seed):
    """Build, weight and call the module; the gradients of a random direction as well."""
    D, P = x.shape[-1], pos.shape[-1]
    module = cls(D, P, heads)
    named = dict(module.named_parameters())
    for name, value in weights.items():
        if name not in named or named[name].shape != value.shape:
            return {"problem": f"there is no parameter {name} of shape {tuple(value.shape)}: keep the given __init__"}
        named[name].data.copy_(value)
    x.requires_grad_()
    out = module(x, pos)
    if torch.is_tensor(out) and out.requires_grad and out.shape == x.shape:
        (out * torch.randn(out.shape, generator=torch.Generator().manual_seed(seed))).sum().backward()
    return {"result": out, "x": x, "pos": pos, "without": [n for n, p in named.items() if p.grad is None]}


def make(draw):
    weights = {}
    for name, size in (("query", D + P), ("key", D + P), ("value", D + P), ("output", D)):
        std = 1.5 / size**0.5
        weights |= {f"{name}.weight": draw.normal(D, size, std=std), f"{name}.bias": draw.normal(D, std=0.5)}
    return weights


def oracle(weights, x, pos, heads):
    """torch's own attention on the concatenation."""
    both = torch.cat([x, pos.expand(len(x), -1, -1)], dim=-1)
    q, k, v = (
        (both @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])
        .view(len(x), -1, heads, D // heads)
        .transpose(1, 2)
        for name in ("query", "key", "value")
    )
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
    return mixed @ weights["output.weight"].T + weights["output.bias"]


def run(FactorizedAttention, draw, weights, x, pos):
    got = FactorizedAttention.run(probe_attention, weights, x, pos, HEADS[draw.index], draw.seed)
    require("problem" not in got, f"FactorizedAttention: {got.get('problem')}")
    shaped(got["result"], tuple(x.shape), "attention must return a vector of width D for each cell")
    close(got["x"], x, "the content was changed in place: the residual stream still needs it")
    idle = " and ".join(got["without"])
    require(not got["without"], f"no gradient reaches {idle}: what a map makes must go into the result, undetached")
    return got["result"]


def test_one_cell(FactorizedAttention, draw):
    weights, x, pos = make(draw), draw.normal(B, 1, D), draw.normal(1, 1, P)
    says = (
        "a single cell reads only itself: its value (of content and position) through the output map, with both biases"
    )
    close(run(FactorizedAttention, draw, weights, x, pos), oracle(weights, x, pos, HEADS[draw.index]), says)


def test_equal_scores(FactorizedAttention, draw):
    weights, x, pos = make(draw), draw.normal(B, T, D), draw.normal(1, T, P)
    weights |= {"query.weight": torch.zeros(D, D + P), "query.bias": torch.zeros(D)}
    says = "with all queries zero, every cell must read the plain average of the values of all cells: there is no mask"
    close(run(FactorizedAttention, draw, weights, x, pos), oracle(weights, x, pos, HEADS[draw.index]), says)


def test_whole(FactorizedAttention, draw):
    weights, x, pos = make(draw), draw.normal(B, T, D, std=1.3), draw.normal(1, T, P)
    says = "who reads from whom is off: look at the scores, their scale (the width of a head) and how heads are split"
    close(run(FactorizedAttention, draw, weights, x, pos), oracle(weights, x, pos, HEADS[draw.index]), says, atol=3e-5)


def test_large_scores(FactorizedAttention, draw):
    weights, x, pos = make(draw), draw.normal(B, T, D), draw.normal(1, T, P)
    weights["query.weight"] = weights["query.weight"] * 200
    got = run(FactorizedAttention, draw, weights, x, pos)
    says = "with large scores the weights are off: softmax copes with any size, exp alone does not"
    require(bool(got.isfinite().all()), says, got=got)
