"""One exercise, one verdict: the hidden tests' results turned into a status and the one sentence to show."""

from dataclasses import dataclass, field
from typing import Any

from utils.grade.causes import likely_cause
from utils.grade.diagnose import diagnose
from utils.grade.judge import LearnerError, Mismatch
from utils.grade.status import Status
from utils.grade.subject import ENDLESS, Runner
from utils.grade.suite import Result, hidden_tests, run_suite

# how code that did not end by itself is told
STATUS = {"TimedOut": Status.TIMED_OUT, "Interrupted": Status.TIMED_OUT, "Crashed": Status.CRASHED}


@dataclass
class Outcome:
    """The verdict on one exercise. `says` is one sentence; `test` the hidden test that failed first.

    `stopped`: where something else was wrong before it, the sentence about a later test that did not end.
    """

    name: str
    status: Status
    says: str = ""
    test: str = ""
    mutant: str = ""
    expected: Any = None
    got: Any = None
    inputs: dict = field(default_factory=dict)
    shows: str = ""
    error: BaseException | None = None
    stopped: str = ""
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
    ran = dict.fromkeys(result.test for result in results)
    failed = {result.test for result in results if not result.passed}
    stopped = next((result for result in results if result.stopped), None)
    total = max(len(ran), len(hidden_tests(chapter, name))) if stopped else len(ran)
    counts = {"passed": len(ran) - len(failed), "total": total}
    if not failed:
        return Outcome(name, Status.FULL, **counts)
    first = next((result for result in results if not result.passed and not result.stopped), stopped)
    error = first.error
    if isinstance(error, LearnerError) and error.kind == "NotImplementedError" and not _by_torch(error):
        says = f"{name} still raises NotImplementedError: a part of it is not written yet"
        return Outcome(name, Status.UNFINISHED, says, first.test, error=error, **counts)
    status = STATUS[error.kind] if first is stopped else Status.WRONG
    outcome = Outcome(name, status, first.says, first.test, error=error, **counts)
    if first is stopped:
        outcome.says = _stopped(name, error)
    elif isinstance(error, Mismatch):
        outcome.expected, outcome.got = error.expected, error.got
        outcome.inputs, outcome.shows = error.inputs, error.shows
    else:
        # the hidden tests build modules with a stand-in for the config; the learner knows it by that name
        text = " ".join(error.text.replace("'types.SimpleNamespace' object", "the config").split()).rstrip(".")
        outcome.says = f"{name} raised {error.kind}{text and f': {text}'}{_place(error)}"
        if cause := likely_cause(error.text):
            outcome.says += f". {cause}"
    if stopped is not None and first is not stopped:
        outcome.stopped = _stopped(name, stopped.error)
    mutant = diagnose(chapter, name, results, seed)
    if mutant is not None:
        outcome.says, outcome.mutant = mutant.says, mutant.name
    return outcome


def _stopped(name: str, error: LearnerError) -> str:
    if error.kind == "Interrupted":
        return f"The check of {name} was stopped by you while your code was running{_place(error)}"
    if error.kind == "TimedOut" and error.text == ENDLESS:
        return f"{name} did not come to an end, so it was interrupted{_place(error)}: look for a loop that never ends"
    return f"{name} gave no answer: {error.text}"


def _place(error: LearnerError) -> str:
    """The learner's own line, in brackets, as far as it is known."""
    if not error.line:
        return ""
    return f" (line {error.line} of your cell: {error.code})" if error.code else f" (line {error.line})"


def _by_torch(error: LearnerError) -> bool:
    """Whether torch raised this NotImplementedError: `x ^ 3` on floats, a called ModuleList, a meta tensor."""
    return any(text in error.text for text in ("not implemented for", 'missing the required "forward"', "meta tensor"))
