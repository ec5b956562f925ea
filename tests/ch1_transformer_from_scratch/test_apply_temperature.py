"""Hidden tests of exercise 1.17: logits divided by the temperature (a common shift of all is allowed)."""

import torch

from utils.grade import a_thing, close, raises, require

V = 11


def level(logits):
    """The logits with the largest at zero: what a distribution fixes of them."""
    return logits - logits.max()


def check(apply_temperature, logits, temperature, says):
    got = apply_temperature(logits, temperature)
    require(torch.is_tensor(got), f"the result must be a tensor (V,), but it is {a_thing(got)}")
    require(tuple(got.shape) == (V,), f"the result has shape {tuple(got.shape)}, but {(V,)} was expected")
    right = (logits.double() / temperature).float()
    shown = {"card": (right, got), "inputs": {"logits": logits}}
    close(level(got), level(right), says, rtol=1e-3, atol=1e-3, **shown)


def test_one_changes_nothing(apply_temperature, draw):
    says = "at temperature 1 the distribution must stay as it is"
    check(apply_temperature, draw.normal(V, std=2, mean=1), 1.0, says)


def test_above_one_flattens(apply_temperature, draw):
    says = "a temperature above 1 must shrink the differences between logits by that factor"
    check(apply_temperature, draw.normal(V, std=2, mean=1), 2.5 + draw.index, says)


def test_below_one_sharpens(apply_temperature, draw):
    says = "a temperature below 1 must enlarge the differences between logits by that factor"
    check(apply_temperature, draw.normal(V, std=2, mean=1), 0.3 + 0.2 * draw.index, says)


def test_extremes(apply_temperature, draw):
    logits = draw.normal(V, std=2)
    check(apply_temperature, logits, 0.01, "close to temperature zero the differences must grow a hundredfold")
    check(apply_temperature, logits, 1000.0, "at a very high temperature the differences must almost vanish")


def test_zero_and_below(apply_temperature, draw):
    temperature = -0.5 if draw.index else 0.0
    says = f"a temperature of {temperature} must raise a ValueError: only temperatures above zero make sense"
    with raises(says, "ValueError"):
        apply_temperature(draw.normal(V, std=2), temperature)


def test_logits_are_left_alone(apply_temperature, draw):
    logits = draw.normal(V, std=2)
    close(apply_temperature.call(logits, 0.5)["args"][0], logits, "the caller's logits are different after the call")


def probe_shared(apply_temperature, logits, temperature):
    """Whether what is returned is the caller's tensor, or shares its memory."""
    got = apply_temperature(logits, temperature)
    return torch.is_tensor(got) and got.data_ptr() == logits.data_ptr()


def test_new_tensor(apply_temperature, draw):
    says = "at temperature 1 the caller's own tensor is returned: make a new one, as at any other temperature"
    require(not apply_temperature.run(probe_shared, draw.normal(V, std=2), 1.0), says)
