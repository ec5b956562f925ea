"""The tables of chapter 4: what 13 models reach, what theory says they can reach, and when a plateau ends."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

import torch

from ..config import ALPHAS, PAPER_MODELS, DataConfig, Run, label
from ..theory import (
    bayes_risk,
    ff_only_floor,
    first_step_gradient,
    reparam_loss,
    softmax_floor,
    trigger_only_floor,
)
from ..training import escape_saddle, ngd_step, train_many

LAST = 50  # steps over which the end of a curve is averaged (normalised steps never come to rest)


def end(curve: Sequence[float]) -> float:
    """Mean of what was measured in the last 50 steps."""
    values = [value for value in curve[-LAST:] if not math.isnan(value)]
    return sum(values) / len(values)


def excess(run: Run, curves: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """(in distribution, out of distribution): expected loss at the end minus the Bayes risk, in nats."""
    floor = bayes_risk(run.alpha)
    return end(curves["risk"]) - floor, end(curves["ood_loss"]) - floor


def excess_table(
    curves_of: Callable[[Run], Mapping[str, Sequence[float]]],
    models: Sequence[tuple[str, str, int]] = PAPER_MODELS,
    alphas: Sequence[float] = ALPHAS,
    **settings,
) -> dict[str, dict[float, tuple[float, float]]]:
    """{model: {alpha: (in distribution, out of distribution)}}; `curves_of(run)` finds a run's curves."""
    table = {}
    for model in models:
        runs = [Run(*model, alpha=alpha, **settings) for alpha in alphas]
        table[label(*model)] = {run.alpha: excess(run, curves_of(run)) for run in runs}
    return table


def as_markdown(table: Mapping[str, Mapping[float, tuple[float, float]]]) -> str:
    """The table as Markdown: a row a model, a column an alpha, "in / out" in each cell."""
    alphas = list(next(iter(table.values())))
    lines = [
        "| model | " + " | ".join(f"alpha {alpha:g}" if alpha else "no noise" for alpha in alphas) + " |",
        "|---|" + "---|" * len(alphas),
    ]
    for name, row in table.items():
        cells = " | ".join(" / ".join(f"{round(value, 3) + 0.0:.3f}" for value in row[alpha]) for alpha in alphas)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


FLOORS = {
    "Bayes risk": lambda cfg, alpha: bayes_risk(alpha),
    "Reparam-Softmax-FA": softmax_floor,
    "Reparam-F (linear, ReLU)": ff_only_floor,
    "shortcut (no reading)": trigger_only_floor,
}


def theory(cfg: DataConfig, alphas: Sequence[float], lr: float, steps: int) -> str:
    """What the closed forms say at these sizes: floors, the descent of lam, the first gradient, and the saddle."""
    lines = ["| lowest loss (nats) | " + " | ".join(f"alpha {alpha:g}" for alpha in alphas) + " |"]
    lines.append("|---|" + "---|" * len(alphas))
    for name, floor in FLOORS.items():
        lines.append(f"| {name} | " + " | ".join(f"{float(floor(cfg, alpha)):.4f}" for alpha in alphas) + " |")
    lam = torch.zeros(cfg.Q, dtype=torch.float64)
    for _ in range(steps):
        lam = ngd_step({"lam": lam}, {"lam": reparam_loss(lam, cfg)[1]}, lr)["lam"]
    row, N = first_step_gradient(cfg), cfg.vocab_size
    outputs, rule = row[cfg.Q : cfg.Q + cfg.Y], row[N]
    shares = [float(part.square().sum() / row.square().sum()) for part in (outputs, rule)]
    lines += [
        "",
        f"Reparam-Linear, no noise: lam is {lam.mean():.3f} after {steps} normalised steps of {lr:g}, "
        f"and the loss {reparam_loss(lam, cfg)[0]:.2e}.",
        f"First gradient of a free W: {shares[0]:.0%} of its squared length is the shortcut, {shares[1]:.0%} the rule.",
    ]
    for kind, (of_W, of_V) in escape_saddle().items():
        lines.append(f"From zero, {kind} attention, 100 steps of the full model: |W| = {of_W:.2f}, |V| = {of_V:.2f}.")
    return "\n".join(lines)


def plateau(cfg: DataConfig, seeds: Sequence[int], steps: int, batch_size: int, lr: float) -> str:
    """When Origin-Softmax-FA leaves its plateau at log Y, without noise: one line for each seed, trained together."""
    base = dataclasses.asdict(cfg) | {"batch_size": batch_size, "kind": "softmax", "kappa": 1, "lr": lr}
    runs = [SimpleNamespace(**base, noisy=False, alpha=0.0, seed=seed) for seed in seeds]
    levels = (0.8 * math.log(cfg.Y), 0.1)
    lines = [f"The plateau lies at log {cfg.Y} = {math.log(cfg.Y):.3f} nats."]
    for seed, losses in zip(seeds, train_many(runs, steps), strict=True):
        means = losses.unfold(0, min(5, steps), 1).mean(dim=1)
        below = [int((means < level).nonzero()[0]) if bool((means < level).any()) else None for level in levels]
        first, last = (f"from step {at}" if at is not None else f"not in {steps} steps" for at in below)
        lines.append(f"seed {seed}: loss below {levels[0]:.2f} {first}, below 0.1 {last}")
    return "\n".join(lines)
