"""Results as pages to read: one for the class, one for each student. Plain HTML, no script, no network."""

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from utils import course
from utils.files import write_whole
from utils.grade.classroom.record import SubmissionResult, folder_name, read_all, record_file
from utils.grade.classroom.roster import NOTHING, OTHERS
from utils.grade.exports.common import number, one_line, title

BINS = 10
LISTED = 20  # mistakes
ISOLATION = {
    "bubblewrap": "in a sandbox (bubblewrap)",
    "none": "without a sandbox, under limits of time and memory only",
    "": "nothing was run",
}


def write(folder: Path, chapter: str, out: Path | None = None) -> tuple[Path, list[str]]:
    """Write `<chapter>.html` and `<student>/<chapter>.html` into `out` (default: `folder`).

    Returns the class page, and a sentence for each record that is damaged and each page whose place is taken. Raises
    CourseError where there are no results of the chapter or nothing can be written.
    """
    folder, out = Path(folder), Path(out or folder)
    results, problems = read_all(folder, chapter)
    page = out / f"{results[0].chapter}.html"
    try:
        for result in results:
            file = record_file(out, result.student, result.chapter).with_suffix(".html")
            try:
                write_whole(file, student_page(result))
            except (IsADirectoryError, NotADirectoryError) as error:
                problems.append(
                    f"The page of {one_line(result.student)} cannot be written to {file}: {error.strerror}."
                )
        write_whole(page, class_page(results))
    except OSError as error:
        raise course.CourseError(f"The report cannot be written to {out}: {error.strerror or error}.") from None
    return page, problems


def student_page(result: SubmissionResult) -> str:
    """One student's page, which may be handed out: every exercise with its status, points and sentence."""
    who = f"{result.name} ({result.student})" if result.name else result.student
    heading, how = f"{who}: chapter {result.chapter}", ISOLATION.get(result.isolation, result.isolation)
    return _pages().get_template("student.html").render(title=heading, result=result, isolation=how)


def class_page(results: list[SubmissionResult]) -> str:
    """The class page: scores, pass rates of exercises and hidden tests, the commonest mistakes, and who to look at.

    `results` are of one chapter and at least one.
    """
    scores = sorted(map(_share, results))
    middle = (scores[(len(scores) - 1) // 2] + scores[len(scores) // 2]) / 2
    found = defaultdict(list)
    for exercise in sorted((e for r in results for e in r.exercises), key=lambda e: _order(e.id)):
        found[title(exercise)].append(exercise)
    tests = defaultdict(list)
    mistakes, says = Counter(), {}
    for name, exercises in found.items():
        for exercise in exercises:
            for test in exercise.tests:
                tests[name, test["name"]].append(test["passed"])
            if exercise.mutant:
                mistakes[name, exercise.mutant] += 1
                says.setdefault((name, exercise.mutant), exercise.says)
    bins = _bins(scores)
    return (
        _pages()
        .get_template("class.html")
        .render(
            title=f"Chapter {results[0].chapter}: the class",
            facts_told=[
                ("students", len(results)),
                ("average", _percent(sum(scores) / len(scores))),
                ("median", _percent(middle)),
                ("full score", sum(share >= 1 for share in scores)),
                ("handed in nothing", sum(result.problem in (NOTHING, OTHERS) for result in results)),
                ("could not be graded", sum(result.problem not in ("", NOTHING, OTHERS) for result in results)),
                ("late", sum(result.late == "yes" for result in results)),
                ("to look at", sum(bool(result.to_look_at) for result in results)),
            ],
            bare=any(result.isolation == "none" for result in results),
            bins=bins,
            most=max(count for _, count in bins),
            exercises=[_counts(name, exercises) for name, exercises in found.items()],
            mistakes=[(mutant, name, n, says[name, mutant]) for (name, mutant), n in mistakes.most_common(LISTED)],
            results=results,
            tests=list(tests.items()),
        )
    )


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # without control characters and marks that turn the reading direction
        finalize=lambda value: value if isinstance(value, Markup) else one_line(str(value)),
    )
    pages.filters["percent"] = _percent
    pages.globals |= {"share": _share, "link": _link, "points": _points}
    return pages


def _counts(name: str, exercises: list) -> dict:
    statuses = Counter(str(exercise.status) for exercise in exercises)
    full = statuses.pop("full", 0)
    others = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    tried = len(exercises) - sum(statuses[status] for status in ("not attempted", "missing", "skipped"))
    return {"name": name, "full": full, "all": len(exercises), "tried": tried, "others": others}


def _bins(scores: list[float]) -> list[tuple[str, int]]:
    """Students by score, in tenths of the full score; optional exercises can lift a score above it."""
    found = Counter(min(int(share * BINS + 1e-9), BINS) for share in scores)
    labels = [f"{100 * i // BINS}-{100 * (i + 1) // BINS - 1}" for i in range(BINS)] + ["100+"]
    return [(label, found[i]) for i, label in enumerate(labels)]


def _order(number: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in number.split(".")]


def _share(result: SubmissionResult) -> float:
    return result.score / result.max_score if result.max_score else 0.0


def _link(result: SubmissionResult) -> str:
    return quote(f"{folder_name(result.student)}/{result.chapter}.html", errors="replace")


def _points(of) -> str:
    """Points out of the most, of a submission or of one exercise."""
    got, most = (of.score, of.max_score) if isinstance(of, SubmissionResult) else (of.points, of.max_points)
    return f"{number(got)} / {number(most)}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
