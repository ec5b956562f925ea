"""What a bench row is, how peers are timed fairly, and how the table is printed and kept."""

import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from utils.files import write_whole


@dataclass(frozen=True)
class Row:
    """One goal. `ratio`: how many times better ours is than the baseline (a peer, or a budget); `goal` is its floor."""

    name: str
    unit: str
    ours: float
    baseline: float
    ratio: float
    goal: float
    met: bool


def faster(name: str, unit: str, ours: float, baseline: float, goal: float) -> Row:
    """A row where larger numbers are better (tokens a second)."""
    return _row(name, unit, ours, baseline, ours / baseline, goal)


def within(name: str, unit: str, ours: float, budget: float, goal: float = 1.0) -> Row:
    """A row where smaller numbers are better (seconds, megabytes), against a budget or a peer's cost."""
    return _row(name, unit, ours, budget, budget / max(ours, 1e-12), goal)


def _row(name, unit, ours, baseline, ratio, goal) -> Row:
    return Row(name, unit, float(ours), float(baseline), float(ratio), float(goal), bool(ratio >= goal))


def interleaved(
    *runs: Callable[[], object], repeats: int = 5, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Median seconds of each run, taken in turns so that a busy moment hits all of them alike; one warm-up each."""
    for run in runs:
        run()
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for kept, run in zip(seconds, runs, strict=True):
            start = clock()
            run()
            kept.append(clock() - start)
    return [statistics.median(kept) for kept in seconds]


def show(rows: list[Row]) -> str:
    """The table for the terminal."""
    head = ("what", "unit", "ours", "baseline", "ratio", "goal", "met")
    cells = [
        (
            r.name,
            r.unit,
            f"{r.ours:,.3g}",
            f"{r.baseline:,.3g}",
            f"{r.ratio:.2f}",
            f"{r.goal:.2f}",
            "yes" if r.met else "NO",
        )
        for r in rows
    ]
    widths = [max(len(line[i]) for line in [head, *cells]) for i in range(len(head))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in [head, *cells]]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def keep(rows: list[Row], file: Path) -> None:
    """Write build/bench.json in one piece."""
    write_whole(file, json.dumps({"rows": [asdict(row) for row in rows], "cores": os.cpu_count()}, indent=1))
