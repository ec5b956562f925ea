"""Which known mistake does an answer show? Found by behaviour: the same inputs, the same outputs, the same failures."""

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
    first = failing[0].test
    order = sorted(results, key=lambda result: result.test != first)  # the telling test first
    tests = {test.__name__: test for test in hidden_tests(chapter, name)}
    partly: dict[str, Mutant] = {}
    for mutant in mutants(chapter, name):
        if mutant.right:
            continue
        runner = LocalRunner(mutant.obj)
        agree_first = True
        for result in order:
            if not alike(result, run_test(tests[result.test], name, runner, seed, result.index)):
                agree_first = result.test != first
                break
        else:
            return mutant
        if agree_first and isinstance(failing[0].error, Mismatch):
            partly.setdefault(mutant.says, mutant)
    return next(iter(partly.values())) if len(partly) == 1 else None


def alike(one: Result, other: Result) -> bool:
    """Whether two answers did the same in one test: same records, same verdict."""
    if one.passed != other.passed or len(one.records) != len(other.records):
        return False
    if not all(_same_record(a, b) for a, b in zip(one.records, other.records, strict=True)):
        return False
    if isinstance(one.error, LearnerError):
        return isinstance(other.error, LearnerError) and one.error.kind == other.error.kind
    return True


def _same_record(a: Record, b: Record) -> bool:
    if a.error or b.error:
        return bool(a.error and b.error) and a.error[0] == b.error[0]
    return same_data(a.output, b.output, a.tolerance)


def same_data(a, b, tolerance: float | None = None) -> bool:
    """Whether two plain values agree within float32 error (or within `tolerance`)."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.shape != b.shape or a.is_floating_point() != b.is_floating_point():
            return False
        if a.numel() == 0:
            return True
        x, y = a.double(), b.double()
        size = torch.nan_to_num(x.abs(), posinf=0.0).max().item()
        atol = tolerance if tolerance is not None else 1e-4 * max(size, 1e-3)
        return bool(torch.allclose(x, y, rtol=1e-3, atol=atol, equal_nan=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_data(a[key], b[key], tolerance) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same_data(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return a == b or same_data(torch.tensor(float(a)), torch.tensor(float(b)), tolerance)
    return type(a) is type(b) and a == b
