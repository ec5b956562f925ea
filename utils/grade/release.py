"""The student hand-out: the course without solutions/ and the known wrong answers, its notebooks freshly built."""

import re
import shutil
import tempfile
from pathlib import Path

from utils import course
from utils.chapter import load_chapter
from utils.files import write_whole, writing

FILES = "CHANGELOG.md requirements.txt constraints.txt Makefile LICENSE .gitignore .gitattributes"
TREES = ("binder", "utils")
LEFT_OUT = {"__pycache__", "runs", "results"}  # folders, beside every hidden one
SENTENCE = (
    "This is the class hand-out. It holds no solutions, so `skip` and `reveal` have nothing to give here, and a check "
    "says what is wrong without naming known mistakes."
)
ONLY_THERE = re.compile(r"(?ms)^<!-- full course -->\n.*?^<!-- end -->\n+")  # of the course's own pages
FOR_TEACHERS = ("instructors.md",)
CONFTEST = '''"""The hidden tests look at your notebook, and here there is no reference to run them against."""

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".py":
            item.add_marker(pytest.mark.skip(reason="grade your notebook instead: pytest --nbmake chapters/..."))
'''


def release(
    chapters: str | list[str], out: Path, hidden_tests: bool = True, repository: str = "", tag: str = ""
) -> Path:
    """Write the hand-out of one chapter or several, with those that they build on, into the new folder `out`.

    `hidden_tests`: whether the learners get them, so that check() works (without them it says who has them).
    `repository`, `tag`: where the class finds it on GitHub ("owner/name"), for the badges. Raises CourseError where the
    answers are not here to build from, and for a folder that holds anything.
    """
    out = Path(out)
    wanted = {course.chapter_name(key) for key in ([chapters] if isinstance(chapters, str) else chapters)}
    wanted |= {course.chapter_name(name.split(".")[0]) for key in wanted for name in load_chapter(key).takes}
    names = [course.START, *(name for name in course.chapters().values() if name in wanted)]
    for name in names[1:]:
        if not course.have_answers(name):
            raise course.CourseError(f"This copy is a hand-out itself: {name} cannot be built without its solutions.")
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise course.CourseError(f"{out} holds something already: name a new folder for the hand-out.")
    if any(out.resolve().is_relative_to(course.ROOT / tree) for tree in (*TREES, "chapters", "solutions", "tests")):
        raise course.CourseError(f"{out} is inside what is handed out: name a folder elsewhere.")
    with writing(f"The hand-out {out}"):
        _write(names, out, hidden_tests, repository, tag)
    return out


def _write(names: list[str], out: Path, hidden_tests: bool, repository: str, tag: str) -> None:
    for name in FILES.split():
        if (course.ROOT / name).is_file():
            out.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(course.ROOT / name, out / name)
    for tree in TREES:
        _copy(course.ROOT / tree, out / tree)
    project = (course.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    write_whole(out / "pyproject.toml", _published(project, repository, tag))
    write_whole(out / "README.md", readme((course.ROOT / "README.md").read_text(encoding="utf-8"), names))
    for page in sorted((course.ROOT / "chapters").glob("*.md")):
        if page.name not in FOR_TEACHERS:
            write_whole(out / "chapters" / page.name, ONLY_THERE.sub("", page.read_text(encoding="utf-8")))
    for name in names:
        _copy(course.ROOT / "chapters" / name, out / "chapters" / name)
        if hidden_tests:
            for file in sorted((course.ROOT / "tests" / name).glob("*.py")):
                if file.name == "conftest.py":  # it asks for the reference
                    continue
                shutil.copyfile(file, _made(out / "tests" / name / file.name))
    if hidden_tests:
        write_whole(out / "tests" / "conftest.py", CONFTEST)
    for path, text in _fresh(names, out).items():
        write_whole(out / path, text)


def readme(text: str, names: list[str]) -> str:
    """The course's README with a sentence more, without what works in the full course only, and with the chapters
    handed out in its table."""
    head, _, rest = _handed(ONLY_THERE.sub("", text), names).partition("\n\n")
    return f"{head}\n\n{SENTENCE}\n\n{rest}"


def _handed(text: str, names: list[str]) -> str:
    """The text without the lines that lead to a chapter which is not handed out."""
    leads = re.compile(r"\]\((?:chapters/)?(ch\d+\w*)/")
    return "\n".join(line for line in text.split("\n") if (m := leads.search(line)) is None or m[1] in names)


def _published(project: str, repository: str, tag: str) -> str:
    """pyproject.toml with the hand-out's own place: the course's would lead learners to the solutions."""
    for key, value in (("repository", repository), ("tag", tag)):
        if not re.fullmatch(r"[\w./-]*", value):
            raise course.CourseError(f"{value!r} isn't a {key} on GitHub.")
        project = re.sub(rf'(?m)^{key} *= *".*"$', f'{key} = "{value}"', project)
    return project


def _fresh(names: list[str], out: Path) -> dict:
    """The learners' built files (no solutions notebook), made with the hand-out's own settings."""
    from utils.build.__main__ import make

    with tempfile.TemporaryDirectory(prefix="course-release-") as folder:
        root = Path(folder)
        shutil.copyfile(out / "pyproject.toml", root / "pyproject.toml")
        for name in names:
            source, target = course.ROOT / "chapters" / name, root / "chapters" / name
            text = (source / "chapter.md").read_text(encoding="utf-8")
            write_whole(target / "chapter.md", _handed(text, names) if name == course.START else text)
            if (source / "images").is_dir():
                _copy(source / "images", target / "images")
            _copy(course.ROOT / "solutions" / name, root / "solutions" / name)
        return {path: text for path, text in make(names, root).items() if path.parts[0] == "chapters"}


def _copy(source: Path, target: Path) -> None:
    """Copy a tree without notebooks, caches, hidden folders and half-written files; links are not followed."""
    for path in sorted(source.iterdir()):
        if path.is_symlink() or path.name.startswith("."):
            continue
        if path.is_dir():
            if path.name not in LEFT_OUT and not path.name.endswith(".egg-info"):
                _copy(path, target / path.name)
        elif path.suffix not in (".ipynb", ".pyc", ".lock", ".part") and not path.name.endswith(".progress.json"):
            shutil.copyfile(path, _made(target / path.name))
            shutil.copymode(path, target / path.name)


def _made(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
