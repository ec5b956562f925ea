"""The right training loop of exercise 4.13, with parts that a wrong answer can replace."""

import sys

import torch
import torch.nn.functional as F


def loss_of(model, batch):
    return F.cross_entropy(model(batch[0])[0], batch[1])


def normalised(model, lr, loss):
    """One step of normalised gradient descent."""
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            if p.grad is not None and p.grad.norm() > 0:
                p -= lr * p.grad / p.grad.norm()


def loop(
    model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None, *,
    move=normalised, unseen=None, fresh=None, tell=loss_of, try_on=loss_of, before=False, late=False,
):  # fmt: skip
    """The right loop, with parts that can be replaced: the step, both draws, both losses, and when they are taken."""
    sample_batch = sys._getframe(1).f_globals["sample_batch"]  # the answer's own, which the hidden tests replace
    draw = lambda n, ood: sample_batch(cfg, n, noisy, alpha, ood, generator)  # noqa: E731
    test = draw(512, True) if unseen is None else unseen
    losses = {"id": [], "ood": []}
    for step in range(steps):
        data = draw(batch, False) if fresh is None else fresh(step)
        if before:
            losses["ood"].append(try_on(model, test() if callable(test) else test).item())
        loss = tell(model, data)
        move(model, lr, loss)
        losses["id"].append((tell(model, data) if late else loss).item())
        if not before:
            losses["ood"].append(try_on(model, test() if callable(test) else test).item())
    return losses
