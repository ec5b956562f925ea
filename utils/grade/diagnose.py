"""Which known mistake does an answer show? Found by behaviour: the same inputs, the same outputs, the same failures."""

import contextlib
import io
import re
import warnings

import torch
from torch import Tensor

from utils.grade.judge import LearnerError
from utils.grade.mutants import Mutant, mutants
from utils.grade.subject import LocalRunner, Record
from utils.grade.suite import Result, hidden_tests, run_test


def diagnose(chapter: str, name: str, results: list[Result], seed: int) -> Mutant | None:
    """The known wrong answer that agrees with the answer behind `results` on every one of them, or None.

    One result that differs is enough to name nothing: what was observed is then the better message.
    """
    told = [result for result in results if not result.lost]
    failing = [result for result in told if not result.passed]
    if not failing:
        return None
    known = [mutant for mutant in mutants(chapter, name) if not mutant.right]
    # the telling ones first, and last what takes until it is interrupted
    told.sort(key=lambda result: (result.stopped, result.test != failing[0].test, result.passed))
    tests = {test.__name__: test for test in hidden_tests(chapter, name)}
    said = io.StringIO()  # what known mistakes print, or torch says of them, is not the learner's
    with (
        torch.random.fork_rng(devices=[]),  # a check leaves the notebook's own random numbers as they were
        warnings.catch_warnings(action="ignore"),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        for mutant in known:
            runner = LocalRunner(mutant.obj)
            if all(alike(result, run_test(tests[result.test], name, runner, seed, result.index)) for result in told):
                return mutant
    return None


def alike(one: Result, other: Result) -> bool:
    """Whether two answers did the same in one test: same records, same verdict."""
    if one.passed != other.passed or len(one.records) != len(other.records):
        return False
    try:
        if not all(_same_record(a, b, one.passed) for a, b in zip(one.records, other.records, strict=True)):
            return False
    except (ArithmeticError, RuntimeError, TypeError, ValueError):  # an answer's data may be of any type and size
        return False
    if isinstance(one.error, LearnerError):
        return isinstance(other.error, LearnerError) and one.error.kind == other.error.kind
    return True


def _same_record(a: Record, b: Record, passed: bool) -> bool:
    """`passed`: the test did, so that an error is one it asks for, and which of those it accepts shows no mistake."""
    if a.error or b.error:
        if not (a.error and b.error) or passed:
            return bool(a.error and b.error)
        worded = a.error[0] not in ("TimedOut", "ValueError")  # answers word their own ValueErrors, each in its way
        return a.error[0] == b.error[0] and (not worded or _plainly(a) == _plainly(b))
    if a.probe == "gradients":
        return same_data(_in_one(a.output), _in_one(b.output), a.tolerance)
    return same_data(a.output, b.output, a.tolerance)


def _in_one(output):
    """What a probe for gradients returns, with all the gradients as one tensor.

    So each is measured against the largest: that of a key's bias is 0 but for rounding, which another right way of
    writing attention does differently.
    """
    gradients = output.get("gradients") if isinstance(output, dict) else None
    if not gradients or not all(isinstance(gradient, Tensor) for gradient in gradients.values()):
        return output
    whole = torch.cat([gradients[name].flatten() for name in sorted(gradients)])
    if not whole.isfinite().all():  # which of them are nan depends on how a product is written
        return {"result": output.get("result"), "gradients": [sorted(gradients), "not finite"]}
    return output | {"gradients": [sorted(gradients), whole]}


def _plainly(record: Record) -> tuple[str, list[str]]:
    """An error's text without the names that a learner chose (those in quotes, and those of functions).

    Its numbers stand apart, sorted: a - b and b - a name the same two sizes in another order.
    """
    text = re.sub(r"'[^']*'|[\w.<>]+\(\)", "...", record.error[1])
    return re.sub(r"\d+", "#", text), sorted(re.findall(r"\d+", text))


def same_data(a, b, tolerance: float | None = None) -> bool:
    """Whether two plain values agree within float32 error (or within `tolerance`); a number and a 0-d tensor may."""
    x, y = _number(a), _number(b)
    if x is not None and y is not None:
        return x == y or same_data(torch.tensor([x]), torch.tensor([y]), tolerance)
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.shape != b.shape or a.is_floating_point() != b.is_floating_point():
            return False
        if a.numel() == 0:
            return True
        x, y = a.double(), b.double()
        size = torch.nan_to_num(x.abs(), posinf=0.0).max().item()
        atol = tolerance if tolerance is not None else 1e-4 * max(size, 1e-3)
        rtol = 1e-3 if tolerance is None else 0.0
        return bool(torch.allclose(x, y, rtol=rtol, atol=atol, equal_nan=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_data(a[key], b[key], tolerance) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same_data(x, y, tolerance) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


def _number(value) -> float | None:
    """The number that a plain number or a tensor without axes stands for; None for all else, truth values included."""
    if isinstance(value, Tensor) and value.ndim == 0 and not value.is_complex():
        value = value.item()
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
