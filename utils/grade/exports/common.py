"""What the exports share: numbers, safe text, a table."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from utils.files import write_whole
from utils.grade.classroom.record import ExerciseResult
from utils.grade.status import Status
from utils.grade.submission import clean

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the full-width ones count too


def number(value: float) -> int | float:
    """A score without float dust; a whole number as an integer."""
    rounded = round(float(value), 5)
    return int(rounded) if rounded == int(rounded) else rounded


def title(exercise: ExerciseResult) -> str:
    return f"{exercise.id} {exercise.name}"


def full(exercise: ExerciseResult) -> bool:
    return exercise.status is Status.FULL


def reason(exercise: ExerciseResult) -> str:
    """Status and sentence of an exercise, in one line."""
    return one_line(f"{exercise.status}: {exercise.says}" if exercise.says else str(exercise.status))


def one_line(text: str) -> str:
    """Text as one line without control characters, invisible direction marks and lone surrogates.

    A learner's error message ends up here: XML refuses such characters and a terminal would obey them.
    """
    return clean(text, len(text))


def no_formula(text: str) -> str:
    """A table's cell that a spreadsheet shows and never computes: what looks like a formula gets an apostrophe."""
    return f"'{text}" if text.lstrip(" \n").startswith(FORMULA) else text


def write_table(file: Path, rows: Iterable[Sequence]) -> None:
    """Write a CSV in which nothing is a formula; with a byte order mark, or Excel takes it for another encoding."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    for row in rows:
        table.writerow([no_formula(one_line(value)) if isinstance(value, str) else value for value in row])
    write_whole(file, "\ufeff" + text.getvalue())
