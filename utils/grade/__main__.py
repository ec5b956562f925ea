"""`python -m utils.grade`: grade a class, and turn its results into reports, exports and hand-outs."""

import argparse
import sys
from pathlib import Path

from utils import course
from utils.grade.classroom.layouts import LAYOUTS
from utils.grade.classroom.record import Unfinished

VERBS = ("grade", "export", "report", "autograder", "release", "collect", "workflow")


def parser() -> argparse.ArgumentParser:
    """The command line, one sub-parser per verb."""
    top = argparse.ArgumentParser(prog="python -m utils.grade", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, text: str, out: str = "", chapter: bool = True) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text)
        if chapter:
            one.add_argument("--chapter", required=True, help="such as ch1")
        if out:
            one.add_argument("--out", required=True, type=Path, help=out)
        return one

    def class_options(one: argparse.ArgumentParser) -> None:
        says = f"{', '.join(LAYOUTS)}, '{{student}}_ch1.ipynb', '{{student}}/*.ipynb', metadata:KEY.KEY or =NAME"
        one.add_argument("--id-from", default="", metavar="WHERE", help=f"where the student id is: {says}")
        one.add_argument("--roster", type=Path, metavar="CSV", help="the class: a column id, and name if you like")
        one.add_argument("--due", default="", metavar="TIME", help="such as '2026-12-01 23:59': later work is marked")

    grade = verb("grade", "grade submissions (the verb may be left out)", "results folder, continued if it exists")
    grade.add_argument("submissions", nargs="+", type=Path, help="notebooks, folders and zips")
    class_options(grade)
    grade.add_argument("--seed", type=int, help="repeat the marks of a run (default: drawn, printed, recorded)")
    grade.add_argument(
        "--isolation",
        choices=("bubblewrap", "none"),
        default="bubblewrap",
        help="none: limits of time and memory only, for a container of your own",
    )
    grade.add_argument("--jobs", type=int, default=0, help="processes (default: one per processor)")
    grade.add_argument("--cluster", default="", metavar="tcp://HOST:PORT", help="scheduler of a running Dask cluster")
    grade.add_argument("--fresh", action="store_true", help="grade again what has a record already")
    grade.add_argument("--partial", action="store_true", help="wrong answers earn by the hidden tests they pass")
    grade.add_argument("--seconds", type=int, default=20, help="processor time for one request to an answer")
    export = verb("export", "write results for a gradebook", "file, or folder, to write")
    export.add_argument("results", type=Path)
    export.add_argument("--format", required=True, help="gradescope, nbgrader, junit, csv or json")
    report = verb("report", "write HTML pages for the class and each student", chapter=False)
    report.add_argument("results", type=Path)
    report.add_argument("--chapter", help="such as ch1 (default: every chapter that has results)")
    report.add_argument("--out", type=Path, help="folder to write (default: the results folder)")
    autograder = verb("autograder", "make an autograder zip for Gradescope", "zip to write")
    autograder.add_argument("--index", default="", metavar="URL", help="index of CPU builds of PyTorch, for its set-up")
    release = verb("release", "make the hand-out for students", "folder to write", chapter=False)
    release.add_argument("--chapter", dest="chapters", required=True, nargs="+", help="such as ch1, or ch1 ch2")
    says = "keep the hidden tests: check() has none to run"
    release.add_argument("--no-hidden-tests", dest="hidden_tests", action="store_false", help=says)
    release.add_argument("--repository", default="", metavar="OWNER/NAME", help="where the class finds it on GitHub")
    release.add_argument("--tag", default="", help="the tag that the badges open there")
    verb("workflow", "write a GitHub workflow for a class", "file to write")
    collect = verb("collect", "gather the notebooks that come back from a hand-out", "folder to write", chapter=False)
    collect.add_argument("folder", type=Path)
    collect.add_argument("--chapter", default="", help="take the notebooks of this chapter only")
    class_options(collect)
    collect.add_argument("--several", action="store_true", help="take several notebooks of one kind from one student")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command; status 0 done, 1 some of it failed, 2 not started for a reason that is said."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv and argv[0] not in VERBS and argv[0] not in ("-h", "--help"):
        argv.insert(0, "grade")
    arguments = vars(parser().parse_args(argv))
    verb = arguments.pop("verb")
    for name in ("stdout", "stderr"):  # a student's name must not stop a terminal of another encoding
        getattr(sys, name).reconfigure(errors="replace")
    try:
        if verb == "grade":
            return _grade(**arguments)
        from utils.grade.exports import commands

        print(getattr(commands, verb)(**arguments))
        return 0
    except Unfinished as error:
        print(error.done, end="\n" if error.done else "")
        print(error, file=sys.stderr)
        return 1
    except course.CourseError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. What was graded is kept: run the same command again to go on.", file=sys.stderr)
        return 130


def _grade(submissions: list[Path], chapter: str, out: Path, **options) -> int:
    from utils.grade.classroom.run import Options, grade_class

    if options["jobs"] < 0 or options["seconds"] < 1:
        raise course.CourseError("--jobs may not be negative, and --seconds is at least 1.")
    if options["seed"] is not None and not 0 <= options["seed"] < 2**63:
        raise course.CourseError("--seed is a whole number from 0 to 2**63 - 1.")
    summary = grade_class(submissions, chapter, out, Options(**options, quiet=False))
    print(table(summary))
    for sentence in summary.failed:
        print(f"FAILED {sentence}", file=sys.stderr)
    return 1 if summary.failed else 0


def table(summary) -> str:
    """What a run came to as plain text: a line per student, then the seed."""
    rows = [("student", "points", "of", "exercises", "seconds")]
    for row in summary.rows:
        rows.append((row.student, f"{row.score:g}", f"{row.max_score:g}", row.says, f"{row.seconds:.1f}"))
    widths = [min(60, max(len(row[column]) for row in rows)) for column in range(5)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]), row[3].ljust(widths[3])]
        lines.append("  ".join([*cells, row[4].rjust(widths[4])]).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    notes = [f"{r.student}: {notice}" for r in summary.rows for notice in r.notices]
    new = len(summary.rows) - summary.kept
    modes = ", ".join(sorted({row.isolation for row in summary.rows if row.isolation})) or "nothing was run"
    end = f"{new} graded, {summary.kept} kept from before; seed {summary.seed}; isolation: {modes}"
    return "\n".join([*lines, *notes, end])


if __name__ == "__main__":
    sys.exit(main())
