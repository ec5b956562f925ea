"""Hidden tests of exercise 1.6. The fixture GELU is the class under test; GPT-2 uses the form with tanh."""

import math

import torch

from utils.grade import close, require, shaped

SHAPES = [(3, 5, 7), (11,)]


def oracle(x):
    """The published formula in double precision (Hendrycks and Gimpel 2016, section 2)."""
    x = x.double()
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def probe_gelu(cls, x):
    layer = cls()
    result = layer(x)
    return {"result": result, "args": [x]}


def probe_gradient(cls, x):
    leaf = x.clone().requires_grad_()
    result = cls()(leaf * 1.0)
    if result.requires_grad:
        result.sum().backward()
    return {"result": result, "gradient": leaf.grad}


def test_shape_and_input(GELU, draw):
    x = draw.normal(*SHAPES[draw.index % 2], std=2)
    out = GELU.run(probe_gelu, x)
    shaped(out["result"], x.shape, "GELU must keep the shape of its input")
    close(out["args"][0], x, "the input was changed in place: return a new tensor")


def test_far_from_zero(GELU, draw):
    x = torch.cat([draw.uniform(4, low=20, high=200), -draw.uniform(4, low=20, high=200)])
    got = GELU.run(probe_gelu, x)["result"]
    says = "far from zero GELU must return a positive number as it is and make a negative one 0"
    close(got, x.clamp(min=0), says, inputs={"x": x})


def test_values(GELU, draw):
    x = draw.normal(3, 5, 7, std=2)
    got = GELU.run(probe_gelu, x, tolerance=2e-5)["result"]  # tanh and erf forms differ by 5e-4 at most
    says = "near zero the values differ from the tanh form of GELU: go through its formula constant by constant"
    close(got, oracle(x).float(), says, atol=2e-5, inputs={"x": x})


def test_gradient(GELU, draw):
    x, step = draw.normal(3, 5, 7, std=2), 1e-5
    got = GELU.run(probe_gradient, x)["gradient"]
    slope = (oracle(x.double() + step) - oracle(x.double() - step)) / (2 * step)
    require(got is not None, "no gradient flows back through GELU, so nothing before it would be trained")
    close(got, slope.float(), "the gradient through GELU is wrong", atol=1e-4, inputs={"x": x}, name="the gradient")
