"""Hidden tests of exercise 3.3: a step of a program that runs when it is called, once, and keeps nothing."""

from pathlib import Path

from utils.grade import load_file, raises, require, takes_along

L = load_file(Path(__file__).with_name("_language.py"))


def counted(SOp):
    """A small program that shares a step, and a list that grows with every call of a step's function."""
    calls = []

    def read(x):
        calls.append("read")
        return list(x)

    def double(column):
        calls.append("double")
        return [value + value for value in column]

    def beside(left, right):
        calls.append("beside")
        return [a + b for a, b in zip(left, right, strict=True)]

    tokens = SOp(read, name="tokens")
    twice = SOp(double, tokens, name="twice")
    return calls, tokens, SOp(beside, twice, twice, name="beside"), twice


def bare(SOp):
    """While it lasts, a step lets the errors of its function out as they are: the given compute would reword them."""
    from contextlib import contextmanager

    @contextmanager
    def changed():
        given = vars(SOp).get("compute")
        SOp.compute = lambda self, columns: list(self.function(*columns))
        try:
            yield
        finally:
            del SOp.compute
            if given is not None:
                SOp.compute = given

    return changed()


@takes_along(bare, counted)
def run_shared(SOp, inputs):
    """Results of a program on several inputs, and the calls made when it is built and during each call."""
    with bare(SOp):
        calls, tokens, program, twice = counted(SOp)
        mapped = SOp.pointwise(lambda a, b: calls.append("map") or a + b, twice, tokens, name="map")
        built, results, during = list(calls), [], []
        for x in inputs:
            calls.clear()
            result = program(x)
            during.append(sorted(calls))
            results.append([type(result).__name__, list(result)])
        calls.clear()
        return {"built": built, "results": results, "during": during, "mapped": list(mapped(inputs[0]))}


@takes_along(bare)
def run_atoms(SOp, x, atom):
    """An atom as a part, of a step and of pointwise, on both sides."""
    with bare(SOp):
        tokens = SOp(lambda x: list(x), name="tokens")
        columns = []
        step = SOp(lambda column, constant: columns.append(list(constant)) or list(column), tokens, atom)
        step(x)
        pairs = SOp.pointwise(lambda a, b: f"{a}{b}", tokens, atom)
        other = SOp.pointwise(lambda a, b: f"{a}{b}", atom, tokens)
        return {"column": columns[0], "pairs": pairs(x), "other": other(x)}


@takes_along(bare)
def run_three_parts(SOp, x):
    """Steps of one part and of three; the text of an error about their number."""
    with bare(SOp):
        tokens = SOp(lambda x: list(x), name="tokens")
        try:
            one = SOp.pointwise(lambda a: a + a, tokens)(x)
            three = SOp.pointwise(lambda a, b, c: f"{a}{b}{c}", tokens, "-", tokens)(x)
        except (TypeError, ValueError) as error:
            return {"one": [str(error)], "three": []}
        return {"one": one, "three": three}


@takes_along(bare)
def run_matrix(SOp, x):
    """A kind of step whose value is an array, as a selector's is, read by two others; no value where numpy objects."""
    import numpy as np

    class Matrix(SOp):
        def compute(self, columns):
            return np.array([[a == b for a in columns[0]] for b in columns[0]])

    with bare(SOp):
        same = Matrix(lambda column: column, SOp(lambda x: list(x), name="tokens"))
        widths = [SOp(lambda matrix: [int(row.sum()) for row in matrix], same) for _ in range(2)]
        try:
            return SOp(lambda a, b: [i + j for i, j in zip(a, b, strict=True)], *widths)(x)
        except ValueError as error:
            if "truth value" not in str(error):
                raise
            return []


@takes_along(bare)
def run_look_alikes(SOp, x):
    """Different steps that share a function, and different steps that share a name."""
    with bare(SOp):

        def double(column):
            return [value + value for value in column]

        def beside(left, right):
            return [a + b for a, b in zip(left, right, strict=True)]

        tokens = SOp(lambda x: list(x), name="tokens")
        twice = SOp(double, tokens, name="twice")
        one, two = (SOp(lambda column, end=end: [v + end for v in column], tokens, name="same") for end in "12")
        return {"function": SOp(beside, twice, SOp(double, twice))(x), "name": SOp(beside, one, two)(x)}


@takes_along(bare)
def run_compute(SOp, x):
    """A kind of step that computes in its own way, as the chapter's selectors do."""

    class Loud(SOp):
        def compute(self, columns):
            return ["computed", *columns[0]]

    with bare(SOp):
        found = Loud(lambda column: list(column), SOp(lambda x: list(x)))(x)
    return [value if isinstance(value, str) else f"a {type(value).__name__}" for value in found]


@takes_along(bare)
def run_operators(SOp, x):
    """Operators of Python, with a number on either side, and a comparison."""
    with bare(SOp):
        tokens = SOp(lambda x: list(x), name="tokens")

        def turn(a):
            return -a

        named = SOp.pointwise(turn, tokens, name="turned")
        return {
            "values": [(tokens - 1)(x), (10 - tokens)(x), (tokens * tokens)(x), (tokens > 2)(x), named(x)],
            "name": named.name,
            "how": [named.op, named.setting is turn],
            "kind": [isinstance(named, SOp), isinstance(tokens + 1, SOp)],
        }


def run_truth(SOp):
    """What bool(s) gives or raises, and whether the error says what to use; its own words are the learner's affair."""
    try:
        return {"truth": bool(SOp(lambda x: list(x))), "kind": "", "advice": False}
    except Exception as error:
        return {"truth": None, "kind": type(error).__name__, "advice": "&" in str(error) and "|" in str(error)}


def run_hash(SOp):
    """Whether s-ops can be kept in sets and dicts."""

    def read(x):
        return list(x)

    one, two = SOp(read, name="same"), SOp(read, name="same")
    try:
        table = {one: 1, two: 2}
        return {"found": [table[one], table[two]], "size": len({one, two, one})}
    except (KeyError, TypeError):  # not found again, or == was asked whether they are the same
        return {"found": [], "size": 0}


def call(SOp, x):
    """A program that only reads its input."""
    return SOp(lambda x: list(x), name="tokens")(x)


def test_results(SOp, draw):
    inputs = ["abc", L.word(draw, "xy", 4, 8), ["p", "q"]]
    found = SOp.run(run_shared, inputs)
    says = "calling an s-op must run its function on its parts' columns and return the values"
    for (_, got), x in zip(found["results"], inputs, strict=True):
        require(
            L.typed(got) == L.typed([v * 4 for v in x]), says, expected=[v * 4 for v in x], got=got, inputs={"x": x}
        )
    kinds = {kind for kind, _ in found["results"]}
    require(kinds == {"list"}, f"calling an s-op must return a list, but it returns a {min(kinds)}")


def test_nothing_runs_before_the_call(SOp):
    found = SOp.run(run_shared, ["abc"])
    require(
        found["built"] == [], "building a program must run nothing: no function may be called before there is an input"
    )


def test_every_step_once_a_call(SOp):
    found = SOp.run(run_shared, ["abc", "ab"])
    says = "in each call, every step must be computed exactly once, also where two others read it"
    for during in found["during"]:
        require(during == ["beside", "double", "read"], says, expected=["beside", "double", "read"], got=during)


def test_atoms_count_everywhere(SOp, draw):
    x, atom = L.word(draw, "ab", 4, 8), draw.integer(1, 9)
    found = SOp.run(run_atoms, x, atom)
    says = "an atom among the parts must become a column: that value, once for every position"
    require(found["column"] == [atom] * len(x), says, expected=[atom] * len(x), got=found["column"], inputs={"x": x})
    says = "pointwise must pass the parts' values at one position, in the order of the parts"
    require(found["pairs"] == [f"{v}{atom}" for v in x], says, got=found["pairs"], inputs={"x": x, "atom": atom})
    require(found["other"] == [f"{atom}{v}" for v in x], says, got=found["other"], inputs={"x": x, "atom": atom})
    for other in ("-", True, 0.5):
        column = SOp.run(run_atoms, x, other)["column"]
        says = f"{other!r} is an atom as well: strings, bools, ints and floats are"
        require(L.typed(column) == L.typed([other] * len(x)), says, expected=[other] * len(x), got=column)


def test_any_number_of_parts(SOp, draw):
    x = L.word(draw, "ab", 4, 8)
    found = SOp.run(run_three_parts, x)
    says = "a step may have one part, two, three or more: each of them must give a column, and each column a value"
    require(found["one"] == [v + v for v in x], says, got=found["one"], inputs={"x": x})
    require(found["three"] == [f"{v}-{v}" for v in x], says, got=found["three"], inputs={"x": x})


def test_steps_are_told_apart(SOp):
    found = SOp.run(run_look_alikes, "ab")
    says = "two steps with the same function read different parts: each has a value of its own, kept under its id"
    require(found["function"] == ["a" * 6, "b" * 6], says, expected=["a" * 6, "b" * 6], got=found["function"])
    says = "two steps with the same name are different steps: each has a value of its own, kept under its id"
    require(found["name"] == ["a1a2", "b1b2"], says, expected=["a1a2", "b1b2"], got=found["name"])


def test_compute_is_asked(SOp):
    says = (
        "value must hand the columns to self.compute, which checks the values and which a selector does in its own way"
    )
    got = SOp.run(run_compute, "ab")
    require(got == ["computed", "a", "b"], says, expected=["computed", "a", "b"], got=got)
    says = "a selector's value is an array, which is neither true nor false: ask whether the key is in memo"
    got = SOp.run(run_matrix, "abb")
    require(got == [2, 4, 4], says, expected=[2, 4, 4], got=got)


def test_operators(SOp, draw):
    x = draw.integers(0, 6, 5).tolist()
    found = SOp.run(run_operators, x)
    expected = [[v - 1 for v in x], [10 - v for v in x], [v * v for v in x], [v > 2 for v in x], [-v for v in x]]
    says = "Python's operators on s-ops, which call pointwise, give wrong values"
    for got, want in zip(found["values"], expected, strict=True):
        require(L.typed(got) == L.typed(want), says, expected=want, got=got, inputs={"x": x})
    require(all(found["kind"]), "pointwise must return an s-op, a new one of this class")
    require(found["name"] == "turned", "pointwise must give the new s-op the name that it was given")
    says = 'pointwise must pass on op="map" and setting=function: report and the compiler read how a step was made'
    require(found["how"] == ["map", True], says)


def test_nothing_is_kept_between_calls(SOp):
    inputs = [[1, 0], [True, False], [1.0, 0.0], [2, 3], [1, 0]]
    says = (
        "a second input must be computed afresh: [1, 0] and [True, False] are equal in Python, yet not the same input"
    )
    found = SOp.run(run_same_program, inputs)
    again = SOp.run(run_shared, ["ab", "ab"])["during"][1]
    for got, x in zip(found, inputs, strict=True):
        require(L.typed(got) == L.typed(x), says, expected=x, got=got, inputs={"x": x})
    says = "nothing may be kept between calls: the same input, given again, must be computed afresh"
    require(again == ["beside", "double", "read"], says, expected=["beside", "double", "read"], got=again)


@takes_along(bare)
def run_same_program(SOp, inputs):
    """One program called on one input after the other."""
    with bare(SOp):
        program = SOp(lambda column: list(column), SOp(lambda x: list(x), name="tokens"))
        return [program(x) for x in inputs]


def test_no_truth_value(SOp):
    found = SOp.run(run_truth)
    says = "bool(s) must raise TypeError: an s-op is neither true nor false before it has run"
    require(found["kind"] == "TypeError", says, got=found["truth"])
    require(found["advice"], "the error of bool(s) must say to use & | ~ instead")


def test_hash_by_identity(SOp):
    found = SOp.run(run_hash)
    says = "two s-ops are two keys of a dict, even with the same name: hash by identity"
    require(found["found"] == [1, 2] and found["size"] == 2, says)


def test_empty_input(SOp):
    with raises("an empty input must raise an error: read the input with read_input"):
        SOp.run(call, "")
