"""AdamW with a warm-up, a linear decay and a limit on the gradient, worked by the optimizer itself (chapter 1).

Everything happens in a hook that runs before each step of the optimizer, so that a plain training step (clear the
gradients, back-propagate, step) is all that the training loop has to do.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def learning_rate_factor(step: int, steps: int, warmup_steps: int = 0, decay_steps: int = 0) -> float:
    """What the learning rate of step `step` (0, ..., steps - 1) is multiplied by: up, then level, then down to zero.

    It rises over the first `warmup_steps` and falls over the last `decay_steps`. It depends on nothing else, so a run
    that stopped on the level part can be continued to any number of steps.
    """
    up = (step + 1) / (warmup_steps + 1)
    down = (steps - step) / (decay_steps + 1)
    return max(0.0, min(1.0, up, down))


def scheduled_adamw(
    parameters: Iterable[Tensor],
    steps: int | Callable[[], int],
    learning_rate: float = 3e-3,
    warmup_steps: int = 0,
    decay_steps: int = 0,
    gradient_clip: float = 1.0,
    weight_decay: float = 0.01,
    betas: tuple[float, float] = (0.9, 0.95),
    done: Callable[[], int] | None = None,
    fused: bool = True,
) -> torch.optim.AdamW:
    """AdamW that follows `learning_rate_factor` and scales gradients down to a norm of `gradient_clip` (0: never).

    `done` gives the number of the step about to be taken; without it the optimizer counts its own steps. `fused`
    updates all weights in one kernel. Source: Loshchilov and Hutter 2019 (AdamW).
    """
    parameters = list(parameters)
    optimizer = torch.optim.AdamW(
        parameters, lr=learning_rate, betas=betas, weight_decay=weight_decay, fused=fused or None
    )
    taken = 0

    def before_step(optimizer, args, kwargs):
        nonlocal taken
        step, taken = (taken if done is None else done()), taken + 1
        total = steps() if callable(steps) else steps
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * learning_rate_factor(step, total, warmup_steps, decay_steps)
        if gradient_clip:
            torch.nn.utils.clip_grad_norm_(parameters, gradient_clip)

    optimizer.register_step_pre_hook(before_step)
    return optimizer
