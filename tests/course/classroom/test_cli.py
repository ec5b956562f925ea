"""The command as a person meets it: a table, or one sentence and status 2."""

import os
import subprocess
import sys

import pytest

from tests.course.classroom.submissions import POINTS
from utils.course import ROOT
from utils.grade.__main__ import main
from utils.grade.classroom.record import read_results


def run(*arguments: str, **environment) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "utils.grade", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )


@pytest.mark.sandbox
def test_a_class_from_the_command_line(handed_in, tmp_path):
    handed_in.write(tmp_path / "in" / "ada_ch1.ipynb", handed_in.some("GELU"))
    (tmp_path / "in" / "Zoë_ch1.ipynb").write_text("no", encoding="utf-8")
    out = tmp_path / "out"
    done = run(
        tmp_path / "in",
        "--chapter",
        "ch1",
        "--out",
        out,
        "--id-from",
        "{student}_ch1.ipynb",
        "--seed",
        "7",
        LC_ALL="C",
        PYTHONIOENCODING="ascii",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["student", "points", "of", "exercises", "seconds"]
    assert lines[2].split()[:3] == ["ada", f"{POINTS['GELU']:g}", "36"] and "1 full" in lines[2]
    assert "not JSON" in lines[3] and "seed 7" in lines[-1] and "isolation: " in lines[-1]
    assert "1/1" in done.stderr and "Traceback" not in done.stderr
    assert [record.student for record in read_results(out, "ch1")] == ["ada", "Zoë"]
    assert not [left for left in out.rglob("*.part")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{in}", "--chapter", "ch99", "--out", "{out}"], "no chapter 'ch99'"),
        (["{in}/nothing", "--chapter", "ch1", "--out", "{out}"], "no file or folder"),
        (["{empty}", "--chapter", "ch1", "--out", "{out}"], "No notebook"),
        (["{in}", "--chapter", "ch1", "--out", "{in}/ada.ipynb"], "cannot be written"),
        (["{in}", "--chapter", "ch1", "--out", "{out}", "--id-from", "x"], "--id-from"),
        (["{in}", "--chapter", "ch1", "--out", "{out}", "--jobs", "-1"], "--jobs"),
        (["{in}", "--chapter", "ch1", "--out", "{out}", "--seed", "-1"], "--seed"),
        (["{in}", "--chapter", "ch1", "--out", "{out}", "--cluster", "tcp://127.0.0.1:1"], "cannot be reached"),
        (["{in}", "--chapter", "ch1", "--out", "{out}", "--cluster", "nonsense"], "cannot be reached"),
        (["export", "{out}", "--chapter", "ch1", "--format", "stone", "--out", "{out}/x"], "no results folder"),
    ],
)
def test_bad_input_is_one_sentence(handed_in, tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.setattr("utils.grade.classroom.pool.PATIENCE", 1)
    handed_in.write(tmp_path / "in" / "ada.ipynb", {})
    (tmp_path / "empty").mkdir()
    places = {name: str(tmp_path / name) for name in ("in", "out", "empty")}
    assert main([argument.format(**places) for argument in arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert says in said[-1] and len([line for line in said if "notebook/s" not in line]) == 1, said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Expected one of {grade, export, report, autograder, release, collect, workflow}; "),
        (["in.ipynb"], "Missing: --chapter, --out; python -m utils.grade grade --help "),
        (["collect"], "Missing: PATH, --out; python -m utils.grade collect --help "),
        (["export", "results", "--out"], "--out needs a value; "),
        (["in.ipynb", "--chapter", "ch1", "--out", "o", "--jobs", "x"], "Error parsing --jobs: "),
        (["in.ipynb", "--chapter", "ch1", "--out", "o", "--seed", "x"], "--seed takes {None}|INT, not 'x'; "),
        (["in.ipynb", "--chapter", "ch1", "--out", "o", "--isolation", "x"], "one of ('bubblewrap', 'none'); "),
    ],
)
def test_arguments_that_make_no_command_are_told_in_one_sentence(capsys, arguments, says):
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert says in told and told.endswith("--help lists what there is.\n") and told.count("\n") == 1


def test_without_bubblewrap_nothing_is_graded_unless_asked(handed_in, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("utils.grade.sandbox.view.refusal", lambda: "bubblewrap is not installed")
    file = handed_in.write(tmp_path / "ada.ipynb", handed_in.some("GELU"))
    command = [str(file), "--chapter", "ch1", "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert main(command) == 2
    assert "but bubblewrap is not installed; in a container of your own" in capsys.readouterr().err
    assert list((tmp_path / "out").glob("*/*.json")) == []
    assert main([*command, "--isolation", "none"]) == 0
    assert "isolation: none" in capsys.readouterr().out


def test_two_runs_into_one_folder(handed_in, tmp_path, capsys):
    from filelock import FileLock

    file = handed_in.write(tmp_path / "ada.ipynb", {})
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".grading.lock"):
        assert main([str(file), "--chapter", "ch1", "--out", str(tmp_path / "out")]) == 2
    assert "Another run is grading" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made(handed_in, tmp_path, capsys):
    file = handed_in.write(tmp_path / "ada.ipynb", {})
    assert main([str(file), "--chapter", "ch1", "--out", "/proc/nowhere/out"]) == 2
    assert "cannot be written" in capsys.readouterr().err
