"""Every export is read back by a parser or held against a schema."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import jsonschema
import pytest
from class_results import HOSTILE, POINTS, exercise, submission, the_class
from export_schemas import GRADESCOPE

from utils.course import CourseError
from utils.grade import exports
from utils.grade.classroom.record import SubmissionResult
from utils.grade.status import PROPERTIES, Status


def test_gradescope_takes_every_student(tmp_path):
    results = the_class()
    files = exports.write(results, "gradescope", tmp_path / "gradescope")
    assert len(files) == len(set(files)) == len(results)
    for file, result in zip(files, results, strict=True):
        document = json.loads(file.read_text(encoding="utf-8"))
        jsonschema.validate(document, GRADESCOPE)
        assert document["score"] == result.score
        scored = [test for test in document["tests"] if "score" in test]
        assert [test["score"] for test in scored] == [e.points for e in result.exercises]
        assert {test["output_format"] for test in document["tests"]} <= {"text"}
    ada, _, cleo, lost, _ = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    assert ada["score"] == 10 and ada["tests"][3]["name"] == "1.22 KVCache (optional)"
    assert ada["tests"][0]["number"] == "1.1" and "123456" in ada["output"]
    hidden = [test for test in cleo["tests"] if test["visibility"] == "hidden"]
    assert len(hidden) == 1 and "for review" in hidden[0]["output"] and "score" not in hidden[0]
    assert lost["score"] == 0 and lost["tests"][0]["status"] == "failed" and "not JSON" in lost["output"]


def test_gradescope_of_one_student_is_one_file(tmp_path):
    files = exports.write([the_class()[0]], "gradescope", tmp_path / "results.json")
    assert files == [tmp_path / "results.json"]
    document = json.loads(files[0].read_text(encoding="utf-8"))
    assert {test["visibility"] for test in document["tests"]} == {"visible"}


def test_nbgrader_has_its_columns_and_no_quotes(tmp_path, capsys):
    (file,) = exports.write(the_class(), "nbgrader", tmp_path / "grades.csv")
    text = file.read_text(encoding="utf-8")
    columns = "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty"
    lines = text.split("\n")
    assert lines[0] == columns + ",score,max_score"
    assert '"' not in text and all(line.count(",") == 10 for line in lines[:-1]) and lines[-1] == ""
    rows = {row["student_id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["ada"]["score"] == "10" and rows["ada"]["max_score"] == "7" and rows["bob"]["raw_score"] == "1"
    assert rows["zoë"]["score"] == "0" and rows["ada"]["duedate"] == ""
    assert not any(student.startswith("=") for student in rows)
    said = capsys.readouterr().err
    assert "nbgrader's table can't hold the student id" in said and said.count("\n") == 1


def test_junit_parses_and_counts(tmp_path):
    (file,) = exports.write(the_class(), "junit", tmp_path / "grades.xml")
    suites = ET.parse(file).getroot()
    assert suites.tag == "testsuites" and len(suites) == 5
    for suite, result in zip(suites, the_class(), strict=True):
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases) == len(result.exercises) + bool(result.problem)
        for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(kind)) == len(suite.findall(f"testcase/{tag}"))
        for case, marked in zip(cases, result.exercises, strict=False):
            properties = {p.get("name"): p.get("value") for p in case.findall("properties/property")}
            assert tuple(properties) == PROPERTIES  # as in the report that pytest itself writes
            assert properties["exercise"] == case.get("name") == f"{marked.id} {marked.name}"
            assert properties["status"] == marked.status
            assert float(properties["points"]) == marked.points and float(properties["max_points"]) == marked.max_points
            assert (case.find("failure") is None) == (marked.status in (Status.FULL, Status.SKIPPED))
    assert suites[1].find("testcase/failure").get("message").startswith("wrong: The variance was divided by n-1")
    assert "\x1b" not in file.read_text(encoding="utf-8")


def test_csv_is_never_a_formula(tmp_path):
    (file,) = exports.write(the_class(), "csv", tmp_path / "grades.csv")
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"))))
    assert [row["student"] for row in rows[:4]] == ["ada", "bob", "cleo", "zoë"]
    assert rows[0]["score"] == "10" and rows[0]["1.5 Attention"] == "4" and rows[0]["1.22 KVCache"] == "3"
    assert rows[1]["1.3 LayerNorm status"] == "wrong" and rows[1]["1.22 KVCache"] == "" and rows[2]["flags"] == "2"
    assert rows[3]["problem"].endswith("it is not JSON.")
    for row in rows:
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t")) and "\n" not in cell
    assert rows[4]["student"].startswith("'=cmd")


@pytest.mark.parametrize("student", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "＝1"])
def test_ids_that_spreadsheets_would_compute(tmp_path, student):
    result = submission(student, exercise(*POINTS[0]))
    for format in ("csv", "nbgrader"):
        (file,) = exports.write([result], format, tmp_path / f"{format}.csv")
        (row,) = csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig")))
        assert row.get("student", row.get("student_id")).startswith("'")


def test_json_holds_every_record_whole(tmp_path):
    (file,) = exports.write(the_class(), "json", tmp_path / "grades.json")
    records = [SubmissionResult.from_json(json.dumps(item)) for item in json.loads(file.read_text(encoding="utf-8"))]
    assert records == the_class()
    assert records[4].exercises[0].says == HOSTILE


def test_students_of_one_name_for_the_file_system_stay_apart(tmp_path):
    results = [submission(name, exercise(*POINTS[0])) for name in ("a/b", "a:b", "../a", "a_b")]
    files = exports.write(results, "gradescope", tmp_path / "out")
    assert len({file.name.lower() for file in files}) == 4 and {file.parent for file in files} == {tmp_path / "out"}


def test_what_cannot_be_exported_says_so_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("taken", encoding="utf-8")
    for results, format, out, says in (
        (the_class(), "excel", tmp_path / "x", "no format 'excel': the formats are gradescope, nbgrader, junit, csv"),
        ([], "csv", tmp_path / "x", "nothing to export"),
        (the_class(), "gradescope", tmp_path / "file", "is a file"),
        (the_class(), "csv", tmp_path / "file" / "x.csv", "cannot be written"),
    ):
        with pytest.raises(CourseError, match=re.escape(says)) as error:
            exports.write(results, format, out)
        assert "\n" not in str(error.value)
