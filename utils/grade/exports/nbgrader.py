"""The table that `nbgrader export` writes: same columns, values joined by commas and never quoted."""

import re
from pathlib import Path

from utils.files import write_whole
from utils.grade.classroom.record import SubmissionResult
from utils.grade.exports.common import no_formula, number, one_line, warn

COLUMNS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)


def write(results: list[SubmissionResult], out: Path, assignment: str = "", duedate: str = "") -> list[Path]:
    """Write one row a student. A student id that the format cannot hold (a comma, a quote) is changed, loudly."""
    rows = [",".join(COLUMNS)]
    for result in results:
        student = _unquoted(no_formula(one_line(result.student)))
        if student != result.student:
            warn(f"nbgrader's table can't hold the student id {result.student!r} as it is: there it is {student!r}.")
        score = number(result.score)
        values = {
            "assignment": _unquoted(assignment or result.chapter),
            "duedate": _unquoted(duedate),
            "timestamp": _unquoted(no_formula(one_line(result.submitted))),
            "student_id": student,
            "raw_score": score,
            "late_submission_penalty": 0,
            "score": score,
            "max_score": number(result.max_score),
        }
        rows.append(",".join(str(values.get(column, "")) for column in COLUMNS))
    write_whole(out, "\n".join(rows) + "\n")
    return [out]


def _unquoted(text: str) -> str:
    return re.sub(r'[,"\r\n]', "_", text)
