"""Hidden tests of exercise 4.7: each tensor moves by lr against its own gradient, whatever that gradient's size."""

import torch

from utils.grade import close, equal, require
from utils.grade.judge import a_thing

SHAPES = {"W": (4, 5), "b": (6,), "lam": (), "V": (2, 3, 2)}


def probe_step(ngd_step, params, grads, lr):
    """The step's result, and what became of the arguments."""
    given, known = {**params}, {**grads}
    result = ngd_step(params, grads, lr)
    same = result is params or result is grads
    kept = all(params.get(name) is x for name, x in given.items()) and all(grads.get(n) is x for n, x in known.items())
    return {"result": result, "same": same, "kept": kept, "params": given, "grads": known}


def tensors(draw, shapes=None, std=1.0, dtype=torch.float32):
    return {name: (draw.normal(*shape, 1) * std).to(dtype).reshape(shape) for name, shape in (shapes or SHAPES).items()}


def expected(value, g, lr):
    """The oracle for one tensor: the norm as the root of a sum of squares, in float64."""
    length = 0.0 if g is None else sum(x * x for x in g.double().flatten().tolist()) ** 0.5
    return value if length == 0 else (value.double() - lr * g.double() / length).to(value.dtype)


def step(ngd_step, params, grads, lr):
    got = ngd_step.run(probe_step, params, grads, lr)
    result = got["result"]
    says = "ngd_step must return a dict of the tensors after the step"
    require(isinstance(result, dict), f"{says}, but it returns {a_thing(result)}")
    names = ", ".join(sorted(params))
    require(result.keys() == params.keys(), f"the dict must hold the same keys as params ({names})", got=sorted(result))
    return got


def check(ngd_step, draw, params, grads, lr, says):
    got = step(ngd_step, params, grads, lr)
    for name, value in params.items():
        right = expected(value, grads[name], lr)
        close(got["result"][name], right, f"{name} {says}", name=f"{name} after the step", atol=1e-6)
    return got


def test_each_tensor_moves_by_lr(ngd_step, draw):
    dtype = (torch.float32, torch.float64)[draw.index]
    params = tensors(draw, dtype=dtype)
    grads = {n: g * size for (n, g), size in zip(tensors(draw, dtype=dtype).items(), (3.0, 0.2, 1.0, 7.0), strict=True)}
    if draw.index:
        grads = dict(reversed(grads.items()))  # the same keys, in another order
    says = "does not move by lr against its own gradient, divided by that gradient's own Frobenius norm"
    check(ngd_step, draw, params, grads, 0.3 + draw.index, says)


def test_tiny_gradients(ngd_step, draw):
    params = {name: torch.zeros(shape) for name, shape in SHAPES.items()}
    grads = {n: g * size for (n, g), size in zip(tensors(draw).items(), (1e-7, 1e-9, 1e-10, 1e-8), strict=True)}
    says = "has a tiny gradient that is not zero, and must move by lr all the same"
    check(ngd_step, draw, params, grads, 0.5, says)


def test_zero_gradient(ngd_step, draw):
    params, grads = tensors(draw), tensors(draw)
    grads["W"], grads["lam"] = torch.zeros(4, 5), torch.zeros(())
    grads["b"] = torch.tensor([1.0, -1.0, 2.0, -2.0, 0.5, -0.5])[draw.permutation(6)]  # not zero, though its sum is
    check(ngd_step, draw, params, grads, 0.5, "has a zero gradient and must stay, or the others must move as ever")


def test_no_gradient(ngd_step, draw):
    params, grads = tensors(draw), tensors(draw)
    grads["b"] = None
    check(ngd_step, draw, params, grads, 0.5, "is off where the gradient of b is None: b must stay, the others move")


def test_arguments_are_left_alone(ngd_step, draw):
    params, grads = tensors(draw), tensors(draw)
    grads["V"] = None
    got = step(ngd_step, params, grads, 0.4)
    require(not got["same"], "a new dict must be returned, not the one that was given")
    require(got["kept"], "the given dicts hold other tensors after the call: make a new dict")
    for name in SHAPES:
        equal(got["params"][name], params[name], f"the given {name} is changed in place: make a new tensor")
        equal(got["grads"][name], grads[name], f"the given gradient of {name} is changed in place")
