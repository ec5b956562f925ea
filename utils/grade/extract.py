"""What a notebook defines, as source: the last definition of each exercise and the statements it builds on.

Nothing is executed here. Each cell is read on its own, so that a syntax error costs one cell; cells may be split,
merged or moved. Of every other cell only what binds a name that the answer reads is taken: a demo, a check, a print
or an attack in it does not run.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

LONGEST_CELL = 1_000_000
COURSE_PACKAGES = ("utils", "solutions", "tests")


@dataclass(frozen=True)
class Definition:
    """One exercise's answer: (file name, first line, source) pieces in order, and the text of their files.

    `uses`: other exercises whose objects it reads; `inert`: names it reads that only the notebook's helpers define.
    """

    name: str
    pieces: tuple[tuple[str, int, str], ...]
    cells: Mapping[str, str]
    uses: tuple[str, ...] = ()
    inert: tuple[str, ...] = ()

    source: str = ""  # the statement that binds the name


@dataclass
class Statement:
    """A top-level statement: the names it binds, changes in place, reads at once, and reads when called."""

    cell: int
    at: int
    line: int
    source: str
    binds: set[str]
    changes: set[str]
    now: set[str]
    later: set[str]
    plain: bool  # binds by itself, whatever came before (no `if`, no `+=`)
    imports: bool
    star: bool = False


@dataclass
class Cell:
    text: str
    statements: list[Statement] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)  # names it imports from the course's own packages
    error: tuple[int | None, str] | None = None


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
        cells = {f"<{self.label} {s.cell}>": self.cells[s.cell].text for s in pieces}
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


MAGIC = re.compile(r"(?m)^\s*(?:[%!?]|\w[\w, ]*=\s*[%!])|\?\s*$")
WRAPPERS = re.compile(r"\A\s*%%(?:time|timeit|capture|prun)\b[^\n]*")


def read_cell(text: str, number: int, first: int) -> Cell:
    """Parse one cell into its top-level statements; never raises."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    if len(text) > LONGEST_CELL:
        return Cell(text[:1000], error=(None, "the cell is too long to be an answer"))
    cell = Cell(text)
    try:
        tree, source = _parse(text)
        cell.text = source
        lines = source.split("\n")
        ends = [0, *(node.end_lineno for node in tree.body)]
        starts = [*(first_line(node) for node in tree.body), len(lines) + 1]
        for i, node in enumerate(tree.body):
            if _of_the_course(node):
                cell.helpers.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
                continue
            alone = ends[i] < starts[i] and node.end_lineno < starts[i + 1]
            if (statement := _statement(node, lines, alone, number)) is not None:
                statement.at = first + len(cell.statements)
                cell.statements.append(statement)
    except SyntaxError as error:
        cell.error, cell.statements = (error.lineno, error.msg or "invalid syntax"), []
    except (ValueError, RecursionError, MemoryError, OverflowError, UnicodeError) as error:
        cell.error, cell.statements = (None, f"the cell cannot be read ({type(error).__name__})"), []
    return cell


def _parse(text: str) -> tuple[ast.Module, str]:
    """The tree of a cell; IPython's own syntax (magics, shell lines) is translated where plain Python fails."""
    try:
        return ast.parse(text), text
    except SyntaxError:
        if not MAGIC.search(text):
            raise
        text = WRAPPERS.sub("", text, count=1)
        try:
            return ast.parse(text), text
        except SyntaxError as error:
            from IPython.core.inputtransformer2 import TransformerManager

            try:
                changed = TransformerManager().transform_cell(text)
            except Exception:  # whatever it trips over, the cell is no Python
                raise error from None
            return ast.parse(changed), changed


def _of_the_course(node: ast.stmt) -> bool:
    """Whether a statement imports from the course itself, which is not there when a class is graded."""
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").split(".")[0] in COURSE_PACKAGES
    return isinstance(node, ast.Import) and all(a.name.split(".")[0] in COURSE_PACKAGES for a in node.names)


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])


def _statement(node: ast.stmt, lines: list[str], alone: bool, number: int) -> Statement | None:
    """What one top-level statement binds and reads; None for one that binds and changes nothing.

    `alone`: it shares no line with another, so its text can be taken as it stands.
    """
    start = first_line(node)
    source = "\n".join(lines[start - 1 : node.end_lineno]) if alone else ast.unparse(node)
    imports = isinstance(node, (ast.Import, ast.ImportFrom))
    if isinstance(node, ast.Expr) and not any(isinstance(part, ast.NamedExpr) for part in ast.walk(node)):
        return None
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return Statement(number, 0, start, source, set(), set(), set(), set(), True, True, star=True)
    table = symtable.symtable(source, "<cell>", "exec")
    binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    now = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    later: set[str] = set()
    for child in table.get_children():
        _inner(child, now, later)
    changes = set(_changed(node))
    if not binds and not changes:
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)
    plain = isinstance(node, kinds) and not (now & binds)
    return Statement(number, 0, start, source, binds, changes, now, later, plain, imports)


def _inner(table: symtable.SymbolTable, now: set[str], later: set[str]) -> None:
    """Global names that a nested scope reads: at once in a class body or comprehension, otherwise when called."""
    names = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    at_once = table.get_type() == "class" or table.get_name() in ("listcomp", "setcomp", "dictcomp", "genexpr")
    (now if at_once else later).update(names)
    for child in table.get_children():
        _inner(child, now if at_once else later, later)


def _changed(node: ast.stmt) -> Iterable[str]:
    """Names whose object an assignment to an attribute or an item changes."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    for target in targets:
        while isinstance(target, (ast.Attribute, ast.Subscript)):
            target = target.value
            if isinstance(target, ast.Name):
                yield target.id
