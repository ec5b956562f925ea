"""Every built notebook, executed and graded as README says: solutions in full, shipped exercises as not attempted."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from utils import course
from utils.chapter import load_chapter

CHAPTERS = list(course.chapters().values())


def grade(notebook, tmp_path):
    """Run `pytest --nbmake` on a notebook; its exit status, its text, and per exercise the JUnit properties."""
    report = tmp_path / "junit.xml"
    command = [sys.executable, "-m", "pytest", "--nbmake", str(notebook), f"--junitxml={report}", "-p", "no:xdist"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=course.ROOT, env=environment, capture_output=True, text=True, timeout=840)
    cases = {}
    for case in ElementTree.parse(report).iter("testcase"):
        properties = {item.get("name"): item.get("value") for item in case.iter("property")}
        if "exercise" in properties:
            cases[properties["exercise"]] = properties
    return done.returncode, done.stdout + done.stderr, cases


def expected(chapter: str, optional: bool) -> dict[str, int]:
    return {e.id: e.points for e in load_chapter(chapter).exercises if e.optional == optional}


def points_by_id(cases) -> dict[str, float]:
    return {re.match(r"\d+\.\d+", name)[0]: float(properties["points"]) for name, properties in cases.items()}


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("name, optional", [("solutions", False), ("optional_solutions", True)])
def test_solutions_grade_in_full(built, tmp_path, chapter, name, optional):
    file = built / "solutions" / chapter / f"{name}.ipynb"
    if optional and not expected(chapter, True):
        assert not file.exists(), f"{chapter} has no optional exercise, yet an optional notebook"
        return
    status, text, cases = grade(file, tmp_path)
    wrong = {key: case["status"] for key, case in cases.items() if case["status"] != "full"}
    assert status == 0 and not wrong, f"{wrong}\n{text[-3000:]}"
    assert points_by_id(cases) == expected(chapter, optional)
    assert "runs from top to bottom: yes" in text


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("name, optional", [("exercises", False), ("optional", True)])
def test_shipped_exercises_are_not_attempted(built, tmp_path, chapter, name, optional):
    file = built / "chapters" / chapter / f"{name}.ipynb"
    if optional and not expected(chapter, True):
        assert not file.exists(), f"{chapter} has no optional exercise, yet an optional notebook"
        return
    status, text, cases = grade(file, tmp_path)
    assert status == 1
    assert {case["status"] for case in cases.values()} == {"not attempted"}, text[-3000:]
    assert points_by_id(cases) == dict.fromkeys(expected(chapter, optional), 0.0)
