"""The training loop of chapter 5: fresh boards at every step, and measurements that leave the training alone."""

from collections.abc import Callable

import torch
from torch import nn

from .boards import mask_boards, sample_boards
from .config import Schedule
from .metrics import masked_ce, measure


def make_optimizer(model: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW that decays the weights of Linear layers and nothing else: no bias, norm, embedding or position."""
    linear = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    chosen = {id(weight) for weight in linear}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    groups = [{"params": linear, "weight_decay": schedule.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=schedule.lr, betas=(0.9, 0.95), fused=True)


def train(
    model: nn.Module,
    lib,
    steps: int,
    generator: torch.Generator,
    schedule=None,
    watch: Callable[[dict], None] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    draw: Callable[..., dict] = sample_boards,
) -> dict[str, list[float]]:
    """Train on `steps` fresh batches of schedule.batch boards; the history of what was measured.

    Step s uses the learning rate, masking, patches and kinds of boards that schedule.at(s, steps) gives, and the cells
    that schedule.where names. Every schedule.every steps and after the last one, `measure` is called with
    schedule.measured boards and a generator of its own (seed 0 each time, so that all measurements see the same
    boards), and its numbers are appended to the history's lists: {"step": steps taken so far, "loss": ...,
    "masked_object": ..., ...}. Then watch(history) is called, if there is one. The model is trained in train mode.
    `optimizer`: one to go on with, else `make_optimizer` makes it. `draw`: what draws the training boards, called as
    draw(lib, schedule.batch, kinds, generator).
    """
    # solution
    schedule = schedule or Schedule()
    optimizer = optimizer or make_optimizer(model, schedule)
    history: dict[str, list[float]] = {}
    device = next(model.parameters()).device
    model.train()
    for step in range(steps):
        now = schedule.at(step, steps)
        for group in optimizer.param_groups:
            group["lr"] = now["lr"]
        scenes = draw(lib, schedule.batch, now["kinds"], generator)
        masked, mask = mask_boards(lib, scenes, now["masking"], now["patches"], generator)
        tokens, target, mask = (part.flatten(1).to(device) for part in (masked, scenes["board"], mask))
        loss = masked_ce(model(tokens), target, mask, schedule.where)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % schedule.every == 0 or step + 1 == steps:
            found = measure(model, lib, schedule.measured, torch.Generator().manual_seed(0))
            for name, value in ({"step": step + 1} | found).items():
                history.setdefault(name, []).append(value)
            if watch is not None:
                watch(history)
    return history
    # end solution
