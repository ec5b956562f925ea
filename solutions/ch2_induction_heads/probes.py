"""Memory recall: how much of its part of the induction head each trained matrix holds (chapter 2).

The names are the paper's, which counts layers from 1: W_K^1 is layers[0].attention.wk. Published code counts from 0
and calls the same probes wk0, wk1, wo1.
"""

import torch
from einops import einsum
from jaxtyping import Int
from torch import Tensor, nn


def probe_wk1(model: nn.Module) -> float:
    """Share of positions t = 1 .. T-1 whose best key, of the positions s = 0 .. T-2, is s = t - 1: p_t . W_K^1 p_s.

    Reads model.pe (T, d) and layers[0].attention.wk. Later positions are candidates too. Source: Bietti et al. 2023.
    """
    # solution
    P, W_K1 = model.pe, model.layers[0].attention.wk.weight
    scores = einsum(P[1:], W_K1, P[:-1], "t i, i j, s j -> t s")
    right = scores.argmax(dim=1) == torch.arange(len(P) - 1, device=P.device)
    return right.float().mean().item()
    # end solution


def probe_wk2(model: nn.Module, tokens: Int[Tensor, "n"]) -> float:
    """Share of `tokens` whose best key is their own: w_E(i) . W_K^2 w_1(j), w_1(j) = W_O^1 W_V^1 w_E(j).

    Queries i and candidates j both run over `tokens` (n,). w_1(j) is what the first layer writes where j came before.
    Source: Bietti et al. 2023.
    """
    # solution
    E = model.tok_embeddings.weight[tokens]
    first, W_K2 = model.layers[0].attention, model.layers[1].attention.wk.weight
    w_1 = first.wo(first.wv(E))
    scores = einsum(E, W_K2, w_1, "i a, a b, j b -> i j")
    right = scores.argmax(dim=1) == torch.arange(len(tokens), device=E.device)
    return right.float().mean().item()
    # end solution


def probe_wo2(model: nn.Module) -> float:
    """Share of all V tokens whose largest logit, when the second layer attends to them, is their own.

    Logits: U W_O^2 W_V^2 w_E(i). Source: Bietti et al. 2023.
    """
    # solution
    E, second = model.tok_embeddings.weight, model.layers[1].attention
    logits = model.output(second.wo(second.wv(E)))  # (V, V): row i, logits for an attended token i
    right = logits.argmax(dim=1) == torch.arange(len(E), device=E.device)
    return right.float().mean().item()
    # end solution
