"""Classroom 50's result.json. Grading runs in the student's own repository there: feedback, not marks."""

import os
from datetime import UTC, datetime
from pathlib import Path

from utils.course import CourseError
from utils.grade.classroom.record import SubmissionResult
from utils.grade.exports.common import full, number, title, write_each

SCHEMA = "classroom50/result/v1"
LARGEST = 10 * 2**20
RUNNER = {  # field -> the variable that the runner sets
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
}


def write(results: list[SubmissionResult], out: Path, **fields: str) -> list[Path]:
    """Write result.json (one student) or a folder of them.

    `fields`: classroom, assignment, submission, commit, release, review; what is not named comes from the runner's
    environment.
    """
    unknown = set(fields) - set(RUNNER) - {"review"}
    if unknown:
        raise CourseError(f"result.json has no field {', '.join(sorted(unknown))}.")
    written = write_each(results, out, lambda result: document(result, **fields))
    for file in written:
        if file.stat().st_size > LARGEST:
            raise CourseError(f"{file} is larger than the 10 MiB that Classroom 50 takes.")
    return written


def document(result: SubmissionResult, review: str = "", **fields: str) -> dict:
    """What result.json holds for one student."""
    known = {field: fields.get(field) or os.environ.get(variable, "") for field, variable in RUNNER.items()}
    return {
        "schema": SCHEMA,
        **{**known, "assignment": known["assignment"] or result.chapter},
        "review": review,
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": number(result.score),
        "max-score": number(result.max_score),
        "tests": [
            {
                "test-name": title(exercise),
                "passed": full(exercise),
                "score": number(exercise.points),
                "max-score": number(exercise.max_points),
            }
            for exercise in result.exercises
        ],
    }
