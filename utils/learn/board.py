"""`progress()`: points and a bar per section, from what the checks recorded."""

import html

from utils.chapter import load_chapter
from utils.learn import store
from utils.learn.context import current_chapter
from utils.learn.show import COLOURS, show

MARKS = {"passed": "done", "skipped": "skipped", "tried": "tried", None: "open"}


def earned(state: dict, exercise) -> int:
    """Points of one exercise: its own when passed, none else."""
    return exercise.points if state["exercises"].get(exercise.name, {}).get("status") == "passed" else 0


def score(chapter: str, state: dict) -> str:
    """The chapter's points and exercises passed so far, in one sentence; the optional part counts when touched."""
    source = load_chapter(chapter)
    counted = [e for e in source.exercises if not e.optional or e.name in state["exercises"]]
    points = sum(earned(state, e) for e in counted)
    done = sum(earned(state, e) > 0 for e in counted)
    whole = sum(e.points for e in counted)
    number = source.key.removeprefix("ch")
    return f"Chapter {number}: {points} of {whole} points, {done} of {len(counted)} exercises."


def progress(chapter: str | None = None) -> None:
    """Show a bar for each section of the chapter (the running one by default) and the points."""
    chapter = load_chapter(chapter or current_chapter()).key
    state = store.read(chapter)
    sections: dict[str, list] = {}
    for exercise in load_chapter(chapter).exercises:
        label = exercise.section + (" (optional)" if exercise.optional else "")
        sections.setdefault(label, []).append(exercise)
    text, rows = [score(chapter, state)], []
    for section, exercises in sections.items():
        got, whole = sum(earned(state, e) for e in exercises), sum(e.points for e in exercises)
        filled = round(20 * got / whole) if whole else 0
        states = [state["exercises"].get(e.name, {}).get("status") for e in exercises]
        words = ", ".join(f"{e.name} {MARKS.get(s, 'open')}" for e, s in zip(exercises, states, strict=True))
        text.append(f"  {'#' * filled}{'.' * (20 - filled)} {got:>3} of {whole} points  {section}: {words}")
        percent = round(100 * got / whole) if whole else 0
        rows.append(
            f'<tr><td style="text-align:left">{html.escape(section)}</td><td><div role="progressbar" '
            f'aria-label="{html.escape(section)}" aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100" '
            f'style="width:12em;height:.9em;border:1px solid currentColor;border-radius:3px">'
            f'<div style="width:{percent}%;height:100%;background:{COLOURS["good"]}"></div></div></td>'
            f'<td style="text-align:left">{got} of {whole} points</td>'
            f'<td style="text-align:left">{html.escape(words)}</td></tr>'
        )
    markup = f"<div><b>{html.escape(text[0])}</b><table style='color:inherit'>{''.join(rows)}</table></div>"
    show("\n".join(text), markup)
