"""Every chapter in the real sandbox: its solutions earn full marks, a known wrong answer to an exercise earns none."""

import json
import re

import pytest

from tests.course.classroom.submissions import write
from utils import course
from utils.chapter import load_chapter
from utils.grade.classroom.run import Options, grade_class
from utils.grade.mutants import mutants
from utils.grade.policy import Grading
from utils.grade.sandbox.plain import Plain
from utils.grade.status import Status
from utils.grade.submission import read_cells

OPTIONS = Options(seconds=10, jobs=2, isolation="bubblewrap")
MARKS = "def wrong(*said):\n    return lambda obj: obj\n\n\nright = wrong\n"
FAILED = {Status.WRONG, Status.CRASHED, Status.TIMED_OUT}

SPOILED = {  # an answer that attacks, one that does not parse
    "hostile": ("import os\n\n\ndef {name}(*given, **named):\n    os._exit(0)\n", FAILED),
    "broken": ("def {name}(:\n    return 1\n", {Status.SYNTAX_ERROR}),
}


def wrong_answer(chapter: str, name: str) -> str:
    """A cell that defines the exercise as its first known wrong answer, with what that reads."""
    first = next(mutant for mutant in mutants(chapter, name) if not mutant.right)
    text = course.mutants_file(chapter, name).read_text(encoding="utf-8")
    text = re.sub(r"^from utils\.grade.*\n", "", text, flags=re.M)
    return f"{MARKS}{text}\n\n{name} = {first.name}\n"


def one_answer(notebook: dict, name: str, text: str) -> dict:
    """The notebook with that answer and no other."""
    cells = []
    for cell in notebook["cells"]:
        mark = cell["metadata"].get("exercise", {})
        if mark.get("role") == "answer":
            if mark["name"] != name:
                continue
            cell = {**cell, "source": text}
        cells.append(cell)
    return {**notebook, "cells": cells}


def test_a_program_tried_beside_an_answer(built):
    """A program written at a cell's top level is built with the learner's own language, where an answer reads it."""
    tried = 'UP = select(indices, indices, "<=")\nNOW = aggregate(UP & ~UP, tokens, default="")\n'
    cells, _ = read_cells((built / "solutions" / course.chapter_name("ch3") / "solutions.ipynb").read_bytes())
    at = next(number for number, (_, mark) in enumerate(cells) if mark == "has_focus")
    cells[at] = tried + cells[at][0].replace("    return", "    _ = UP, NOW\n    return", 1), "has_focus"
    broken = [("class SOp(int.no_such_thing):\n    pass\n" if mark == "SOp" else text, mark) for text, mark in cells]
    with Plain() as box:
        assert Grading(cells, "ch3", 7, box).verdict("has_focus").outcome.status is Status.FULL
        graded = Grading(broken, "ch3", 7, box)
        assert graded.verdict("select").outcome.status is Status.FULL  # only its steps are of the class
        assert graded.verdict("SOp").outcome.status in FAILED and "no_such_thing" in graded.verdict("SOp").outcome.says


def test_an_error_of_the_learners_own_class_counts_as_what_it_derives_from():
    raising = "import torch\n\nclass Own({}):\n    pass\n\ndef apply_temperature(logits, temperature):\n"
    raising += "    if temperature <= 0:\n        raise Own('too cold')\n    return logits / temperature"
    with Plain() as box:
        for base, status in (("ValueError", Status.FULL), ("ArithmeticError", Status.WRONG)):
            graded = Grading([(raising.format(base), "")], "ch1", 7, box).verdict("apply_temperature")
            assert graded.outcome.status is status, graded.outcome.says


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("chapter", course.chapters())
def test_right_and_wrong_answers_of_a_chapter(chapter, built, tmp_path):
    folder = built / "solutions" / course.chapter_name(chapter)
    notebooks = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.ipynb")}
    expected = {}
    for stem, notebook in notebooks.items():
        marks = [cell["metadata"].get("exercise", {}) for cell in notebook["cells"]]
        names = [mark["name"] for mark in marks if mark.get("role") == "answer"]
        write(tmp_path / "in" / f"{stem}.ipynb", notebook)
        expected[stem] = {name: {Status.FULL} for name in names}
        for name in names:
            write(tmp_path / "in" / f"{name}.ipynb", one_answer(notebook, name, wrong_answer(chapter, name)))
            expected[name] = {name: FAILED}
        for kind, (text, allowed) in SPOILED.items():
            spoiled = one_answer(notebook, names[0], text.format(name=names[0]))
            write(tmp_path / "in" / f"{kind}-{stem}.ipynb", spoiled)
            expected[f"{kind}-{stem}"] = {names[0]: allowed}
    assert {name for wanted in expected.values() for name in wanted} == {
        exercise.name for exercise in load_chapter(chapter).exercises
    }
    summary = grade_class([tmp_path / "in"], chapter, tmp_path / "out", OPTIONS)
    records = {record.student: {e.name: e for e in record.exercises} for record in summary.records}
    found = {
        (student, name): (result.status, result.says)
        for student, wanted in expected.items()
        for name, allowed in wanted.items()
        if (result := records[student][name]).status not in allowed or (result.points > 0) != (allowed == {Status.FULL})
    }
    assert found == {}, summary.seed
