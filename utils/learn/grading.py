"""The verdict on an object of the learner's own kernel, as a check needs it for what other exercises build on."""

import inspect

from utils.chapter import load_chapter
from utils.grade.assess import Outcome, Status, assess
from utils.grade.policy import says
from utils.grade.subject import LocalRunner
from utils.learn.context import describe
from utils.learn.pieces import NeedsFirst, stand_ins
from utils.learn.sources import is_reference, is_stub, wants_class

_known: dict[tuple, tuple[object, Outcome]] = {}


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
        return Outcome(name, Status.MISSING, says(Status.MISSING, name))
    obj = names[name]
    if is_reference(obj, chapter, name):
        return Outcome(name, Status.SKIPPED, says(Status.SKIPPED, name))
    wanted = wants_class(chapter, name)
    if wanted and not inspect.isclass(obj):
        return Outcome(name, Status.WRONG, f"{name} must be a class, but the notebook leaves it as {describe(obj)}.")
    if wanted is False and not callable(obj):
        return Outcome(name, Status.WRONG, f"{name} must be a function, but the notebook leaves it as {describe(obj)}.")
    if is_stub(obj, chapter, name):
        return Outcome(name, Status.NOT_ATTEMPTED, says(Status.NOT_ATTEMPTED, name))
    return None
