"""A submission may say anything on the wire: what was right for another seed, or tensors of odd shapes and sizes.

The replies of the reference are recorded and told again, changed, in place of a worker's.
"""

import faulthandler
import signal
from functools import cache

import pytest
import torch
from torch import Tensor

from utils import course
from utils.chapter import load_chapter
from utils.grade import Mismatch, equal, rarity, wire
from utils.grade.assess import verdict
from utils.grade.judge import LearnerError
from utils.grade.limited import limited
from utils.grade.reference import reference
from utils.grade.subject import LocalRunner
from utils.grade.suite import run_suite

NO_INPUTS = {"escape_saddle"}  # an experiment without arguments: there is nothing to draw
LARGE = 15_000_000  # bytes, below what a worker may send
CHANGES = {
    "one axis more in front": lambda x: x[None],
    "one axis more at the end": lambda x: x[..., None],
    "its first row": lambda x: x[:1] if x.ndim and len(x) > 1 else x,
    "its means": lambda x: x.double().mean(-1, keepdim=True).to(x.dtype) if x.ndim else x,
    "none of it": lambda x: x[:0] if x.ndim else x,
    "truth values": lambda x: x.bool(),
    "not a number": lambda x: x * torch.nan if x.is_floating_point() else x,
}
every_chapter = pytest.mark.parametrize("chapter", list(course.chapters()))


@pytest.fixture(autouse=True)
def one_thread():
    """As where classes are graded: a child process can't use the threads of its parent."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Recorded:
    """The reference's runner, which keeps what it said."""

    def __init__(self, obj):
        self.runner, self.told = LocalRunner(obj), []

    def run(self, probe, data):
        try:
            self.told.append(self.runner.run(probe, data))
        except LearnerError as error:
            self.told.append(error)
            raise
        return self.told[-1]


class Forged:
    """Says again what was `told`, the tensors of its results changed."""

    def __init__(self, told, change=None):
        self.told, self.change, self.at = told, change, 0

    def run(self, probe, data):
        said = self.told[self.at % len(self.told)]
        self.at += 1
        if isinstance(said, LearnerError):
            raise said
        return self.changed(wire.plain(said)) if self.change else wire.plain(said)

    def changed(self, value):
        if isinstance(value, dict):
            told = {"result"} & value.keys() or value.keys()  # not what came of the arguments
            return {key: self.changed(item) if key in told else item for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.changed, value))
        return self.change(value) if isinstance(value, Tensor) else value


@cache
def record(chapter: str, name: str, seed: int) -> list:
    runner = Recorded(reference(chapter, name))
    assert all(result.passed for result in run_suite(chapter, name, runner, seed)), name
    return runner.told


def outcome(chapter: str, name: str, runner, seed: int):
    return verdict(chapter, name, run_suite(chapter, name, runner, seed), seed)


@cache
def large(dtype: torch.dtype) -> Tensor:
    return torch.zeros(LARGE // dtype.itemsize, 1, 1, dtype=dtype)


def judged(chapter: str, name: str, runner) -> bool:
    """Whether it passes; where the processor's time runs out, the lines at work are printed first."""
    faulthandler.register(signal.SIGXCPU, chain=True)
    return outcome(chapter, name, runner, 22).ok


def same(a, b) -> bool:
    if isinstance(a, Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a.nan_to_num(), b.nan_to_num())
    if isinstance(a, dict):
        return all(same(a[key], b[key]) for key in a)
    return all(map(same, a, b)) if isinstance(a, (list, tuple)) else True


@every_chapter
def test_what_was_right_for_another_seed_earns_nothing(chapter):
    names = [exercise.name for exercise in load_chapter(chapter).exercises if exercise.name not in NO_INPUTS]
    told = {name: record(chapter, name, 11) for name in names}
    runs = {name: run_suite(chapter, name, Forged(told[name]), 22, until_failure=True) for name in names}
    assert names and [name for name in names if all(result.passed for result in runs[name])] == []


@every_chapter
def test_tensors_of_another_shape_or_kind_earn_nothing(chapter):
    passed, tried = [], 0
    for exercise in load_chapter(chapter).exercises:
        told = record(chapter, exercise.name, 22)
        for what, change in CHANGES.items():
            runner = Forged(told, change)
            if all(isinstance(said, LearnerError) or same(said, runner.changed(said)) for said in told):
                continue
            tried += 1
            results = run_suite(chapter, exercise.name, runner, 22, until_failure=True)
            passed += [(exercise.name, what)] if all(result.passed for result in results) else []
    assert tried > 50 and passed == []


@every_chapter
def test_large_tensors_are_judged_in_little_memory(chapter):
    """(N, 1, 1) broadcasts against everything: its shape has to be looked at before anything is computed with it."""
    for exercise in load_chapter(chapter).exercises:
        told = record(chapter, exercise.name, 22)
        runner = Forged(told, lambda x: large(x.dtype))
        if all(isinstance(said, LearnerError) or same(said, runner.changed(said)) for said in told):
            continue
        assert not limited(judged, chapter, exercise.name, runner, seconds=15), exercise.name


@pytest.mark.parametrize(
    "got",
    [
        torch.tensor([True, True, True]),
        torch.tensor([3.4, 300.0, 2.0]),
        torch.tensor([3, 300, 2]).to(torch.int8),
        torch.tensor([3, 300, 2]).to(torch.complex64) + 1j,
        torch.tensor([[3, 300, 2]]),
    ],
    ids=str,
)
def test_equal_is_no_cast(got):
    equal(torch.tensor([3, 300, 2]).to(torch.int16), torch.tensor([3, 300, 2]), "")
    with pytest.raises(Mismatch):
        equal(got, torch.tensor([3, 300, 2]), "")
    with pytest.raises(Mismatch):
        equal(torch.tensor([3, 300, 2]), got, "")


def test_shares_of_another_shape_are_as_rare_as_can_be():
    p = torch.tensor([0.5, 0.25, 0.25])
    assert rarity(p, p, 100) < 1e-9 and rarity(torch.full((4, 2), 0.5), 0.5, 100) < 1e-9
    for shares in (p[:, None], p[:0], 0.25, torch.full((9, 1, 1), 0.25)):
        assert rarity(shares, p, 100) == torch.inf
