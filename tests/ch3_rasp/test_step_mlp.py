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


def layer(step_mlp, kind, values, sharpness):
    """Call the function with one of these functions; `same`: the caller's values are as they were."""
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
    return {"W_in": W_in, "W_out": W_out, "out": list(out), "kinds": kinds, "same": values == before}


def output(found):
    """The layer as a function of z."""
    says = "step_mlp must return W_in and W_out as float32 tensors, and out_values as a list"
    require(found["kinds"] == [True, "list"], says)
    require(found["same"], "the caller's list of values is different after the call: sort a copy")
    W_in, W_out = found["W_in"].double(), found["W_out"].double()
    fits = W_in.ndim == 2 and W_in.shape[0] == 2 and W_out.shape == (W_in.shape[1], len(found["out"]))
    require(fits, "W_in must have two rows, for z and the constant 1, and W_out a column per result")
    return lambda z: (torch.stack([z.double(), torch.ones(len(z)).double()], dim=1) @ W_in).relu() @ W_out


def compared(step_mlp, kind, values, sharpness, says):
    found = step_mlp.run(layer, kind, values, sharpness)
    fails = {"inverse": [0.0], "table": [0.6]}.get(kind, [])
    good = [z for z in sorted(set(values)) if z not in fails]
    results = [FUNCTIONS[kind](z) for z in good]
    wanted = list(dict.fromkeys(results))
    says_out = "out_values must hold the different results, by rising z"
    require(found["out"] == wanted, says_out, expected=wanted, got=found["out"])
    places = [wanted.index(result) for result in results]
    got = output(found)(torch.tensor(good, dtype=torch.float64))
    inputs = {"values": values, "sharpness": sharpness}
    close(got.float(), torch.eye(len(wanted))[places], says, atol=1e-3, name="the output", inputs=inputs)
    return found


def test_every_value(step_mlp, draw):
    values = [0.5, 0.0, 1.0, 0.25, 0.75]
    says = "for every z in values, the output must be the one-hot vector of f(z)"
    compared(step_mlp, "double", values, 10.0, says)
    compared(step_mlp, "letters", [1.0, 0.0, 0.5], 4.0, "a result that comes back must use its old place")
    compared(step_mlp, "above", [0.0, 0.3, 0.5, 1.0][: 3 + draw.index], 10.0, says)


def test_as_few_units_as_steps(step_mlp):
    found = compared(step_mlp, "above", [i / 20 for i in range(21)], 40.0, "f changes once: one threshold is enough")
    require(
        found["W_in"].shape[1] <= 3, "only where f changes is there a threshold: two units each, and one for the start"
    )


def test_narrow_gaps(step_mlp):
    n = 12
    values = [1 / (w + 1) for w in range(n + 1)]
    says = "the reciprocals of widths lie close together: thresholds half-way, slope as it was asked for"
    compared(step_mlp, "inverse", values, 4.0 * (n + 1) * (n + 2), says)


def test_slope(step_mlp):
    found = step_mlp.run(layer, "above", [0.0, 1.0], 4.0)
    z = torch.tensor([0.3, 0.5, 0.5625, 0.8])
    wanted = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75], [0.0, 1.0]])
    says = "half-way between two values lies the middle of a step of slope `sharpness`"
    close(output(found)(z).float(), wanted, says, atol=1e-3, name="the output between the values")


def test_where_the_function_fails(step_mlp):
    compared(step_mlp, "inverse", [0.0, 0.5, 1.0], 20.0, "values on which f raises must be passed over")
    found = compared(step_mlp, "table", [0.0, 0.6, 1.0], 20.0, "whatever error f raises, its value must be passed over")
    says = (
        "a value on which f raises does not count as a neighbour: the threshold lies half-way between those around it"
    )
    got = output(found)(torch.tensor([0.5])).float()
    close(got, torch.tensor([[0.5, 0.5]]), says, atol=1e-3, name="the output between the values")
