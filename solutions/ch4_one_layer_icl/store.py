"""Saved runs (chapter 4): settings and weights, and the curves as one JSON line a step."""

import json
import math
import os
from pathlib import Path

from utils.course import CourseError
from utils.train import read_json, read_metrics, write_json, write_tensors
from utils.train.files import write_whole

from .experiments import Result
from .runs import Run


def make_folder(folder: Path) -> None:
    """Make the folder for runs before they start. Raises CourseError where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise CourseError(f"The folder {folder} cannot be written: {error.strerror or error}.") from None


def save(result: Result, folder: Path, extra: dict | None = None) -> Path:
    """Write <name>.json (settings), <name>.safetensors (weights) and <name>.metrics.jsonl; returns the first.

    The name holds every setting, so no run overwrites another. Each file is written whole or not at all.
    """
    stem = folder / result.run.name
    length = len(next(iter(result.curves.values())))
    lines = []
    for i in range(length):
        values = {name: curve[i] for name, curve in result.curves.items() if not math.isnan(curve[i])}
        lines.append(json.dumps({"step": i + 1} | {k: float(f"{v:.7g}") for k, v in values.items()}))
    write_whole(
        Path(f"{stem}.metrics.jsonl"),
        lambda name: Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8"),
    )
    write_tensors(Path(f"{stem}.safetensors"), result.weights)
    settings = {"settings": result.run.settings(), "label": result.run.label, "finished": result.finished}
    write_json(Path(f"{stem}.json"), settings | {"steps": length} | (extra or {}))
    return Path(f"{stem}.json")


def is_saved(run: Run, folder: Path) -> bool:
    """Whether this very run is there and went to its end."""
    path = folder / f"{run.name}.json"
    return path.is_file() and bool(read_json(path).get("finished"))


def curves(run: Run, folder: Path) -> dict[str, list[float]]:
    """The curves of a saved run; NaN where a number was not measured. Raises CourseError where it is not there."""
    if not is_saved(run, folder):
        raise CourseError(
            f"The run {run.name} is not in {folder}: train it first (all that a figure needs: the command sweep, "
            "with the same settings)."
        )
    lines = read_metrics(folder / f"{run.name}.metrics.jsonl")
    names = list(dict.fromkeys(name for line in lines for name in line if name != "step"))
    return {name: [line.get(name, math.nan) for line in lines] for name in names}
