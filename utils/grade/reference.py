"""The reference: its objects for a notebook, its definitions as source for a worker. A class hand-out has neither."""

import ast
import importlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from utils import course
from utils.chapter import load_chapter
from utils.grade.submission import Definition, Notebook

LONG_ENOUGH = 12  # characters of a line of code that say something


def reference(chapter: str, name: str):
    """The reference's object of one exercise. Raises CourseError where the answers are not part of the hand-out."""
    folder, module = _home(chapter, name)
    return getattr(importlib.import_module(f"solutions.{folder.name}.{module}"), name)


def _home(chapter: str, name: str) -> tuple[Path, str]:
    """The folder and the module that hold the reference of an exercise."""
    if not course.have_answers(chapter):
        raise course.CourseError(f"The reference solution of {name} is not part of this hand-out.")
    return course.ROOT / "solutions" / course.chapter_name(chapter), load_chapter(chapter).exercise(name).module


@cache
def reference_definition(chapter: str, name: str) -> Definition:
    """The reference's answer to one exercise as source, for a worker: it and what it needs, never a whole module.

    Raises CourseError where the answers are not part of the hand-out.
    """
    folder, module = _home(chapter, name)
    texts = [(folder / f"{file}.py").read_text(encoding="utf-8") for file in _modules(folder, module)]
    exercises = [exercise.name for exercise in load_chapter(chapter).exercises]
    return Notebook(texts, exercises, label="reference").definition(name)


def quotes(says: str, definitions: Iterable[Definition], own: str) -> bool:
    """Whether a sentence holds a line of these definitions that the learner's `own` text does not hold."""
    said, own = "".join(says.split()), "".join(own.split())
    texts = [source for definition in definitions for _, _, source in definition.parts]
    lines = {"".join(line.split()) for text in texts for line in text.splitlines()}
    return any(len(line) >= LONG_ENOUGH and line in said and line not in own for line in lines)


def _modules(folder: Path, module: str) -> list[str]:
    """A module of the reference after those of its package that it imports."""
    order: list[str] = []

    def visit(current: str, above: tuple[str, ...]) -> None:
        if current in order or current in above or not (folder / f"{current}.py").is_file():
            return
        for node in ast.parse((folder / f"{current}.py").read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
                visit(node.module.split(".")[0], (*above, current))
        order.append(current)

    visit(module, ())
    return order
