"""Broken notebooks by the hundred: the grader survives them, and every one has a record."""

import contextlib
import json

import pytest

from tests.fuzz.__main__ import Report, fuzz, main
from tests.fuzz.notebooks import KINDS, Maker

CHEAP = ("Embedding", "GELU", "accuracy", "chunk_tokens")


@pytest.fixture(scope="module")
def maker(handed_in) -> Maker:
    return Maker(handed_in.notebooks["solutions"], "ch1", 0, CHEAP)


def test_the_same_number_gives_the_same_notebook(maker):
    made = [maker.make(number) for number in range(400)]
    assert made == [maker.make(number) for number in range(400)]
    assert {kind for kind, _ in made} == set(KINDS)
    assert len({data for _, data in made}) > 350
    other = Maker({"cells": maker.top + sum(maker.answers.values(), []), "metadata": maker.metadata}, "ch1", 1, CHEAP)
    assert other.make(0) != made[0]
    readable = 0
    for _, data in made:
        with contextlib.suppress(ValueError, RecursionError):
            readable += isinstance(json.loads(data), dict)
    assert 200 < readable < 395


def test_what_makes_a_run_unsound():
    assert Report(count=10, reached=3).sound
    assert not Report(count=10, reached=2).sound
    assert not Report(count=10, reached=9, crashes=["a traceback"]).sound
    assert not Report(count=10, reached=9, unreported=["f000001"]).sound


def test_a_crash_and_a_lost_record_are_counted(maker, tmp_path, monkeypatch, capsys):
    from utils.grade.classroom import run

    monkeypatch.setattr(run, "grade_class", lambda *arguments: 1 / 0)
    report = fuzz(maker, "ch1", 3, tmp_path)
    assert len(report.crashes) == 1 and "ZeroDivisionError" in report.crashes[0]
    assert len(report.unreported) == 3 and not report.sound
    assert main(["--count", "2", "--out", str(tmp_path / "two")]) == 1
    assert "crashes of the grader: 1; not reported: 2" in capsys.readouterr().out
    assert main(["--count", "2", "--out", "/proc/nowhere"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["--count", "2", "--out", str(tmp_path), "--exercises", "Nothing"]) == 2
    assert "no answer to Nothing" in capsys.readouterr().err


@pytest.mark.sandbox
@pytest.mark.slow
def test_500_broken_notebooks(maker, tmp_path):
    """The command `python -m tests.fuzz` does the same with ten thousand."""
    report = fuzz(maker, "ch1", 500, tmp_path)
    print(report)
    assert report.crashes == [] and report.unreported == []
    assert report.count == 500 and report.reached >= 0.3 * report.count
    assert set(report.kinds) == set(KINDS)
    assert {"full", "wrong", "syntax error"} <= set(report.statuses)


@pytest.mark.sandbox
def test_a_number_too_large_to_compare_costs_its_own_exercise_only(handed_in, tmp_path):
    """Found by the command: the diagnosis of a wrong answer met an integer that no float can hold."""
    from utils.grade.classroom.run import Options, grade_class

    huge = "def accuracy(logits, tokens):\n    return 10**400"
    handed_in.write(tmp_path / "ada.ipynb", handed_in.some("GELU", accuracy=huge))
    summary = grade_class([tmp_path / "ada.ipynb"], "ch1", tmp_path / "out", Options(jobs=1, seconds=4))
    statuses = {exercise.name: str(exercise.status) for exercise in summary.records[0].exercises}
    assert summary.failed == [] and (statuses["GELU"], statuses["accuracy"]) == ("full", "wrong")
