"""Which known mistake does an answer show? Found by behaviour: the same inputs, the same outputs, the same failures."""

import re

import torch
from torch import Tensor

from utils.grade.judge import LearnerError, Mismatch
from utils.grade.mutants import Mutant, mutants
from utils.grade.subject import LocalRunner, Record
from utils.grade.suite import Result, hidden_tests, run_test


def diagnose(chapter: str, name: str, results: list[Result], seed: int) -> Mutant | None:
    """The known wrong answer that behaves as the answer behind `results` did, or None.

    First one that agrees on every result; failing that, one that agrees on the first failing test when all that do
    so share one sentence (an answer can hold two mistakes at once).
    """
    failing = [result for result in results if not result.passed]
    if not failing:
        return None
    known = [mutant for mutant in mutants(chapter, name) if not mutant.right]
    with torch.random.fork_rng(devices=[]):  # a check leaves the notebook's own random numbers as they were
        return _match(known, hidden_tests(chapter, name), name, results, failing[0], seed)


def _match(known: list[Mutant], tests, name: str, results: list[Result], failed: Result, seed: int) -> Mutant | None:
    by_name = {test.__name__: test for test in tests}
    order = sorted(results, key=lambda result: (result.test != failed.test, result.passed))  # the telling ones first
    partly: dict[str, Mutant] = {}
    for mutant in known:
        runner = LocalRunner(mutant.obj)
        for result in order:
            if not alike(result, run_test(by_name[result.test], name, runner, seed, result.index)):
                break
        else:
            return mutant
        if result.test != failed.test and isinstance(failed.error, Mismatch) and _telling(failed):
            partly.setdefault(mutant.says, mutant)
    return next(iter(partly.values())) if len(partly) == 1 else None


def _telling(result: Result) -> bool:
    """Whether a failed test's outputs can name a mistake: many mistakes give nothing but nan, or an error."""
    return all(record.error is None and _finite(record.output) for record in result.records)


def _finite(value) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == 0 or not value.is_floating_point() or bool(value.isfinite().any())
    if isinstance(value, dict):
        return all(_finite(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(_finite(item) for item in value)
    return True


def alike(one: Result, other: Result) -> bool:
    """Whether two answers did the same in one test: same records, same verdict."""
    if one.passed != other.passed or len(one.records) != len(other.records):
        return False
    try:
        if not all(_same_record(a, b) for a, b in zip(one.records, other.records, strict=True)):
            return False
    except (ArithmeticError, RuntimeError, TypeError, ValueError):  # an answer's data may be no number of any size
        return False
    if isinstance(one.error, LearnerError):
        return isinstance(other.error, LearnerError) and one.error.kind == other.error.kind
    return True


def _same_record(a: Record, b: Record) -> bool:
    if a.error or b.error:
        return bool(a.error and b.error) and a.error[0] == b.error[0] and _plainly(a) == _plainly(b)
    return same_data(a.output, b.output, a.tolerance)


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
