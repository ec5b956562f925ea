"""The training loop at its smallest (chapter 1); trainer.py is the one that reports, saves and resumes."""

from collections.abc import Iterable

import torch
from jaxtyping import Int
from torch import Tensor, nn

from .objective import next_token_loss


def train_step(model: nn.Module, tokens: Int[Tensor, "B T"], optimizer: torch.optim.Optimizer) -> float:
    """Take one step on one batch; returns the loss before the step.

    Shapes: tokens (B, T) -> a Python float. Gradients left from earlier steps are cleared first.
    """
    # solution
    loss = next_token_loss(model(tokens), tokens)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    # end solution


def train(
    model: nn.Module,
    batches: Iterable[Int[Tensor, "B T"]],
    optimizer: torch.optim.Optimizer,
    steps: int,
) -> list[float]:
    """Take exactly `steps` steps, one batch each; `batches` gives at least that many and may be endless.

    The model is in train mode while it runs; afterwards the mode it had before is restored. Returns every loss, as
    Python floats, oldest first.
    """
    # solution
    before = model.training
    model.train()
    stream = iter(batches)
    losses = [train_step(model, next(stream), optimizer) for _ in range(steps)]
    model.train(before)
    return losses
    # end solution
