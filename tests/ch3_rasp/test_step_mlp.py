"""Hidden tests of exercise 3.27: any function of one number in a ReLU layer."""

import torch

from utils.grade import close, require

FUNCTIONS = {
    "inverse": lambda z: round(1 / z) - 1,
    "double": lambda z: 2 * z,
    "above": lambda z: z > 0.4,
    "letters": lambda z: "aba"[int(2 * z)],
    "table": lambda z: {0.0: "low", 1.0: "high"}[z],
}


def layer(step_mlp, kind, values, sharpness, points):
    """Call the function with one of these functions: the form of its results, and what the layer gives at `points`.

    `same`: the caller's values are as they were.
    """
    functions = {
        "inverse": lambda z: round(1 / z) - 1,
        "double": lambda z: 2 * z,
        "above": lambda z: z > 0.4,
        "letters": lambda z: "aba"[int(2 * z)],
        "table": lambda z: {0.0: "low", 1.0: "high"}[z],
    }
    before = list(values)
    W_in, W_out, out = step_mlp(values, functions[kind], sharpness)
    tensors = all(torch.is_tensor(W) and W.dtype == torch.float32 for W in (W_in, W_out))
    kinds = [tensors, type(out).__name__]
    found = {"out": list(out), "kinds": kinds, "same": values == before}
    if tensors and W_in.ndim == W_out.ndim == 2 and W_in.shape == (2, W_out.shape[0]):
        x = torch.tensor([[z, 1.0] for z in points]).double()
        found |= {"units": W_in.shape[1], "output": ((x @ W_in.double()).relu() @ W_out.double()).float()}
    return found


def output(found):
    """What the layer gives at the points, once the form of the results is right."""
    says = "step_mlp must return W_in and W_out as float32 tensors, and out_values as a list"
    require(found["kinds"] == [True, "list"], says)
    require(found["same"], "the caller's list of values is different after the call: sort a copy")
    fits = "output" in found and found["output"].shape[1] == len(found["out"])
    require(fits, "W_in must have two rows, for z and the constant 1, and W_out a column per result")
    return found["output"]


def compared(step_mlp, kind, values, sharpness, says):
    fails = {"inverse": [0.0], "table": [0.6]}.get(kind, [])
    good = [z for z in sorted(set(values)) if z not in fails]
    found = step_mlp.run(layer, kind, values, sharpness, good)
    results = [FUNCTIONS[kind](z) for z in good]
    wanted = list(dict.fromkeys(results))
    says_out = "out_values must hold the different results, by rising z"
    require(found["out"] == wanted, says_out, expected=wanted, got=found["out"])
    places = [wanted.index(result) for result in results]
    inputs = {"values": values, "sharpness": sharpness}
    close(output(found), torch.eye(len(wanted))[places], says, atol=1e-3, name="the output", inputs=inputs)
    return found


def test_every_value(step_mlp, draw):
    values = [draw.integer(0, 1000) + 0.5 - draw.index, 0.0, 1.0, -0.25, -0.75]
    says = "for every z in values, the output must be the one-hot vector of f(z)"
    compared(step_mlp, "double", values, 10.0, says)
    compared(step_mlp, "letters", [1.0, 0.0, 0.5], 4.0, "a result that comes back must use its old place")
    compared(step_mlp, "above", [0.0, 0.3, 0.5, 1.0][: 3 + draw.index], 10.0, says)


def test_as_few_units_as_steps(step_mlp):
    found = compared(step_mlp, "above", [i / 20 for i in range(21)], 40.0, "f changes once: one threshold is enough")
    require(found["units"] <= 3, "only where f changes is there a threshold: two units each, and one for the start")


def test_narrow_gaps(step_mlp):
    n = 12
    values = [1 / (w + 1) for w in range(n + 1)]
    says = "the reciprocals of widths lie close together: thresholds half-way, slope as it was asked for"
    compared(step_mlp, "inverse", values, 4.0 * (n + 1) * (n + 2), says)


def test_slope(step_mlp):
    found = step_mlp.run(layer, "above", [0.0, 1.0], 4.0, [0.3, 0.5, 0.5625, 0.8])
    wanted = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75], [0.0, 1.0]])
    says = "half-way between two values lies the middle of a step of slope `sharpness`"
    close(output(found), wanted, says, atol=1e-3, name="the output between the values")
    found = step_mlp.run(layer, "above", [0.25, 0.75], 8.0, [0.375, 0.5, 0.53125, 0.625])
    says = "the slope is `sharpness`, however far apart the neighbours lie, and the middle of the step lies half-way"
    close(output(found), wanted, says, atol=1e-3, name="the output between the values")


def test_where_the_function_fails(step_mlp):
    compared(step_mlp, "inverse", [0.0, 0.5, 1.0], 20.0, "values on which f raises must be passed over")
    values = [0.0, 0.6, 1.0]
    compared(step_mlp, "table", values, 20.0, "whatever error f raises, its value must be passed over")
    says = (
        "a value on which f raises does not count as a neighbour: the threshold lies half-way between those around it"
    )
    got = output(step_mlp.run(layer, "table", values, 20.0, [0.5]))
    close(got, torch.tensor([[0.5, 0.5]]), says, atol=1e-3, name="the output between the values")
