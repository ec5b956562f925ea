"""JUnit XML as pytest writes it (family xunit2): a suite per student, a case per exercise, points as properties."""

import xml.etree.ElementTree as ET
from pathlib import Path

from utils.files import write_whole
from utils.grade.classroom.record import SubmissionResult
from utils.grade.exports.common import full, number, one_line, reason, title
from utils.grade.status import PROPERTIES, Status


def write(results: list[SubmissionResult], out: Path) -> list[Path]:
    """Write the suites of all students. Without full marks an exercise is a failure; a skipped one is skipped."""
    suites = ET.Element("testsuites", name="course grading")
    for result in results:
        suites.append(suite(result))
    ET.indent(suites, " ")
    write_whole(out, '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n")
    return [out]


def suite(result: SubmissionResult) -> ET.Element:
    """The testsuite element of one student."""
    node = ET.Element("testsuite", name=f"{one_line(result.student)} {result.chapter}")
    whole = {"points": number(result.score), "max_points": number(result.max_score), "seed": result.seed}
    _properties(node, student=result.student, name=result.name, submitted=result.submitted, late=result.late, **whole)
    counts = dict.fromkeys(("errors", "failures", "skipped"), 0)
    for exercise in result.exercises:
        case = ET.SubElement(
            node, "testcase", classname=f"{result.chapter}.{one_line(result.student)}", name=title(exercise)
        )
        case.set("time", f"{exercise.seconds:.3f}")
        values = (title(exercise), exercise.status, number(exercise.points), number(exercise.max_points))
        _properties(case, **dict(zip(PROPERTIES, (*values, result.submission, result.seed), strict=True)))
        if exercise.status is Status.SKIPPED:
            counts["skipped"] += 1
            ET.SubElement(case, "skipped", type="pytest.skip", message=reason(exercise))
        elif exercise.status is Status.BLOCKED:
            counts["errors"] += 1
            ET.SubElement(case, "error", message=reason(exercise))
        elif not full(exercise):
            counts["failures"] += 1
            ET.SubElement(case, "failure", message=reason(exercise)).text = one_line(exercise.test)
    if result.problem:
        counts["errors"] += 1
        case = ET.SubElement(
            node, "testcase", classname=f"{result.chapter}.{one_line(result.student)}", name="submission"
        )
        case.set("time", "0")
        ET.SubElement(case, "error", message=one_line(result.problem))
    node.set("tests", str(len(node.findall("testcase"))))
    for name, count in counts.items():
        node.set(name, str(count))
    node.set("time", f"{result.seconds:.3f}")
    return node


def _properties(node: ET.Element, **values) -> None:
    holder = ET.SubElement(node, "properties")
    for name, value in values.items():
        ET.SubElement(holder, "property", name=name, value=one_line(str(value)))
