"""What a chapter must keep to beyond its grammar: text alternatives, plain Markdown, names the notebook really has."""

import re
from functools import cache
from pathlib import Path

from utils.build.cut import Module
from utils.build.source import Cell, Chapter, SourceError
from utils.grade.cells import read_cell

MAX_CELLS = 160
MAX_MINUTES = 270  # of must-do exercises: a chapter is an afternoon
WIDTH = 120
CODE_WIDTH = 118  # what JupyterLab shows of a cell without scrolling, in a window of 1366 pixels
TODO = "TODO"


def lint_prose(chapter: Chapter) -> None:
    """Raise SourceError for an image without alt text, for MyST syntax (JupyterLab shows it as code), for long lines
    and what is still to be written, and for more must-do work than an afternoon holds."""
    minutes = sum(exercise.minutes for exercise in chapter.exercises if not exercise.optional)
    if minutes > MAX_MINUTES:
        says = f"{minutes} minutes of must-do exercises, more than {MAX_MINUTES}: move some below '+++ optional'"
        raise SourceError(chapter.file, 1, says)
    lint_lines(chapter)
    for cell in chapter.cells:
        if cell.kind in ("prose", "exercise", "quiz"):
            for number, line in enumerate(cell.source.split("\n"), cell.line):
                if re.search(r"!\[\s*\]\(", line) or re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", line):
                    raise SourceError(chapter.file, number, "an image needs alternative text: ![what it shows](file)")
                if re.match(r"\s*(```|~~~)\{", line):
                    raise SourceError(
                        chapter.file, number, "a MyST directive shows as code in a notebook: use Markdown"
                    )


def lint_lines(chapter: Chapter) -> None:
    """Raise SourceError for what is still to be written, and for a line beyond WIDTH columns.

    Tables, links, pictures and one-line fields may be longer.
    """
    code = False
    for number, line in enumerate(chapter.file.read_text(encoding="utf-8").split("\n"), 1):
        code = code != line.startswith("```")
        if TODO in line and not code:
            raise SourceError(chapter.file, number, f"still to be written: {line.strip()}")
        free = code or re.match(r"\s*(\||:\w+:|:::)", line) or "](" in line or "://" in line
        if len(line) > WIDTH and not free:
            raise SourceError(chapter.file, number, f"{len(line)} columns: prose keeps to {WIDTH}")


def lint_code(file: Path, cell: str, source: str) -> None:
    """Raise SourceError for a cell of code that JupyterLab would scroll sideways."""
    line = max(source.split("\n"), key=len)
    if len(line) > CODE_WIDTH:
        raise SourceError(
            file, 1, f"cell {cell}: {len(line)} columns, and code in a notebook keeps to {CODE_WIDTH}: {line.strip()}"
        )


def lint_finished(module: Module, name: str) -> None:
    """Raise SourceError where the reference of an exercise is still to be written."""
    node = module.objects[name]
    for number, line in enumerate(module.lines[node.lineno - 1 : node.end_lineno], node.lineno):
        if TODO in line:
            raise SourceError(module.file, number, f"still to be written: {line.strip()}")


def lint_names(chapter: Chapter, cell: Cell, module: Module, cells: list[Cell]) -> None:
    """Raise SourceError where an object shown in a notebook reads a helper of its module that the notebook lacks.

    `cells` are the cells of the notebook it is in.
    """
    shown = cell.exercise or cell.given
    have = {c.exercise.name for c in cells if c.exercise} | {c.given.name for c in cells if c.given}
    have |= set(cell.exercise.needs) if cell.exercise else set()
    have |= {name for other in cells if other.kind == "code" for name in _names(other.source)[0]}
    public = {name for name in module.objects if not name.startswith("_")}  # private helpers come along by themselves
    neighbours = read_cell("\n".join(module.lines), 0, 0).helpers
    for name in sorted(_names(module.solution(shown.name))[1] & (public | neighbours) - have - {shown.name}):
        text = f"{shown.name} reads {name}, which the notebook lacks: show it with :::{{given}} {name}, or import it"
        raise SourceError(chapter.file, cell.line, text)


@cache
def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that some code binds at its top level, imports included, and the global ones that it reads."""
    cell = read_cell(source, 0, 0)
    binds = cell.helpers.union(*(statement.binds for statement in cell.statements))
    return binds, set().union(*(statement.now | statement.later for statement in cell.statements)) - binds
