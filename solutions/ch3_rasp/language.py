"""RASP in Python: s-ops and selectors, built as expressions and run when they are called on an input (chapter 3).

Source: Weiss, Goldberg, Yahav 2021, section 3. Rows of a selector are queries, columns are keys.
"""

import functools
import inspect
import operator
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool

from utils.plot.rasp_steps import html_of, text_of

from .values import COMPARISONS, Atom, RaspError, attempt, check_parts, kind_of, read_input, refuse


def lazily(makes: str) -> Callable:
    """Decorator: a function of plain sequences that takes steps of a program, too.

    Given lists, it computes at once. Given s-ops, selectors or atoms it computes nothing yet, and returns a step of
    the class called `makes` that calls the function on the values its parts have on an input.
    """

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def either(*given, **named):
            bound = signature.bind(*given, **named)
            bound.apply_defaults()
            *parts, setting = bound.arguments.values()
            plain = [isinstance(part, (list, tuple, np.ndarray)) for part in parts]
            if any(plain) and not any(hasattr(part, "parts") for part in parts):
                return function(*parts, setting)
            step = {"SOp": lambda: SOp, "Selector": lambda: Selector}[makes]()  # defined further down
            return step(lambda *values: function(*values, setting), *parts, op=function.__name__, setting=setting)

        return either

    return decorate


@lazily("Selector")
def select(keys: Sequence[Atom], queries: Sequence[Atom], op: str | Callable) -> Bool[np.ndarray, "T_Q T_K"]:
    """Which keys each query chooses: row i, column j says whether `key j op query i` holds.

    op: "==", "!=", "<", "<=", ">", ">=", or a function (key, query) -> bool. The key is the left operand. Strings
    compare by code point; a string never equals a number, and "<" between the two is an error.
    Shapes: keys (T_K), queries (T_Q) -> bool (T_Q, T_K). Source: Weiss et al. 2021, section 3.
    """
    # solution
    if callable(op):
        return np.array([[bool(op(key, query)) for key in keys] for query in queries], dtype=bool)
    compare = _comparison(op)
    if all(isinstance(value, str) for value in [*keys, *queries]):  # numbers in the same order compare faster
        place = {text: number for number, text in enumerate(sorted({*keys, *queries}))}
        keys, queries = [place[key] for key in keys], [place[query] for query in queries]
    elif any(isinstance(value, str) for value in [*keys, *queries]):
        return np.array([[compare(key, query) for key in keys] for query in queries], dtype=bool)
    return compare(np.array(keys)[None, :], np.array(queries)[:, None]).astype(bool)
    # end solution


def _comparison(op: object) -> Callable:
    """The function of a comparison's symbol. Raises RaspError for an unknown one."""
    if op not in COMPARISONS:
        raise RaspError(f"select knows {', '.join(COMPARISONS)} and functions (key, query) -> bool, but not {op!r}")
    return COMPARISONS[op]


@lazily("SOp")
def aggregate(selector: Bool[np.ndarray, "T_Q T_K"], values: Sequence[Atom], default: Atom = 0) -> list[Atom]:
    """For each query the value that it has chosen; the mean where it has chosen several.

    A row that chooses one key gives that value as it is, of whatever type; a row that chooses none gives `default`;
    one that chooses more gives their mean, a float, for which the whole sequence of values must be int or float.
    Raises RaspError for a mean of strings or bools. Shapes: (T_Q, T_K), T_K values -> list of T_Q values.
    Source: Weiss et al. 2021, section 3.
    """
    # solution
    selector = np.asarray(selector, dtype=bool)
    widths = selector.sum(axis=1)
    means = None
    if (widths > 1).any():
        if kind_of(values) not in ("int", "float"):
            remedy = ": use indicator" if kind_of(values) == "bool" else ""
            raise RaspError(f"a row chooses several values, but only numbers have a mean{remedy}")
        means = np.where(selector, np.array(values, dtype=float), 0.0).sum(axis=1) / np.maximum(widths, 1)
    result = []
    for i, width in enumerate(widths):
        if width == 0:
            result.append(default)
        elif width == 1:
            result.append(values[int(selector[i].argmax())])
        else:
            result.append(float(means[i]))
    return result
    # end solution


def _both_ways(symbol: str, function: Callable) -> tuple[Callable, Callable]:
    """The two methods of an operator: for `s + 1` and for `1 + s`."""

    def left(self, other):
        return self.pointwise(function, self, other, name=symbol)

    def right(self, other):
        return self.pointwise(function, other, self, name=symbol)

    return left, right


class SOp:
    """A step of a program: a function from an input to a sequence of the same length, run when it is called.

    `function` gets one column of values per part: a part is another step, or an atom, which counts as that value at
    every position. A step without parts gets the input, as a list. `op` and `setting` tell what kind of step it is.
    Source: Weiss et al. 2021, section 3.
    """

    kind = "s-op"

    def __init__(self, function: Callable, *parts, name: str = "", op: str = "input", setting=None):
        self.function, self.parts = function, parts
        self.name, self.op, self.setting = name, op, setting
        self.label = ""  # what it was called by `named`

    def __call__(self, x: Sequence[Atom]) -> list[Atom]:
        """Run the program up to this step on one input, a non-empty string or list. Nothing is kept between calls."""
        # solution
        return list(self.value(read_input(x), {}))
        # end solution

    def value(self, x: list[Atom], memo: dict):
        """This step's value on the input x: `compute` of its parts' columns, once per call.

        `memo` holds what has been computed during this call, by the step's id.
        """
        # solution
        if id(self) not in memo:
            columns = [part.value(x, memo) if hasattr(part, "value") else [part] * len(x) for part in self.parts]
            memo[id(self)] = self.compute(columns or [x])
        return memo[id(self)]
        # end solution

    @classmethod
    def pointwise(cls, function: Callable, *parts, name: str = "map"):
        """A new s-op: at each position, `function` of what the parts (s-ops or atoms) are there. Runs nothing yet."""

        # solution
        def everywhere(*columns):
            return [function(*row) for row in zip(*columns, strict=True)]

        return cls(everywhere, *parts, name=name, op="map", setting=function)
        # end solution

    def __bool__(self):
        """An s-op is neither true nor false before it has run. Raises TypeError that says to use & | ~ instead."""
        # solution
        raise TypeError("an s-op has no truth value before it runs: write & | ~ with parentheses, not and, or, not")
        # end solution

    def __hash__(self):
        """By identity, since == builds a new s-op."""
        # solution
        return id(self)
        # end solution

    __add__, __radd__ = _both_ways("+", operator.add)
    __sub__, __rsub__ = _both_ways("-", operator.sub)
    __mul__, __rmul__ = _both_ways("*", operator.mul)
    __truediv__, __rtruediv__ = _both_ways("/", operator.truediv)
    __mod__, __rmod__ = _both_ways("%", operator.mod)
    __pow__, __rpow__ = _both_ways("**", operator.pow)
    __and__, __rand__ = _both_ways("&", lambda a, b: bool(a and b))
    __or__, __ror__ = _both_ways("|", lambda a, b: bool(a or b))
    __eq__, _ = _both_ways("==", operator.eq)
    __ne__, _ = _both_ways("!=", operator.ne)
    __lt__, _ = _both_ways("<", operator.lt)
    __le__, _ = _both_ways("<=", operator.le)
    __gt__, _ = _both_ways(">", operator.gt)
    __ge__, _ = _both_ways(">=", operator.ge)
    del _
    __iter__ = None  # without it, Python would try s[0], s[1], ... for ever

    def __invert__(self):
        return self.pointwise(operator.not_, self, name="~")

    def __neg__(self):
        return self.pointwise(operator.neg, self, name="-")

    def __pos__(self):
        return self.pointwise(operator.pos, self, name="+")

    def __round__(self, digits: int | None = None):
        return self.pointwise(round if digits is None else lambda value: round(value, digits), self, name="round")

    def __contains__(self, atom):
        raise TypeError("Python's `in` cannot wait for an input: write contains(s, atom), or s.isin([...])")

    def __getitem__(self, i: int):
        """The value at position i, told to all positions; negative i count from the end, at one more layer."""
        if isinstance(i, bool) or not isinstance(i, int):
            return self.pointwise(refuse(f"a position must be an int, but this is {i!r}"), self, name=f"[{i!r}]")
        place = i if i >= 0 else length() + i
        return aggregate(select(indices, place, "=="), self)

    def map(self, function: Callable):
        """`function` of the value at each position."""
        return self.pointwise(function, self, name=getattr(function, "__name__", "map").replace("<lambda>", "map"))

    def isin(self, values: Sequence[Atom]):
        """Whether the value at each position is among `values`."""
        if hasattr(values, "parts"):
            return self.pointwise(refuse("isin expects a list of values"), self, name="isin")
        values = list(values)
        return self.pointwise(lambda value: value in values, self, name=f"in {values}")

    def lookup(self, table: dict | list | str):
        """table[value] at each position. A missing key is an error when the program runs."""
        return self.pointwise(lambda value: table[value], self, name="lookup")

    def named(self, name: str):
        """This step, called `name` in pictures and messages from now on."""
        self.label = name
        return self

    def compute(self, columns: list):
        """Run this step alone on its parts' columns. Raises RaspError naming the step where that fails."""
        try:
            check_parts(self)
            values = [v.item() if isinstance(v, np.generic) else v for v in attempt(self.function, *columns)]
            kind_of(values)
            return values
        except RaspError as error:
            raise error.at(self) from None

    def __repr__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)


class Selector(SOp):
    """A step whose value is a matrix of bools: row i says which keys query i chooses. Join selectors by & | ~.

    Calling it gives a list of rows. Source: Weiss et al. 2021, section 3.
    """

    kind = "selector"

    def __call__(self, x: Sequence[Atom]) -> list[list[bool]]:
        return self.value(read_input(x), {}).tolist()

    def compute(self, columns: list) -> Bool[np.ndarray, "T_Q T_K"]:
        try:
            check_parts(self)
            return np.asarray(attempt(self.function, *columns), dtype=bool)
        except RaspError as error:
            raise error.at(self) from None

    def __and__(self, other):
        return Selector(operator.and_, self, other, name="&", op="and")

    def __or__(self, other):
        return Selector(operator.or_, self, other, name="|", op="or")

    def __rand__(self, other):
        return Selector(operator.and_, other, self, name="&", op="and")

    def __ror__(self, other):
        return Selector(operator.or_, other, self, name="|", op="or")

    def __invert__(self):
        return Selector(operator.invert, self, name="~", op="not")

    def __getitem__(self, i):
        return self.pointwise(refuse("only s-ops have positions to look up"), self, name=f"[{i!r}]")


def where(condition, yes, no):
    """`yes` where the condition holds, else `no`; both are computed at every position.

    A plain Python condition chooses one of the two at once.
    """
    if not hasattr(condition, "kind"):
        return yes if condition else no
    return SOp.pointwise(lambda c, a, b: a if c else b, condition, yes, no, name="where")


def indicator(s):
    """1 where the s-op is true (not zero, not empty), else 0."""
    if not hasattr(s, "kind"):
        return SOp.pointwise(refuse(f"indicator expects an s-op, but this is {s!r}"), 0, name="indicator")
    return SOp.pointwise(lambda value: 1 if value else 0, s, name="indicator")


def _reader(name: str, read: Callable):
    return SOp(lambda x: [read(item) for item in x], name=name, op="tokens", setting=read)


tokens = tokens_asis = _reader("tokens", lambda item: item)
tokens_str = _reader("tokens_str", str)
tokens_int = _reader("tokens_int", int)
tokens_float = _reader("tokens_float", float)
tokens_bool = _reader("tokens_bool", bool)
indices = SOp(lambda x: list(range(len(x))), name="indices", op="indices")
full_s = select(1, 1, "==").named("full_s")


def length():
    """The s-op that tells every position how long the input is: one head, one layer.

    RASP has no counter, so it takes the mean of a flag that is 1 at position 0 only. Source: Weiss et al. 2021.
    """
    # solution
    share = aggregate(full_s, indicator(indices == 0))
    return round(1 / share).named("length")
    # end solution


def _remembers_selector(function: Callable) -> Callable:
    """Let a width know what it is the width of: the compiler has a shorter way to count."""

    @functools.wraps(function)
    def counted(selector, bos=False):
        width = function(selector, bos)
        if hasattr(width, "parts"):
            width.width_of, width.count_again = (selector, bos), counted
        return width

    return counted


@_remembers_selector
def selector_width(selector, bos: bool = False):
    """How many keys each query chooses, as an int, by means of averages only.

    Position 0 is joined to every row, so that no row is empty and a mean of "is this position 0?" gives 1 / width.
    One head more tells whether position 0 was chosen anyway. With `bos` position 0 holds a beginning-of-sequence
    token that is never counted, and one head is enough. Source: Weiss et al. 2021, section 3 and appendix B.
    """
    # solution
    at_0 = select(indices, 0, "==")
    others = 1 / aggregate(selector | at_0, indicator(indices == 0)) - 1
    return round(others) if bos else round(others + aggregate(selector & at_0, 1, 0))
    # end solution
