"""The marks of a notebook do not depend on the seed that is drawn when it is graded."""

import pytest

from tests.course.classroom.submissions import POINTS
from tests.fuzz.seeds import main, marks_by_seed

CHEAP = ("Embedding", "GELU", "accuracy", "chunk_tokens")


@pytest.mark.sandbox
@pytest.mark.slow
def test_100_seeds_identical_marks(handed_in, tmp_path):
    answers = handed_in.some(*CHEAP, LayerNorm=handed_in.wrong_norm)
    file = handed_in.write(tmp_path / "ada.ipynb", answers)
    found = marks_by_seed(file, "ch1", list(range(1000, 1100)))
    for name, marks in found.items():
        status = "full" if name in CHEAP else "wrong" if name == "LayerNorm" else "not attempted"
        (mark,) = marks
        assert mark == (status, POINTS[name] if name in CHEAP else 0), name
        assert len(marks[mark]) == 100


@pytest.mark.sandbox
@pytest.mark.slow
def test_the_whole_reference_with_some_seeds(handed_in, tmp_path, capsys):
    """`python -m tests.fuzz.seeds solutions/.../solutions.ipynb` does it with a hundred."""
    file = handed_in.write(tmp_path / "ada.ipynb", handed_in.right)
    assert main([str(file), "--count", "5", "--first", "77"]) == 0
    said = capsys.readouterr().out
    assert "5 gradings: identical marks" in said
    for name in handed_in.right:
        assert f"{name}: full, {POINTS[name]:g} points: 5 seeds\n" in said


def test_different_marks_are_said(handed_in, tmp_path, monkeypatch, capsys):
    marks = {"GELU": {("full", 1.0): [0, 1, 2], ("wrong", 0.0): [3]}, "MLP": {("full", 1.0): [0, 1, 2, 3]}}
    monkeypatch.setattr("tests.fuzz.seeds.marks_by_seed", lambda *arguments: marks)
    assert main([str(tmp_path / "ada.ipynb"), "--count", "4"]) == 1
    said = capsys.readouterr().out
    assert "GELU: full, 1 points: 3 seeds; wrong, 0 points: 1 seeds (such as [3])" in said
    assert "4 gradings: different marks" in said


def test_a_notebook_that_cannot_be_read(tmp_path, capsys):
    (tmp_path / "ada.ipynb").write_text("no", encoding="utf-8")
    assert main([str(tmp_path / "ada.ipynb"), "--count", "2"]) == 2
    assert "not JSON" in capsys.readouterr().err
