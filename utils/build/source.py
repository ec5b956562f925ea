"""Read chapter.md: prose, code cells and exercise blocks, with every error told by file and line.

The format (blocks start at the margin):

    ```{code-cell}            a code cell; `:tags: a, b` and `:timeout: 120` lines may come first
    :::{exercise} Name        an exercise: `:field: value` lines, free text, then the help ladder
    :::{given} Name           an object of the reference shown whole, for the learner to use: only `:module:`
    :::{quiz} name            a quiz: the question, then `:choice:`/`:right:` lines, each with its explanation
    +++                       ends a prose cell (a heading does too)
    +++ optional              what follows goes into optional.ipynb
"""

import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from utils import course
from utils.chapter import Exercise, Given, Quiz


class SourceError(course.CourseError):
    """A mistake in a chapter's source, with its file and line."""

    def __init__(self, file: Path, line: int, text: str):
        super().__init__(f"{file}:{line}: {text}")


@dataclass(frozen=True)
class Cell:
    """A cell of the source: kind "prose", "code", "exercise", "given" or "quiz"; `source` is its text."""

    kind: str
    source: str
    line: int
    section: str
    optional: bool = False
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    exercise: Exercise | None = None
    quiz: Quiz | None = None
    given: Given | None = None


@dataclass(frozen=True)
class Chapter:
    """A chapter's source: `key` "ch1", `name` its folder, `title` its first heading."""

    key: str
    name: str
    title: str
    file: Path
    cells: tuple[Cell, ...]

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        return tuple(cell.exercise for cell in self.cells if cell.exercise)

    @property
    def quizzes(self) -> tuple[Quiz, ...]:
        return tuple(cell.quiz for cell in self.cells if cell.quiz)


FIELDS = ("id", "module", "goal", "difficulty", "importance", "minutes", "points")
MAY = ("needs", "timeout")
LADDER = ("symptom", "nudge", "pseudocode")


def parse(file: Path) -> Chapter:
    """Parse a chapter.md; its folder gives the chapter's name. Raises SourceError for a mistake in it."""
    return _Parser(file).chapter()


class _Parser:
    def __init__(self, file: Path):
        self.file = file
        self.lines = file.read_text(encoding="utf-8").split("\n")
        self.at = 0
        self.section = ""
        self.optional = False
        self.cells: list[Cell] = []
        self.prose: list[str] = []
        self.prose_line = 1

    def error(self, text: str, line: int | None = None) -> SourceError:
        return SourceError(self.file, self.at + 1 if line is None else line, text)

    def chapter(self) -> Chapter:
        fence = False
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if fence or (line.startswith("```") and not line.startswith("```{code-cell}")):
                fence = fence != line.startswith("```")
                self._add_prose(line)
            elif line.startswith("```{code-cell}"):
                self._code()
            elif line.startswith(":::{"):
                self._block()
            elif line.rstrip() == "+++ optional":
                self._flush()
                self.optional = True
                self.at += 1
            elif line.rstrip() == "+++":
                self._flush()
                self.at += 1
            elif line.startswith(":::") or line.startswith("+++"):
                raise self.error(f"this line opens nothing known: {line!r}")
            else:
                if re.match(r"#{1,3} ", line):
                    self._flush()
                    if line.startswith("## "):
                        self.section = line[3:].strip()
                self._add_prose(line)
        if fence:
            raise self.error("a ``` fence is never closed")
        self._flush()
        title = next((line[2:].strip() for line in self.lines if line.startswith("# ")), None)
        if title is None:
            raise self.error("the chapter has no title (a line that starts with '# ')", 1)
        self._check()
        name = self.file.parent.name
        return Chapter(name.split("_")[0], name, title, self.file, tuple(self.cells))

    def _add_prose(self, line: str) -> None:
        if not self.prose:
            self.prose_line = self.at + 1
        self.prose.append(line)
        self.at += 1

    def _flush(self) -> None:
        text = "\n".join(self.prose).strip("\n")
        if text.strip():
            self._add("prose", text, self.prose_line)
        self.prose = []

    def _add(self, kind: str, source: str, line: int, **more) -> None:
        self.cells.append(Cell(kind, source, line, self.section, self.optional, **more))

    def _body(self, end: str) -> tuple[int, list[tuple[int, str]]]:
        """Lines between the opening at self.at and the closing line `end`, with their numbers."""
        start = self.at + 1
        rest = [line.rstrip() for line in self.lines[start:]]
        if end not in rest:
            raise self.error(f"the block is never closed with {end}", start)
        self.at = start + rest.index(end) + 1
        return start, list(enumerate(self.lines[start : self.at - 1], start + 1))

    def _code(self) -> None:
        self._flush()
        start, body = self._body("```")
        tags: tuple[str, ...] = ()
        timeout = None
        while body and (match := re.match(r":(\w+): *(.*)", body[0][1])):
            number, _ = body.pop(0)
            key, value = match.groups()
            if key == "tags":
                tags = tuple(tag.strip() for tag in value.split(","))
            elif key == "timeout":
                timeout = self._number(value, number, "timeout")
            else:
                raise self.error(f"unknown option :{key}: of a code cell (tags, timeout)", number)
        self._add("code", "\n".join(text for _, text in body).strip("\n"), start, tags=tags, timeout=timeout)

    def _block(self) -> None:
        self._flush()
        match = re.fullmatch(r":::\{(\w+)\} +([A-Za-z_]\w*)", self.lines[self.at].rstrip())
        if not match or match[1] not in ("exercise", "given", "quiz"):
            raise self.error("a block opens with ':::{exercise} Name', ':::{given} Name' or ':::{quiz} name'")
        kind, name = match.groups()
        start, body = self._body(":::")
        parts, free = self._parts(body)
        if kind == "exercise":
            exercise = self._exercise(name, start, parts)
            self._add("exercise", free, start, exercise=exercise)
        elif kind == "given":
            if free or [part[0] for part in parts] != ["module"] or not parts[0][1]:
                raise self.error(f"the given object {name} needs the field :module: and nothing else", start)
            self._add("given", "", start, given=Given(name, parts[0][1], ""))
        else:
            quiz = self._quiz(name, start, parts, free)
            self._add("quiz", free, start, quiz=quiz)

    def _parts(self, body: list[tuple[int, str]]) -> tuple[list[tuple[str, str, str, int]], str]:
        """`:key: value` lines with their continuation as (key, value, continuation, line); and the free text."""
        parts: list[tuple[str, str, list[str], int]] = []
        free: list[str] = []
        continued = False  # an indented line below free text belongs to that text, such as a list's
        for number, text in body:
            if match := re.match(r":(\w+): *(.*)", text):
                parts.append((match[1], match[2].strip(), [], number))
                continued = True
            elif continued and (text.startswith("  ") or (not text.strip() and parts[-1][2])):
                parts[-1][2].append(text[2:])
            else:
                free.append(text)
                continued = continued and not text.strip()
        return [(k, v, "\n".join(more).strip(), n) for k, v, more, n in parts], "\n".join(free).strip()

    def _exercise(self, name: str, start: int, parts) -> Exercise:
        fields: dict[str, str] = {}
        ladder = []
        for key, value, more, line in parts:
            if key == "symptom":
                ladder.append((key, value, more))
            elif key in LADDER:
                ladder.append((key, "", f"{value}\n{more}".strip()))
            elif key not in FIELDS + MAY:
                raise self.error(f"exercise {name} has an unknown field :{key}:", line)
            elif key in fields:
                raise self.error(f"exercise {name} gives :{key}: twice", line)
            else:
                fields[key] = f"{value} {more}".strip()
        for key in FIELDS:
            if not fields.get(key):
                raise self.error(f"exercise {name} lacks the field :{key}:", start)
        for kind in LADDER:
            if not all(text for key, _, text in ladder if key == kind) or kind not in {key for key, _, _ in ladder}:
                raise self.error(f"exercise {name} lacks :{kind}: in its help ladder, or its text", start)
        if not re.fullmatch(r"\d+\.\d+", fields["id"]):
            raise self.error(f"exercise {name}: the id {fields['id']!r} is not of the form 1.3", start)
        numbers = {key: self._number(fields[key], start, key, whole=True) for key in FIELDS[3:]}
        if not (1 <= numbers["difficulty"] <= 5 and 1 <= numbers["importance"] <= 5):
            raise self.error(f"exercise {name}: difficulty and importance go from 1 to 5", start)
        timeout = self._number(fields["timeout"], start, "timeout") if "timeout" in fields else None
        needs = tuple(need.strip() for need in fields.get("needs", "").split(",") if need.strip())
        place = {"optional": self.optional, "section": self.section}
        told = {key: fields[key] for key in FIELDS[:3]}
        return Exercise(name, **told, **numbers, **place, needs=needs, timeout=timeout, help=tuple(ladder))

    def _quiz(self, name: str, start: int, parts, free: str) -> Quiz:
        choices = []
        for key, value, more, line in parts:
            if key not in ("choice", "right"):
                raise self.error(f"quiz {name} has an unknown field :{key}:", line)
            if not value or not more:
                raise self.error(f"quiz {name}: every choice needs its text and, indented below, its explanation", line)
            choices.append((value, key == "right", " ".join(more.split())))
        if not free:
            raise self.error(f"quiz {name} has no question", start)
        if len(choices) < 2 or sum(right for _, right, _ in choices) != 1:
            raise self.error(f"quiz {name} needs two or more choices, exactly one of them :right:", start)
        return Quiz(name, free, tuple(choices))

    def _number(self, text: str, line: int, what: str, whole: bool = False):
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            raise self.error(f":{what}: must be a number, not {text!r}", line) from None
        if value <= 0:
            raise self.error(f":{what}: must be above zero", line)
        return value

    def _check(self) -> None:
        seen: dict[str, int] = {}
        exercises = [(cell.exercise, cell.line) for cell in self.cells if cell.exercise]
        keys = [(key, line) for exercise, line in exercises for key in (exercise.id, exercise.name)]
        for key, line in [*keys, *((f"the quiz {cell.quiz.name}", cell.line) for cell in self.cells if cell.quiz)]:
            if key in seen:
                raise self.error(f"{key} is taken: line {seen[key]} has it", line)
            seen[key] = line
        for exercise, line in exercises:
            for need in exercise.needs:
                if need not in {other.name for other, _ in exercises}:
                    raise self.error(f"exercise {exercise.name} needs {need}, which isn't an exercise", line)
        try:
            TopologicalSorter({exercise.name: exercise.needs for exercise, _ in exercises}).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
            raise self.error(f"needs go round in a circle: {' needs '.join(circle)}", seen[circle[0]]) from None
