"""Hidden tests of exercise 3.26: any function of one-hot vectors in a ReLU layer."""

import itertools

import torch

from utils.grade import close, require

FUNCTIONS = {
    "turned": lambda a: -a,
    "same": lambda a: a % 2,
    "sum": lambda a, b: a + b,
    "ratio": lambda a, b: b // a,
    "third": lambda a, b, c: (a, b, c) == (1, 2, 0),
    "mixed": lambda a: [0, True, 1, 1.0, "1"][a],
    "table": lambda a, b: {0: "x", 2: "y"}[a] + b,
    "type": lambda a: type(a).__name__,
}


def layer(lookup_mlp, kind, domains):
    """Call the function with one of these functions: its results' form, and what the layer gives on every tuple."""
    import itertools

    functions = {
        "turned": lambda a: -a,
        "same": lambda a: a % 2,
        "sum": lambda a, b: a + b,
        "ratio": lambda a, b: b // a,
        "third": lambda a, b, c: (a, b, c) == (1, 2, 0),
        "mixed": lambda a: [0, True, 1, 1.0, "1"][a],
        "table": lambda a, b: {0: "x", 2: "y"}[a] + b,
        "type": lambda a: type(a).__name__,
    }
    W_in, W_out, out = lookup_mlp(functions[kind], *domains)
    tensors = all(torch.is_tensor(W) and W.dtype == torch.float32 for W in (W_in, W_out))
    found = {"kinds": [tensors, type(out).__name__], "out": [[type(value).__name__, value] for value in out]}
    sizes = [len(domain) for domain in domains]
    if tensors and W_in.ndim == W_out.ndim == 2 and W_in.shape == (sum(sizes) + 1, W_out.shape[0]):
        eyes, one = [torch.eye(size) for size in sizes], torch.ones(1)
        rows = [torch.cat([*pieces, one]) for pieces in itertools.product(*eyes)]
        found |= {"units": W_in.shape[1], "output": (torch.stack(rows) @ W_in).relu() @ W_out}
    return found


def compared(lookup_mlp, kind, domains, says):
    """Run the layer on every tuple for which the function has a value."""
    found, f = lookup_mlp.run(layer, kind, domains), FUNCTIONS[kind]
    rows, results, wanted = [], [], []
    for row, places in enumerate(itertools.product(*(range(len(domain)) for domain in domains))):
        try:
            result = f(*(domain[i] for domain, i in zip(domains, places, strict=True)))
        except (ZeroDivisionError, KeyError, TypeError):
            continue
        key = [type(result).__name__, result]
        if key not in wanted:
            wanted.append(key)
        results.append(wanted.index(key))
        rows.append(row)
    says_kinds = "lookup_mlp must return W_in and W_out as float32 tensors, and out_values as a list"
    require(found["kinds"] == [True, "list"], says_kinds)
    got = found["out"]
    require(
        got == wanted,
        f"out_values must hold the different results, in order of appearance: {says}",
        expected=wanted,
        got=got,
    )
    fits = "output" in found and found["output"].shape[1] == len(wanted)
    require(fits, "W_in must have a row per input and one for the constant 1, W_out a column per result")
    close(found["output"][rows], torch.eye(len(wanted))[results], says, name="the output", inputs={"domains": domains})
    return found["units"]


def test_one_argument(lookup_mlp):
    compared(lookup_mlp, "turned", [[3, 1, 2]], "the output must be the one-hot vector of f's result")
    compared(lookup_mlp, "same", [[5, 4, 3]], "equal results must share one place")


def test_several_arguments(lookup_mlp, draw):
    domains = [[0, 1, draw.integer(2, 5)], [0, 1]]
    units = compared(lookup_mlp, "sum", domains, "a unit must answer to one tuple of arguments only")
    require(units <= 6, "one hidden unit per tuple of arguments is enough", got=units)
    compared(lookup_mlp, "third", [[0, 1], [2, 0, 5], [0, 1]], "with three arguments, all three must fit")


def test_where_the_function_fails(lookup_mlp):
    units = compared(lookup_mlp, "ratio", [[0, 1, 2], [1, 2]], "tuples on which f raises must be left out")
    require(units <= 4, "tuples on which f raises need no hidden unit", got=units)
    says = "tuples on which f raises must be left out, whatever the error is"
    compared(lookup_mlp, "table", [[0, 1, 2], ["u", 3]], says)


def test_types_of_results(lookup_mlp):
    compared(lookup_mlp, "mixed", [[0, 1, 2, 3, 4]], "1, True and 1.0 are equal in Python but different results")
    says = "1, True and 1.0 in one domain are three values, each with a place of its own"
    compared(lookup_mlp, "type", [[0, 1, True, 1.0]], says)
