"""Settings written as name=value, dots for what is nested: data_args.k=5 optim_args.use_sgd=True (chapter 2)."""

import difflib
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args

from utils.course import CourseError

WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
NOTHING = ("none", "null", "~")


def names(settings, prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """Every setting by its dotted name: (the dataclass object that holds it, its field)."""
    found = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            found |= names(value, f"{prefix}{field.name}.")
        else:
            found[prefix + field.name] = (settings, field)
    return found


def apply(settings, assignments: list[str], prefixes: dict[str, Any] | None = None) -> None:
    """Carry out name=value texts on a dataclass object, in place; of `prefixes`, more objects are known by name.

    Raises CourseError for an unknown name (it names the nearest) and for a value of another type.
    """
    known = names(settings)
    for prefix, more in (prefixes or {}).items():
        known |= names(more, prefix)
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise CourseError(f"There is no setting {name!r}; the nearest is {near[0]!r}.")
        holder, field = known[name]
        setattr(holder, field.name, parse(name, text, field.type))


def parse(name: str, text: str, kind: Any) -> Any:
    """A value of the annotated type. Raises CourseError where the text is none."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if type(None) in kinds and text.lower() in NOTHING:
        return None
    if bool in kinds:
        if text.lower() not in WORDS:
            raise CourseError(f"{name} must be True or False, but it is {text!r}.")
        return WORDS[text.lower()]
    for number, what in ((int, "a whole number"), (float, "a number")):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                raise CourseError(f"{name} must be {what}, but it is {text!r}.") from None
    wanted = next(kind for kind in kinds if kind is not type(None))
    return wanted(text)
