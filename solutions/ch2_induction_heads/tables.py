"""The chapter's tables measured anew, each row against its value and its tolerance (chapter 2)."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from utils.course import CourseError
from utils.train import progress_bar, write_json

from .counts import BigramTable
from .table_parts import PARTS
from .table_values import VALUES


@dataclass(frozen=True)
class Row:
    """One number: what it should be, its mean over the seeds, the smallest and the largest."""

    part: str
    name: str
    value: float
    tolerance: float
    measured: float
    lowest: float
    highest: float

    @property
    def met(self) -> bool:
        return abs(self.measured - self.value) <= self.tolerance


def measure(
    table: BigramTable, parts: Iterable[str] = (), seeds: int = 3, jobs: int = 1
) -> Iterator[tuple[str, dict[str, float]]]:
    """(part, its numbers by row) for each of these parts (none named: all) with seeds 0, 1, ..., as they get ready.

    `jobs` above 1 shares the runs among processes by joblib. Raises CourseError for an unknown part.
    """
    chosen = list(parts) or list(PARTS)
    for part in chosen:
        if part not in PARTS:
            raise CourseError(f"There is no part {part!r} of the tables: choose from {', '.join(PARTS)}.")
    if seeds < 1 or jobs < 1:
        raise CourseError("seeds and jobs must be 1 or more.")
    runs = [(part, seed) for seed in range(seeds) for part in chosen]
    found = (PARTS[part](table, seed) for part, seed in runs)
    if jobs > 1:
        try:
            from joblib import Parallel, delayed
        except ImportError:
            raise CourseError("jobs above 1 need the package joblib, which is not installed.") from None
        found = Parallel(jobs, return_as="generator")(delayed(_alone)(part, table, seed) for part, seed in runs)
    parts = (part for part, _ in runs)
    return zip(parts, progress_bar(found, total=len(runs), label="tables", unit="run"), strict=True)


def rows(found: Iterable[tuple[str, dict[str, float]]]) -> list[Row]:
    """The rows of every part that was measured, over the seeds it was measured with."""
    by_part = {}
    for part, values in found:
        by_part.setdefault(part, []).append(values)
    rows = []
    for part, measured in by_part.items():
        for name, (value, tolerance) in VALUES[part].items():
            numbers = [values[name] for values in measured]
            mean = sum(numbers) / len(numbers)
            rows.append(Row(part, name, value, tolerance, mean, min(numbers), max(numbers)))
    return rows


def _alone(part: str, table: BigramTable, seed: int) -> dict[str, float]:
    import torch

    torch.set_num_threads(1)
    return PARTS[part](table, seed)


def show(rows: list[Row]) -> str:
    """The rows for the terminal."""
    width = max(len(row.name) for row in rows)
    lines = [f"part  {'row'.ljust(width)}  value  +-     measured (lowest .. highest)"]
    for row in rows:
        spread = f"{row.measured:6.3f}  ({row.lowest:.3f} .. {row.highest:.3f})"
        verdict = "" if row.met else "  OFF"
        lines.append(f"{row.part:4}  {row.name.ljust(width)}  {row.value:5.3f}  {row.tolerance:.3f}  {spread}{verdict}")
    off = sum(not row.met for row in rows)
    return "\n".join([*lines, f"{len(rows)} rows, {off} off"])


def keep(rows: list[Row], file: Path) -> None:
    """Write the rows as JSON."""
    write_json(file, {"rows": [asdict(row) | {"met": row.met} for row in rows]})
