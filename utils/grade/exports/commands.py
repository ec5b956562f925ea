"""What `python -m utils.grade` says after an export, a report, a release and so on: each returns the text to print.

What cannot be read or written is left out of an export or a report and raised as Unfinished, after the rest.
"""

from pathlib import Path

from utils import course
from utils.grade import collect as collecting
from utils.grade import exports
from utils.grade import release as releasing
from utils.grade.classroom.gather import BY_A_PROGRAM
from utils.grade.classroom.record import Unfinished, read_all
from utils.grade.classroom.roster import NOTHING
from utils.grade.exports.common import one_line


def export(results: Path, chapter: str, format: str, out: Path) -> str:
    """Write the results of a chapter in a gradebook's format."""
    found, damaged = read_all(results, chapter)
    files = exports.write(found, format, Path(out))
    where = files[0] if len(files) == 1 else f"{files[0].parent} ({len(files)} files)"
    return _done(f"Wrote the results of {_count(len(found), 'student')} to {where}.", damaged)


def report(results: Path, chapter: str | None = None, out: Path | None = None) -> str:
    """Write the HTML pages of one chapter, or of every chapter that has results."""
    keys = [course.chapter_name(chapter).split("_")[0]] if chapter else list(course.chapters())
    wanted = [key for key in keys if chapter or any(Path(results).glob(f"*/{key}.json"))]
    if not wanted:
        raise course.CourseError(f"{results} holds no results: grade submissions into it first.")
    from utils.grade import report as reporting

    lines, failed = [], []
    for key in wanted:
        try:
            page, problems = reporting.write(results, key, out)
        except course.CourseError as error:
            if len(wanted) == 1:
                raise
            failed.append(str(error))
        else:
            lines.append(f"Wrote {page}, and a page for each student in a folder beside it.")
            failed += problems
    return _done("\n".join(lines), failed)


def release(chapters: list[str], out: Path, hidden_tests: bool = True, repository: str = "", tag: str = "") -> str:
    """Write the student hand-out."""
    folder = releasing.release(chapters, out, hidden_tests, repository, tag)
    tests = "with the hidden tests" if hidden_tests else "without the hidden tests, so check() has nothing to run"
    return f"Wrote the hand-out {folder}, {tests}."


def collect(folder: Path, out: Path, **options) -> str:
    """Read the notebooks of a class back; says what was not taken, who is late and who is not on the roster."""
    done = collecting.collect(folder, out, **options)
    lines = []
    for work in done.works:
        if work.problem and work.problem != NOTHING:
            lines.append(f"{work.student}: {work.problem}")
        shown = [f"{name} {why}" for name, why in work.left if why != BY_A_PROGRAM]
        if shown and not (work.problem and not work.pieces):
            more = f"; and {len(shown) - 3} more" if len(shown) > 3 else ""
            lines.append(f"{work.student}: not taken: {'; '.join(shown[:3])}{more}.")
    lines += [f"Not taken: {name} {why}." for name, why in done.nobodys if why != BY_A_PROGRAM]
    for what, students in (
        ("Handed in nothing", [work.student for work in done.works if work.problem == NOTHING]),
        ("Late", [work.student for work in done.works if work.late == "yes"]),
        ("Not on the roster", done.unknown),
    ):
        lines += [f"{what}: {', '.join(students)}."] if students else []
    lines += [done.hint] if done.hint else []
    for key, kept in done.files.items():
        count = _count(sum(map(len, kept.values())), "notebook")
        lines.append(f"Collected {count} of {_count(len(kept), 'student')} for {key} into {out}.")
    lines.append(f"{Path(out) / collecting.NOT_TAKEN} lists every file that was not taken.")
    lines += [
        f"Grade with: python -m utils.grade {Path(out) / key} --chapter {key} --out results" for key in done.files
    ]
    return "\n".join(map(one_line, lines))


def autograder(chapter: str, out: Path, index: str = "") -> str:
    """Write the zip that Gradescope takes."""
    from utils.grade.exports import autograder as making

    file = making.make(chapter, out, index)
    return f"Wrote {file}. It holds the solutions: upload it to Gradescope, and to nowhere else."


def workflow(chapter: str, out: Path) -> str:
    """Write the GitHub workflow of a class."""
    from utils.grade.exports import workflow as making

    return f"Wrote {making.make(chapter, out)}. Its results are feedback: grade again yourself for marks."


def _done(text: str, failed: list[str]) -> str:
    """What was done. Raises Unfinished where something could not be."""
    if failed:
        raise Unfinished(failed, text)
    return text


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
