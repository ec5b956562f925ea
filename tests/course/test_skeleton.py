"""The frame of the course: its files agree with each other and name nothing of the machine they were made on."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lists import constraints, lines, project, requirements
from packaging.requirements import Requirement
from packaging.version import Version

from utils import course
from utils.chapter import load_chapter
from utils.course import ROOT

TEXT = {".py", ".md", ".ipynb", ".json", ".toml", ".txt", ".yml", ".yaml", ".cfg", ".lark", ".svg", ".sh", ""}


def own_files() -> list[Path]:
    """The course's own text files: what git tracks or would; without git everything but hidden and made folders."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        files = [ROOT / name for name in listed]
    else:
        files = [f for f in ROOT.rglob("*") if not {".venv", "build", "__pycache__"} & set(f.relative_to(ROOT).parts)]
    return [file for file in files if file.suffix in TEXT and file.is_file()]


def test_top_level_is_as_designed():
    for name in [
        "README.md",
        "requirements.txt",
        "constraints.txt",
        "pyproject.toml",
        "Makefile",
        "LICENSE",
        ".gitignore",
        ".ci/run",
    ]:
        assert (ROOT / name).is_file(), name
    for name in ("chapters", "tests", "utils", "binder"):
        assert (ROOT / name).is_dir(), name


def test_every_requirement_says_which_chapter_needs_it():
    for line in lines("requirements.txt"):
        assert re.search(r"#.*chapter", line), line


def test_exact_versions_lie_in_the_ranges():
    exact = constraints()
    extras = [Requirement(text) for group in project()["project"]["optional-dependencies"].values() for text in group]
    for requirement in [*requirements().values(), *extras]:
        assert requirement.name.lower() in exact, f"{requirement.name} has no exact version"
        assert requirement.specifier.contains(exact[requirement.name.lower()]), requirement
    assert all(version.local is None for version in exact.values())


def test_torch_is_the_tested_range():
    torch = requirements()["torch"].specifier
    assert constraints()["torch"] == Version("2.13.0")
    assert torch.contains("2.11.0") and not torch.contains("2.10.0")


def test_project_table():
    table = project()
    assert table["project"]["dynamic"] == ["dependencies"] and "LICENSE" in table["project"]["license-files"]
    assert table["tool"]["setuptools"]["dynamic"]["dependencies"]["file"] == ["requirements.txt"]
    assert set(table["tool"]["course"]) >= {"repository", "tag"}
    assert table["project"]["entry-points"]["pytest11"]


def test_nothing_names_this_machine_or_a_registry():
    # written in pieces, so that this file does not match itself
    hosts = [
        "py" + "pi.org",
        "python" + "hosted.org",
        "registry.npm" + "js",
        "download.py" + "torch.org",
        "deb.deb" + "ian",
    ]
    places = [r"(?<![\w.])/" + "root/", r"(?<![\w.])/" + "work/", r"(?<![\w.])/" + r"home/\w+/"]
    pattern = re.compile("|".join([*map(re.escape, hosts), *places]))
    files = own_files()
    assert len(files) > 50
    for file in files:
        found = pattern.search(file.read_text(encoding="utf-8", errors="ignore"))
        assert found is None, f"{file.relative_to(ROOT)} names {found[0]!r}"


def test_continuous_integration_runs_make_test():
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "exec make test\n" in text and "PYTHONUNBUFFERED" in text
    subprocess.run(["sh", "-n", ROOT / ".ci/run"], check=True)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["learn", "ARGS=--no-browser"], "-m utils.env learn --no-browser"),
        (["test"], "-m utils.env test"),
        (["test", "FAST=1"], "-m utils.env test --fast"),
        (["build"], "-m utils.env run -m utils.build"),
        (["bench"], "-m utils.env run --tools -m tests.bench"),
        (["check"], "-m utils.env run --tools -m utils.build --check"),
    ],
)
def test_make_calls_the_same_script(arguments, expected):
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "ARGS", "FAST")}
    command = ["make", "-n", *arguments]
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert expected in [line.partition(" ")[2].strip() for line in shown.splitlines()]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "chapters/troubleshooting.md", "chapters/reading.md"])
def test_links_between_pages_lead_somewhere(name):
    file = ROOT / name
    text = file.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (file.parent / target).exists(), target
    assert not re.search(r"!\[\s*\]", text), "an image without alternative text"


def test_readme_tells_of_every_chapter():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in course.chapters().values():
        assert f"chapters/{name}/exercises.ipynb" in readme


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_lint(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def test_git_holds_every_source_file():
    """A pattern in .gitignore once swallowed a package: a clone lacked it while this folder ran."""
    if not (ROOT / ".git").exists():
        return  # an archive: what is here is all there is
    held = set(subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    ignored = subprocess.run(
        ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "utils", "solutions", "tests", "chapters"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    assert "utils/build/source.py" in held
    assert not [name for name in ignored if name.endswith(".py")], "these sources are ignored by git"


def test_readme_counts_the_exercises():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d)\. .*\| (\d+) exercises?[^|]*\| (\d+) exercises?", text, re.MULTILINE)
    found = {f"ch{number}": (int(must), int(more)) for number, must, more in rows}
    exercises = {key: load_chapter(name).exercises for key, name in course.chapters().items()}
    assert found == {
        key: (sum(not e.optional for e in some), sum(e.optional for e in some)) for key, some in exercises.items()
    }
