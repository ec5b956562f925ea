"""The class page: scores, pass rates of exercises and hidden tests, the commonest mistakes, and who to look at."""

from collections import Counter
from urllib.parse import quote

from utils.grade.classroom.record import SubmissionResult, folder_name
from utils.grade.exports.common import title
from utils.grade.report.page import bar, facts, frame, percent, points, table, text

BINS = 10
LISTED = 20  # mistakes


def page(results: list[SubmissionResult]) -> str:
    """The page of a class as HTML; `results` are of one chapter and at least one."""
    chapter = results[0].chapter
    scores = sorted(_share(result) for result in results)
    middle = (scores[(len(scores) - 1) // 2] + scores[len(scores) // 2]) / 2
    parts = [
        facts(
            students=len(results),
            average=percent(sum(scores) / len(scores)),
            median=percent(middle),
            full_score=sum(share >= 1 for share in scores),
            could_not_be_graded=sum(bool(result.problem) for result in results),
            to_look_at=sum(any(e.flags for e in result.exercises) for result in results),
        )
    ]
    if any(result.isolation == "limits" for result in results):
        parts.append(
            '<p class="note">Some submissions ran under process limits only, in no namespaces of their own, which is '
            "weaker: install bubblewrap, or grade in a container.</p>"
        )
    parts += ["<h2>Scores</h2>", histogram(results), "<h2>Exercises</h2>", _exercises(results)]
    parts += ["<h2>Commonest mistakes</h2>", _mistakes(results), "<h2>Students</h2>", _students(results)]
    parts += ["<h2>Hidden tests</h2>", _tests(results)]
    return frame(f"Chapter {chapter}: the class", "\n".join(parts))


def _share(result: SubmissionResult) -> float:
    return result.score / result.max_score if result.max_score else 0.0


def histogram(results: list[SubmissionResult]) -> str:
    """Students by score, in tenths of the full score; optional exercises can lift a score above it."""
    counts = [0] * (BINS + 1)
    for result in results:
        counts[min(int(_share(result) * BINS + 1e-9), BINS)] += 1
    labels = [f"{100 * i // BINS}-{100 * (i + 1) // BINS - 1}" for i in range(BINS)] + ["100+"]
    told = ", ".join(f"{label} percent: {count}" for label, count in zip(labels, counts, strict=True) if count)
    width, height, top = 52, 130, max(counts)
    drawn = []
    for i, (label, count) in enumerate(zip(labels, counts, strict=True)):
        tall = round(height * count / top, 1)
        left = 8 + i * width
        if count:
            drawn.append(f'<rect x="{left}" y="{height + 20 - tall}" width="{width - 8}" height="{tall}"/>')
            drawn.append(
                f'<text x="{left + (width - 8) / 2}" y="{height + 15 - tall}" text-anchor="middle">{count}</text>'
            )
        drawn.append(f'<text x="{left + (width - 8) / 2}" y="{height + 37}" text-anchor="middle">{label}</text>')
    wide = 16 + (BINS + 1) * width - 8
    drawn.append(f'<line x1="0" x2="{wide}" y1="{height + 20}" y2="{height + 20}"/>')
    return (
        f'<svg viewBox="0 0 {wide} {height + 45}" role="img" aria-label="Number of students by score. {text(told)}.">'
        f'{"".join(drawn)}</svg><p class="soft">Number of students by score, in percent of the must-do points.</p>'
    )


def _exercises(results: list[SubmissionResult]) -> str:
    rows = []
    for key, exercises in _by_exercise(results).items():
        statuses = Counter(str(exercise.status) for exercise in exercises)
        passed = statuses.pop("full", 0)
        share = passed / len(exercises)
        others = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
        tried = sum(1 for exercise in exercises if str(exercise.status) not in ("not attempted", "missing", "skipped"))
        rows.append([text(key), bar(share), f"{passed} / {tried}", text(others)])
    head = [("Exercise", ""), ("Passed", "share"), ("Full / tried", "number"), ("Others", "")]
    return table("Pass rate of each exercise", head, rows)


def _mistakes(results: list[SubmissionResult]) -> str:
    counts: Counter = Counter()
    says: dict = {}
    for key, exercises in _by_exercise(results).items():
        for exercise in exercises:
            if exercise.mutant:
                counts[key, exercise.mutant] += 1
                says.setdefault((key, exercise.mutant), exercise.says)
    if not counts:
        return "<p>No answer showed one of the known mistakes.</p>"
    rows = [
        [f"<code>{text(mutant)}</code>", text(key), str(count), text(says[key, mutant])]
        for (key, mutant), count in counts.most_common(LISTED)
    ]
    head = [("Mistake", ""), ("Exercise", "name"), ("Students", "number"), ("What it is", "sentence")]
    return table("Known mistakes, by how many students made them", head, rows)


def _tests(results: list[SubmissionResult]) -> str:
    rows = []
    for key, exercises in _by_exercise(results).items():
        ran: Counter = Counter()
        passed: Counter = Counter()
        for exercise in exercises:
            for test in exercise.tests:
                ran[test["name"]] += 1
                passed[test["name"]] += test["passed"]
        for name, count in ran.items():
            share = passed[name] / count
            rows.append([f"<code>{text(name)}</code>", text(key), bar(share), f"{passed[name]} / {count}"])
    if not rows:
        return "<p>No hidden test was run.</p>"
    head = [("Test", ""), ("Exercise", "name"), ("Passed", "share"), ("Passed / run", "number")]
    return table("Pass rate of each hidden test, among the answers it was run on", head, rows)


def _students(results: list[SubmissionResult]) -> str:
    rows = []
    for result in results:
        link = quote(f"{folder_name(result.student)}/{result.chapter}.html", errors="replace")
        flags = sum(len(exercise.flags) for exercise in result.exercises)
        passed = sum(str(exercise.status) == "full" for exercise in result.exercises)
        remark = text(result.problem) + (f" {flags} to look at" if flags else "")
        rows.append([f'<a href="./{link}">{text(result.student)}</a>', points(result.score, result.max_score)])
        rows[-1] += [percent(_share(result)), f"{passed} of {len(result.exercises)}", remark.strip()]
    head = [("Student", ""), ("Points", "number"), ("Score", "number"), ("Exercises passed", "number"), ("Remarks", "")]
    return table("Every student; the name opens the student's own page", head, rows)


def _by_exercise(results: list[SubmissionResult]) -> dict:
    found: dict[str, list] = {}
    for result in results:
        for exercise in result.exercises:
            found.setdefault(title(exercise), []).append(exercise)
    return dict(
        sorted(found.items(), key=lambda item: [int(p) if p.isdigit() else 0 for p in item[1][0].id.split(".")])
    )
