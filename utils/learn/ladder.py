"""Help, one step at a time: hint, then reveal, or skip; and reset, which takes an exercise back to its stub."""

import textwrap

from utils import course
from utils.chapter import Exercise, stub_source
from utils.grade.reference import reference
from utils.learn import store
from utils.learn.context import namespace, resolve
from utils.learn.show import Notice, box, lines, show
from utils.plot.widget import boxed, show_widget, widgets_work

TITLES = {"symptom": "What do you see?", "nudge": "A nudge", "pseudocode": "Pseudocode"}


def hint(name: str, step: int | None = None) -> None:
    """Open the next step of an exercise's help: symptoms, a nudge, pseudocode. `step` shows an earlier one again."""
    chapter, exercise = _exercise(name)
    ladder = steps(exercise)
    opened = store.entry(chapter, exercise.name).get("hints", 0)
    if step is not None and (type(step) is not int or not 1 <= step <= len(ladder)):
        raise Notice(f"The help for {exercise.name} has steps 1 to {len(ladder)}; step={step!r} is none of them.")
    if step is None:
        step = min(opened + 1, len(ladder))
    if step > opened:
        store.update_entry(chapter, exercise.name, hints=step)
    title, body = ladder[step - 1]
    if step < len(ladder):
        after = f'hint("{exercise.name}") again opens step {step + 1}.'
    elif course.have_answers(chapter):
        after = f'That was the last step; reveal("{exercise.name}") shows the solution.'
    else:
        after = "That was the last step; the solution is not part of this hand-out."
    text = f"Hint {step} of {len(ladder)} for {exercise.id} {exercise.name}. {title}\n\n{body}\n\n{after}"
    markdown = f"**Hint {step} of {len(ladder)} for {exercise.id} {exercise.name}. {title}**\n\n{body}\n\n*{after}*"
    show(text, markdown=markdown)


def offer(name: str) -> None:
    """A button that opens the next step of help, up to the solution; nothing where widgets cannot be shown."""
    if not widgets_work():
        return
    import ipywidgets as widgets

    chapter, exercise = _exercise(name)
    titles = [title for title, _ in steps(exercise)]
    button, out = widgets.Button(layout=widgets.Layout(width="max-content")), widgets.Output()

    def opened() -> int:
        return store.entry(chapter, exercise.name).get("hints", 0)

    def label() -> None:
        step = opened()
        if step < len(titles):
            button.description = f"Hint {step + 1} of {len(titles)}: {titles[step].lower()}"
        else:
            button.description = "Show the solution" if course.have_answers(chapter) else "All hints are open"
            button.disabled = not course.have_answers(chapter)
        button.tooltip = f"{button.description} ({exercise.name})"

    def clicked(_) -> None:
        with out:
            if opened() < len(titles):
                hint(name)
            else:
                reveal(name)
                button.disabled = True
                return
        label()

    button.on_click(clicked)
    label()
    show_widget(boxed(button, out), "Run this cell again for the button that opens the next hint.")


def steps(exercise: Exercise) -> list[tuple[str, str]]:
    """The ladder as (title, Markdown): all symptoms make the first step; pseudocode is fenced."""
    found: dict[str, list[str]] = {}
    for kind, label, text in exercise.help:
        if kind == "symptom":
            text = f"- {label.rstrip()}\n" + textwrap.indent(text, "  ")
        elif kind == "pseudocode" and "```" not in text:
            text = f"```text\n{text}\n```"
        found.setdefault(kind, []).append(text)
    return [(title, "\n\n".join(found[kind])) for kind, title in TITLES.items() if kind in found]


def reveal(name: str, confirm: bool = False) -> None:
    """Show the reference's source of one exercise once all hints are open (or with confirm=True); recorded."""
    chapter, exercise = _exercise(name)
    _need_answers(chapter, exercise, "reveal")
    opened, whole = store.entry(chapter, exercise.name).get("hints", 0), len(steps(exercise))
    if opened < whole and not confirm:
        raise Notice(
            f'{opened} of {whole} hints for {exercise.name} are open: hint("{exercise.name}") opens the next, '
            f'or reveal("{exercise.name}", confirm=True) shows the solution now.'
        )
    store.update_entry(chapter, exercise.name, revealed=True)
    code = solution(chapter, exercise)
    note = "One way to write it. Close it, and write your own."
    title = f"Solution of {exercise.id} {exercise.name}"
    show(f"{title}\n\n{code}\n\n{note}", markdown=f"**{title}**\n\n```python\n{code}\n```\n\n*{note}*")


def solution(chapter: str, exercise: Exercise) -> str:
    """What the reference has between its solution marks, each region dedented."""
    from utils.build.cut import read_module

    folder = course.ROOT / "solutions" / course.chapter_name(chapter)
    return "\n\n# ... further down\n".join(read_module(folder / f"{exercise.module}.py").marked(exercise.name))


def skip(name: str) -> None:
    """Use our solution for this one object, so that the rest of the notebook works. Recorded; it earns no points."""
    chapter, exercise = _exercise(name)
    _need_answers(chapter, exercise, "skip")
    namespace()[exercise.name] = reference(chapter, exercise.name)
    if store.entry(chapter, exercise.name).get("status") != "passed":
        store.update_entry(chapter, exercise.name, status="skipped")
    text = (
        f"{exercise.id} {exercise.name} is skipped: the reference takes its place here and earns no points. "
        "Keep this cell after the exercise's own, so that it acts again on the next run; delete it to try again."
    )
    show(text, box("note", lines(text)))


def reset_exercise(name: str) -> None:
    """Reset one exercise: its progress is cleared and its stub shown, to paste into the cell."""
    chapter, exercise = _exercise(name)
    stub = stub_source(chapter, exercise.name).rstrip()
    store.update(chapter, lambda data: data["exercises"].pop(exercise.name, None))
    head = (
        f"{exercise.id} {exercise.name} is open again. This is how its cell began; paste it there, or close "
        f"the notebook and run `python -m utils.build reset {exercise.name}` in a terminal:"
    )
    show(f"{head}\n\n{stub}\n", markdown=f"{head}\n\n```python\n{stub}\n```")


def _exercise(name) -> tuple[str, Exercise]:
    try:
        return resolve(name if isinstance(name, str) else getattr(name, "__name__", name))
    except course.CourseError as error:
        raise Notice(str(error)) from None


def _need_answers(chapter: str, exercise: Exercise, what: str) -> None:
    if not course.have_answers(chapter):
        raise Notice(f"The solutions are not part of this hand-out, so {what} has nothing to give for {exercise.name}.")
