"""Hidden tests of exercise 3.1: a matrix that says which keys each query chooses."""

import operator

import torch

from utils.grade import equal, raises, require

COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def by_function(select, keys, queries, kind):
    """Call select with a function of (key, query)."""

    class Compare:
        def __call__(self, key, query):
            return key in (query, query + 1) if kind == "near" else key + 2 * query > 7

        def __repr__(self):
            return "a function of (key, query)"

    return select(keys, queries, Compare())


def kind_of_result(select, keys, queries, op):
    """The type of what select returns, and of what an array holds."""
    found = select(keys, queries, op)
    return [type(found).__name__, str(getattr(found, "dtype", "bool"))]


def matrix(keys, queries, compare):
    return torch.tensor([[bool(compare(key, query)) for key in keys] for query in queries])


def is_matrix(got, keys, queries):
    says = "select must return a numpy array of bools, with a row per query and a column per key"
    inputs = {"keys": keys, "queries": queries}
    require(torch.is_tensor(got) and got.dtype == torch.bool, says, got=got, inputs=inputs)
    require(got.shape == (len(queries), len(keys)), says, got=got, inputs=inputs)


def compared(got, keys, queries, compare, says):
    is_matrix(got, keys, queries)
    equal(got, matrix(keys, queries, compare), says, inputs={"keys": keys, "queries": queries})


def test_a_row_per_query(select, draw):
    keys, queries = ["x", "y", "x", "z"], ["x", "z"]
    kind, holds = select.run(kind_of_result, keys, queries, "==")
    require(kind != "ndarray" or holds == "bool", f"the array must hold bools (dtype=bool), but its dtype is {holds}")
    compared(select(keys, queries, "=="), keys, queries, operator.eq, "row i must say which keys equal query i")
    require(kind == "ndarray", f"select must return a numpy array, but it returns a {kind}")


def test_more_queries_than_keys(select, draw):
    keys, queries = draw.integers(0, 3, 2).tolist(), [1, 0, 2, *draw.integers(0, 3, 2).tolist()]
    says = "there may be more queries than keys: each of them has its row"
    compared(select(keys, queries, "<="), keys, queries, operator.le, says)


def test_every_comparison(select, draw):
    keys, queries = [1, 2, 3, *draw.integers(0, 4, 2).tolist()], [2, 3, 1]
    words = (["b", "a", "B", "ab"], ["a", "b", "ab"])
    for op, compare in COMPARISONS.items():
        says = f"row i, column j must say whether `key j {op} query i` holds"
        compared(select(keys, queries, op), keys, queries, compare, says)
        compared(select(*words, op), *words, compare, f"strings are not compared by {op} as Python does")


def test_numbers_of_all_kinds(select, draw):
    large = draw.integer(1000, 2000)
    keys, queries = [large, 2000, 7], [int(str(large)), 7]  # equal, and not the same object
    compared(select(keys, queries, "=="), keys, queries, operator.eq, "equal numbers must be equal, large ones as well")
    keys, queries = [10, 9, 2, True], [9.0, 1, 10, 2.5]
    compared(select(keys, queries, "=="), keys, queries, operator.eq, "1, 1.0 and True are equal: compare by value")
    compared(select(keys, queries, ">"), keys, queries, operator.gt, "numbers must be compared by value, 10 after 9")


def test_strings_and_numbers(select):
    keys, queries = ["3", "a"], [3, 4]
    compared(select(keys, queries, "=="), keys, queries, operator.eq, "a string never equals a number")
    mixed = [3, "3", 1.0, "a"]  # a numpy array of these would hold strings only
    compared(select(mixed, queries, "!="), mixed, queries, operator.ne, "a string never equals a number")
    compared(select(mixed, ["3", 1], "=="), mixed, ["3", 1], operator.eq, "a string never equals a number")
    with raises("a string and a number have no order: '<' between them must raise an error"):
        select(keys, queries, "<")


def test_functions(select, draw):
    keys, queries = [1, 2, 3, 4, *draw.integers(0, 5, 1).tolist()], [0, 2, 3]
    for kind, compare in {"near": lambda k, q: k in (q, q + 1), "sum": lambda k, q: k + 2 * q > 7}.items():
        got = select.run(by_function, keys, queries, kind)
        compared(got, keys, queries, compare, "a function as op must be called with (key, query), in this order")
