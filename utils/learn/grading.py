"""Grade one exercise inside the learner's kernel; the status is the class of the exception raised, nothing printed.

Called by the pytest plugin in a cell of its own after the notebook's cells. Trusts no name of the notebook.
"""

import inspect

from utils.chapter import load_chapter
from utils.grade.assess import Outcome, Status, assess
from utils.grade.subject import LocalRunner
from utils.learn.context import describe, namespace
from utils.learn.guard import traceless
from utils.learn.pieces import NeedsFirst, stand_ins
from utils.learn.sources import is_reference, is_stub, wants_class


class GradeStop(Exception):
    """The exercise is not solved; its text is the one sentence for the report."""


class Missing(GradeStop):
    """Nothing of that name is defined."""


class NotAttempted(GradeStop):
    """The definition is still the stub."""


class Unfinished(GradeStop):
    """Changed code that still raises NotImplementedError."""


class Wrong(GradeStop):
    """A hidden test failed, or the code raised."""


class Skipped(GradeStop):
    """The object is the reference's."""


class Blocked(GradeStop):
    """An exercise that this one is built from has to be done first."""


STOPS = {
    Status.MISSING: Missing,
    Status.NOT_ATTEMPTED: NotAttempted,
    Status.UNFINISHED: Unfinished,
    Status.WRONG: Wrong,
    Status.SKIPPED: Skipped,
    Status.BLOCKED: Blocked,
}
_known: dict[tuple, tuple[object, Outcome]] = {}


def grade_exercise(chapter: str, name: str, seed: int = 0) -> None:
    """Grade the last definition of `name` in this kernel: returns when it passes, else raises a GradeStop."""
    with traceless(seed):
        outcome = examine(chapter, name, namespace(), seed)
    if outcome.status is not Status.FULL:
        raise STOPS.get(outcome.status, Wrong)(outcome.says) from None


def examine(chapter: str, name: str, names: dict, seed: int = 0) -> Outcome:
    """The verdict on `names[name]`; the pieces it needs are judged alike, and wrong ones replaced meanwhile."""
    key = load_chapter(chapter).key, name, seed
    obj = names.get(name)
    if key in _known and name in names and _known[key][0] is obj:
        return _known[key][1]
    outcome = before_tests(chapter, name, names)
    if outcome is None:

        def right(need: str, _) -> bool:
            return examine(chapter, need, names, seed).ok

        try:
            with stand_ins(chapter, name, names, right):
                outcome = assess(chapter, name, LocalRunner(obj), seed)
        except NeedsFirst as error:
            return Outcome(name, Status.BLOCKED, str(error))  # not kept: it changes when the piece does
    _known[key] = obj, outcome
    return outcome


def before_tests(chapter: str, name: str, names: dict) -> Outcome | None:
    """The verdict where no hidden test has to run: missing, the stub, the reference, or no class or function at all."""
    if name not in names:
        return Outcome(name, Status.MISSING, f"{name} is not defined: the cell that defines it is gone or has not run.")
    obj = names[name]
    if is_reference(obj, chapter, name):
        return Outcome(name, Status.SKIPPED, f"{name} is the reference's (skipped): it earns no points.")
    wanted = wants_class(chapter, name)
    if wanted and not inspect.isclass(obj):
        return Outcome(name, Status.WRONG, f"{name} must be a class, but the notebook leaves it as {describe(obj)}.")
    if wanted is False and not callable(obj):
        return Outcome(name, Status.WRONG, f"{name} must be a function, but the notebook leaves it as {describe(obj)}.")
    if is_stub(obj, chapter, name):
        return Outcome(name, Status.NOT_ATTEMPTED, f"{name} is still the stub: nothing is written yet.")
    return None
