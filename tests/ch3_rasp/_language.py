"""A small RASP of the tests' own, put in the place of the learner's, so that each program is judged by itself.

`run_program` is the probe: it gives the learner's function this language's names, calls it, runs what it returns.
The functions that are exercises (length, sort, ...) aren't written as programs here: plain Python looks at a head's
whole matrix, which no program can do, and the one that is judged isn't there. Steps of the learner's own language
(made outside of the function that is judged, as a default argument, say) are made anew in this one.
"""

from functools import cache
from types import FunctionType

from utils.grade import require, takes_along


def language():
    """The names that a program reads: a second, slow implementation in which `size` counts layers and heads."""
    import operator

    compare = {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }

    class RaspError(Exception):
        pass

    def check(values):
        kinds = {type(value) for value in values}
        if not any(kinds <= allowed for allowed in ({str}, {bool}, {int, bool}, {int, float, bool})):
            each = list({type(value): value for value in reversed(values)}.values())[::-1]
            if len(each) == 1:
                raise RaspError(f"a sequence holds strings, bools, ints or floats, but here it holds {each[0]!r}")
            raise RaspError(f"the values {each[0]!r} and {each[1]!r} of one sequence are of different types")
        return values

    class Step:
        kind = "s-op"

        def __init__(self, function, *parts, op="map", setting=None, name=""):
            parts = tuple(adopted(part) for part in parts)
            self.function, self.parts, self.op, self.setting, self.name = function, parts, op, setting, name
            self.label = ""
            if self.kind == "s-op" and op != "aggregate" and "selector" in [getattr(p, "kind", "") for p in parts]:
                raise RaspError("a selector cannot be computed with, only selected from: an s-op is wanted here")

        def __call__(self, x):
            return self.value(list(x), {})

        def value(self, x, memo):
            if id(self) not in memo:
                columns = []
                for part in self.parts:
                    columns.append(part.value(x, memo) if hasattr(part, "value") else [part] * len(x))
                found = self.function(*columns) if self.parts else self.function(x)
                memo[id(self)] = found if self.kind == "selector" else check(found)
            return memo[id(self)]

        def named(self, name):
            return self

        def __bool__(self):
            raise TypeError("an s-op has no truth value before it runs: write & | ~ with parentheses")

        __hash__ = object.__hash__
        __iter__ = None

    kept = {}  # steps of the learner's own language with what they became here

    def adopted(part):
        if not hasattr(part, "parts") or isinstance(part, Step):
            return part
        if id(part) not in kept:
            kept[id(part)] = part, made_anew(part)
        return kept[id(part)][1]

    def made_anew(step):
        parts, how, setting = [adopted(part) for part in step.parts], step.op, step.setting
        if how in ("select", "aggregate"):
            return (select if how == "select" else aggregate)(*parts, setting)
        if how == "map":
            return SOp.pointwise(setting, *parts)
        if how in ("and", "or"):
            return parts[0] & parts[1] if how == "and" else parts[0] | parts[1]
        if how == "not":
            return ~parts[0]
        if how in ("tokens", "indices"):
            return tokens if how == "tokens" else indices
        raise RaspError("a step that a Python function computes from the whole input is none of the language's")

    class SOp(Step):
        @classmethod
        def pointwise(cls, function, *parts, name=""):
            if any(not hasattr(p, "value") and type(p) not in (str, bool, int, float) for p in parts):
                raise RaspError("an s-op is computed from s-ops and single values only")
            return SOp(
                lambda *columns: [function(*row) for row in zip(*columns, strict=True)], *parts, setting=function
            )

        def __invert__(self):
            return self.pointwise(operator.not_, self)

        def __neg__(self):
            return self.pointwise(operator.neg, self)

        def __pos__(self):
            return self.pointwise(operator.pos, self)

        def __round__(self, digits=None):
            return self.pointwise(round if digits is None else lambda value: round(value, digits), self)

        def map(self, function):
            return self.pointwise(function, self)

        def isin(self, values):
            values = list(values)
            return self.pointwise(lambda value: value in values, self)

        def lookup(self, table):
            return self.pointwise(lambda value: table[value], self)

        def __getitem__(self, i):
            if type(i) is not int:
                raise RaspError("an s-op can be asked for one position, as in s[2] or s[-1], and for nothing else")
            if i < 0 and "length" not in lent:
                raise RaspError("a position counted from the end takes the length of the input, which is not there yet")
            return aggregate(select(indices, i if i >= 0 else lent["length"]() + i, "=="), self)

    def both(name, function):
        setattr(SOp, f"__{name}__", lambda self, other: self.pointwise(function, self, other))
        if name not in ("eq", "ne", "lt", "le", "gt", "ge"):
            setattr(SOp, f"__r{name}__", lambda self, other: self.pointwise(function, other, self))

    for name in ["add", "sub", "mul", "truediv", "mod", "pow", "eq", "ne", "lt", "le", "gt", "ge"]:
        both(name, getattr(operator, name))
    both("and", lambda a, b: bool(a and b))
    both("or", lambda a, b: bool(a or b))
    SOp.__hash__ = object.__hash__
    SOp.adopted = staticmethod(adopted)

    class Selector(Step):
        kind = "selector"

        def joined(self, op, function, *parts):
            if any(getattr(part, "kind", "") != "selector" for part in parts):
                raise RaspError("a selector can be joined with selectors only, not with s-ops or values")
            return Selector(
                lambda *ms: [[function(*c) for c in zip(*r, strict=True)] for r in zip(*ms, strict=True)], *parts, op=op
            )

        def __and__(self, other):
            return self.joined("and", lambda a, b: a and b, self, other)

        def __or__(self, other):
            return self.joined("or", lambda a, b: a or b, self, other)

        def __invert__(self):
            return self.joined("not", lambda a: not a, self)

    def select(keys, queries, op):
        test = op if callable(op) else compare[op]
        for part in (keys, queries):
            if getattr(part, "kind", "s-op") == "selector" or type(part) in (list, tuple):
                raise RaspError("select compares s-ops and single values")

        def matrix(k, q):
            return [[bool(test(key, query)) for key in k] for query in q]

        return Selector(matrix, keys, queries, op="select", setting=op)

    def aggregate(selector, values, default=0):
        if getattr(selector, "kind", "") != "selector":
            raise RaspError("aggregate takes a selector first, then the values")
        if hasattr(default, "parts"):
            raise RaspError("the default of aggregate must be a single value")

        def read(matrix, column):
            result = []
            for row in matrix:
                chosen = [value for value, on in zip(column, row, strict=True) if on]
                numeric = all(type(v) in (int, float, bool) for v in column) and not all(
                    type(v) is bool for v in column
                )
                if len(chosen) > 1 and not numeric:
                    raise RaspError("a row chooses several values, but only numbers have a mean")
                result.append(default if not chosen else chosen[0] if len(chosen) == 1 else sum(chosen) / len(chosen))
            return result

        return SOp(read, selector, values, op="aggregate", setting=default)

    tokens = SOp(lambda x: list(x), op="tokens", name="tokens")
    indices = SOp(lambda x: list(range(len(x))), op="indices", name="indices")
    full_s = select(1, 1, "==")

    def indicator(s):
        return SOp.pointwise(lambda value: 1 if value else 0, s)

    def where(condition, yes, no):
        if not hasattr(condition, "kind"):
            return yes if condition else no
        return SOp.pointwise(lambda c, a, b: a if c else b, condition, yes, no)

    def seen(look, selector, values, name, heads=1):
        """`look` at each query's row of choices, and at all values; it costs `heads` heads over the selector."""
        if getattr(selector, "kind", "") != "selector":
            raise RaspError("a selector is wanted here, which select(...) makes")
        kinds = [selector] if heads == 1 else [Selector(list, selector, op=op) for op in ("first", "second")[:heads]]
        found = [
            SOp(lambda m, v: [look(i, row, v) for i, row in enumerate(m)], kind, values, op="aggregate", setting=name)
            for kind in kinds
        ]
        return found[0] if heads == 1 else SOp(lambda one, _: one, *found)

    lent = {"SOp": SOp, "Selector": Selector, "RaspError": RaspError, "select": select, "aggregate": aggregate}
    lent |= {"tokens": tokens, "indices": indices, "full_s": full_s, "indicator": indicator, "where": where, "BOS": "§"}
    made = {name: make for name, make in globals().items() if name.startswith("lend_")}  # those that came along
    lent.update((name[5:], make(seen, lent)) for name, make in made.items())
    return lent


def lend_length(seen, lent):
    return lambda: seen(lambda i, row, v: len(row), lent["full_s"], 1, "length")


def lend_selector_width(seen, lent):
    def width(selector, bos=False):
        kind = lent["Selector"](list, selector, op="first") if bos else selector
        return seen(lambda i, row, v: sum(row[bos:]), kind, 1, f"width {bos}", heads=2 - bos)

    return width


def lend_reverse(seen, lent):
    def turned(seq):
        other_end = lent["select"](lent["indices"], lent["length"]() - 1 - lent["indices"], "==")
        return seen(lambda i, row, v: v[-1 - i], other_end, seq, "turned")

    return turned


def lend_shift(seen, lent):
    def moved(seq, n, fill):
        chosen = lent["select"](lent["indices"], lent["indices"] - n, "==")
        return seen(lambda i, row, v: v[i - n] if 0 <= i - n < len(v) else fill, chosen, seq, f"{n} {fill!r}")

    return moved


def lend_has_focus(seen, lent):
    return lambda selector: seen(lambda i, row, v: any(row), selector, 1, "any")


def lend_count(seen, lent):
    def counted(seq, atom):
        if hasattr(atom, "parts"):
            raise lent["RaspError"]("count takes a single value as its atom, the same at every position")
        return seen(lambda i, row, v: sum(x == atom for x in v), lent["full_s"], seq, f"count {atom!r}")

    return counted


def lend_contains(seen, lent):
    return lambda seq, atom: seen(lambda i, row, v: atom in v, lent["full_s"], seq, f"in {atom!r}")


def lend_mark_first(seen, lent):
    def first(seq, value):
        before = lent["select"](lent["indices"], lent["indices"], "<")
        alike = lent["select"](seq, value, "==") & before
        return seen(lambda i, row, v: v[i] == value and value not in v[:i], alike, seq, f"first {value!r}")

    return first


def lend_sort(seen, lent):
    def placed(seq, key=None, bos=False):
        key, select, indices = seq if key is None else key, lent["select"], lent["indices"]
        before = select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))
        place = lent["selector_width"](before, bos)
        place = lent["SOp"](lambda n: [0, *(a + 1 for a in n[1:])] if bos else n, place)
        return seen(lambda i, row, v: v[row.index(True)], select(place, indices, "=="), seq, "sorted")

    return placed


def lend_hist(seen, lent):
    return lambda seq, bos=False: lent["selector_width"](lent["select"](seq, seq, "=="), bos)


LENT = {name[5:]: value for name, value in globals().items() if name.startswith("lend_")}
HOLDS = {"length": ("reverse",), "selector_width": ("hist", "sort")}  # what has an exercise's oracle in it


def size(sop):
    """Layers, and heads per layer, of a program; equal selectors in one layer are one head."""
    depths, keys = {}, {}

    def depth(step):
        if not hasattr(step, "parts"):
            return 0
        if id(step) not in depths:
            found = [depth(part) for part in step.parts]
            late = max(found[0], found[1] + 1) if step.op == "aggregate" else max(found, default=0)
            depths[id(step)] = late + (step.op == "select")
        return depths[id(step)]

    def key(step):
        if not hasattr(step, "parts"):
            return (type(step).__name__, step)
        if id(step) not in keys:
            setting = step.setting if isinstance(step.setting, (str, int, float)) else id(step.setting)
            keys[id(step)] = hash((step.op, setting, step.name, *map(key, step.parts)))
        return keys[id(step)]

    heads, seen, waiting = [set() for _ in range(depth(sop))], set(), [sop]
    while waiting:
        step = waiting.pop()
        if hasattr(step, "parts") and id(step) not in seen:
            seen.add(id(step))
            waiting += step.parts
            if step.op == "aggregate":
                heads[depth(step) - 1].add(key(step.parts[0]))
    return [len(found) for found in heads]


@cache
def probe_for(name):
    """`run_program` for the exercise of this name, whose own oracle is not sent along."""
    lent = [make for other, make in LENT.items() if other not in (name, *HOLDS.get(name, ()))]
    return takes_along(language, size, *lent)(FunctionType(run_program.__code__, globals(), "run_program"))


def run_program(program, arguments, inputs, heads):
    """Call the learner's function in the tests' own language and run the result on each input.

    An argument {"step": text} is that expression in the language. Returns {"values"} on each input; with `heads`, the
    most heads that each layer may have, {"heads"} instead: those that it has, None where there are no more layers and
    heads than that (how many fewer is the learner's own affair); or {"problem"}, where no s-op was returned.
    """
    import inspect

    lent = language()
    own = getattr(inspect.unwrap(getattr(program, "func", program)), "__globals__", {})
    name = getattr(program, "__name__", "")
    kept = {key: own[key] for key in lent if key in own and key != name}
    put = {key: value for key, value in lent.items() if key != name or key not in own}
    own.update(put)
    try:
        given = [eval(a["step"], dict(lent)) if isinstance(a, dict) else a for a in arguments]
        sop = lent["SOp"].adopted(program(*given))
        if not isinstance(sop, lent["SOp"]):
            return {"problem": "None" if sop is None else type(sop).__name__}
        if heads is None:
            return {"values": [sop(x) for x in inputs]}
        got = size(sop)
        fits = len(got) == len(heads) and all(a <= b for a, b in zip(got, heads, strict=True))
        return {"heads": None if fits else got}
    finally:
        for key in put:
            own.pop(key, None)
        own.update(kept)


def step(text):
    """An argument for run_program: an expression of the language."""
    return {"step": text}


def typed(values):
    """Values with their types, floats to nine digits, so that True, 1 and 1.0 differ."""
    return [(type(value).__name__, round(value, 9) if isinstance(value, float) else value) for value in values]


def result(subject, arguments, inputs, heads=None):
    """What the program gives on the inputs, or how far it is from these heads. Fails where no s-op comes back."""
    name = subject.name
    found = subject.run(probe_for(name), arguments, inputs, heads)
    if "problem" in found:
        thing = found["problem"]
        says = "nothing: the line with return is missing" if thing == "None" else f"a {thing}"
        require(False, f"{name} must return an s-op that has not run yet, but it returns {says}")
    return found


def agrees(found, expected, inputs, says):
    """Each input's values must equal the expected ones, in value and type."""
    for got, want, x in zip(found["values"], expected, inputs, strict=True):
        require(typed(got) == typed(want), says, expected=want, got=got, inputs={"x": x})


def fits(subject, arguments, heads, says):
    """The program must need no more layers than stated, nor more heads in any of them; and no fewer layers."""
    got = result(subject, arguments, [], heads)["heads"]
    require(got is None, f"{says}; the heads of its layers should be {heads}", expected=heads, got=got)


def word(draw, letters, low, high):
    """A random word over these letters, with its first letter occurring again and at least two letters in it."""
    size = draw.integer(low, high)
    drawn = [letters[int(i)] for i in draw.integers(0, len(letters), size - 3)]
    return "".join([letters[0], letters[1], *drawn, letters[0]])
