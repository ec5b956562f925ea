"""What a chapter's source holds: its cells, some of which have an exercise, a quiz or a given object."""

from dataclasses import dataclass
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
