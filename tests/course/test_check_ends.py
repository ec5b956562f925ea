"""A check ends: what does not come to an end is interrupted, and what had failed before it is told."""

import signal
import threading
import time

import pytest
import torch

from utils.grade import judge, subject
from utils.grade.assess import Outcome, Status, assess, verdict
from utils.grade.causes import CAUSES, likely_cause
from utils.grade.limit import OutOfTime, time_limit
from utils.grade.mutants import mutants
from utils.grade.subject import LocalRunner, Subject
from utils.grade.suite import run_test
from utils.learn.check import CheckFailed


def endless():
    while True:
        pass


def stubborn():
    """Swallows the first interruption, as an `except:` in a loop does."""
    for _ in range(2):
        try:
            endless()
        except BaseException as error:
            caught = error
    raise caught


def in_a_thread(work) -> list:
    """What `work` gives or raises in a thread that is not the main one, as on a system without alarms."""
    found = []

    def run():
        try:
            found.append(work())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return found


def limited(work, seconds=0.2):
    with time_limit(seconds):
        return work()


@pytest.mark.parametrize("work", [endless, stubborn])
def test_code_that_never_ends_is_interrupted(work):
    with pytest.raises(OutOfTime):
        limited(work)
    (found,) = in_a_thread(lambda: limited(work))
    assert isinstance(found, OutOfTime)


def test_waiting_is_interrupted_too():
    started = time.monotonic()
    with pytest.raises(OutOfTime):
        limited(lambda: time.sleep(60))
    assert time.monotonic() - started < 30


def test_what_ends_in_time_is_left_alone():
    assert limited(lambda: 3) == 3
    assert in_a_thread(lambda: limited(lambda: 3)) == [3]
    with pytest.raises(ZeroDivisionError):
        limited(lambda: 1 / 0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarms")
def test_somebody_elses_alarm_goes_on():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    left = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        limited(lambda: time.sleep(0.05))
        assert not rung
        time.sleep(0.5)
        assert rung == [1]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *left)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(subject, "SECONDS", 0.3)
    monkeypatch.setattr("utils.grade.assess.diagnose", lambda *_: None)  # these tests have no known mistakes


def outcome_of(answer, *tests, interruptible=False):
    """The verdict on a function called greedy, by tests that are given it and a draw."""
    runner = LocalRunner(answer, interruptible)
    results = []
    for test in tests:
        results.append(run_test(test, "greedy", runner, 0, 0))
        if results[-1].stopped:
            break
    return verdict("ch1", "greedy", results, 0), results


def test_fails(greedy):
    judge.require(greedy(torch.zeros(2)) == 5, "it is not 5")


def test_fails_later(greedy):
    judge.require(greedy(torch.ones(2)) == 5, "it is not 5, later")


test_fails.__test__ = test_fails_later.__test__ = False


def test_a_hang_alone_is_timed_out(impatient):
    outcome, results = outcome_of(lambda logits: endless(), test_fails, test_fails_later)
    assert outcome.status is Status.TIMED_OUT and len(results) == 1
    assert "did not come to an end" in outcome.says


def test_what_failed_before_a_hang_is_told(impatient):
    outcome, _ = outcome_of(lambda logits: endless() if logits.sum() else 3, test_fails, test_fails_later)
    assert outcome.status is Status.WRONG and outcome.says == "it is not 5"
    assert "did not come to an end" in outcome.stopped


def interrupted(logits):
    raise KeyboardInterrupt


def test_ctrl_c_ends_a_grading_and_is_told_in_a_notebook(impatient):
    with pytest.raises(KeyboardInterrupt):
        Subject("greedy", LocalRunner(interrupted))(torch.zeros(2))
    outcome, _ = outcome_of(interrupted, test_fails, interruptible=True)
    assert outcome.status is Status.TIMED_OUT and "stopped by you" in outcome.says


def raised(work) -> str:
    with pytest.raises(Exception) as caught:
        work()
    return str(caught.value)


@pytest.mark.parametrize(
    ("work", "part"),
    [
        (lambda: torch.einsum("ab,bc->ac", torch.ones(2, 3), torch.ones(2, 4)), "letter"),
        (lambda: torch.nn.functional.cross_entropy(torch.ones(3, 4, 7), torch.ones(3, 4).long()), "second axis"),
        (lambda: torch.ones(3, 5, 7) - torch.ones(3, 5, 7).mean(-1), "keepdim"),
        (lambda: __import__("math").log(0), "zero or negative"),
        (lambda: torch.ones(3, 5) @ torch.ones(4, 5), "transpose"),
        (lambda: bool(torch.ones(3) > 0), "torch.where"),
        (lambda: torch.ones(3).sum().backward(), "not connected"),
        (lambda: torch.multinomial(torch.zeros(4), 1), "softmax"),
        (lambda: torch.ones(3, 2)[torch.tensor([5])], "larger than the table"),
        (lambda: setattr(torch.nn.Linear(2, 2), "weight", torch.ones(2, 2)), "copy_"),
    ],
)
def test_first_errors_of_a_novice_get_their_likely_cause(work, part):
    assert part in likely_cause(raised(work))


def test_unknown_errors_get_no_cause():
    assert likely_cause("something of the learner's own") == ""
    assert all(len(cause) < 240 and not cause.endswith(".") for _, cause in CAUSES)


def test_cards_say_what_they_compare():
    failed = judge.Mismatch("they differ", torch.ones(2), torch.zeros(2), shows="the share of each token in 80 draws")
    outcome = Outcome("greedy", Status.WRONG, failed.says, expected=failed.expected, got=failed.got, shows=failed.shows)
    card = CheckFailed(outcome.says, "1.16 greedy", outcome)
    assert "the share of each token in 80 draws:" in card.text() and failed.shows in card.markup()
    assert judge.Mismatch("nothing to expect", torch.tensor([torch.nan]), torch.ones(1)).expected is None


def test_an_empty_list_as_a_tensor_is_told_as_that():
    with pytest.raises(judge.Mismatch, match="torch.tensor of an empty list"):
        judge.close(torch.tensor([]), torch.zeros(0, 5), "the rows differ")
    with pytest.raises(judge.Mismatch, match="torch.tensor of an empty list"):
        judge.shaped(torch.tensor([]), (0, 5), "it must return rows")


def test_only_the_promised_kind_of_number_passes():
    judge.plain_number(3, int)
    judge.plain_number(0.5, float)
    judge.plain_number(1, float)  # an int does all that a float does
    refused = ((torch.tensor(0.5), float), (True, int), (True, float), (0.5, int), (None, float), ([0.5], float))
    for value, kind in refused:
        with pytest.raises(judge.Mismatch, match=f"must be a Python {kind.__name__}"):
            judge.plain_number(value, kind)


def test_a_name_is_given_only_when_every_result_agrees():
    """One known mistake is named; together with a second one, what was observed is told instead."""
    right = next(mutant.obj for mutant in mutants("ch1", "apply_temperature") if mutant.right)

    def one_mistake(logits, temperature):
        return right(logits, temperature) * temperature**2 if temperature > 0 else right(logits, temperature)

    def two_mistakes(logits, temperature):
        return one_mistake(logits, temperature) if temperature > 0 else logits

    named = assess("ch1", "apply_temperature", LocalRunner(one_mistake))
    assert named.mutant == "multiplied"
    observed = assess("ch1", "apply_temperature", LocalRunner(two_mistakes))
    assert observed.status is Status.WRONG and not observed.mutant and "temperature above 1" in observed.says
