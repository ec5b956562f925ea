"""Files of a run, never half-written: JSON, tensors, what an optimizer remembers, and numbers line by line."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from utils import files
from utils.course import CourseError
from utils.files import next_free, writing


def write_whole(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """As utils.files.write_whole. Raises CourseError where the file cannot be written."""
    with writing(path):
        files.write_whole(path, content)


def write_json(path: Path, value: dict) -> None:
    """Write a JSON object, indented. Raises CourseError where that cannot be done."""
    write_whole(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict:
    """Read a JSON object. Raises CourseError where it is missing or damaged."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"There is no file {path}.") from None
    except (OSError, ValueError):
        raise CourseError(f"{path} is damaged: it is not JSON.") from None
    if not isinstance(value, dict):
        raise CourseError(f"{path} is damaged: it does not hold a JSON object.")
    return value


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors as safetensors, with text beside them. Raises CourseError where that cannot be done."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, lambda part: save_file(plain, part, metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and text of a safetensors file. Raises CourseError where it is missing or damaged."""
    path = Path(path)
    if not path.is_file():
        raise CourseError(f"There is no file {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError):
        raise CourseError(f"{path} is damaged, or it is not a safetensors file.") from None


def set_aside(folder: Path, names: Sequence[str]) -> Path | None:
    """Move an earlier run's files into the next free folder earlier-1, earlier-2, ... below its own, and say so.

    Returns that folder, or None where there is nothing to move. Raises CourseError where it cannot be done.
    """
    there = [folder / name for name in names if (folder / name).exists()]
    if not there:
        return None
    kept = next_free(lambda number: folder / f"earlier-{number}")
    try:
        kept.mkdir()
        for file in there:
            file.rename(kept / file.name)
    except OSError as error:
        raise CourseError(f"The run in {folder} cannot be moved out of the way: {error.strerror or error}.") from None
    print(f"{folder} held an earlier run: it is kept in {kept}.", file=sys.stderr)
    return kept


PARTS = {torch.optim.SGD: {"momentum_buffer"}, torch.optim.AdamW: {"step", "exp_avg", "exp_avg_sq"}}
PARTS[torch.optim.Adam] = PARTS[torch.optim.AdamW]


def optimizer_tensors(optimizer: torch.optim.Optimizer, prefix: str = "") -> dict[str, Tensor]:
    """The state of every parameter, named <prefix><number of the parameter>.<part>."""
    return {
        f"{prefix}{number}.{part}": value
        for number, memory in optimizer.state_dict()["state"].items()
        for part, value in memory.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], prefix: str = "") -> None:
    """Put back what `optimizer_tensors` gave; tensors of other names are passed over.

    Raises ValueError where they are from another kind of optimizer or from other parameters.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, _, part = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and number.isdigit():
            state.setdefault(int(number), {})[part] = value
    if any(set(memory) != PARTS[type(optimizer)] for memory in state.values()):
        raise ValueError("the state is of another kind of optimizer")
    try:
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    except (KeyError, RuntimeError) as error:
        raise ValueError(str(error)) from None


class Metrics:
    """Log of a run. `history` holds every line, also those of the file that a resumed run continues.

    `path` None keeps the lines in memory only. `tracker_project` sends them to wandb as well; raises CourseError where
    that package is not installed.
    """

    def __init__(
        self,
        path: Path | None = None,
        first_step: int = 0,
        tracker_project: str | None = None,
        run_name: str | None = None,
        settings: dict | None = None,
    ):
        self.path = path
        self.tracker = _wandb(tracker_project, run_name, settings) if tracker_project else None
        self.history: list[dict] = []
        if path is not None and first_step and path.is_file():
            self.history = [line for line in read_metrics(path) if line.get("step", 0) <= first_step]
        if path is not None:
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("".join(json.dumps(line) + "\n" for line in self.history), encoding="utf-8")

    def log(self, step: int, **values) -> None:
        """Add one line: numbers or text of one step."""
        line = {"step": step, **values}
        self.history.append(line)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if self.tracker is not None:
            self.tracker.log(values, step=step)

    def close(self) -> None:
        """End the tracker's run, if there is one."""
        if self.tracker is not None:
            self.tracker.finish()


def read_metrics(path: Path) -> list[dict]:
    """The lines of a metrics file; a last line cut short by a crash is left out."""
    lines = []
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines


def _wandb(project: str, name: str | None, settings: dict | None):
    try:
        import wandb
    except ImportError:
        raise CourseError("A tracker project was given, but the package wandb is not installed.") from None
    return wandb.init(project=project, name=name, config=settings or {})
