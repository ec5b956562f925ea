"""Other objects than the one at work: what stands in for a need during a check, and `mine`, an earlier answer."""

import contextlib
import importlib
import inspect
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from utils import course
from utils.chapter import load_chapter
from utils.grade.policy import needs
from utils.grade.reference import reference
from utils.learn import store
from utils.learn.context import resolve
from utils.learn.show import Notice, show
from utils.learn.sources import is_reference, names_read

_ABSENT = object()


class NeedsFirst(course.CourseError):
    """An exercise to do first has not passed, and there is no reference to use instead."""


def _swap_defaults(functions: list, replaced: dict[str, object]) -> list[tuple]:
    """Put stand-ins into default arguments too (`sample=greedy` binds early); returns what to put back."""
    bound = []
    for function in functions:
        values = getattr(function, "__defaults__", None)
        if inspect.isfunction(function) and values:
            others = tuple(replaced.get(getattr(value, "__name__", None), value) for value in values)
            if any(a is not b for a, b in zip(values, others, strict=True)):
                bound.append((function, values))
                function.__defaults__ = others
    return bound


@contextmanager
def stand_ins(chapter: str, name: str, names: dict, right: Callable[[str, object], bool]) -> Iterator[list[str]]:
    """Within the block, every need of `name` that is not right is the reference's object in `names`.

    `right(need, obj)` says whether the learner's own may be used. Yields the needs replaced; afterwards `names` is
    as it was, also after an exception. Raises NeedsFirst where there is no reference.
    """
    replaced: dict[str, object] = {}
    for need in needs(chapter, name):
        mine = names.get(need, _ABSENT)
        if mine is not _ABSENT and (is_reference(mine, chapter, need) or right(need, mine)):
            continue
        if not course.have_answers(chapter):
            number = load_chapter(chapter).exercise(need).id
            raise NeedsFirst(
                f"Do {need} (exercise {number}) first: {name} builds on it, your {need} has not passed its check yet, "
                "and no reference solution is part of this hand-out."
            )
        replaced[need] = reference(chapter, need)
    kept = {need: names.get(need, _ABSENT) for need in replaced}
    bound = _swap_defaults([names.get(each) for each in [name, *needs(chapter, name)]], replaced)
    names.update(replaced)
    try:
        yield list(replaced)
    finally:
        for function, values in bound:
            function.__defaults__ = values
        for need, mine in kept.items():
            if mine is _ABSENT:
                names.pop(need, None)
            else:
                names[need] = mine


def mine(name: str):
    """The learner's passed object, rebuilt from its saved source in a namespace of its own.

    Objects that it needs are the learner's where those passed, else the reference's. Prints what was used.
    Raises Notice for an unknown name, and where there is neither an answer nor a reference.
    """
    try:
        chapter, exercise = resolve(name)
        others = _builds_on(chapter, exercise.name)
        for each in [exercise.name, *others]:
            if lacks(chapter, each):
                what = f"{each} (exercise {load_chapter(chapter).exercise(each).id})"
                raise course.CourseError(
                    f"Do {what} first: this hand-out holds no solution that could be used instead."
                )
        names = base_names(chapter)
        taken = {}
        for each in [*others, exercise.name]:
            names[each], taken[each] = _one(chapter, each, names)
    except course.CourseError as error:
        raise Notice(str(error)) from None
    lent = [each for each in others if not taken[each]]
    if not taken[exercise.name]:
        says = f"{exercise.name}: the reference's, since yours has not passed yet."
    elif lent:
        says = f"{exercise.name}: yours, with the reference's {', '.join(lent)}."
    else:
        says = f"{exercise.name}: yours."
    show(says)
    return names[exercise.name]


def _builds_on(chapter: str, name: str) -> list[str]:
    """The other exercises that an answer builds on, in the chapter's order: as the chapter says, and as it reads."""
    exercises = [exercise.name for exercise in load_chapter(chapter).exercises]
    found, waiting = set(), [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += needs(chapter, each)
            known = store.entry(chapter, each)
            if known.get("status") == "passed":
                texts = [known.get("source") or "", *(known.get("companions") or {}).values()]
                read = set().union(*map(names_read, texts))
                waiting += [one for one in exercises if one in read]
    return [each for each in exercises if each in found - {name}]


def lacks(chapter: str, name: str) -> bool:
    """Whether there is nothing to take: no answer that passed, and in a hand-out no reference either."""
    return not course.have_answers(chapter) and store.entry(chapter, name).get("status") != "passed"


def base_names(chapter: str) -> dict:
    """A fresh namespace with what the chapter's own import cells and given objects bring."""
    source = load_chapter(chapter)
    names: dict = {"__name__": f"mine_{source.key}"}
    for text in source.imports:
        _run(text, f"<imports of {source.key}>", names)
    for given in source.given:
        if course.have_answers(chapter):
            module = importlib.import_module(f"solutions.{source.name}.{given.module}")
            names[given.name] = getattr(module, given.name)
        else:
            with contextlib.suppress(NameError):  # one that reads an exercise cannot be defined before it
                _run(given.source, f"<{given.name} of {source.key}>", names)
    return names


def _one(chapter: str, name: str, names: dict) -> tuple[object, bool]:
    """One object and whether it is the learner's; an answer that no longer runs counts as none, with one sentence."""
    known = store.entry(chapter, name)
    if known.get("status") != "passed" or not known.get("source"):
        return reference(chapter, name), False
    kept = dict(names)
    try:
        for helper, text in (known.get("companions") or {}).items():
            if helper not in names:
                _run(text, f"<your {helper}>", names)
        _run(known["source"], f"<your {name} of {chapter}>", names)
        return names[name], True
    except Exception as error:
        names.clear()
        names.update(kept)
        print(
            f"Your {name} of {chapter} could not be rebuilt ({type(error).__name__}: {error}): the reference is used."
        )
        return reference(chapter, name), False


def _run(source: str, file: str, names: dict) -> None:
    # with its lines known to linecache, an error in it shows the learner's code
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)
