"""Wrong answers to exercise 3.3 that learners write, and right ones written differently."""

from pathlib import Path

from utils.grade import load_file, right, slips

pieces = load_file(Path(__file__).with_name("_pieces.py"))
SOp, read_input = pieces.SOp, pieces.read_input

slip = slips(
    SOp,
    """
    def __call__(self, x):
        return list(self.value(read_input(x), {}))

    def value(self, x, memo):
        if id(self) not in memo:
            columns = []
            for part in self.parts:
                columns.append(part.value(x, memo) if hasattr(part, "value") else [part] * len(x))
            memo[id(self)] = self.compute(columns or [x])
        return memo[id(self)]

    @classmethod
    def pointwise(cls, function, *parts, name="map"):
        def everywhere(*columns):
            return [function(*row) for row in zip(*columns)]
        return cls(everywhere, *parts, name=name, op="map", setting=function)

    def __bool__(self):
        raise TypeError("no truth value yet: write & | ~")

    def __hash__(self):
        return id(self)
    """,
)

TWICE = "a step that two others read is computed twice: look into memo first, and hand the same memo on to the parts"
NoMemo = slip(TWICE, "if id(self) not in memo:", "if True:")
FreshMemo = slip(TWICE, "part.value(x, memo)", "part.value(x, {})")
KeptForEver = slip(
    "results are kept between calls: equal inputs such as [1, 0] and [True, False] then get each other's values",
    "if id(self) not in memo:",
    "memo = self.__dict__.setdefault('kept', {}).setdefault(tuple(x), {})\n    if id(self) not in memo:",
)
OneForAll = slip(
    "the first input's values are given for every input: use a new memo in each call",
    "self.value(read_input(x), {})",
    "self.value(read_input(x), self.__dict__.setdefault('kept', {}))",
)
AtomOnce = slip("an atom becomes a column of one value: repeat it for every position", "[part] * len(x)", "[part]")
AtomBare = slip(
    "an atom is handed on bare, not as a column: repeat it for every position", "else [part] * len(x)", "else part"
)
RunsWhenBuilt = slip(
    "building an s-op already runs the function: there is no input yet",
    "return cls(everywhere, *parts",
    "example = [part('ab')[0] if hasattr(part, 'value') else part for part in parts]\n"
    "    function(*example)\n"
    "    return cls(everywhere, *parts",
)
Backwards = slip(
    "the parts arrive in the wrong order: keep the one that was asked for",
    "everywhere, *parts",
    "everywhere, *reversed(parts)",
)
NameDropped = slip("the name is not handed on to the new s-op", "name=name, ", "")
AlwaysTrue = slip(
    "bool(s) gives True: it must raise TypeError, since nothing is known before a run",
    'raise TypeError("no truth value yet: write & | ~")',
    "return True",
)
AnotherError = slip(
    "bool(s) raises another error: raise TypeError, as Python does for what has no truth value",
    'raise TypeError("no truth',
    'raise ValueError("no truth',
)
NoAdvice = slip(
    "the error of bool(s) does not say what to write instead: name & | ~",
    "no truth value yet: write & | ~",
    "no truth value",
)
HashOfName = slip(
    "two s-ops of the same name collide in a dict: hash by identity, id(self)",
    "return id(self)",
    "return hash(self.name)",
)
ByText = slip(
    "results are kept between calls, under the input's text: compute them anew in each call",
    "return list(self.value(read_input(x), {}))",
    "x = read_input(x)\n    return list(self.value(x, self.__dict__.setdefault('kept', {}).setdefault(repr(x), {})))",
)
NameAsKey = slip(
    "two steps with the same name share one value: the key in memo must be id(self)",
    "if id(self) not in memo",
    "if self.name not in memo",
    "memo[id(self)] = self",
    "memo[self.name] = self",
    "return memo[id(self)]",
    "return memo[self.name]",
)
FunctionAsKey = slip(
    "two steps with the same function share one value: the key in memo must be id(self)",
    "if id(self) not in memo",
    "if self.function not in memo",
    "memo[id(self)] = self",
    "memo[self.function] = self",
    "return memo[id(self)]",
    "return memo[self.function]",
)
ComputeLeftOut = slip(
    "the function is called directly: self.compute does that, checks the values, and is what a selector changes",
    "self.compute(columns or [x])",
    "self.function(*(columns or [x]))",
)
OpLeftOut = slip('pointwise leaves op at its default: pass op="map" on', ', op="map"', "")
SettingLeftOut = slip("pointwise does not hand the function on as setting", ", setting=function", "")
LoopAsSetting = slip("pointwise does not hand the function on as setting", "setting=function", "setting=everywhere")
OnlyNumbersAreAtoms = slip(
    "a string among the parts is taken for a step: an atom may be a string, too",
    'if hasattr(part, "value")',
    "if not isinstance(part, (bool, int, float))",
)
WholeColumns = slip(
    "pointwise calls the function on whole columns: call it once for each position",
    "[function(*row) for row in zip(*columns)]",
    "function(*columns)",
)
AlwaysFalse = slip(
    "bool(s) gives False: it must raise TypeError, since nothing is known before a run",
    'raise TypeError("no truth value yet: write & | ~")',
    "return False",
)
AnyInput = slip("an empty input is accepted: read_input checks it", "read_input(x)", "list(x)")
Tuples = slip("the result is a tuple: return a list", "return list(self.value", "return tuple(self.value")
NoColumn = slip("a step without parts is called without a column: hand it [x], the input", "columns or [x]", "columns")
Spread = slip(
    "compute is called with the columns one by one: hand it the list of them",
    "self.compute(columns or [x])",
    "self.compute(*(columns or [x]))",
)
InputToo = slip(
    "every step is handed the input as a first column: only a step without parts is",
    "self.compute(columns or [x])",
    "self.compute([x, *columns])",
)
FirstPart = slip(
    "pointwise hands over the first part's values alone: the function takes one value of each part",
    "[function(*row) for row in zip(*columns)]",
    "[function(value) for value in columns[0]]",
)
NoInput = slip(
    "a step without parts is given nothing: it gets the input, as its only column", "columns or [x]", "columns or [[]]"
)
FirstTwoParts = slip(
    "only the first two parts are read: a step may have any number of them",
    "for part in self.parts:",
    "for part in self.parts[:2]:",
)
TwoColumns = slip(
    "pointwise expects exactly two parts: there may be one, two or more",
    "def everywhere(*columns):",
    "def everywhere(left, right):",
    "for row in zip(*columns)]",
    "for row in zip(left, right)]",
)
TruthOfValue = slip(
    "memo is asked for a true value, but a selector's value is an array, which is neither true nor false: ask `in`",
    "if id(self) not in memo:",
    "if not memo.get(id(self)):",
)
RowsAsSet = slip(
    "the rows of pointwise go through a set, which loses their order and repeats",
    "for row in zip(*columns)]",
    "for row in set(zip(*columns))]",
)


@right
class ByHelper(SOp):
    def __call__(self, x):
        memo = {}
        return self.value(read_input(x), memo)[:]

    def value(self, x, memo):
        try:
            return memo[id(self)]
        except KeyError:
            pass
        if not self.parts:
            found = self.compute([x])
        else:
            found = self.compute([self._column(part, x, memo) for part in self.parts])
        memo[id(self)] = found
        return found

    def _column(self, part, x, memo):
        return part.value(x, memo) if isinstance(part, SOp) else [part for _ in x]

    @classmethod
    def pointwise(cls, function, *parts, name="map"):
        return cls(lambda *columns: list(map(function, *columns)), *parts, name=name, op="map", setting=function)

    def __hash__(self):
        return object.__hash__(self)


@right
class ByIndex(SOp):
    def value(self, x, memo):
        key = (id(self), "value")
        if key not in memo:
            columns = [[p] * len(x) if isinstance(p, (str, bool, int, float)) else p.value(x, memo) for p in self.parts]
            memo[key] = self.compute(columns if columns else [x])
        return memo[key]

    @classmethod
    def pointwise(cls, function, *parts, name="map"):
        def column(*columns):
            return [function(*(c[i] for c in columns)) for i in range(len(columns[0]))]

        return cls(column, *parts, name=name, op="map", setting=function)
