"""One code cell, read without running it: its statements, and the names that each binds, changes and reads."""

import ast
import re
import symtable
from collections.abc import Iterable
from dataclasses import dataclass, field

LONGEST_CELL = 1_000_000
MOST_LINES = 1000  # of a cell that holds IPython's own syntax: its translation takes the square of that
COURSE_PACKAGES = ("utils", "solutions", "tests")


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
    future: set[str] = field(default_factory=set)  # names it imports from __future__
    error: tuple[int | None, str] | None = None


MAGIC = re.compile(r"(?m)^[ \t]*+(?:[%!?]|\w[\w, ]*=[ \t]*[%!])|\?[ \t]*+$")
WRAPPERS = re.compile(r"\A\s*+%%(?:time|timeit|capture|prun)\b[^\n]*")


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
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                cell.future.update(alias.name for alias in node.names)
                continue
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
            if text.count("\n") > MOST_LINES:
                raise
            from IPython.core.inputtransformer2 import TransformerManager

            try:
                changed = TransformerManager().transform_cell(text)
            except Exception:  # whatever it trips over, the cell isn't Python
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

    `alone`: it shares no line with another, so its text can be taken as it is.
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
