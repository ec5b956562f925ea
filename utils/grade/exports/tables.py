"""Plain tables: CSV with a row per student, JSON with every record whole."""

import csv
import io
import json
from pathlib import Path

from utils.files import write_whole
from utils.grade.classroom.record import SubmissionResult
from utils.grade.exports.common import no_formula, number, one_line, title

ABOUT = (
    *("student", "name", "submission", "submitted", "late", "chapter", "score", "max_score", "percent", "flags"),
    *("problem", "seed", "isolation"),
)


def write_csv(results: list[SubmissionResult], out: Path) -> list[Path]:
    """One row a student: about the whole, then the points and then the status of every exercise.

    UTF-8 with a byte order mark, or Excel takes it for another encoding; nothing in it is a formula.
    """
    exercises = list(dict.fromkeys(title(exercise) for result in results for exercise in result.exercises))
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*ABOUT, *exercises, *(f"{name} status" for name in exercises)])
    for result in results:
        by_name = {title(exercise): exercise for exercise in result.exercises}
        found = [by_name.get(name) for name in exercises]
        percent = number(100 * result.score / result.max_score) if result.max_score else 0
        row = [result.student, result.name, result.submission, result.submitted, result.late, result.chapter]
        row += [number(result.score), number(result.max_score)]
        row += [percent, len(result.to_look_at), result.problem, result.seed, result.isolation]
        row += [number(e.points) if e else "" for e in found] + [str(e.status) if e else "" for e in found]
        table.writerow([no_formula(one_line(value)) if isinstance(value, str) else value for value in row])
    write_whole(out, "\ufeff" + text.getvalue())
    return [out]


def write_json(results: list[SubmissionResult], out: Path) -> list[Path]:
    """Every record as it is kept, in one list."""
    write_whole(out, json.dumps([json.loads(result.to_json()) for result in results], indent=1) + "\n")
    return [out]
