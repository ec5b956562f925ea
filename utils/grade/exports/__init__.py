"""A class's results in the forms that gradebooks take: `write(results, "gradescope", Path("results.json"))`."""

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from utils import course
from utils.files import write_whole, writing
from utils.grade.classroom.record import ExerciseResult, SubmissionResult, folder_name
from utils.grade.exports.common import full, no_formula, number, one_line, reason, title, write_table
from utils.grade.status import PROPERTIES, Status

VISIBLE = {"output_format": "text", "visibility": "visible"}
NBGRADER = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)
ABOUT = (
    *("student", "name", "submission", "submitted", "late", "chapter", "score", "max_score", "percent", "flags"),
    *("problem", "seed", "isolation"),
)


def gradescope(results: list[SubmissionResult], out: Path) -> list[Path]:
    """Gradescope's results.json (one student) or a folder of them: a case per exercise, flags for instructors only."""
    if len(results) == 1 and not out.is_dir():
        files = {out: results[0]}
    elif out.is_file():
        raise course.CourseError(f"{out} is a file: the results of {len(results)} students need a folder.")
    else:
        files = {out / f"{folder_name(result.student)}.json": result for result in results}
    for file, result in files.items():
        write_whole(file, json.dumps(_document(result), indent=1) + "\n")
    return list(files)


def _document(result: SubmissionResult) -> dict:
    """What results.json holds. All text is plain text: a learner wrote some of it."""
    says = [result.problem, *result.notices] if result.problem else list(result.notices)
    score, whole = number(result.score), number(result.max_score)
    says.append(f"{score} of {whole} points. Inputs were drawn from the seed {result.seed}.")
    tests = [_case(exercise) for exercise in result.exercises]
    if result.to_look_at:
        flags = "\n".join(one_line(f"{name or 'The notebook'}: {flag}") for name, flag in result.to_look_at)
        tests.append(VISIBLE | {"name": "For the instructor's eye; cost no points", "output": flags})
        tests[-1]["visibility"] = "hidden"
    if result.problem and not result.exercises:
        tests.append(VISIBLE | {"name": "The submission", "status": "failed", "output": one_line(result.problem)})
    return VISIBLE | {
        "score": score,
        "execution_time": round(result.seconds, 3),
        "output": "\n".join(one_line(line) for line in says if line),
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "extra_data": {"chapter": result.chapter, "seed": result.seed, "isolation": result.isolation},
        "tests": tests,
    }


def _case(exercise: ExerciseResult) -> dict:
    return VISIBLE | {
        "number": exercise.id,
        "name": title(exercise) + (" (optional)" if exercise.optional else ""),
        "score": number(exercise.points),
        "max_score": number(exercise.max_points),
        "status": "passed" if full(exercise) else "failed",
        "output": reason(exercise),
        "tags": [str(exercise.status)],
        "extra_data": {"test": exercise.test, "mistake": exercise.mutant, "seconds": round(exercise.seconds, 3)},
    }


def junit(results: list[SubmissionResult], out: Path) -> list[Path]:
    """JUnit XML as pytest writes it (family xunit2), a suite per student, points as properties.

    Without full marks an exercise is a failure; a skipped one is skipped.
    """
    suites = ET.Element("testsuites", name="course grading")
    for result in results:
        suites.append(_suite(result))
    ET.indent(suites, " ")
    write_whole(out, '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n")
    return [out]


def _suite(result: SubmissionResult) -> ET.Element:
    """The testsuite element of one student."""
    node = ET.Element("testsuite", name=f"{one_line(result.student)} {result.chapter}")
    node.set("time", f"{result.seconds:.3f}")
    whole = {"points": number(result.score), "max_points": number(result.max_score), "seed": result.seed}
    _properties(node, student=result.student, name=result.name, submitted=result.submitted, late=result.late, **whole)
    of = {"classname": f"{result.chapter}.{one_line(result.student)}"}
    for exercise in result.exercises:
        case = ET.SubElement(node, "testcase", **of, name=title(exercise), time=f"{exercise.seconds:.3f}")
        values = (title(exercise), exercise.status, number(exercise.points), number(exercise.max_points))
        _properties(case, **dict(zip(PROPERTIES, (*values, result.submission, result.seed), strict=True)))
        if exercise.status is Status.SKIPPED:
            ET.SubElement(case, "skipped", type="pytest.skip", message=reason(exercise))
        elif exercise.status is Status.BLOCKED:
            ET.SubElement(case, "error", message=reason(exercise))
        elif not full(exercise):
            ET.SubElement(case, "failure", message=reason(exercise)).text = one_line(exercise.test)
    if result.problem:
        case = ET.SubElement(node, "testcase", **of, name="submission", time="0")
        ET.SubElement(case, "error", message=one_line(result.problem))
    for name, place in (("tests", "."), ("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
        node.set(name, str(len(node.findall(f"testcase/{place}"))))
    return node


def _properties(node: ET.Element, **values) -> None:
    holder = ET.SubElement(node, "properties")
    for name, value in values.items():
        ET.SubElement(holder, "property", name=name, value=one_line(str(value)))


def nbgrader(results: list[SubmissionResult], out: Path) -> list[Path]:
    """The table that `nbgrader export` writes, a row a student, its values joined by commas and never quoted.

    A student id that the format cannot hold (a comma, a quote) is changed, loudly.
    """
    rows = [",".join(NBGRADER)]
    for result in results:
        student = _unquoted(no_formula(one_line(result.student)))
        if student != result.student:
            says = f"nbgrader's table can't hold the student id {result.student!r} as it is: there it is {student!r}."
            print(says, file=sys.stderr)
        score = number(result.score)
        values = {
            "assignment": result.chapter,
            "timestamp": _unquoted(no_formula(one_line(result.submitted))),
            "student_id": student,
            "raw_score": score,
            "late_submission_penalty": 0,
            "score": score,
            "max_score": number(result.max_score),
        }
        rows.append(",".join(str(values.get(column, "")) for column in NBGRADER))
    write_whole(out, "\n".join(rows) + "\n")
    return [out]


def _unquoted(text: str) -> str:
    return re.sub(r'[,"\r\n]', "_", text)


def as_csv(results: list[SubmissionResult], out: Path) -> list[Path]:
    """One row a student: about the whole, then the points and then the status of every exercise."""
    exercises = list(dict.fromkeys(title(exercise) for result in results for exercise in result.exercises))
    rows: list[list] = [[*ABOUT, *exercises, *(f"{name} status" for name in exercises)]]
    for result in results:
        by_name = {title(exercise): exercise for exercise in result.exercises}
        found = [by_name.get(name) for name in exercises]
        percent = number(100 * result.score / result.max_score) if result.max_score else 0
        row = [result.student, result.name, result.submission, result.submitted, result.late, result.chapter]
        row += [number(result.score), number(result.max_score)]
        row += [percent, len(result.to_look_at), result.problem, result.seed, result.isolation]
        row += [number(e.points) if e else "" for e in found] + [str(e.status) if e else "" for e in found]
        rows.append(row)
    write_table(out, rows)
    return [out]


def as_json(results: list[SubmissionResult], out: Path) -> list[Path]:
    """Every record as it is kept, in one list."""
    write_whole(out, json.dumps([json.loads(result.to_json()) for result in results], indent=1) + "\n")
    return [out]


FORMATS = {"gradescope": gradescope, "nbgrader": nbgrader, "junit": junit, "csv": as_csv, "json": as_json}


def write(results: list, format: str, out: Path) -> list[Path]:
    """Write `results` (SubmissionResult) to `out`; returns the files written.

    Gradescope takes one student a file: with several students `out` is a folder. Raises CourseError
    for an unknown format, for no results, and for an `out` that cannot be written.
    """
    if format not in FORMATS:
        raise course.CourseError(f"There is no format {format!r}: the formats are {', '.join(FORMATS)}.")
    if not results:
        raise course.CourseError("There is nothing to export: the folder holds no results of this chapter.")
    with writing(out):
        return FORMATS[format](list(results), Path(out))
