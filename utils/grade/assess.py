"""One exercise, one verdict: the hidden tests' results turned into a status and the one sentence to show."""

from dataclasses import dataclass, field
from typing import Any

from utils.grade.diagnose import diagnose
from utils.grade.judge import LearnerError, Mismatch
from utils.grade.status import Status
from utils.grade.subject import Runner
from utils.grade.suite import Result, run_suite

LOST = {"TimedOut": Status.TIMED_OUT, "Crashed": Status.CRASHED}  # how a grading worker's end is told


@dataclass
class Outcome:
    """The verdict on one exercise. `says` is one sentence; `test` the hidden test that failed first."""

    name: str
    status: Status
    says: str = ""
    test: str = ""
    mutant: str = ""
    expected: Any = None
    got: Any = None
    inputs: dict = field(default_factory=dict)
    error: BaseException | None = None
    passed: int = 0
    total: int = 0

    @property
    def ok(self) -> bool:
        return self.status is Status.FULL


def assess(chapter: str, name: str, runner: Runner, seed: int = 0) -> Outcome:
    """Run the hidden tests of one exercise and say what is wrong, by the name of the mistake where it is known."""
    return verdict(chapter, name, run_suite(chapter, name, runner, seed), seed)


def verdict(chapter: str, name: str, results: list[Result], seed: int) -> Outcome:
    """The outcome that a finished run of the hidden tests amounts to."""
    tests = dict.fromkeys(result.test for result in results)
    failed = {result.test for result in results if not result.passed}
    counts = {"passed": len(tests) - len(failed), "total": len(tests)}
    if not failed:
        return Outcome(name, Status.FULL, **counts)
    first = next(result for result in results if not result.passed)
    error = first.error
    if isinstance(error, LearnerError) and error.kind == "NotImplementedError" and not _by_torch(error):
        says = f"{name} still raises NotImplementedError: a part of it is not written yet"
        return Outcome(name, Status.UNFINISHED, says, first.test, error=error, **counts)
    if isinstance(error, LearnerError) and error.kind in LOST:
        status, says = LOST[error.kind], f"{name} gave no answer: {error.text}"
        return Outcome(name, status, says, first.test, error=error, **counts)
    mutant = diagnose(chapter, name, results, seed)
    outcome = Outcome(name, Status.WRONG, first.says, first.test, error=error, **counts)
    if isinstance(error, Mismatch):
        outcome.expected, outcome.got, outcome.inputs = error.expected, error.got, error.inputs
    else:
        # the hidden tests build modules with a stand-in for the config; the learner knows it by that name
        text = error.text.replace("'types.SimpleNamespace' object", "the config")
        outcome.says = f"{name} raised {error.kind}: {text}"
        if error.line:
            outcome.says += (
                f" (line {error.line} of your cell: {error.code})" if error.code else f" (line {error.line})"
            )
    if mutant is not None:
        outcome.says, outcome.mutant = mutant.says, mutant.name
    return outcome


def _by_torch(error: LearnerError) -> bool:
    """Whether torch raised this NotImplementedError: `x ^ 3` on floats, a ModuleList that is called."""
    return "not implemented for" in error.text or 'missing the required "forward"' in error.text
