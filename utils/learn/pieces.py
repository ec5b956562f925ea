"""What an exercise is built from: the reference stands in for pieces that are not right yet."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from utils import course
from utils.chapter import load_chapter
from utils.grade.policy import needs
from utils.grade.reference import reference
from utils.learn.sources import is_reference, is_stub

_ABSENT = object()


class NeedsFirst(course.CourseError):
    """A piece is not there and there is no reference to stand in for it; `need` is the exercise to do first."""

    def __init__(self, name: str, need: str, number: str, why: str):
        super().__init__(
            f"Do {need} (exercise {number}) first: {name} is built from it, it is {why}, "
            "and no reference solution is part of this hand-out."
        )
        self.need = need


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

    `right(need, obj)` says whether the learner's piece may be used. Yields the needs replaced; afterwards `names` is
    as it was, also after an exception. Raises NeedsFirst where there is no reference.
    """
    replaced: dict[str, object] = {}
    for need in needs(chapter, name):
        mine = names.get(need, _ABSENT)
        if mine is not _ABSENT and is_reference(mine, chapter, need):
            continue
        stub = mine is not _ABSENT and is_stub(mine, chapter, need)
        if mine is not _ABSENT and not stub and right(need, mine):
            continue
        if not course.have_answers(chapter):
            why = "not defined" if mine is _ABSENT else "not written yet" if stub else "not right yet"
            raise NeedsFirst(name, need, load_chapter(chapter).exercise(need).id, why)
        replaced[need] = reference(chapter, need)
    kept = {need: names.get(need, _ABSENT) for need in replaced}
    bound = _swap_defaults([names.get(piece) for piece in [name, *needs(chapter, name)]], replaced)
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
