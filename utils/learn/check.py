"""`check(LayerNorm)`: the hidden tests of one exercise against the learner's object; raises when they fail."""

import html
import inspect

from utils import course
from utils.chapter import Exercise, load_chapter
from utils.grade.assess import Outcome, Status, assess
from utils.grade.judge import LearnerError
from utils.grade.policy import says
from utils.grade.subject import LocalRunner
from utils.learn import store
from utils.learn.board import bar, counted, points, score
from utils.learn.context import current_chapter, describe, namespace, resolve, unknown
from utils.learn.guard import traceless
from utils.learn.ladder import offer
from utils.learn.reuse import NeedsFirst, stand_ins
from utils.learn.show import Notice, as_code, box, compared, heat_maps, inputs_line, lines, show
from utils.learn.sources import companions, is_reference, is_stub, lost_decorator, source_of, wants_class


class CheckFailed(Notice):
    """A check did not pass: its text is the one sentence, its notebook rendering a short card, no traceback."""

    def __init__(self, says: str, title: str = "", outcome: Outcome | None = None, notes=(), chapter: str = ""):
        super().__init__(says)
        self.title, self.chapter, self.notes = title, chapter, notes
        self.outcome = outcome or Outcome("", Status.MISSING)  # without a name: no exercise was meant, or none was run
        self.compares = self.outcome.expected is not None or self.outcome.got is not None

    def help(self) -> None:
        """The exercise's ladder of help, by a button."""
        if self.outcome.name:
            offer(f"{self.chapter}.{self.outcome.name}")

    def text(self) -> str:
        """The card in plain text."""
        parts = [f"{self.title}: {self}" if self.title else str(self)]
        if self.compares:
            pairs = compared(self.outcome.expected, self.outcome.got)
            parts += [f"  {self.outcome.shows}:"] * bool(self.outcome.shows)
            parts += [f"  {title + ':':<9} {text}" for title, text in pairs]
        if self.outcome.inputs:
            parts.append(f"  with {inputs_line(self.outcome.inputs)}")
        return "\n".join([*parts, *self.notes])

    def markup(self) -> str:
        """The card in HTML, without its frame."""
        head = f"<b>&#10007; {html.escape(self.title)}</b><br>" if self.title else "<b>&#10007;</b> "
        parts = [f"<div>{head}{lines(str(self))}</div>"]
        if self.compares:
            parts += [f"<div>{html.escape(self.outcome.shows)}:</div>"] * bool(self.outcome.shows)
            parts.append(heat_maps(self.outcome.expected, self.outcome.got))
        if self.outcome.inputs:
            parts.append(f"<div>with {html.escape(inputs_line(self.outcome.inputs))}</div>")
        error = self.outcome.error
        if isinstance(error, LearnerError) and error.line and f"line {error.line} of your cell" not in str(self):
            code = f": {as_code(error.code)}" if error.code else ""
            parts.append(f"<div>line {error.line} of your cell{code}</div>")
        parts += [f'<div style="opacity:.85;margin-top:.3em">{lines(note)}</div>' for note in self.notes]
        return "".join(parts)


def check(obj) -> None:
    """Check one exercise: `check(LayerNorm)`, or by name `check("LayerNorm")`.

    The last definition of that name is judged. Raises CheckFailed unless every hidden test passes; records the result.
    The random states, torch's defaults and the notebook's names are as before afterwards.
    """
    names = namespace()
    try:
        chapter, exercise = target(obj, names)
        title = f"{exercise.id} {exercise.name}"
    except course.CourseError as error:
        raise CheckFailed(str(error)) from None
    name = exercise.name
    borrowed = name not in names and not isinstance(obj, str)  # defined out of the notebook's reach: in a function, say
    if borrowed:
        names[name] = obj
    try:
        with traceless() as prints:
            outcome, replaced = _judge(chapter, name, names)
        judged = names.get(name)
    except course.CourseError as error:
        raise CheckFailed(str(error), title) from None
    except KeyboardInterrupt:  # between two calls of the learner's code, or while a mistake's name is looked for
        raise CheckFailed(f"The check of {name} was stopped by you; nothing was recorded.", title) from None
    finally:
        if borrowed:
            names.pop(name, None)
    notes = tuple(note for note in (outcome.stopped, _stood_in(replaced), prints.summary()) if note)
    if outcome.status is Status.SKIPPED:
        note = f"{title} is our solution, swapped in by skip: it earns no points, and later cells run."
        show(note, box("note", lines(note)))
        return
    if not outcome.ok:
        if outcome.status in (Status.WRONG, Status.UNFINISHED) and _status(chapter, name) != "passed":
            store.update_entry(chapter, name, status="tried")
        raise CheckFailed(
            _sentence(outcome, exercise), title, outcome, notes + _no_diagnosis(chapter, outcome), chapter
        ) from None
    _report_pass(chapter, exercise, outcome, judged, names, notes)


def target(obj, names: dict) -> tuple[str, Exercise]:
    """Chapter and exercise that the argument of check means. Raises CourseError, one sentence, when it means none."""
    if isinstance(obj, str):
        return resolve(obj)
    chapter = current_chapter(getattr(obj, "__name__", None))
    exercises = {exercise.name: exercise for exercise in load_chapter(chapter).exercises}
    for name, exercise in exercises.items():
        if obj is not None and names.get(name) is obj:
            return chapter, exercise
    called = getattr(obj, "__name__", None)
    if isinstance(called, str) and callable(obj):
        if called in exercises:
            return chapter, exercises[called]
        raise course.CourseError(unknown(called, chapter))
    if type(obj).__name__ in exercises:
        called = type(obj).__name__
        raise course.CourseError(f"check takes the class itself, check({called}), and not an object made from it.")
    listed = ", ".join(exercises)
    raise course.CourseError(f"check cannot check {describe(obj)}: give it one of {listed}.")


def _judge(chapter: str, name: str, names: dict) -> tuple[Outcome, list[str]]:
    """The verdict, and the exercises for which the reference stood in."""
    outcome = before_tests(chapter, name, names)
    if outcome is not None:
        return outcome, []

    def right(need: str, obj) -> bool:
        known = store.entry(chapter, need)
        return known.get("status") == "passed" and known.get("source") == source_of(obj, need)

    try:
        with stand_ins(chapter, name, names, right) as replaced:
            return assess(chapter, name, LocalRunner(names[name], interruptible=True)), replaced
    except NeedsFirst as error:
        return Outcome(name, Status.BLOCKED, str(error)), []


def before_tests(chapter: str, name: str, names: dict) -> Outcome | None:
    """The verdict where no hidden test has to run: missing, the stub, the reference, or no class or function at all."""
    if name not in names:
        return Outcome(name, Status.MISSING, says(Status.MISSING, name))
    obj = names[name]
    if is_reference(obj, chapter, name):
        return Outcome(name, Status.SKIPPED, says(Status.SKIPPED, name))
    wanted = wants_class(chapter, name)
    if not (inspect.isclass(obj) if wanted else callable(obj)):
        kind = "class" if wanted else "function"
        return Outcome(name, Status.WRONG, f"{name} must be a {kind}, but the notebook leaves it as {describe(obj)}.")
    if is_stub(obj, chapter, name):
        return Outcome(name, Status.NOT_ATTEMPTED, says(Status.NOT_ATTEMPTED, name))
    if decorator := lost_decorator(obj, chapter, name):
        lost = f"the line {decorator} above {name} is missing: later cells need it, so put it back"
        return Outcome(name, Status.WRONG, lost)
    return None


def _sentence(outcome: Outcome, exercise: Exercise) -> str:
    if outcome.status is Status.NOT_ATTEMPTED:
        return (
            f"{exercise.name} is not attempted yet: its cell still holds the stub. "
            f'Write it, run the cell, check again; hint("{exercise.name}") helps.'
        )
    if outcome.status is Status.MISSING:
        return f"{exercise.name} is not defined: run the cell that defines it first."
    return outcome.says


def _stood_in(replaced: list[str]) -> str:
    if not replaced:
        return ""
    have = "has" if len(replaced) == 1 else "have"
    return f"During this check the reference stood in for {', '.join(replaced)}, which {have} not passed yet."


def _status(chapter: str, name: str) -> str | None:
    return store.entry(chapter, name).get("status")


def _has_mutants(chapter: str) -> bool:
    return (course.ROOT / "tests" / course.chapter_name(chapter) / "mutants").is_dir()


_told: set[str] = set()


def _no_diagnosis(chapter: str, outcome: Outcome) -> tuple[str, ...]:
    if outcome.status is not Status.WRONG or _has_mutants(chapter) or "no diagnosis" in _told:
        return ()
    _told.add("no diagnosis")  # once a session is enough
    return ("The diagnosis by known mistakes is not part of this hand-out.",)


def _report_pass(chapter: str, exercise: Exercise, outcome: Outcome, obj, names: dict, notes: tuple[str, ...]) -> None:
    name = exercise.name
    first = _status(chapter, name) != "passed"
    known = {e.name for e in load_chapter(chapter).exercises} | {name}
    state = store.update_entry(
        chapter,
        name,
        status="passed",
        points=exercise.points,
        source=source_of(obj, name),
        companions=companions(obj, names, known) or None,
    )
    unit = "point" if exercise.points == 1 else "points"
    gain = f"+{exercise.points} {unit}" if first else f"{exercise.points} {unit}, as before"
    head = f"{exercise.id} {name}: {outcome.passed} of {outcome.total} checks passed."
    standing = score(chapter, state)
    text = f"{head} {gain}. {standing}"
    inner = f"<b>&#10003; {html.escape(head)}</b> {html.escape(gain)}.<br>{html.escape(standing)}"
    inner += bar("points", *points(state, counted(chapter, state))[:2], "20em")
    inner += "".join(f'<div style="opacity:.85">{lines(note)}</div>' for note in notes)
    show("\n".join([text, *notes]), box("good", inner))
