"""What a hidden test says: comparisons that carry one sentence about a mistake, with expected and got for the card."""

from contextlib import contextmanager

import torch
from torch import Tensor


class Mismatch(AssertionError):
    """A hidden test failed: `says` is the one sentence; expected, got and inputs are what the card draws.

    `shows`: what expected and got are, where they are not what the function returns (shares of many draws).
    """

    def __init__(self, says: str, expected=None, got=None, inputs: dict | None = None, shows: str = ""):
        super().__init__(says)
        if isinstance(expected, Tensor) and bool(torch.isnan(expected).any()):
            expected = None  # a table of nan tells nobody what is expected
        self.says, self.expected, self.got, self.inputs, self.shows = says, expected, got, inputs or {}, shows


class LearnerError(Exception):
    """The learner's code raised. `kind`: the exception's class name; `line`: that of the learner's cell or None.

    `bases`: the names of the classes that the exception's own class derives from.
    """

    def __init__(self, kind: str, text: str, line: int | None = None, code: str | None = None, bases=()):
        super().__init__(f"{kind}: {text}")
        self.kind, self.text, self.line, self.code, self.bases = kind, text, line, code, tuple(bases)


def require(condition, says: str, *, expected=None, got=None, inputs: dict | None = None, shows: str = "") -> None:
    """Fail with the sentence `says` unless the condition holds; the rest is what a card draws (see Mismatch)."""
    if not bool(condition):
        raise Mismatch(says, expected, got, inputs, shows)


def equal(got, expected, says: str, *, inputs: dict | None = None) -> None:
    """Exact comparison of plain values or integer tensors of any size; a 0-d tensor counts as its number."""
    got, expected = _number(got), _number(expected)
    if isinstance(got, Tensor) and isinstance(expected, Tensor):
        alike = got.shape == expected.shape and (got.dtype is torch.bool) == (expected.dtype is torch.bool)
        real = not (got.is_complex() or expected.is_complex())
        same = alike and real and torch.equal(got.double(), expected.double())
    elif isinstance(got, Tensor) or isinstance(expected, Tensor):
        same = False
    else:
        same = got == expected and isinstance(got, bool) == isinstance(expected, bool)
    require(same, says, expected=expected, got=got, inputs=inputs)


def plain_number(got, kind: type, name: str = "the result") -> None:
    """The result must be a Python number of this kind, as the exercise promises; an int passes for a float."""
    if type(got) is not kind and (kind is not float or type(got) is not int):
        raise Mismatch(f"{name} must be a Python {kind.__name__}, but it is {a_thing(got)}", None, got)


def close(
    got,
    expected,
    says: str,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    inputs: dict | None = None,
    name="the result",
    card: tuple | None = None,
) -> None:
    """Compare tensors or numbers in stages: kind, shape, dtype, finiteness, then values within float32 error.

    `says` is the sentence for wrong values only; the other stages have sentences of their own. `card`: what the card
    draws as expected and got where the compared values are derived from what the function returns.
    """
    if not isinstance(expected, Tensor):
        expected = torch.tensor(expected)
    if isinstance(got, (bool, int, float)):
        got = torch.tensor(got, dtype=expected.dtype)
    if not isinstance(got, Tensor):
        says = f"{name} must be a tensor, but it is {a_thing(got)}"
    elif got.shape != expected.shape:
        shapes = f"shape {tuple(got.shape)}{_no_rows(got)}, but {tuple(expected.shape)}"
        says = f"{name} has {shapes} was expected"
    elif got.is_floating_point() != expected.is_floating_point() or got.is_complex():
        says = f"{name} has dtype {got.dtype}, but {expected.dtype} was expected"
    elif bool(torch.isnan(got).any()) and not bool(torch.isnan(expected).any()):
        says = f"{name} contains nan (not a number): look for 0 / 0, infinity minus infinity, or 0 times infinity"
    elif torch.allclose(got.double(), expected.double(), rtol=rtol, atol=atol, equal_nan=True):
        return
    raise Mismatch(says, *(card or (expected, got)), inputs)


def shaped(got, shape: tuple, says: str, *, dtype=torch.float32, inputs: dict | None = None) -> None:
    """The result must be a tensor of this shape and dtype; `says` is the sentence for a wrong shape, which is added."""
    if not isinstance(got, Tensor):
        raise Mismatch(f"{says}, but it returns {a_thing(got)}", None, got, inputs)
    if tuple(got.shape) != tuple(shape):
        raise Mismatch(f"{says}: {tuple(shape)}, but it returns {tuple(got.shape)}{_no_rows(got)}", None, got, inputs)
    if got.dtype != dtype:
        raise Mismatch(f"the result has dtype {got.dtype}, but {dtype} goes in and must come out", None, got, inputs)


def only_parameters(extra: list[str]) -> None:
    """A module's state dict must hold the parameters of the chapter and nothing else, or no weights fit into it."""
    says = (
        "beside the chapter's parameters the state dict holds {}, so that saved weights can no longer be loaded: "
        "make such a tensor in forward, or register it as a buffer with persistent=False"
    )
    require(not extra, says.format((extra or [""])[0]))


@contextmanager
def raises(says: str, *kinds: str):
    """The block must make the learner's code raise (one of the named exceptions or of a class derived from one)."""
    try:
        yield
    except LearnerError as error:
        if error.kind in ("NotImplementedError", "TimedOut", "Crashed", "Interrupted"):
            raise
        if kinds and not {error.kind, *error.bases} & set(kinds):
            raise Mismatch(says) from None
    else:
        raise Mismatch(says)


def _no_rows(got: Tensor) -> str:
    """What torch.tensor([]) is, said where it turns up: it knows neither the width nor the kind of the missing rows."""
    if got.shape != (0,):
        return ""
    return f" and dtype {got.dtype} (it is torch.tensor of an empty list, which knows of no other axis)"


def _number(value):
    if isinstance(value, Tensor) and value.ndim == 0:
        return value.item()
    return value


def a_thing(value) -> str:
    """What a result of the wrong kind is called in a sentence, with the usual cause."""
    if value is None:
        return "None (the line with return is missing)"
    if isinstance(value, Tensor):
        number = "; its method .item() gives the Python number" if value.numel() == 1 else ""
        return f"a tensor of shape {tuple(value.shape)} and dtype {value.dtype}{number}"
    return "a tuple (look for a comma after return)" if isinstance(value, tuple) else f"a {type(value).__name__}"
