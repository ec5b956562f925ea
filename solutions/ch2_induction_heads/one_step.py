"""One step of gradient descent on one matrix: what does it store? (chapter 2)"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
