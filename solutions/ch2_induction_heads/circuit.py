"""The induction head, written into the three matrices by hand, or by single steps of gradient descent (chapter 2)."""

import torch
import torch.nn.functional as F
from einops import einsum
from jaxtyping import Int
from torch import Tensor, nn


def build_induction_head(
    model: nn.Module, beta: tuple[float, float, float] = (10, 10, 10), triggers: Int[Tensor, "n"] | None = None
) -> nn.Module:
    """Write the three memories of an induction head into W_K^1, W_K^2 and W_O^2, in place; returns the model.

    W_K^1: p_{t-1} -> p_t. W_K^2: w_1(q) -> w_E(q) for each trigger q (None: every token), w_1 = W_O^1 W_V^1 w_E.
    W_O^2: W_V^2 w_E(b) -> w_U(b) for every token b. A stored pair scores its beta, in the order W_K^1, W_K^2, W_O^2:
    as an attention score in the first two, as a logit in the last. All else stays. Source: Bietti et al. 2023.
    """
    # solution
    first, second = (layer.attention for layer in model.layers)
    d = model.pe.shape[1]

    def unit(x):  # u / |u|^2, so that u . unit(u) = 1 whatever the length of u
        return x / x.square().sum(dim=1, keepdim=True)

    def outer(values, keys):
        return einsum(unit(values), unit(keys), "n d_out, n d_in -> d_out d_in")

    with torch.no_grad():
        P, E, U = model.pe, model.tok_embeddings.weight, model.output.weight
        Q = E if triggers is None else E[triggers]
        first.wk.weight.copy_(beta[0] * d**0.5 * outer(P[1:], P[:-1]))
        second.wk.weight.copy_(beta[1] * d**0.5 * outer(Q, first.wo(first.wv(Q))))
        second.wo.weight.copy_(beta[2] * outer(U, second.wv(E)))
    return model
    # end solution


def one_step(model: nn.Module, which: str, batches: list[tuple[Tensor, Tensor, Tensor]], eta: float) -> nn.Module:
    """Set one matrix to zero, then move it by -eta times its mean gradient over the batches; returns the model.

    `which`: "wk1", "wk2" or "wo2" (W_K^1, W_K^2, W_O^2); all else stays. Each batch is (x, y, mask), (B, T); its loss
    is the mean cross-entropy over the mask, 0 if that is empty.
    In place. Raises ValueError for another name. Source: Bietti et al. 2023.
    """
    # solution
    first, second = (layer.attention for layer in model.layers)
    matrices = {"wk1": first.wk.weight, "wk2": second.wk.weight, "wo2": second.wo.weight}
    if which not in matrices:
        raise ValueError(f"There is no matrix {which!r}: choose wk1, wk2 or wo2.")
    W = matrices[which]
    with torch.no_grad():
        W.zero_()
    total = torch.zeros_like(W)
    for x, y, mask in batches:
        logits = model(x)
        loss = F.cross_entropy(logits[mask], y[mask], reduction="sum") / mask.sum().clamp(min=1)
        total += torch.autograd.grad(loss, W)[0]
    with torch.no_grad():
        W -= eta * total / len(batches)
    return model
    # end solution
