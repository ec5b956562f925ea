"""RASP's text form, read: the statements of a file, each as a tree, errors by line and column (chapter 3)."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lark import Lark, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput

from .values import RaspError

COMMAND = re.compile(
    r"(?P<set>set\s+((s-op|selector)\s+)?example\b)|show\s+((s-op|selector)\s+)?example\s*$"
    r"|((s-op|selector)\s+)?examples\s+(on|off)\s*$|full seq display\s+(on|off)\s*$|(exit|quit)(\(\))?\s*$"
)


class RaspSyntaxError(RaspError):
    """A text is no RASP; `line` and `column` say where, from 1."""

    def __init__(self, says: str, line: int, column: int):
        super().__init__(f"line {line}, column {column}: {says}")
        self.line, self.column = line, column


@dataclass(frozen=True)
class Statement:
    """One statement or command: its text, the line it starts in, and whether its end has been seen."""

    text: str
    line: int
    column: int
    complete: bool = True

    @property
    def command(self) -> str:
        """The text of a command such as `examples off`; empty for a statement of the language and for `set`."""
        text = " ".join(re.sub(r"#.*", "", self.text).split())
        match = COMMAND.match(text)
        return text if match and not match["set"] else ""

    def tree(self) -> Tree:
        """The statement as a tree, with places counted in its file. Raises RaspSyntaxError."""
        # the text keeps its place, so that lark counts lines and columns as they are in the file
        placed = "\n" * (self.line - 1) + " " * (self.column - 1) + self.text
        try:
            return parser().parse(placed).children[0]
        except UnexpectedInput as error:
            raise RaspSyntaxError(_says(error, placed), *_place(error, placed)) from None


@cache
def parser() -> Lark:
    """The parser of one statement."""
    text = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def statements(text: str, line: int = 1) -> list[Statement]:
    """A text cut into its statements and commands; the last one may be incomplete."""
    found: list[Statement] = []
    at, column = 0, 1
    while True:
        match = re.compile(r"(?:\s|#[^\n]*)+").match(text, at)
        if match:
            line, column = _after(match[0], line, column)
            at = match.end()
        if at >= len(text):
            return found
        end, complete = _end(text, at)
        found.append(Statement(text[at:end], line, column, complete))
        line, column = _after(text[at:end], line, column)
        at = end


def _after(text: str, line: int, column: int) -> tuple[int, int]:
    lines = text.count("\n")
    return line + lines, len(text) - text.rfind("\n") if lines else column + len(text)


def _end(text: str, start: int) -> tuple[int, bool]:
    """Where the statement that begins at `start` ends, and whether it does."""
    first = re.compile(r"[^\n#]*").match(text, start)[0].strip()
    if COMMAND.match(first):
        end = text.find("\n", start)
        return (len(text) if end < 0 else end), True
    block = re.match(r"(def|for)\b", text[start:]) is not None
    depth, body = 0, False  # a body holds a ; and a dict of the head holds none
    for token in re.compile(r'"[^"\n]*"?|#[^\n]*|[()\[\]{};]').finditer(text, start):
        if token[0] in ("(", "[", "{"):
            depth += 1
        elif token[0] in (")", "]", "}"):
            depth -= 1
            if body and depth == 0 and token[0] == "}":
                return token.end(), True
        elif token[0] == ";" and (depth <= 0 or not block):
            return token.end(), True
        elif token[0] == ";":
            body = True
    return len(text), False


def _place(error: UnexpectedInput, text: str) -> tuple[int, int]:
    if isinstance(error, UnexpectedEOF) or getattr(error, "line", -1) in (-1, None) or _at_end(error):
        return text.count("\n") + 1, len(text) - text.rfind("\n")
    return error.line, error.column


def _at_end(error: UnexpectedInput) -> bool:
    return getattr(getattr(error, "token", None), "type", "") == "$END"


def _says(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedEOF) or _at_end(error):
        return "the statement is not finished: look for a missing ; or a bracket that is never closed"
    if isinstance(error, UnexpectedCharacters):
        return f"{text[error.pos_in_stream]!r} cannot be read here"
    token = str(error.token)
    if token == "!=":
        return "'!=' is known inside select only: elsewhere write not (a == b)"
    return f"{token!r} can't come here"
