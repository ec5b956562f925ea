"""The instructor guide is true: its commands parse, its links lead somewhere, and its way through a class works."""

import csv
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import wraps

import nbformat
import pytest

from utils import course
from utils.build.cut import read_module
from utils.chapter import load_chapter
from utils.grade.__main__ import VERBS, main
from utils.grade.classroom.layouts import LAYOUTS
from utils.grade.exports import FORMATS

GUIDE = course.ROOT / "chapters" / "instructors.md"
NAME = course.chapter_name("ch1")


def test_every_command_of_the_guide_is_one(monkeypatch, capsys):
    text = GUIDE.read_text(encoding="utf-8")
    commands = re.findall(r"^python -m utils\.grade (.+)$|`python -m utils\.grade (.+?)`", text, re.M)
    called = []
    for name, verb in VERBS.items():
        monkeypatch.setitem(VERBS, name, wraps(verb)(lambda *_, name=name, **__: called.append(name)))
    for one, two in commands:
        assert main(shlex.split(one or two)) == 0, one or two
    assert len(called) == len(commands) and set(called) == set(VERBS)
    capsys.readouterr()
    for verb in VERBS:
        with pytest.raises(SystemExit):
            main([verb, "--help"])
    told = capsys.readouterr().out
    for option in set(re.findall(r"--[a-z][a-z-]+", text)):
        assert option in told, option
    for heading, names in (("## 2. Collect", LAYOUTS), ("## 4. Export", FORMATS)):
        part = text.partition(heading)[2].partition("\n## ")[0]
        table = re.findall(r"^\| (`[a-z0-9`, ]+`) \|", part, re.M)
        assert {name.strip("` ") for cell in table for name in cell.split(",")} == set(names)
        assert all(name in told for name in names)
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (GUIDE.parent / target).exists(), target
    assert "chapters/instructors.md" in (course.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.skipif(not course.have_answers("ch1"), reason="a hand-out cannot be made from a hand-out")
def test_release_collect_grade_export_report(tmp_path):
    def grade(*words):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COURSE"))}
        command = [sys.executable, "-m", "utils.grade", *map(str, words)]
        done = subprocess.run(
            command, cwd=course.ROOT, env=env | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    handed, back = tmp_path / "handout", tmp_path / "downloads"
    assert "with the hidden tests" in grade("release", "--chapter", "ch1", "--out", handed)
    back.mkdir()
    file = handed / "chapters" / NAME / "exercises.ipynb"
    fresh = file.read_text(encoding="utf-8")
    for student, names in (("ada", ("GELU", "MLP")), ("bob", ("GELU",))):
        notebook = nbformat.reads(fresh, 4)
        for cell in notebook.cells:
            mark = cell.metadata.get("exercise", {})
            if mark.get("role") == "answer" and mark["name"] in names:
                module = load_chapter("ch1").exercise(mark["name"]).module
                cell.source = read_module(course.ROOT / "solutions" / NAME / f"{module}.py").solution(mark["name"])
        nbformat.write(notebook, file)
        shutil.make_archive(str(back / student), "zip", handed)
    (back / "cleo.ipynb").write_text(fresh, encoding="utf-8")
    assert "Collected 5 notebooks of 3 students" in grade("collect", back, "--out", tmp_path / "submissions")
    results = tmp_path / "results"
    grade(tmp_path / "submissions" / "ch1", "--chapter", "ch1", "--out", results, "--jobs", "1")
    grade("export", results, "--chapter", "ch1", "--format", "csv", "--out", tmp_path / "grades.csv")
    rows = csv.DictReader(io.StringIO((tmp_path / "grades.csv").read_bytes().decode("utf-8-sig")))
    marks = {row["student"]: row for row in rows}
    worth = {name: load_chapter("ch1").exercise(name).points for name in ("GELU", "MLP")}
    assert {student: row["score"] for student, row in marks.items()} == {
        "ada": str(sum(worth.values())),
        "bob": str(worth["GELU"]),
        "cleo": "0",
    }
    assert marks["bob"]["1.7 MLP status"] == marks["cleo"]["1.6 GELU status"] == "not attempted"
    assert str(results / "ch1.html") in grade("report", results)
    assert (results / "ada" / "ch1.html").is_file()
