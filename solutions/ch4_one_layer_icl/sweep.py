"""Many small models trained as one batched computation (chapter 4)."""

from collections.abc import Sequence

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from .data import sample_batch
from .model import embed


def train_many(cfgs: Sequence, steps: int) -> Float[Tensor, "runs steps"]:
    """Train the full model from zero once for each setting, all of one attention kind at once; returns all losses.

    A setting has vocab_size, H, Q, Y, batch_size (the same in all), kind, kappa, noisy, alpha, lr and seed. A run's
    data come from a generator with its own seed; each tensor of each run is normalised by its own gradient's norm.
    Shapes: (len(cfgs), steps), in the order of cfgs, each loss before the step.
    """
    # solution
    losses = torch.zeros(len(cfgs), steps)
    for kind in ("linear", "softmax", "relu"):
        members = [i for i, cfg in enumerate(cfgs) if cfg.kind == kind]
        if not members:
            continue
        runs = [cfgs[i] for i in members]
        R, N = len(runs), runs[0].vocab_size
        generators = [torch.Generator().manual_seed(run.seed) for run in runs]
        kappa = torch.tensor([float(run.kappa) for run in runs]).reshape(R, 1, 1)
        lr = torch.tensor([float(run.lr) for run in runs]).reshape(R, 1, 1)
        params = [torch.zeros(R, 2 * N, 2 * N, requires_grad=True) for _ in "WVF"]
        for step in range(steps):
            drawn = [
                sample_batch(run, run.batch_size, run.noisy, run.alpha, generator=generator)
                for run, generator in zip(runs, generators, strict=True)
            ]
            tokens = torch.cat([tokens for tokens, _, _ in drawn])
            labels = torch.cat([labels for _, labels, _ in drawn])
            x = rearrange(embed(tokens, runs[0]), "(R B) T d -> R B T d", R=R)

            W, V, F = params
            u = einsum(x[:, :, -1], W, "R B i, R i j -> R B j")
            s = einsum(u, x, "R B j, R B T j -> R B T")
            a = {"linear": s, "softmax": s.softmax(dim=-1), "relu": torch.relu(s + 1e-8)}[kind]
            w = einsum(a, x, "R B T, R B T d -> R B d")
            xi = einsum(V[:, :N], w, "R N d, R B d -> R B N")
            xi = xi + einsum(F[:, :N], x[:, :, -1] + kappa * w, "R N d, R B d -> R B N")

            loss = torch.nn.functional.cross_entropy(rearrange(xi, "R B N -> (R B) N"), labels, reduction="none")
            loss = rearrange(loss, "(R B) -> R B", R=R).mean(dim=1)
            grads = torch.autograd.grad(loss.sum(), params)  # the runs share nothing: each gets its own gradient
            losses[members, step] = loss.detach()
            with torch.no_grad():
                for value, gradient in zip(params, grads, strict=True):
                    norm = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True)
                    value -= lr * gradient / torch.where(norm > 0, norm, 1.0)
    return losses
    # end solution
