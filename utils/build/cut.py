"""Cut an object out of a reference module's source text: whole, as the solution, or as the stub a learner is given.

Everything is taken from the text by AST positions, never printed from the AST (which differs between Pythons), so
decorators, comments and line breaks stay as they were written. A learner's part is marked in the reference by

    # solution
    ...
    # end solution

inside a function; the stub has `raise NotImplementedError` in its place. A private helper of the module (`_name`) goes
with whatever reads it: into the solution's cell, and into the stub's where the scaffolding needs it.
"""

import ast
import io
import textwrap
import tokenize
from dataclasses import dataclass
from pathlib import Path

from utils.build.source import SourceError

OPEN, CLOSE = "# solution", "# end solution"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """A reference module: its lines, its top-level objects by name and its marked regions as (first, last) line."""

    file: Path
    lines: tuple[str, ...]
    tree: ast.Module
    objects: dict[str, ast.stmt]
    regions: tuple[tuple[int, int], ...]

    def whole(self, name: str) -> str:
        """Source of an object that the notebook shows as it is. Raises SourceError where a part of it is marked."""
        first, last = self._span(name)
        for opened, _ in self._regions(first, last):
            raise SourceError(self.file, opened, f"{name} is shown whole, but a part of it is marked {OPEN!r}")
        return self._with_helpers(name, self._text(first, last))

    def solution(self, name: str) -> str:
        """Source of an exercise's object without the marker lines."""
        first, last = self._span(name)
        markers = {line for region in self._regions(first, last) for line in region}
        return self._with_helpers(name, self._text(first, last, dict.fromkeys(markers)))

    def stub(self, name: str) -> str:
        """Source of an exercise's object with every marked region replaced by `raise NotImplementedError`."""
        first, last = self._span(name)
        regions = self._regions(first, last)
        if not regions:
            raise SourceError(self.file, first, f"exercise {name} has no region marked {OPEN!r} ... {CLOSE!r}")
        changes: dict[int, str | None] = {}
        for opened, closed in regions:
            self._inside_function(name, opened, closed)
            changes.update(dict.fromkeys(range(opened, closed + 1)))
            marker = self.lines[opened - 1]
            changes[opened] = marker[: len(marker) - len(marker.lstrip())] + "raise NotImplementedError"
        text = self._text(first, last, changes)
        try:
            ast.parse(text)
        except SyntaxError as error:
            line = regions[0][0]
            raise SourceError(self.file, line, f"the stub of {name} would not be valid Python: {error.msg}") from None
        return self._with_helpers(name, text)

    def marked(self, name: str) -> list[str]:
        """The marked regions of an object, dedented, without their markers."""
        regions = self._regions(*self._span(name))
        return [textwrap.dedent("\n".join(self.lines[first : last - 1])) for first, last in regions]

    def _with_helpers(self, name: str, text: str) -> str:
        """The text, with the private helpers of the module that it reads above it, in the order of the file."""
        wanted: set[str] = set()
        waiting = [text]
        while waiting:
            reads = {node.id for node in ast.walk(ast.parse(waiting.pop())) if isinstance(node, ast.Name)}
            for helper in sorted((reads & set(self.objects)) - wanted - {name}):
                if helper.startswith("_"):
                    wanted.add(helper)
                    waiting.append(self._text(*self._span(helper)))
        if any(self._regions(*self._span(helper)) for helper in wanted):
            raise SourceError(self.file, self._span(name)[0], f"{name} reads a private helper that has a marked region")
        parts = [self._text(*self._span(helper)) for helper in self.objects if helper in wanted]
        return "\n\n\n".join([*parts, text])

    def _text(self, first: int, last: int, changes: dict[int, str | None] | None = None) -> str:
        changes = changes or {}
        lines = (changes.get(number, self.lines[number - 1]) for number in range(first, last + 1))
        return "\n".join(line for line in lines if line is not None)

    def _span(self, name: str) -> tuple[int, int]:
        """First and last line of an object, with its decorators and the comment block right above it."""
        node = self.objects[name]
        first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", []))])
        markers = {line for region in self.regions for line in region}
        while first > 1 and self.lines[first - 2].startswith("#") and first - 1 not in markers:
            first -= 1
        return first, node.end_lineno

    def _regions(self, first: int, last: int) -> list[tuple[int, int]]:
        return [region for region in self.regions if first <= region[0] and region[1] <= last]

    def _inside_function(self, name: str, opened: int, closed: int) -> None:
        for node in ast.walk(self.objects[name]):
            if isinstance(node, FUNCTIONS) and node.lineno < opened <= node.end_lineno:
                # the closing marker is a comment, so it may come below the function's last statement
                below = (line.strip() for line in self.lines[node.end_lineno : closed])
                if all(not line or line.startswith("#") for line in below):
                    return
        raise SourceError(self.file, opened, f"the marked region of {name} is not inside a function")


def read_module(file: Path) -> Module:
    """Parse a reference module. Raises SourceError for a syntax error or markers that do not pair up."""
    text = file.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SourceError(file, error.lineno or 1, f"not valid Python: {error.msg}") from None
    objects: dict[str, ast.stmt] = {}
    regions = _find_regions(file, text)
    for node in tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            objects[node.name] = node
            _take_in_closing_marker(node, regions, text)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    objects[target.id] = node
    return Module(file, tuple(text.split("\n")), tree, objects, regions)


def _take_in_closing_marker(node: ast.stmt, regions, text: str) -> None:
    """The AST ends an object at its last statement; a closing marker below it, indented, still belongs to it."""
    for opened, closed in regions:
        if node.lineno < opened <= node.end_lineno < closed:
            between = text.split("\n")[node.end_lineno : closed]
            if all(not line.strip() or line.startswith((" ", "\t")) for line in between):
                node.end_lineno = closed


def _find_regions(file: Path, text: str) -> tuple[tuple[int, int], ...]:
    """(first, last) line of each marked region. Raises SourceError for a nested or unbalanced one."""
    regions, opened = [], None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT or token.string.rstrip() not in (OPEN, CLOSE):
            continue
        line = token.start[0]
        if token.line.strip() != token.string.strip():
            raise SourceError(file, line, "a solution marker needs a line of its own")
        if token.string.rstrip() == OPEN:
            if opened:
                raise SourceError(file, line, f"{OPEN!r} inside the region that line {opened} opened")
            opened = line
        elif not opened:
            raise SourceError(file, line, f"{CLOSE!r} closes nothing")
        else:
            regions.append((opened, line))
            opened = None
    if opened:
        raise SourceError(file, opened, f"this {OPEN!r} is never closed with {CLOSE!r}")
    return tuple(regions)
