"""The table of the chapter: how far each of the 13 models ends above the Bayes risk, in and out of distribution."""

import math
from collections.abc import Callable, Mapping, Sequence

from .runs import ALPHAS, PAPER_MODELS, Run, label
from .theory import bayes_risk

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
