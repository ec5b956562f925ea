"""Read a learner's notebook without running it: its cells, what each defines and reads, and which do not parse."""

import ast
import re
import symtable
import warnings
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat

from utils import course
from utils.chapter import Exercise, load_chapter

# calls that help a learner and mean nothing to a grading; `skip` is not among them
HELPERS = {"check", "hint", "reveal", "progress", "report", "reset_exercise"}
BODY_MAGICS = ("time", "timeit", "capture", "prun")  # cell magics whose cell is Python all the same


@dataclass
class Cell:
    """A code cell: `source` as written, `tree` when it parses, else `error` as (line, message)."""

    index: int
    source: str
    metadata: dict = field(default_factory=dict)

    def __post_init__(self):
        self.tree, self.error, self.same_lines = None, None, False
        text, self.magic = _without_body_magic(self.source)
        try:
            blank = text[: len(text) - len(text.lstrip())].count("\n")
            python = "\n" * blank + _transformer().transform_cell(text)  # which drops them: line numbers would shift
            self.same_lines = python.count("\n") == text.rstrip("\n").count("\n") + 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.tree = ast.parse(python)
                compile(self.tree, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            self.python = python
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.tree = None
            self.error = (getattr(error, "lineno", None) or 1, getattr(error, "msg", None) or str(error))

    @property
    def exercise(self) -> dict:
        """The build's mark on the cell ({"id", "name", "role"}); a hint only, since learners paste and merge cells."""
        mark = self.metadata.get("exercise")
        return mark if isinstance(mark, dict) else {}

    @cached_property
    def binds(self) -> dict[str, str]:
        """Names that the cell binds at its top level, each with the source of the last statement that does."""
        found: dict[str, str] = {}
        if self.tree is not None:
            for node in _statements(self.tree.body):
                for name in _bound(node):
                    found[name] = ast.get_source_segment(self.python, node) or ""
        return found

    @cached_property
    def reads(self) -> set[str]:
        """Global names that the cell reads, inside functions too."""
        if self.tree is None:
            return set()
        found: set[str] = set()
        tables = [symtable.symtable(self.python, "<cell>", "exec")] if not self._awaits else []
        if self._awaits:
            return {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        while tables:
            table = tables.pop()
            tables += table.get_children()
            top = table.get_type() == "module"
            found |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
        return found

    @property
    def _awaits(self) -> bool:
        return any(isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)) for node in ast.walk(self.tree))

    def mentions(self, name: str) -> bool:
        """Whether the text of a cell that does not parse looks as if it defined `name`."""
        return bool(re.search(rf"^\s*(?:async\s+def|class|def)\s+{name}\b|^{name}\s*=(?!=)", self.source, re.M))

    @property
    def sets_up(self) -> bool:
        """Whether this is the set-up cell, by what it does: it imports utils.learn."""
        return self.tree is not None and any(
            (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("utils.learn"))
            or (isinstance(node, ast.Import) and any(alias.name.startswith("utils.learn") for alias in node.names))
            for node in _statements(self.tree.body)
        )

    @property
    def imports(self) -> bool:
        """Whether the cell imports anything at its top level (a first import can be slow)."""
        return self.tree is not None and any(
            isinstance(node, (ast.Import, ast.ImportFrom)) for node in _statements(self.tree.body)
        )

    @property
    def only_imports(self) -> bool:
        """Whether the cell does nothing but import."""
        return self.imports and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in self.tree.body)

    @property
    def skips(self) -> bool:
        """Whether the cell calls skip(...)."""
        return self.tree is not None and any(_called(node) == "skip" for node in self.tree.body)

    def to_run(self) -> str:
        """The source to execute: lines kept in place, calls of the helpers blanked.

        A check cell keeps only what binds names, and skip calls: its own source decides nothing.
        """
        if self.tree is None or not self.same_lines or self.magic:
            return self.source
        checks = self.exercise.get("role") == "check"
        keep, drop = [], []
        for node in self.tree.body:
            name = _called(node)
            idle = checks and name != "skip" and not list(_bound(node))
            (drop if name in HELPERS or idle else keep).append(node)
        if not drop:
            return self.source
        kept = {line for node in keep for line in _lines(node)}
        lines = self.source.split("\n")
        for node in drop:
            if not kept.intersection(_lines(node)):
                for line in _lines(node):
                    lines[line - 1] = ""
        return "\n".join(lines)


@dataclass
class Definition:
    """Where an exercise's object is defined last: the cell, and the statement's source (None: it does not parse)."""

    cell: Cell
    source: str | None


@dataclass
class CourseNotebook:
    """A learner's notebook of one chapter. `exercises` are the ones it is graded on, in the chapter's order."""

    path: Path
    chapter: str
    kind: str
    cells: list[Cell]

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """The last definition of every exercise of the chapter that the notebook defines."""
        names = [exercise.name for exercise in load_chapter(self.chapter).exercises]
        found: dict[str, Definition] = {}
        for cell in self.cells:
            for name in names:
                if name in cell.binds:
                    if not re.search(r"\bmine\s*\(", cell.binds[name]):  # that takes an answer from elsewhere
                        found[name] = Definition(cell, cell.binds[name])
                elif cell.error and cell.mentions(name):
                    found[name] = Definition(cell, None)
        for cell in self.cells:  # `clas LayerNorm`: only the build's mark tells what it was to be
            name = cell.exercise.get("name")
            unknown = cell.error and not any(definition.cell is cell for definition in found.values())
            if unknown and name in names and cell.exercise.get("role") == "answer":
                found.setdefault(name, Definition(cell, None))
        return found

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """Those the trusted chapter expects in this kind of notebook, and others that it defines anyway."""
        optional = self.kind.startswith("optional")
        return tuple(
            exercise
            for exercise in load_chapter(self.chapter).exercises
            if exercise.optional == optional or exercise.name in self.definitions
        )

    def needed(self) -> set[int]:
        """Indexes of the cells that the graded definitions rest on: set-up, imports, and what binds names they read."""
        keep = {cell.index for cell in self.cells if cell.sets_up or cell.imports or cell.skips}
        keep |= {definition.cell.index for definition in self.definitions.values()}
        while True:
            reads = set().union(*(cell.reads for cell in self.cells if cell.index in keep))
            more = {cell.index for cell in self.cells if reads.intersection(cell.binds)} | keep
            if more == keep:
                return keep
            keep = more


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook as nbformat 4, whatever it was. Raises CourseError, in one sentence, for a file that is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise course.CourseError(f"{path.name} is not a notebook: it is not text but binary data.") from None
    except OSError as error:
        raise course.CourseError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    if not text.strip():
        raise course.CourseError(f"{path.name} is not a notebook: the file is empty.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            if not isinstance(cell.source, str) or not isinstance(cell.cell_type, str):
                raise ValueError("a cell without source")
    except nbformat.reader.NotJSONError:
        raise course.CourseError(f"{path.name} is not a notebook: it is not JSON.") from None
    except Exception:  # nbformat raises many kinds for JSON that is something else
        raise course.CourseError(f"{path.name} is not a notebook: it is JSON without a notebook's cells.") from None
    return notebook


def course_notebook(path: Path) -> CourseNotebook | None:
    """The course notebook in that file, or None for a notebook of another kind.

    Known by `metadata.course`; where that was lost (a Colab export), by a set-up cell together with definitions of
    exercises. Raises CourseError for a file that is no notebook and for an unknown chapter.
    """
    notebook = read_notebook(path)
    mark = notebook.metadata.get("course")
    cells = [
        Cell(index, cell.source, dict(cell.get("metadata") or {}))
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and (mark is not None or "utils.learn" in str(notebook.cells))
    ]
    if isinstance(mark, dict) and isinstance(mark.get("chapter"), str):
        chapter = course.chapter_name(mark["chapter"]).split("_")[0]
        return CourseNotebook(path, chapter, str(mark.get("notebook") or path.stem), cells)
    if not any(cell.sets_up for cell in cells):
        return None
    votes: Counter = Counter()
    for chapter in course.chapters():
        for exercise in load_chapter(chapter).exercises:
            if any(exercise.name in cell.binds or exercise.name == cell.exercise.get("name") for cell in cells):
                votes[chapter, exercise.optional] += 1
    if not votes:
        return None
    chapter = max(course.chapters(), key=lambda key: votes[key, False] + votes[key, True])
    return CourseNotebook(path, chapter, "optional" if votes[chapter, True] > votes[chapter, False] else "", cells)


def _transformer():
    from IPython.core.inputtransformer2 import TransformerManager  # a third of a second: only where one grades

    return TransformerManager()


def _without_body_magic(source: str) -> tuple[str, bool]:
    lines = source.split("\n")
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.startswith("%%") and first[2:].split(" ")[0] in BODY_MAGICS:
        at = next(number for number, line in enumerate(lines) if line.strip())
        return "\n".join([""] * at + lines[at + 1 :]), True
    return source, False


def _statements(body):
    """Top-level statements, those inside if, try, with and loops included."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for part in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(node, part, None) or [])
            for handler in getattr(node, "handlers", None) or []:
                yield from _statements(handler.body)


def _bound(node):
    """Names that one top-level statement binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from _targets(target)
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield from _targets(node.target)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if item.optional_vars is not None:
                yield from _targets(item.optional_vars)


def _targets(node):
    """Names that an assignment's target binds or changes (`a.b = 1` changes a)."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        yield from _targets(node.value)
    elif isinstance(node, (ast.Tuple, ast.List)):
        for part in node.elts:
            yield from _targets(part)


def _called(node) -> str | None:
    """The name called by a statement that is nothing but a call."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
        return node.value.func.id
    return None


def _lines(node) -> range:
    return range(node.lineno, node.end_lineno + 1)
