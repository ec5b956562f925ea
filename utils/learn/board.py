"""`progress()`: points and a bar per section, from what the checks recorded."""

import html

from utils import course
from utils.chapter import load_chapter
from utils.learn import store
from utils.learn.context import current_chapter
from utils.learn.show import COLOURS, show

MARKS = {"passed": "done", "skipped": "skipped", "tried": "tried"}


def points(state: dict, exercises: list) -> tuple[int, int, int]:
    """Points that these exercises have earned, all of their points, and how many have passed."""
    passed = [e for e in exercises if state["exercises"].get(e.name, {}).get("status") == "passed"]
    return sum(e.points for e in passed), sum(e.points for e in exercises), len(passed)


def must_do(chapter: str) -> list:
    """The exercises of a chapter that are not optional."""
    return [exercise for exercise in load_chapter(chapter).exercises if not exercise.optional]


def counted(chapter: str, state: dict) -> list:
    """The exercises whose points count: all must-do ones, and those of the optional part that were touched."""
    return [e for e in load_chapter(chapter).exercises if not e.optional or e.name in state["exercises"]]


def score(chapter: str, state: dict) -> str:
    """The chapter's points and exercises passed so far, in one sentence."""
    exercises = counted(chapter, state)
    got, whole, done = points(state, exercises)
    return f"{load_chapter(chapter).label}: {got} of {whole} points, {done} of {len(exercises)} exercises."


def bar(label: str, got: int, whole: int, width: str = "12em") -> str:
    """How much is done, as HTML that follows the page's own text colour."""
    percent = round(100 * got / whole) if whole else 0
    return (
        f'<div role="progressbar" aria-label="{html.escape(label)}" aria-valuenow="{percent}" aria-valuemin="0" '
        f'aria-valuemax="100" style="width:{width};height:.9em;border:1px solid currentColor;border-radius:3px">'
        f'<div style="width:{percent}%;height:100%;background:{COLOURS["good"]}"></div></div>'
    )


CELL = "text-align:left;padding:2px 10px 2px 0"


def progress(chapter: str | None = None) -> None:
    """Show a bar for each section of the chapter (the running one by default) and the points.

    On the start page: a bar for each chapter.
    """
    key = load_chapter(chapter or current_chapter()).key
    rows = _chapters() if key == course.START else _sections(key)
    head = "Your progress in all chapters" if key == course.START else score(key, store.read(key))
    text, markup = [head], []
    for label, got, whole, words in rows:
        filled = round(20 * got / whole) if whole else 0
        text.append(f"  {'#' * filled}{'.' * (20 - filled)} {got:>3} of {whole} points  {label}: {words}")
        cells = (html.escape(label), bar(label, got, whole), f"{got} of {whole} points", html.escape(words))
        markup.append("<tr>" + "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells) + "</tr>")
    table = f"<table style='color:inherit'>{''.join(markup)}</table>"
    show("\n".join(text), f"<div><b>{html.escape(head)}</b>{table}</div>")


def _chapters() -> list[tuple[str, int, int, str]]:
    """(label, points, all points, exercises done) of every chapter's must-do exercises."""
    rows = []
    for key in course.chapters():
        source, must = load_chapter(key), must_do(key)
        got, whole, done = points(store.read(key), must)
        label = f"{source.label.removeprefix('Chapter ')}. {source.title}"
        rows.append((label, got, whole, f"{done} of {len(must)} exercises"))
    return rows


def _sections(chapter: str) -> list[tuple[str, int, int, str]]:
    """(label, points, all points, the state of each exercise) of every section of a chapter."""
    state = store.read(chapter)
    sections: dict[str, list] = {}
    for exercise in load_chapter(chapter).exercises:
        sections.setdefault(exercise.section + (" (optional)" if exercise.optional else ""), []).append(exercise)
    rows = []
    for label, exercises in sections.items():
        words = [f"{e.name} {MARKS.get(state['exercises'].get(e.name, {}).get('status'), 'open')}" for e in exercises]
        rows.append((label, *points(state, exercises)[:2], ", ".join(words)))
    return rows
