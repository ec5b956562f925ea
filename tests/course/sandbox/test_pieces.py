"""One mistake counts once: what builds on a wrong piece is graded with the reference's."""

import json

import pytest
import torch

from utils import course
from utils.chapter import load_chapter
from utils.grade.assess import assess
from utils.grade.classroom.assemble import Task
from utils.grade.classroom.grade import grade_submission
from utils.grade.judge import LearnerError
from utils.grade.policy import needs
from utils.grade.reference import reference_definition
from utils.grade.submission import Notebook

EXERCISES = [exercise.name for exercise in load_chapter("ch1").exercises]
BASE = "import torch\ndef base(x):\n    return x {sign} 1"
BUILDS = "def builds(x):\n    return base(x) * 2"


def double(builds, x):
    return builds(x)


def test_a_wrong_piece_is_replaced(box):
    learner = Notebook([BASE.format(sign="-"), BUILDS], ["base", "builds"])
    right = Notebook([BASE.format(sign="+")], ["base", "builds"], label="reference").definition("base")
    x = torch.arange(3.0)
    own, repaired = (box.runner(learner, "builds", replaced=r) for r in ({}, {"base": right}))
    assert own.run(double, (x,)).tolist() == [-2, 0, 2]
    assert repaired.run(double, (x,)).tolist() == [2, 4, 6]


def test_a_missing_piece_is_supplied(box):
    right = Notebook([BASE.format(sign="+")], ["base", "builds"], label="reference").definition("base")
    runner = box.runner(Notebook([BUILDS], ["base", "builds"]), "builds", replaced={"base": right})
    assert runner.run(double, (torch.zeros(1),)).tolist() == [2]


def test_an_error_that_derives_from_the_courses_can_be_raised(box):
    cells = [
        "from utils.course import CourseError",
        "class Refused(CourseError):\n    pass",
        "def builds(x):\n    raise Refused('not this')",
    ]
    runner = box.runner(Notebook(cells, ["base", "builds"]), "builds")
    with pytest.raises(LearnerError) as caught:
        runner.run(double, (torch.zeros(1),))
    assert (caught.value.kind, caught.value.text) == ("Refused", "not this")


def test_a_reference_piece_holds_no_other_exercise():
    for name in EXERCISES:
        definition = reference_definition("ch1", name)
        text = "\n".join(piece[2] for piece in definition.parts)
        for other in set(EXERCISES) - {name}:
            assert f"class {other}(" not in text and f"def {other}(" not in text, (name, other)


@pytest.mark.parametrize("chapter", list(course.chapters()))
def test_what_stands_in_brings_no_line_of_another_exercise(chapter):
    """All that an empty submission can find in its worker: the pieces that its exercise needs, never their module."""
    exercises = [exercise.name for exercise in load_chapter(chapter).exercises]
    own = {name: _lines(reference_definition(chapter, name).source) for name in exercises}
    for name in exercises:
        replaced = {need: reference_definition(chapter, need) for need in needs(chapter, name)}
        sent = json.dumps(Notebook([f"{name} = None"], exercises).modules(name, replaced))
        for other in set(exercises) - {name} - set(replaced):
            shared = set().union(*(own[need] for need in (name, *replaced)))
            assert not [line for line in own[other] - shared if json.dumps(line)[1:-1] in sent], (name, other)


def _lines(source: str) -> set[str]:
    """Lines that tell something of an answer: long, and of its code alone."""
    return {line.strip() for line in source.splitlines() if len(line.strip()) >= 24 and "=" in line}


SNOOPS = """class TransformerBlock(nn.Module):
    import sys
    norm = LayerNorm
    frame = sys._getframe()
    while "modules" not in frame.f_locals:
        frame = frame.f_back
    raise ValueError(str(frame.f_locals["modules"][0]["parts"][-1][2])[{cut}])"""


def test_a_message_that_quotes_what_stands_in_is_cut(box):
    text = reference_definition("ch1", "LayerNorm").source
    at = text.index("return")
    snoops = SNOOPS.format(cut=f"{at}:{at + 60}")
    task = Task("ada", "ada", "", [("from torch import nn\n" + snoops, "")])
    record = grade_submission(task, "ch1", 1, box)
    block = next(exercise for exercise in record.exercises if exercise.name == "TransformerBlock")
    assert block.status == "wrong" and block.says.endswith("quotes the reference, which is not shown.")


@pytest.mark.parametrize("name", [n for n in EXERCISES if course.hidden_tests("ch1", n).is_file()])
def test_the_reference_passes_in_the_sandbox(box, name):
    """Every exercise, defined from the reference's source alone, gets full marks in a worker."""
    definitions = {exercise: reference_definition("ch1", exercise) for exercise in EXERCISES}
    with box.runner(Notebook([f"{name} = None"], EXERCISES), name, replaced=definitions) as runner:
        outcome = assess("ch1", name, runner, seed=torch.seed() % 2**31)
    assert outcome.ok, (outcome.status, outcome.says)


def test_answers_that_are_absent_are_said_so(monkeypatch):
    monkeypatch.setattr(course, "have_answers", lambda chapter: False)
    with pytest.raises(course.CourseError, match="not part of this hand-out"):
        reference_definition.__wrapped__("ch1", "LayerNorm")
