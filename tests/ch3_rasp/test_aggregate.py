"""Hidden tests of exercise 3.2: for each query the value that it has chosen, or the mean of several."""

from pathlib import Path

from utils.grade import load_file, require

L = load_file(Path(__file__).with_name("_language.py"))


def on_arrays(aggregate, matrix, values, default):
    """Call aggregate with a numpy matrix; tells the type of the result, too, or that it refuses by a RaspError.

    The words of that error are the learner's own affair.
    """
    import numpy as np

    given = [np.array(matrix, dtype=bool), values]
    try:
        result = aggregate(*given) if default is None else aggregate(*given, default)
    except Exception as error:
        if type(error).__name__ != "RaspError":
            raise
        return {"kind": "", "values": None, "after": None}
    kind = type(result).__name__
    values = list(result) if kind in ("list", "tuple", "ndarray") else None
    return {"kind": kind, "values": values, "after": [given[0].tolist(), given[1]]}


def mean_of(aggregate, values):
    """Call aggregate where a row chooses both of the values: the name of its error, or "" and the result as text.

    What the error says is the learner's own affair.
    """
    import numpy as np

    try:
        return ["", repr(aggregate(np.array([[1, 1], [0, 1]], dtype=bool), values))]
    except NotImplementedError:
        raise
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return ["RaspError" if "RaspError" in kinds else kinds[0], ""]


def compared(aggregate, matrix, values, expected, says, default=None):
    got = aggregate.run(on_arrays, matrix, values, default)
    inputs = {"selector": matrix, "values": values, "default": default}
    require(got["kind"], f"aggregate raises a RaspError where it must not: {says}", expected=expected, inputs=inputs)
    require(got["kind"] == "list", f"aggregate must return a list, but it returns a {got['kind']}", inputs=inputs)
    after = [[[bool(on) for on in row] for row in matrix], values]
    require(got["after"] == after, "the selector or the list of values is different after the call", inputs=inputs)
    require(len(got["values"]) == len(matrix), "aggregate must return one value per query, a row each", inputs=inputs)
    same = L.typed(got["values"]) == L.typed(expected)
    require(same, says, expected=expected, got=got["values"], inputs=inputs)


def test_one_value_as_it_is(aggregate, draw):
    order = draw.permutation(4).tolist()
    order.append(order[0])
    matrix = [[j == i for j in range(4)] for i in order]
    says = "a row that chooses one key must give its value unchanged, an int as an int"
    compared(aggregate, matrix, [10, 20, 30, 40], [[10, 20, 30, 40][i] for i in order], says)
    says = "a single string or bool must come through unchanged: nothing has to be averaged"
    compared(aggregate, matrix, list("abcd"), ["abcd"[i] for i in order], says)
    compared(aggregate, matrix, [True, False, True, True], [[True, False, True, True][i] for i in order], says)
    says = "a single value must come through unchanged: ints and bools stay what they are beside a float"
    compared(aggregate, matrix, [3, True, 0.5, 0], [[3, True, 0.5, 0][i] for i in order], says)


def test_mean_of_several(aggregate, draw):
    a, b = draw.integer(1, 9), draw.integer(10, 19)
    matrix = [[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 1, 1]]
    expected = [(a + b) / 2, (a + b + 4) / 3, (b + 4) / 2, (a + b + 4) / 3]
    says = "a row that chooses several keys must give the mean of their values, a float"
    compared(aggregate, matrix, [a, b, 4], expected, says)
    compared(aggregate, [[1, 1, 0], [1, 0, 1]], [1.5, 0.5, 2.5], [1.0, 2.0], says)
    compared(aggregate, [[1, 1, 1], [1, 1, 1]], [1, 0, 0], [1 / 3, 1 / 3], "a mean must be given with all its digits")
    compared(aggregate, [[1, 1, 1], [1, 1, 1]], [5, 5, 2], [4.0, 4.0], "equal values count as often as they are chosen")
    compared(aggregate, [[1, 1, 0]], [5, 5, 2], [5.0], "the mean of several equal values is a float, too")
    says = "what has a mean is decided by the whole sequence: bools beside an int are numbers"
    compared(aggregate, [[1, 1, 0], [1, 1, 1]], [True, False, 5], [0.5, 2.0], says)


def test_empty_rows(aggregate):
    matrix = [[0, 1], [0, 0], [1, 1]]
    says = "a row that chooses nothing must give the default, whatever the other rows choose"
    compared(aggregate, [[0, 0], [0, 0]], [3, 4], [7, 7], says, default=7)
    compared(aggregate, matrix, [4, 6], [6, -1, 5.0], says, default=-1)
    compared(aggregate, [[0, 0], [0, 1]], ["x", "y"], ["?", "y"], says, default="?")


def test_default_of_the_default(aggregate):
    says = "without a third argument, an empty row must give 0, an int"
    compared(aggregate, [[0, 0], [0, 1]], [4.5, 6.5], [0, 6.5], says)
    compared(aggregate, [[0, 0], [0, 0]], ["x", "y"], [0, 0], f"{says}, whatever the values are")


def test_only_numbers_have_a_mean(aggregate):
    says = "the mean of several {} must raise an error"
    kinds = {"strings": ["a", "b"], "equal strings": ["a", "a"], "bools": [True, False]}
    found = {kind: aggregate.run(mean_of, values) for kind, values in kinds.items()}
    for kind, (error, _) in found.items():
        require(error, says.format(kind), inputs={"values": kinds[kind]})
        require(error == "RaspError", f"the mean of several {kind} raises another error: it must be a RaspError")
