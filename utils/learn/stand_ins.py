"""What an exercise builds on, at the time of its check: the reference stands in for what has not passed yet."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from utils import course
from utils.chapter import load_chapter
from utils.grade.policy import needs
from utils.grade.reference import reference
from utils.learn.sources import is_reference

_ABSENT = object()


class NeedsFirst(course.CourseError):
    """An exercise to do first has not passed, and there is no reference to stand in for it."""


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
