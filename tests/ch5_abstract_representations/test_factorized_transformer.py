"""Hidden tests of exercise 5.6: the stream is content alone, read beside position, and passes through the taps."""

import torch
import torch.nn.functional as F

from utils.grade import close, require, shaped, takes_along
from utils.grade.probes import weighted

B, T, V, D, P, N, L = 3, 7, 9, 6, 4, 2, 2
CONFIG = {"vocab": V, "cells": T, "n_layers": L, "n_heads": N, "d_content": D, "d_pos": P, "dropout": 0.0}

AFTER_ATTENTION = (
    "the stream after the first attention is off: attention reads norm_1's copy of the stream and the position vectors "
    "as they are, and its result is added to the stream itself"
)
AFTER_MLP = (
    "the stream after the first MLP is off: the MLP reads norm_2's copy of the stream with the position vectors behind "
    "it, and its result is added to the stream itself"
)


@takes_along(weighted)
def probe_taps(cls, config, weights, tokens):
    """What goes through the taps, and the logits when a tap hands on something else: the last one, then each."""
    module, problem = weighted(cls, config, weights)
    if problem:
        return {"problem": problem}
    found = {}
    for i, block in enumerate(module.blocks):
        for name in ("z_attn", "out"):
            tap = getattr(block, name)
            tap.register_forward_hook(
                lambda m, given, out, key=f"b{i}.{name}": found.setdefault(key, []).append(out.detach().clone())
            )
    logits = module(tokens)
    times, taps = sum(map(len, found.values())), {key: outputs[-1] for key, outputs in found.items()}
    last = module.blocks[-1].out.register_forward_hook(lambda m, given, out: out.flip(1))
    flipped, unread = module(tokens), []
    last.remove()
    for key in taps:
        tap = module.get_submodule(f"blocks.{key[1:]}")
        hook = tap.register_forward_hook(lambda m, given, out: out.flip(1))
        if torch.equal(module(tokens), logits):
            unread.append(key)
        hook.remove()
    return {"taps": taps, "logits": logits, "times": times, "flipped": flipped, "unread": unread}


def make(draw):
    weights = {"token_embedding.weight": draw.normal(V, D), "position": draw.normal(1, T, P)}
    for i in range(L):
        at = f"blocks.{i}"
        for norm in ("norm_1", "norm_2"):
            weights |= {
                f"{at}.{norm}.weight": draw.normal(D, mean=1, std=0.3),
                f"{at}.{norm}.bias": draw.normal(D, std=0.3),
            }
        for name in ("query", "key", "value"):
            weights[f"{at}.attention.{name}.weight"] = draw.normal(D, D + P, std=0.4)
            weights[f"{at}.attention.{name}.bias"] = draw.normal(D, std=0.4)
        weights |= {
            f"{at}.attention.output.weight": draw.normal(D, D, std=0.4),
            f"{at}.attention.output.bias": draw.normal(D),
        }
        weights |= {f"{at}.mlp.0.weight": draw.normal(4 * D, D + P, std=0.4), f"{at}.mlp.0.bias": draw.normal(4 * D)}
        weights |= {f"{at}.mlp.2.weight": draw.normal(D, 4 * D, std=0.3), f"{at}.mlp.2.bias": draw.normal(D, std=0.3)}
    weights |= {"final_norm.weight": draw.normal(D, mean=1, std=0.3), "final_norm.bias": draw.normal(D, std=0.3)}
    return weights | {"head.weight": draw.normal(V, D)}


def oracle(w, tokens):
    """The stream at every tap, and the function from the last stream to the logits."""

    def norm(x, name):
        return F.layer_norm(x, (D,), w[f"{name}.weight"], w[f"{name}.bias"])

    def both(x):
        return torch.cat([x, w["position"].expand(len(x), -1, -1)], dim=-1)

    x, found = w["token_embedding.weight"][tokens], {}
    for i in range(L):
        at = f"blocks.{i}"
        read = both(norm(x, f"{at}.norm_1"))
        q, k, v = (
            F.linear(read, w[f"{at}.attention.{n}.weight"], w[f"{at}.attention.{n}.bias"])
            .view(len(x), T, N, -1)
            .transpose(1, 2)
            for n in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(len(x), T, D)
        x = x + F.linear(mixed, w[f"{at}.attention.output.weight"], w[f"{at}.attention.output.bias"])
        found[f"b{i}.z_attn"] = x
        hidden = F.gelu(F.linear(both(norm(x, f"{at}.norm_2")), w[f"{at}.mlp.0.weight"], w[f"{at}.mlp.0.bias"]))
        x = x + F.linear(hidden, w[f"{at}.mlp.2.weight"], w[f"{at}.mlp.2.bias"])
        found[f"b{i}.out"] = x
    return found, lambda x: norm(x, "final_norm") @ w["head.weight"].T


def test_no_blocks_worth(FactorizedTransformer, draw):
    """Updates are zero: what is left is embedding, final norm, head."""
    weights, tokens = make(draw), draw.integers(0, V, B, T)
    for name in weights:
        if "attention.output" in name or "mlp.2" in name:
            weights[name] = torch.zeros_like(weights[name])
    taps, end = oracle(weights, tokens)
    out = FactorizedTransformer.forward(CONFIG, weights, tokens)
    got = out["result"]
    shaped(got, (B, T, V), "the model must return logits, one row of V numbers for each cell")
    close(out["args"][0], tokens, "the tokens were changed in place")
    says = (
        "when the updates are all 0, the logits must be head(final_norm(token embedding)): updates are added to the "
        "stream, and position never is"
    )
    close(got, end(taps[f"b{L - 1}.out"]), says, atol=3e-5)


def test_taps(FactorizedTransformer, draw):
    weights, tokens = make(draw), draw.integers(0, V, B, T)
    expected, end = oracle(weights, tokens)
    got = FactorizedTransformer.run(probe_taps, CONFIG, weights, tokens)
    require("problem" not in got, f"FactorizedTransformer: {got.get('problem')}; keep the given __init__")
    missing = [name for name in expected if name not in got["taps"]]
    tap = ", ".join(missing[:1])
    says = f"the stream does not pass through the tap {tap}: x = block.z_attn(...) and x = block.out(...)"
    require(not missing, says)
    says = f"the stream passes through the {2 * L} taps {got['times']} times: once through each"
    require(got["times"] == 2 * L, says)
    close(got["taps"]["b0.z_attn"], expected["b0.z_attn"], AFTER_ATTENTION, atol=3e-5)
    close(got["taps"]["b0.out"], expected["b0.out"], AFTER_MLP, atol=3e-5)
    says = "what a tap hands on is not what the rest of the model reads"
    require(not got["unread"], says)
    last = expected[f"b{L - 1}.out"]
    close(got["flipped"] - got["logits"], end(last.flip(1)) - end(last), says, atol=1e-3)
    says = (
        "the stream is right after the first block, but the logits are not: look at the other "
        "blocks, the norm, the head"
    )
    close(got["logits"], end(last), says, atol=1e-4)


def test_gradients(FactorizedTransformer, draw):
    weights, tokens = make(draw), draw.integers(0, V, B, T)
    seed = draw.seed
    got = FactorizedTransformer.gradients(CONFIG, weights, tokens, seed=seed)["gradients"]
    missing = [name for name in weights if name not in got]
    require(not missing, f"no gradient reaches {', '.join(missing[:3])}, so it would never be trained")
    leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
    taps, end = oracle(leaves, tokens)
    direction = torch.randn(B, T, V, generator=torch.Generator().manual_seed(seed))
    (end(taps[f"b{L - 1}.out"]) * direction).sum().backward()
    says = "only a part of the gradient reaches {}: attention and the MLP both train it, so nothing is detached"
    for name in ("position", "token_embedding.weight"):
        close(
            got[name], leaves[name].grad, says.format(name), rtol=1e-3, atol=1e-3 * float(leaves[name].grad.abs().max())
        )
