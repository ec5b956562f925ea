"""Run the hidden tests of one exercise against one object, wherever that object lives."""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch

from utils import course
from utils.grade.draw import Draw
from utils.grade.judge import LearnerError, Mismatch
from utils.grade.subject import Record, Runner, Subject

LOST = ("Crashed", "Interrupted")  # kinds of LearnerError that tell nothing about the code's results
STOPPED = ("TimedOut", *LOST)  # those after which no further test is run
DRAWS = 2  # how often a test is repeated on fresh inputs unless it says otherwise


def draws(count: int) -> Callable:
    """Decorator: repeat this hidden test on `count` fresh draws instead of the usual two."""

    def mark(test):
        test.draws = count
        return test

    return mark


@dataclass
class Result:
    """One hidden test on one draw: `error` is None when it passed."""

    test: str
    index: int
    error: Mismatch | LearnerError | None = None
    records: list[Record] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.error is None

    @property
    def stopped(self) -> bool:
        """Whether the learner's code did not end by itself."""
        return isinstance(self.error, LearnerError) and self.error.kind in STOPPED

    @property
    def lost(self) -> bool:
        """Whether this result says nothing about what the code does."""
        return isinstance(self.error, LearnerError) and self.error.kind in LOST

    @property
    def says(self) -> str:
        """The test's own sentence about what went wrong; empty when it passed."""
        if self.error is None:
            return ""
        return self.error.says if isinstance(self.error, Mismatch) else str(self.error)


def load_file(file: Path):
    """Import a Python file by its path, once, under a name of its own (files of several chapters share names)."""
    name = "_course_" + "_".join(file.with_suffix("").parts[-3:])
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


@cache
def hidden_tests(chapter: str, name: str) -> tuple[Callable, ...]:
    """The test functions of one exercise in file order. Raises CourseError where a hand-out holds none."""
    file = course.hidden_tests(chapter, name)
    if not file.is_file():
        raise course.CourseError(f"The hidden tests of {name} are not part of this hand-out; your instructor has them.")
    return tuple(f for n, f in vars(load_file(file)).items() if n.startswith("test_") and inspect.isfunction(f))


def run_suite(chapter: str, name: str, runner: Runner, seed: int = 0, tests=None, until_failure=False) -> list[Result]:
    """Run every hidden test on each of its draws; never raises on a learner's mistake.

    Ends early where the code had to be stopped (it would have to be at every further call), or was lost.
    `tests`: only these functions; `until_failure`: stop at the first result that failed.
    """
    results = []
    with torch.random.fork_rng(devices=[]):  # a check leaves the notebook's own random numbers as they were
        for test in hidden_tests(chapter, name) if tests is None else tests:
            for index in range(getattr(test, "draws", DRAWS)):
                results.append(run_test(test, name, runner, seed, index))
                if results[-1].stopped or until_failure and not results[-1].passed:
                    return results
    return results


@cache
def _parameters(test: Callable) -> tuple[str, ...]:
    return tuple(inspect.signature(test).parameters)


def run_test(test: Callable, name: str, runner: Runner, seed: int, index: int) -> Result:
    """Run one hidden test on one draw."""
    subject = Subject(name, runner)
    inputs = Draw(seed, test.__name__, index)
    available = {"draw": inputs, "source": inputs, name: subject}  # `source`: for an exercise that is called draw
    result = Result(test.__name__, index, records=subject.records)
    try:
        test(**{parameter: available[parameter] for parameter in _parameters(test)})
    except (Mismatch, LearnerError) as error:
        result.error = error
    except AssertionError as error:
        result.error = Mismatch(str(error).split("\n")[0] or f"{test.__name__} failed")
    except course.CourseError:
        raise
    except Exception as error:
        # the judge's half tripped over a result of an unexpected form
        result.error = Mismatch(f"{name} returned something that cannot be judged ({type(error).__name__}: {error})")
    return result
