"""Hidden tests of exercise 3.25: what a head writes: the value it looks at, or the default."""

import torch

from utils.grade import close, require


def taken_apart(aggregate_to_ov, values, default, numeric):
    """The matrix and the values, each with its type's name, since 1 and True are equal."""
    result = aggregate_to_ov(values, default) if numeric is None else aggregate_to_ov(values, default, numeric)
    W, out = result
    kinds = ["tensor" if torch.is_tensor(W) else type(W).__name__, type(out).__name__]
    return {"W": W, "kinds": kinds, "out": [[type(value).__name__, value] for value in out]}


def compared(aggregate_to_ov, values, default, out, rows, says, numeric=None):
    found = aggregate_to_ov.run(taken_apart, values, default, numeric)
    inputs = {"values": values, "default": default, "numeric": bool(numeric)}
    kinds = " and a ".join(found["kinds"])
    require(kinds == "tensor and a list", f"aggregate_to_ov must return a tensor and a list, but these are a {kinds}")
    wanted = [[type(value).__name__, value] for value in out]
    got = [value for _, value in found["out"]]
    if found["out"] != wanted and sorted(map(repr, found["out"])) == sorted(map(repr, wanted)):
        says = "it holds the right values in another order: keep that of `values`, with a new default behind them"
    require(found["out"] == wanted, f"out_values is wrong: {says}", expected=out, got=got, inputs=inputs)
    close(found["W"], torch.tensor(rows), says, name="W_OV", inputs=inputs)
    dtype = found["W"].dtype
    require(dtype == torch.float32, f"W_OV must be float32, as the vectors are that it multiplies, but it is {dtype}")


def test_values_are_copied(aggregate_to_ov, draw):
    says = "a value must be copied to its own place, and BOS must write the default"
    values = ["abcdefghij"[i] for i in draw.permutation(10)[: 3 + draw.index]]
    rows = torch.eye(len(values)).tolist()
    compared(aggregate_to_ov, values, values[1], values, [*rows, rows[1]], says)
    compared(aggregate_to_ov, ["a", "b"], "a", ["a", "b"], [[1.0, 0], [0, 1], [1, 0]], says)


def test_new_default(aggregate_to_ov):
    says = "a default that is not among the values needs a place of its own, the last"
    compared(aggregate_to_ov, ["b", "a"], "?", ["b", "a", "?"], [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], says)
    compared(aggregate_to_ov, [2, 1], 0, [2, 1, 0], [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], says)
    says = "1 and True are equal in Python but different values here: compare the types, too"
    compared(aggregate_to_ov, [0, 1], True, [0, 1, True], [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], says)
    compared(aggregate_to_ov, [False, True], 1, [False, True, 1], [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], says)
    says = "1 and '1' are different values: compare values and types, not texts"
    compared(aggregate_to_ov, ["0", "1"], 1, ["0", "1", 1], [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], says)


def test_types_of_values(aggregate_to_ov):
    says = "1, True and 1.0 are three values, each with a place of its own"
    rows = [[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]
    compared(aggregate_to_ov, [True, 1, 1.0], 1, [True, 1, 1.0], rows, says)
    says = "floats are values like others: only numeric=True asks for a single number"
    compared(aggregate_to_ov, [0.5, 1.5], 0.5, [0.5, 1.5], [[1.0, 0], [0, 1], [1, 0]], says)


def test_numbers(aggregate_to_ov, draw):
    says = "with numeric, one number is written: the value, and the default for BOS"
    compared(aggregate_to_ov, [0, 1], 0, [], [[0.0], [1.0], [0.0]], says, numeric=True)
    n = draw.integer(2, 10**6)
    compared(aggregate_to_ov, [n, 1.5, 0], -2, [], [[float(n)], [1.5], [0.0], [-2.0]], says, numeric=True)
    compared(aggregate_to_ov, [0, 1], 1, [0, 1], [[1.0, 0], [0, 1], [0, 1]], "numeric is off by default")


def test_caller_keeps_its_list(aggregate_to_ov):
    after = aggregate_to_ov.call(["a", "b"], "?")["args"][0]
    require(after == ["a", "b"], "the list of values is longer after the call: make a new one", got=after)
