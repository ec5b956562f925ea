"""What a RASP sequence may hold: one type of atom per sequence, and the errors that say otherwise (chapter 3)."""

import operator
from collections.abc import Callable, Sequence

from utils.course import CourseError

Atom = str | bool | int | float

COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class RaspError(CourseError):
    """A program cannot run on this input; the sentence names the step that fails.

    `reason`: what Python said, where it was one of its operators or a function of the user's that failed.
    """

    reason = ""

    def at(self, step) -> "RaspError":
        """The same error, told with the step in which it came up."""
        error = RaspError(f"{step}: {str(self).removesuffix('.')}.")
        error.reason = self.reason
        return error


def is_atom(value: object) -> bool:
    """Whether a value is one of RASP's four atoms: str, bool, int or float."""
    return isinstance(value, (str, bool, int, float))


def kind_of(values: Sequence[Atom]) -> str:
    """The type of a sequence: "string", "bool", "int" or "float", tested in this order.

    Bools among ints make an int sequence, ints among floats a float sequence; no value is changed by that.
    Raises RaspError for any other mixture, and for what isn't an atom. Source: the interpreter of Weiss et al. 2021.
    """
    kinds = {type(value) for value in values}
    types = (("string", {str}), ("bool", {bool}), ("int", {int, bool}), ("float", {float, int, bool}))
    for name, allowed in types:
        if kinds <= allowed:
            return name
    strange = [value for value in values if not is_atom(value)]
    if strange:
        raise RaspError(f"a sequence holds strings, bools, ints or floats, but here it holds {strange[0]!r}")
    shown = ", ".join(repr(value) for value in values[:6]) + (", ..." if len(values) > 6 else "")
    raise RaspError(f"the values of a sequence must share one type, but these are of different types: [{shown}]")


def read_input(x: object) -> list[Atom]:
    """An input as a list: a string is read letter by letter. Raises RaspError unless it is a non-empty iterable."""
    if isinstance(x, dict) or getattr(x, "__iter__", None) is None:  # an s-op has one, which is None
        raise RaspError(f"an input must be a string or a list, but this is {x!r}")
    items = [item.item() if hasattr(item, "item") else item for item in x]
    if not items:
        raise RaspError("an input must not be empty: it needs at least one token")
    return items


def attempt(function, *columns):
    """Call a step's function and return plain Python values.

    Raises RaspError, in one sentence, for whatever the function raises: a division by zero, "a" < 1, a missing key.
    """
    try:
        return function(*columns)
    except RaspError:
        raise
    except KeyError as error:
        raise RaspError(f"the table has no entry for {error.args[0]!r}") from None
    except IndexError:
        raise RaspError("an index lies outside the list or string that is looked up") from None
    except Exception as error:  # whatever a comparison or a function of the user's makes of its values
        failed = RaspError(str(error) or type(error).__name__)
        failed.reason = str(failed)
        raise failed from None


def refuse(says: str) -> Callable:
    """A function that fails with this sentence, whatever it is given."""

    def refused(*values):
        raise RaspError(says)

    return refused


def check_parts(step) -> None:
    """Raises RaspError where a part is of the wrong kind: a selector among s-ops, say."""
    wanted = {
        "aggregate": ("selector", "s-op"),
        "and": ("selector", "selector"),
        "or": ("selector", "selector"),
        "not": ("selector",),
    }.get(step.op, ("s-op",) * len(step.parts))
    for part, kind in zip(step.parts, wanted, strict=True):
        found = getattr(part, "kind", "atom" if is_atom(part) else type(part).__name__)
        if found != kind and not (kind == "s-op" and found == "atom"):
            a = "an" if found[0] in "as" and found != "selector" else "a"
            raise RaspError(
                f"it expects {'a selector' if kind == 'selector' else 'an s-op'} here, but gets {a} {found}"
            )
    if step.op == "aggregate" and not is_atom(step.setting):
        raise RaspError("the default of aggregate must be a single value, a str, bool, int or float")
