"""A submission as its source: the code cells of a file, the last definition of each exercise, and what that builds on.

The one reader of every grader. Nothing is executed here, and a file is read leniently: whatever holds cells counts.
Each cell is read on its own, so that a syntax error costs one cell; cells may be split, merged or moved. Of every other
cell only what binds a name that the answer reads is taken: a demo, a check, a print or an attack in it does not run.
"""

import __future__

import builtins
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from utils import course
from utils.chapter import load_chapter
from utils.grade.cells import Cell, Statement, read_cell

LARGEST = 50 * 2**20  # bytes of a notebook without its outputs
MOST_CODE = 5_000_000  # characters in all cells
MOST_CELLS = 5000
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # categories of what a line of text does not show
CELL_MARK = re.compile(rb"(?m)^# %%")  # how a cell begins in jupytext's percent format
SETUP = re.compile(r"""(?:COURSE_CHAPTER["'], *|start_chapter\()["'](ch\d+)["']""")  # what every set-up line says


def clean(text: str, limit: int = 300) -> str:
    """Text of unknown origin as one printable line of at most `limit` characters."""
    shown = (" " if unicodedata.category(c) in UNSEEN else c for c in str(text)[: 4 * limit])
    text = " ".join("".join(shown).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def read_cells(data: bytes) -> tuple[list[tuple[str, str]], dict]:
    """The code cells in order, each as (source, exercise whose answer the build marked it as), and the notebook's
    metadata. Raises ValueError: the end of a sentence.

    Notebook formats 3 and 4 are read, and jupytext's percent format; outputs, ids and unknown fields play no part.
    """
    if not data.strip():
        raise ValueError("is not a notebook: the file is empty")
    data = without_outputs(data)
    if len(data) > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 2**20} MB without its outputs")
    notebook = _percent(data) if CELL_MARK.search(data) else _json(data)
    if not isinstance(notebook, dict):
        raise ValueError("is not a notebook: its JSON is not an object")
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        sheets = notebook.get("worksheets")
        sheets = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
        if not cells and not sheets:
            raise ValueError("is not a notebook: it has no list of cells")
    if len(cells) > MOST_CELLS:
        raise ValueError(f"has more than {MOST_CELLS} cells")
    sources = []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input"))
            if isinstance(source, list):
                source = "".join(line for line in source if isinstance(line, str))
            if isinstance(source, str):
                sources.append((source, _marked(cell.get("metadata"))))
    if sum(len(source) for source, _ in sources) > MOST_CODE:
        raise ValueError(f"holds more than {MOST_CODE:,} characters of code")
    metadata = notebook.get("metadata")
    return sources, metadata if isinstance(metadata, dict) else {}


def without_outputs(data: bytes) -> bytes:
    """A notebook's bytes without the outputs of its cells, before anything is decoded; other bytes as they are."""
    if data.count(b'"outputs"') == 0:
        return data
    kept, start, depth, outside, key = [], 0, 0, 0, None  # `outside`: the depth at which outputs end, 0: not in them
    for token in TOKEN.finditer(data):
        first = data[token.start()]
        if first == ord('"'):
            key = token if not outside and token.end() - token.start() == 9 and token[0] == b'"outputs"' else None
        elif first in b"[{":
            depth += 1
            if key and not outside and data[key.end() : token.start()].strip() == b":":
                kept.append(data[start : token.start()])
                outside = depth
            key = None
        else:
            if outside == depth:
                kept.append(b"[]")
                start, outside = token.end(), 0
            depth, key = depth - 1, None
    return b"".join([*kept, b"" if outside else data[start:]])


def _marked(metadata) -> str:
    name, role = (metadata_value(metadata, f"exercise.{key}") for key in ("name", "role"))
    return name if isinstance(name, str) and role == "answer" else ""


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not a notebook: it is not UTF-8 text") from None


def _percent(data: bytes) -> dict:
    import jupytext

    text = _text(data)
    try:
        return jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # of many kinds: the header is YAML, the marks of cells hold JSON
        raise ValueError(f"can't be read as a notebook in text form ({type(error).__name__})") from None


def _json(data: bytes):
    text = _text(data)
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is not a notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        if "digits" in str(error):
            raise ValueError("is not a notebook: its JSON holds a number of too many digits") from None
        raise ValueError("is not a notebook: it is not JSON, or was cut off") from None


def metadata_value(metadata: dict, keys: str):
    """The value at a dotted path of the metadata, or None."""
    value = metadata
    for key in keys.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def about(metadata: dict) -> tuple[str, str]:
    """(chapter, kind) as the build marked the notebook: ("ch1", "exercises"); empty where the mark is lost."""
    chapter, kind = (metadata_value(metadata, f"course.{key}") for key in ("chapter", "notebook"))
    return (
        chapter.split("_")[0] if isinstance(chapter, str) else "",
        kind.removesuffix("_solutions").replace("solutions", "exercises") if isinstance(kind, str) else "",
    )


def course_chapter(cells: list[tuple[str, str]], metadata: dict, handed_in: bool = False) -> tuple[str, str] | None:
    """(chapter, kind) of a course notebook, None for any other.

    By the build's mark; where that was lost (a Colab export, a stripped file) by what the set-up line says, and by the
    exercises that it defines. `handed_in`: the names of two exercises are enough, where they are of one chapter more
    than of any other. Raises CourseError for an unknown chapter.
    """
    chapter, kind = about(metadata)
    if chapter:
        return course.chapter_name(chapter).split("_")[0], kind
    sources = [source for source, _ in cells]
    said = next((m[1] for source in sources if (m := SETUP.search(source)) and m[1] in course.chapters()), "")
    ours = said or any("utils.learn" in source for source in sources)
    if not ours and not handed_in:
        return None
    votes: Counter = Counter()
    for key in [said] if said else course.chapters():
        exercises = load_chapter(key).exercises
        notebook = Notebook(sources, [exercise.name for exercise in exercises])
        marks = {mark for _, mark in cells}
        for exercise in exercises:
            votes[key, exercise.optional] += notebook.defines(exercise.name) or exercise.name in marks
    if not votes.total():
        return (said, "exercises") if said else None
    counts = {key: votes[key, False] + votes[key, True] for key in course.chapters()}
    chapter = max(counts, key=counts.get)
    if not ours and (counts[chapter] < 2 or list(counts.values()).count(counts[chapter]) > 1):
        return None
    return chapter, "optional" if votes[chapter, True] > votes[chapter, False] else "exercises"


@dataclass(frozen=True)
class Definition:
    """One exercise's answer: its parts in order, (file name, first line, source) each, and the text of their cells.

    `cells` is empty for the reference: of it only the parts may reach a worker.

    `uses`: other exercises whose objects it reads; `inert`: names it reads that only the notebook's helpers define.
    """

    name: str
    parts: tuple[tuple[str, int, str], ...]
    cells: Mapping[str, str]
    uses: tuple[str, ...] = ()
    inert: tuple[str, ...] = ()
    source: str = ""  # the statement that binds the name
    flags: int = 0  # of the compiler: what `from __future__` asked for up to the answer's cell, as in a notebook


class Notebook:
    """The code cells of a submission, read for the names in `exercises`.

    `helpers`: names that the notebook gets from the course's own package; where an answer reads one, it gets an
    object that does nothing. `prelude`: imports that replace those of a deleted cell. `label`: how files are named
    in a worker ("cell" for a learner's).
    """

    def __init__(
        self,
        cells: Iterable[str],
        exercises: Iterable[str],
        helpers: Iterable[str] = (),
        prelude: str = "",
        label: str = "cell",
    ):
        self.label = label
        self.exercises = set(exercises)
        self.helpers = set(helpers)
        self.cells: list[Cell] = []
        at = 0
        for number, text in enumerate([prelude, *cells]):
            cell = read_cell(text if isinstance(text, str) else "", number, at)
            at += len(cell.statements)
            self.cells.append(cell)
        self.statements = [statement for cell in self.cells for statement in cell.statements]
        self.helpers.update(*(cell.helpers for cell in self.cells))

    def defines(self, name: str) -> bool:
        return self._last(name) is not None

    def broken(self, name: str) -> tuple[int | None, str] | None:
        """(line, text) of the syntax error in the cell that holds the last try at `name`, when that is its fate."""
        last = self._last(name)
        for number in range(len(self.cells) - 1, -1 if last is None else last.cell, -1):
            cell = self.cells[number]
            if cell.error and re.search(
                rf"(?m)^[ \t]*+(?:class|(?:async[ \t]+)?def)[ \t]+{name}\b|^{name}[ \t]*=", cell.text
            ):
                return cell.error
        return None

    def _last(self, name: str) -> Statement | None:
        """The last statement that binds `name`, unless it takes an earlier answer over: `name = mine("ch1.name")`."""
        return next((s for s in reversed(self.statements) if name in s.binds and "mine" not in s.now), None)

    @cached_property
    def _exercise_cells(self) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for statement in self.statements:
            if names := statement.binds & self.exercises:
                found.setdefault(statement.cell, set()).update(names)
        return found

    def definition(self, name: str) -> Definition:
        """The answer to one exercise. Raises KeyError when no readable cell defines it."""
        last = self._last(name)
        if last is None:
            raise KeyError(name)
        taken: dict[int, Statement] = {}
        uses: set[str] = set()
        inert: set[str] = set()
        self._take(last, name, taken, uses, inert)
        parts = [taken[at] for at in sorted(taken)]
        cells = {f"<cell {s.cell}>": self.cells[s.cell].text for s in parts if self.label == "cell"}
        return Definition(
            name,
            tuple((f"<{self.label} {s.cell}>", s.line, s.source) for s in parts),
            cells,
            tuple(sorted(uses)),
            tuple(sorted(inert)),
            source=last.source,
            flags=self._flags(last.cell),
        )

    def _flags(self, number: int) -> int:
        names = set().union(*(cell.future for cell in self.cells[: number + 1]))
        return sum(getattr(__future__, name).compiler_flag for name in names if name in __future__.all_feature_names)

    def _take(self, first: Statement, name: str, taken, uses: set[str], inert: set[str]) -> None:
        waiting = [first]
        home = first.cell
        while waiting:
            statement = waiting.pop()
            if statement.at in taken:
                continue
            taken[statement.at] = statement
            for read in sorted(statement.now | statement.later):
                if read in self.exercises and read not in statement.binds:
                    if read != name:
                        uses.add(read)
                    continue
                if read in self.exercises and read != name:
                    continue
                found = self._bindings(read, statement, home)
                if not found and read not in statement.binds and not hasattr(builtins, read):
                    found = [star for star in self.statements if star.star]
                    if read in self.helpers:
                        inert.add(read)
                waiting += found
            for bound in statement.binds:
                waiting += self._changes(bound, statement, home)

    def _bindings(self, name: str, reader: Statement, home: int) -> list[Statement]:
        """The statements that give `name` its value for `reader`: of the answer's own cell, else of cells without an
        exercise, else of any; the last one before it, else the first after."""
        everything = [s for s in self.statements if name in s.binds and s is not reader]
        groups = (
            [s for s in everything if s.cell == home],
            [s for s in everything if s.cell not in self._exercise_cells],
            everything,
        )
        for group in groups:
            if not group:
                continue
            limit = reader.at if name in reader.now else max(reader.at, self._end(home))
            before = [s for s in group if s.at <= limit]
            chain = before or group[:1]
            start = max((i for i, s in enumerate(chain) if s.plain), default=0)
            return chain[start:]
        return []

    def _end(self, number: int) -> int:
        cell = self.cells[number]
        return cell.statements[-1].at if cell.statements else -1

    def _changes(self, name: str, binding: Statement, home: int) -> list[Statement]:
        """Statements that change the object bound here in place (`X.forward = f`, `table[0] = 1`); not a module's."""
        if binding.imports:
            return []
        allowed = {home, binding.cell} | {s.cell for s in self.statements if s.cell not in self._exercise_cells}
        later = next((s.at for s in self.statements if s.at > binding.at and name in s.binds and s.plain), None)
        end = len(self.statements) if later is None else later
        return [s for s in self.statements[binding.at + 1 : end] if name in s.changes and s.cell in allowed]

    def modules(self, name: str, replaced: Mapping[str, Definition]) -> list[dict]:
        """What a worker defines for one exercise, each in a namespace of its own, those it uses first."""
        done: dict[str, dict] = {}

        def add(current: str, above: tuple[str, ...]) -> None:
            if current in done or current in above:
                return
            try:
                found = replaced[current] if current in replaced else self.definition(current)
            except KeyError:
                if current == name:
                    raise
                return
            for used in found.uses:
                add(used, (*above, current))
            done[current] = {
                "name": current,
                "uses": list(found.uses),
                "inert": list(found.inert),
                "cells": dict(found.cells),
                "parts": [list(part) for part in found.parts],
                "flags": found.flags,
            }

        add(name, ())
        return list(done.values())
