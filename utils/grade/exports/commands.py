"""What `python -m utils.grade` says after an export, a report, a release and so on: each returns the text to print."""

from pathlib import Path

from utils import course
from utils.grade import collect as collecting
from utils.grade import exports
from utils.grade import release as releasing
from utils.grade import report as reporting
from utils.grade.classroom.record import read_results


def export(results: Path, chapter: str, format: str, out: Path) -> str:
    """Write the results of a chapter in a gradebook's format."""
    found = read_results(results, chapter)
    files = exports.write(found, format, Path(out))
    where = files[0] if len(files) == 1 else f"{files[0].parent} ({len(files)} files)"
    return f"Wrote the results of {_count(len(found), 'student')} to {where}."


def report(results: Path, chapter: str | None = None, out: Path | None = None) -> str:
    """Write the HTML pages of one chapter, or of every chapter that has results."""
    keys = [course.chapter_name(chapter).split("_")[0]] if chapter else list(course.chapters())
    wanted = [key for key in keys if chapter or any(Path(results).glob(f"*/{key}.json"))]
    if not wanted:
        raise course.CourseError(f"{results} holds no results: grade submissions into it first.")
    pages = [reporting.write(results, key, out) for key in wanted]
    return "\n".join(f"Wrote {page}, and a page for each student in a folder beside it." for page in pages)


def release(chapter: str, out: Path, hidden_tests: bool = True, repository: str = "", tag: str = "") -> str:
    """Write the student hand-out."""
    folder = releasing.release(chapter, out, hidden_tests, repository, tag)
    tests = "with the hidden tests" if hidden_tests else "without the hidden tests, so check() has nothing to run"
    return f"Wrote the hand-out {folder}, {tests}."


def collect(folder: Path, out: Path) -> str:
    """Read the notebooks of a class back."""
    collected = collecting.collect(folder, out)
    lines = [f"{found.student}: {found.problem}" for found in collected if found.problem]
    files = [file for found in collected for file in found.files]
    chapters = sorted({file.relative_to(out).parts[0] for file in files})
    lines.append(f"Collected {_count(len(files), 'notebook')} of {_count(len(collected), 'student')} into {out}.")
    lines += [f"Grade with: python -m utils.grade {Path(out) / key} --chapter {key} --out results" for key in chapters]
    return "\n".join(lines)


def autograder(chapter: str, out: Path) -> str:
    """Write the zip that Gradescope takes."""
    from utils.grade.exports import autograder as making

    return f"Wrote {making.make(chapter, out)}. It holds the solutions: upload it to Gradescope, and to nowhere else."


def workflow(chapter: str, out: Path) -> str:
    """Write the GitHub workflow of a class."""
    from utils.grade.exports import workflow as making

    return f"Wrote {making.make(chapter, out)}. Its results are feedback: grade again yourself for marks."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
