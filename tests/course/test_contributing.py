"""CONTRIBUTING.md, followed word for word in a copy of the course, makes a new exercise that passes everything."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from utils import course
from utils.build import lint
from utils.build.new import new
from utils.build.source import SourceError, parse

TEXT = (course.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.M | re.S)
NAME = "chapters/ch1_transformer_from_scratch"
AWAY = shutil.ignore_patterns(".*", "__pycache__", "ch[2-9]*_*", "*.egg-info", "runs", "screenshots")

pytestmark = pytest.mark.skipif(not course.have_answers("ch1"), reason="a hand-out has nothing to build from")


@pytest.fixture
def copy(tmp_path):
    """The course without what the page does not touch."""
    return shutil.copytree(course.ROOT, tmp_path / "the course", ignore=AWAY)


def run(folder, line: str) -> subprocess.CompletedProcess:
    """One command of the page, with this Python for `python` and `pytest`."""
    words = line.split("#")[0].split()
    command = {"python": [sys.executable], "pytest": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]}
    variables = {**os.environ, "PYTHONPATH": str(folder), "PYTEST_ADDOPTS": ""}
    command = [*command[words[0]], *words[1:]]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)


@pytest.mark.slow
def test_the_page_makes_an_exercise(copy):
    commands = [line for kind, text in FENCES if not kind for line in text.splitlines()]
    assert commands[-1] == "make check"
    made = run(copy, commands[0])
    assert made.returncode == 0, made.stderr
    files = [copy / line.split()[1] for line in made.stdout.splitlines() if line.startswith("wrote")]
    assert len(files) == 4
    assert lint_passes(copy), "the skeleton itself must be tidy"
    stopped = run(copy, commands[1])
    assert stopped.returncode == 2 and re.search(r"chapter\.md:\d+: still to be written", stopped.stderr)
    for kind, text in FENCES:
        if kind == "python":
            (copy / text.split("\n")[0].removeprefix("# ")).write_text(text.partition("\n")[2], encoding="utf-8")
        elif kind == "text":
            source = files[0].read_text(encoding="utf-8")
            block = re.search(r":::\{exercise\} softcap\n.*?\n:::\n", source, re.S)[0]
            files[0].write_text(source.replace(block, text), encoding="utf-8")
    for line in commands[2:-1]:
        done = run(copy, line)
        assert done.returncode == 0, (line, done.stdout[-3000:], done.stderr[-1000:])
        assert "no tests ran" not in done.stdout
    assert run(copy, "python -m utils.build --check").returncode == 0 and lint_passes(copy)
    notebook = (copy / NAME / "optional.ipynb").read_text(encoding="utf-8")
    assert "check(softcap)" in notebook and "tanh()" not in notebook


def lint_passes(folder) -> bool:
    """Whether ruff has nothing to say of the chapter (the rest of the copy lacks chapters that it imports)."""
    places = f"{NAME.replace('chapters', 'solutions')} {NAME.replace('chapters', 'tests')}"
    commands = ("check", "format --check")
    return all(run(folder, f"python -m ruff {command} {places}").returncode == 0 for command in commands)


def test_a_chapters_skeleton_fails_at_what_is_to_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    course.chapters.cache_clear()
    try:
        files = [file.relative_to(tmp_path).as_posix() for file in new("ch6_grokking")]
        assert files[0] == "chapters/ch6_grokking/chapter.md"
        new("ch6.first")
        new("ch6.Second", "first")
        chapter = parse(tmp_path / files[0])
        assert [(e.id, e.name, e.module) for e in chapter.exercises] == [
            ("6.1", "first", "first"),
            ("6.2", "Second", "first"),
        ]
        with pytest.raises(SourceError, match="chapter.md:1: still to be written"):
            lint.lint_prose(chapter)
        for refused in ("ch6.first", "ch6.1x", "ch6_other", "ch9.first", "nothing"):
            with pytest.raises(course.CourseError):
                new(refused)
    finally:
        course.chapters.cache_clear()


def test_long_lines_and_long_afternoons_are_refused(tmp_path):
    from small import CHAPTER, small_course

    long = "word " * 30
    chapter = parse(small_course(tmp_path, CHAPTER.replace("What this is about.", long)))
    with pytest.raises(SourceError, match="chapter.md:3: 150 columns: prose keeps to 120"):
        lint.lint_prose(chapter)
    lint.lint_prose(parse(small_course(tmp_path, CHAPTER.replace("What this is about.", f"| {long} |"))))
    busy = parse(small_course(tmp_path, CHAPTER.replace(":minutes: 5", ":minutes: 265", 1)))
    with pytest.raises(SourceError, match="275 minutes of must-do exercises, more than 270"):
        lint.lint_prose(busy)
