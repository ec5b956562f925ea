"""What a notebook defines, as source: the last definition of each exercise and the statements it builds on.

Nothing is executed here. Each cell is read on its own, so that a syntax error costs one cell; cells may be split,
merged or moved. Of every other cell only what binds a name that the answer reads is taken: a demo, a check, a print
or an attack in it does not run.
"""

import builtins
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from utils.grade.cells import Cell, Statement, read_cell


@dataclass(frozen=True)
class Definition:
    """One exercise's answer: (file name, first line, source) pieces in order, and the text of the learner's cells.

    `cells` is empty for the reference: of it only the pieces may reach a worker.

    `uses`: other exercises whose objects it reads; `inert`: names it reads that only the notebook's helpers define.
    """

    name: str
    pieces: tuple[tuple[str, int, str], ...]
    cells: Mapping[str, str]
    uses: tuple[str, ...] = ()
    inert: tuple[str, ...] = ()

    source: str = ""  # the statement that binds the name


class Notebook:
    """The code cells of a submission, read for the names in `exercises`.

    `helpers`: names that the notebook gets from the course's own package; where an answer reads one, it gets an
    object that does nothing. `prelude`: imports that stand for those of a deleted cell. `label`: how files are named
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
            if cell.error and re.search(rf"(?m)^\s*(?:class|(?:async\s+)?def)\s+{name}\b|^{name}\s*=", cell.text):
                return cell.error
        return None

    def _last(self, name: str) -> Statement | None:
        return next((s for s in reversed(self.statements) if name in s.binds), None)

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
        pieces = [taken[at] for at in sorted(taken)]
        cells = {f"<cell {s.cell}>": self.cells[s.cell].text for s in pieces if self.label == "cell"}
        return Definition(
            name,
            tuple((f"<{self.label} {s.cell}>", s.line, s.source) for s in pieces),
            cells,
            tuple(sorted(uses)),
            tuple(sorted(inert)),
            source=last.source,
        )

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
        exercise, else of any; the last that stands before, else the first after."""
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
        """What a worker defines for one exercise: those it uses first, each in a namespace of its own."""
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
                "uses": [used for used in found.uses if used in done],
                "inert": list(found.inert),
                "cells": dict(found.cells),
                "pieces": [list(piece) for piece in found.pieces],
            }

        add(name, ())
        return list(done.values())
