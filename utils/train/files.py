"""Files of a run: each is written beside its place and then moved there, so that none is ever half-written."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from utils import files
from utils.course import CourseError


def write_whole(path: Path, write: Callable[[str], object]) -> None:
    """Call write(temporary name), then move the file to `path`. Raises CourseError where it cannot be written."""
    try:
        files.write_whole(path, lambda part: write(str(part)))
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror or error}.") from None


def write_json(path: Path, value: dict) -> None:
    """Write a JSON object, indented."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_whole(Path(path), lambda name: Path(name).write_text(text, encoding="utf-8"))


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
    """Write tensors as safetensors, with text beside them."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(Path(path), lambda name: save_file(plain, name, metadata))


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
    """Move an earlier run's files into the next free folder earlier-1, earlier-2, ... below its own.

    Returns that folder, or None where there is nothing to move. Raises CourseError where it cannot be done.
    """
    there = [folder / name for name in names if (folder / name).is_file()]
    if not there:
        return None
    number = 1
    while (kept := folder / f"earlier-{number}").exists():
        number += 1
    try:
        kept.mkdir()
        for file in there:
            file.rename(kept / file.name)
    except OSError as error:
        raise CourseError(f"The run in {folder} cannot be moved out of the way: {error.strerror or error}.") from None
    return kept
