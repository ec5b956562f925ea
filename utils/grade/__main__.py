"""`python -m utils.grade`: grade a class, and turn its results into reports, exports and hand-outs."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from utils import course
from utils.command import parse_command, run_command
from utils.grade import collect as collecting
from utils.grade import exports
from utils.grade import release as releasing
from utils.grade.classroom.gather import BY_A_PROGRAM
from utils.grade.classroom.record import read_all
from utils.grade.classroom.roster import NOTHING, Enrolment
from utils.grade.classroom.run import Options, grade_class
from utils.grade.exports import autograder as autograding
from utils.grade.exports import workflow as checking
from utils.grade.exports.common import one_line

Chapter = Annotated[str, arg(help="such as ch1")]
Results = Positional[Annotated[Path, arg(help="the folder of the graded results")]]
File = Annotated[Path, arg(help="file to write")]
Folder = Annotated[Path, arg(help="folder to write")]
STATUSES_SHOWN = 4


def grade(
    submissions: Positional[Annotated[tuple[Path, ...], arg(help="notebooks, folders and zips")]],
    chapter: Chapter,
    out: Annotated[Path, arg(help="results folder, continued if it exists")],
    how: OmitArgPrefixes[Options],
) -> str:
    """Grade submissions (the word grade may be left out)."""
    summary = grade_class(submissions, chapter, out, how, quiet=False)
    return _done(table(summary), [f"FAILED {sentence}" for sentence in summary.failed])


def export(
    results: Results,
    chapter: Chapter,
    format: Annotated[str, arg(help="gradescope, nbgrader, junit, csv or json")],
    out: Annotated[Path, arg(help="file, or folder, to write")],
) -> str:
    """Write the results of a chapter for a gradebook."""
    found, damaged = read_all(results, chapter)
    files = exports.write(found, format, out)
    where = files[0] if len(files) == 1 else f"{files[0].parent} ({len(files)} files)"
    return _done(f"Wrote the results of {_count(len(found), 'student')} to {where}.", damaged)


def report(
    results: Results,
    chapter: Annotated[str | None, arg(help="such as ch1; none: every chapter that has results")] = None,
    out: Annotated[Path | None, arg(help="folder to write; none: the results folder")] = None,
) -> str:
    """Write HTML pages for the class and each student."""
    keys = [course.chapter_name(chapter).split("_")[0]] if chapter else list(course.chapters())
    wanted = [key for key in keys if chapter or any(results.glob(f"*/{key}.json"))]
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


def autograder(
    chapter: Chapter,
    out: File,
    index: Annotated[str, arg(help="index of CPU builds of PyTorch, for its set-up")] = "",
) -> str:
    """Write the zip that Gradescope takes."""
    file = autograding.make(chapter, out, index)
    return f"Wrote {file}. It holds the solutions: upload it to Gradescope, and to nowhere else."


def release(
    chapters: Annotated[tuple[str, ...], arg(name="chapter", help="such as ch1, or ch1 ch2")],
    out: Folder,
    hidden_tests: Annotated[bool, arg(help="without them check() has nothing to run")] = True,
    repository: Annotated[str, arg(help="where the class finds it on GitHub: OWNER/NAME")] = "",
    tag: Annotated[str, arg(help="the tag that the badges open there")] = "",
) -> str:
    """Make the hand-out for students."""
    folder = releasing.release(list(chapters), out, hidden_tests, repository, tag)
    tests = "with the hidden tests" if hidden_tests else "without the hidden tests, so check() has nothing to run"
    return f"Wrote the hand-out {folder}, {tests}."


def collect(
    folder: Positional[Annotated[Path, arg(help="what came back: a folder or a zip, an entry a student")]],
    out: Folder,
    who: OmitArgPrefixes[Enrolment],
    chapter: Annotated[str, arg(help="take the notebooks of this chapter only")] = "",
    several: Annotated[bool, arg(help="take several notebooks of one kind from one student")] = False,
) -> str:
    """Gather the notebooks that come back from a hand-out; says what was not taken, who is late and who is unknown."""
    done = collecting.collect(folder, out, **vars(who), chapter=chapter, several=several)
    lines = []
    for work in done.works:
        if work.problem and work.problem != NOTHING:
            lines.append(f"{work.student}: {work.problem}")
        left = [f"{name} {why}" for name, why in work.left if why != BY_A_PROGRAM]
        shown = [text for text in left if text not in work.problem]
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
    lines.append(f"{out / collecting.NOT_TAKEN} lists every file that was not taken.")
    lines += [f"Grade with: python -m utils.grade {out / key} --chapter {key} --out results" for key in done.files]
    return "\n".join(map(one_line, lines))


def workflow(chapter: Chapter, out: File) -> str:
    """Write a GitHub workflow for a class."""
    return f"Wrote {checking.make(chapter, out)}. Its results are feedback: grade again yourself for marks."


VERBS = {made.__name__: made for made in (grade, export, report, autograder, release, collect, workflow)}


def main(argv: list[str] | None = None) -> int:
    """Run the command; status 0 done, 1 some of it failed, 2 not started for a reason that is said."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv and argv[0] not in (*VERBS, "-h", "--help"):
        argv.insert(0, "grade")

    def run() -> int:
        print(parse_command(VERBS, argv, "python -m utils.grade", __doc__)())
        return 0

    stopped = "Interrupted. What was graded is kept: run the same command again to go on."
    return run_command(run, course.CourseError, stopped, only_text=False)


def table(summary) -> str:
    """What a run came to as plain text: a line per student, then the seed."""
    rows = [("student", "points", "of", "exercises", "seconds")]
    for one in summary.records:
        counts = Counter(str(exercise.status) for exercise in one.exercises).most_common(STATUSES_SHOWN)
        says = "LATE; " * (one.late == "yes") + (one.problem or ", ".join(f"{n} {status}" for status, n in counts))
        rows.append((one.student, f"{one.score:g}", f"{one.max_score:g}", says, f"{one.seconds:.1f}"))
    widths = [min(60, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, "<>><>", widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    told = [(one.student, [*one.notices, *(f"the notebook {flag}" for flag in one.flags)]) for one in summary.records]
    notes = [f"{student}: {notice}" for student, notices in told for notice in notices]
    new = len(summary.records) - summary.kept
    modes = ", ".join(sorted({one.isolation for one in summary.records if one.isolation})) or "nothing was run"
    end = f"{new} graded, {summary.kept} kept from before; seed {summary.seed}; isolation: {modes}"
    return "\n".join([*lines, *notes, end])


def _done(text: str, failed: list[str]) -> str:
    """What was done. Raises Unfinished where some of it could not be."""
    if failed:
        raise course.Unfinished(failed, text)
    return text


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
