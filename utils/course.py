"""Where the course is, what its chapters are called, its settings, its errors. Imports nothing heavy."""

import re
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START = "start"  # built like a chapter, but none: the page that `make learn` opens
START_PAGE = "chapters/start.ipynb"


class CourseError(Exception):
    """Something a person can put right; its text is the one sentence to show."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it."""
        return [f"{type(self).__name__}: {self}"]


class Unfinished(CourseError):
    """Some of the work could not be done, a sentence for each; the rest is on disk, and `done` says what that is."""

    def __init__(self, sentences: list[str], done: str = ""):
        super().__init__("\n".join(sentences))
        self.done = done


@cache
def settings(root: Path = ROOT) -> dict:
    """The `[tool.course]` table of pyproject.toml; empty where the file is absent."""
    file = root / "pyproject.toml"
    if not file.is_file():
        return {}
    return tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("course", {})


@cache
def chapters() -> dict[str, str]:
    """Short key to folder name of every chapter that has a source, in order: {"ch1": "ch1_..."}."""
    found = sorted(file.parent.name for file in (ROOT / "chapters").glob("*/chapter.md"))
    return {name.split("_")[0]: name for name in found if name != START}


def chapter_name(key: str) -> str:
    """Folder name of a chapter given as "ch1" or in full. Raises CourseError for an unknown one."""
    names = chapters()
    if key in names:
        return names[key]
    if key in names.values() or key == START:
        return key
    raise CourseError(f"There is no chapter {key!r}: the chapters are {', '.join(names) or 'none'}.")


def snake(name: str) -> str:
    """File name of an exercise: LayerNorm -> layer_norm, GELU -> gelu, KVCache -> kv_cache."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def hidden_tests(chapter: str, name: str) -> Path:
    """File of the hidden tests of one exercise."""
    return ROOT / "tests" / chapter_name(chapter) / f"test_{snake(name)}.py"


def mutants_file(chapter: str, name: str) -> Path:
    """File of the known wrong answers of one exercise; a class hand-out does not have it."""
    return ROOT / "tests" / chapter_name(chapter) / "mutants" / f"{snake(name)}.py"


def have_answers(chapter: str) -> bool:
    """Whether the reference is here (it is not in a class hand-out)."""
    return (ROOT / "solutions" / chapter_name(chapter) / "__init__.py").is_file()
