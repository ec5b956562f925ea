"""The training loop of chapter 4 at its smallest, and the saddle that linear attention cannot leave."""

import torch
from torch import nn

from .config import DataConfig
from .data import sample_batch
from .descent import ngd_step
from .model import forward


def train(
    model: nn.Module,
    cfg,
    steps: int,
    noisy: bool = False,
    alpha: float = 0.0,
    lr: float = 0.5,
    batch: int = 64,
    generator: torch.Generator | None = None,
) -> dict[str, list[float]]:
    """Train by per-tensor normalised gradient descent, each step on a fresh batch; returns {"id": [...], "ood": [...]}.

    `model(tokens)` returns (xi, xi_A, xi_F), and the loss is the cross-entropy of xi. id[t] is the loss on the batch of
    step t before the step, ood[t] that after it on one fixed set of unseen outputs with the same noise.
    """
    # solution
    cross_entropy = nn.functional.cross_entropy
    unseen, unseen_labels, _ = sample_batch(cfg, 512, noisy, alpha, ood=True, generator=generator)
    params = {name: value for name, value in model.named_parameters() if value.requires_grad}
    losses = {"id": [], "ood": []}
    for _ in range(steps):
        tokens, labels, _ = sample_batch(cfg, batch, noisy, alpha, generator=generator)
        loss = cross_entropy(model(tokens)[0], labels)
        grads = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
        moved = ngd_step(params, dict(zip(params, grads, strict=True)), lr)
        with torch.no_grad():
            for name, value in params.items():
                value.copy_(moved[name])
            losses["ood"].append(cross_entropy(model(unseen)[0], unseen_labels).item())
        losses["id"].append(loss.item())
    return losses
    # end solution


def escape_saddle() -> dict[str, tuple[float, float]]:
    """Does the full model leave W = V = F = 0? Norms of W and V after 100 normalised steps, with kappa = 0.

    Returns {"linear": (|W|, |V|), "relu": (|W|, |V|)}, Frobenius norms.
    """
    # solution
    cfg = DataConfig(vocab_size=12, H=8, Q=2, Y=2)
    norms = {}
    for kind in ("linear", "relu"):
        generator = torch.Generator().manual_seed(0)
        params = {name: torch.zeros(2 * cfg.vocab_size, 2 * cfg.vocab_size) for name in "WVF"}
        for _ in range(100):
            tokens, labels, _ = sample_batch(cfg, 64, noisy=False, generator=generator)
            leaves = {name: value.requires_grad_() for name, value in params.items()}
            loss = nn.functional.cross_entropy(forward(leaves, tokens, 0, kind)[0], labels)
            grads = torch.autograd.grad(loss, list(leaves.values()))
            params = ngd_step(leaves, dict(zip(leaves, grads, strict=True)), lr=0.1)
        norms[kind] = (params["W"].norm().item(), params["V"].norm().item())
    return norms
    # end solution
