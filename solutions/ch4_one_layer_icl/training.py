"""Training (chapter 4): the normalised step, the loop, the saddle of linear attention, many runs at once."""

from collections.abc import Mapping, Sequence

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn

from .config import DataConfig
from .data import Batch, sample_batch
from .model import embed, forward


def ngd_step(params: Mapping[str, Tensor], grads: Mapping[str, Tensor | None], lr: float) -> dict[str, Tensor]:
    """Move each tensor by lr against its own gradient, divided by that gradient's own Frobenius norm.

    A tensor whose gradient is None or zero stays. Returns a new dict under the same keys; the arguments are left as
    they are.
    """
    # solution
    moved = {}
    for name, value in params.items():
        gradient = grads[name]
        if gradient is None:
            moved[name] = value.detach().clone()
            continue
        norm = torch.linalg.vector_norm(gradient)
        moved[name] = value.detach() - lr * gradient / torch.where(norm > 0, norm, 1.0)
    return moved
    # end solution


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
    """Train by per-tensor normalised gradient descent, each step on a fresh batch: {"id": [...], "ood": [...]}.

    `model(tokens)` returns (xi, xi_A, xi_F), and the loss is the cross-entropy of xi. id[t] is the loss on the batch
    of step t before the step, ood[t] that after it on one fixed set of unseen outputs with the same noise.
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


def measure(xi: Float[Tensor, "R B N"], batch: Batch, alpha: Float[Tensor, "R"]) -> dict[str, Float[Tensor, "R"]]:
    """What the logits of R models say of a batch: `loss`, `risk` and `prob`, each (R,).

    `loss`: mean cross-entropy of the labels drawn. `risk`: its expectation over the label noise, which is (1 - alpha)
    of the cross-entropy of y plus alpha of that of tau, so that no curve depends on the luck of the draw. `prob`: mean
    probability of y, or where there is noise (any alpha above 0) of tau.
    """
    log_p = xi.log_softmax(dim=-1)
    of_y = -log_p.gather(2, batch.outputs.expand(len(xi), -1)[..., None])[..., 0]
    if not alpha.any():
        loss = of_y.mean(dim=1)
        return {"loss": loss, "risk": loss.detach(), "prob": (-of_y.detach()).exp().mean(dim=1)}
    of_tau = -log_p[..., -1]
    loss = torch.where(batch.is_noise(alpha), of_tau, of_y).mean(dim=1)
    risk = (1 - alpha) * of_y.detach().mean(dim=1) + alpha * of_tau.detach().mean(dim=1)
    return {"loss": loss, "risk": risk, "prob": (-of_tau.detach()).exp().mean(dim=1)}
