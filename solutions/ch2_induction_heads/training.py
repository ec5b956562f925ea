"""The training loop at its smallest, with matrices that wait their turn (chapter 2); trainer.py is the whole one."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def train(
    model: nn.Module,
    sampler: Callable[[], tuple[Tensor, Tensor, Tensor]],
    steps: int,
    lr: float,
    freeze: dict[str, int] | None = None,
) -> dict[str, list[float]]:
    """SGD (momentum 0.9, weight decay 1e-4) on the cross-entropy over the masked positions only.

    sampler() -> x, y (B, T) and mask, bool (B, T); one call a step. `freeze`: {parameter name: step at which it is
    released}. Returns {"loss_head": one float a step, before its update}; a batch with an empty mask has loss 0.
    Raises ValueError for a parameter name that the model does not have.
    """
    # solution
    freeze = freeze or {}
    parameters = dict(model.named_parameters())
    for name in freeze:
        if name not in parameters:
            raise ValueError(f"There is no parameter {name!r}: the model has {', '.join(parameters)}.")
        parameters[name].requires_grad_(False)  # no gradient at all: weight decay and momentum pass it over too

    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    history = {"loss_head": []}
    for step in range(steps):
        for name, until in freeze.items():
            if step == until:
                parameters[name].requires_grad_(True)
        x, y, mask = sampler()
        logits = model(x)
        loss = F.cross_entropy(logits[mask], y[mask], reduction="sum") / mask.sum().clamp(min=1)
        optimizer.zero_grad()
        if loss.requires_grad:  # not where every matrix is frozen
            loss.backward()
        optimizer.step()
        history["loss_head"].append(loss.item())
    return history
    # end solution
