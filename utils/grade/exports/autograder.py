"""The zip that Gradescope takes: setup.sh, run_autograder, and the course with its solutions. For instructors only."""

import io
import re
import shlex
import stat
import zipfile
from pathlib import Path

from utils import course
from utils.files import write_whole, writing

HOME = Path(__file__).parent / "gradescope_image"
SCRIPTS = ("setup.sh", "run_autograder")
PROJECT = ("README.md", "LICENSE", "pyproject.toml", "requirements.txt", "constraints.txt")
NEEDED = (".py", ".json", ".md", ".toml", ".txt")
FRONT_ENDS = {"jupyterlab", "ipykernel", "ipywidgets", "anywidget", "nbmake", "nbclient"}  # grading opens no notebook


def make(chapter: str, out: Path, index: str = "") -> Path:
    """Write the autograder of one chapter to `out`. The same course gives the same bytes.

    `index`: address of an index of CPU builds of PyTorch, from which its set-up then installs.
    Raises CourseError in a hand-out, which has no answers to grade by, and where `out` cannot be written.
    """
    out = Path(out)
    name = course.chapter_name(chapter)
    if not course.have_answers(chapter):
        raise course.CourseError(f"An autograder needs the solutions of {name}, which are not part of this hand-out.")
    if out.is_dir():
        out = out / "autograder.zip"
    with writing(out):
        write_whole(out, _archive(name, index))
    return out


def packages() -> list[str]:
    """What grading needs of the course's requirements: answers may use all that is not a notebook's front end."""
    lines = (course.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]
    return [line for line in wanted if line and re.match(r"[\w.-]+", line)[0] not in FRONT_ENDS]


def _archive(name: str, index: str) -> bytes:
    buffer = io.BytesIO()
    wanted = ["--extra-index-url", index, *packages()] if index else packages()
    fills = {"CHAPTER": name.split("_")[0], "PACKAGES": shlex.join(wanted)}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for script in SCRIPTS:
            text = (HOME / script).read_text(encoding="utf-8")
            text = re.sub("@(CHAPTER|PACKAGES)@", lambda found: fills[found[1]], text)
            _add(archive, script, text.encode(), executable=True)
        for file in _course_files(name):
            _add(archive, f"course/{file.relative_to(course.ROOT).as_posix()}", file.read_bytes())
    return buffer.getvalue()


def _course_files(name: str) -> list[Path]:
    """What grading one chapter reads: the machinery, the chapter's source and stubs, its reference and its tests."""
    files = [course.ROOT / file for file in (*PROJECT, "solutions/__init__.py")]
    for tree in ("utils", f"chapters/{name}", f"solutions/{name}", f"tests/{name}"):
        for file in sorted((course.ROOT / tree).rglob("*")):
            hidden = any(part.startswith(".") or part == "__pycache__" for part in file.relative_to(course.ROOT).parts)
            if not hidden and not file.is_symlink() and (file.suffix in NEEDED or file.parent == HOME):
                files.append(file)
    return [file for file in files if file.is_file()]


def _add(archive: zipfile.ZipFile, name: str, data: bytes, executable: bool = False) -> None:
    info = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    archive.writestr(info, data)
