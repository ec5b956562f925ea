"""A class's results in the forms that gradebooks take: `write(results, "gradescope", Path("results.json"))`."""

from pathlib import Path

from utils import course
from utils.files import writing
from utils.grade.exports import gradescope, junit, nbgrader, tables

FORMATS = {
    "gradescope": gradescope.write,
    "nbgrader": nbgrader.write,
    "junit": junit.write,
    "csv": tables.write_csv,
    "json": tables.write_json,
}


def write(results: list, format: str, out: Path, **options) -> list[Path]:
    """Write `results` (SubmissionResult) to `out`; returns the files written.

    Gradescope takes one student a file: with several students `out` is a folder. Raises CourseError
    for an unknown format, for no results, and for an `out` that cannot be written.
    """
    if format not in FORMATS:
        raise course.CourseError(f"There is no format {format!r}: the formats are {', '.join(FORMATS)}.")
    if not results:
        raise course.CourseError("There is nothing to export: the folder holds no results of this chapter.")
    with writing(out):
        return FORMATS[format](list(results), Path(out), **options)
