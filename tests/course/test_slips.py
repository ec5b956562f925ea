"""Wrong answers as small edits of a right one: what they compute, what they refuse, where their source is."""

import inspect

import pytest

from tests.course.rewrite import rewrite
from utils.grade import Mismatch, slips
from utils.grade.diagnose import alike
from utils.grade.subject import Record
from utils.grade.suite import Result

FACTOR = 3

slip = slips(
    """
    def scaled(x, shift=1):
        y = x * FACTOR
        return y + shift
    """
)


class Base:
    def __init__(self, gain):
        self.gain = gain


body = slips(
    Base,
    """
    def forward(self, x):
        return x * self.gain + 1
    """,
)


def test_the_right_answer_itself_is_a_variant():
    assert slip.obj(2) == 7 and slip.obj._mutant is None
    assert body.obj(5).forward(2) == 11


def test_slips_of_functions_and_classes():
    summed = slip("it adds", "x * FACTOR", "x + FACTOR")
    both = slip("two", "x * FACTOR", "x", "y + shift", "y - shift")
    assert summed(2) == 6 and summed._mutant == "it adds" and both(2) == 1
    assert slip.obj(2) == 7, "a slip must leave the right answer as it was"
    no_gain = body("no gain", " * self.gain", "")
    assert issubclass(no_gain, Base) and no_gain(5).forward(2) == 3


def test_the_source_can_be_read_and_rewritten():
    wrong = slip("it adds", "x * FACTOR", "x + FACTOR")
    assert "x + FACTOR" in inspect.getsource(wrong) and "x * FACTOR" in inspect.getsource(slip.obj)
    assert rewrite(wrong)(2) == 6
    no_gain = body("no gain", " * self.gain", "")
    assert "return x + 1" in inspect.getsource(no_gain)
    assert rewrite(no_gain)(5).forward(2) == 3


@pytest.mark.parametrize("old", ["absent", "shift"])
def test_an_old_text_must_occur_exactly_once(old):
    with pytest.raises(ValueError, match="times in the right answer"):
        slip("never made", old, "new")


def test_pairs_must_be_complete():
    with pytest.raises(ValueError):
        slip("never made", "x * FACTOR")


def test_an_error_that_a_passed_test_asks_for_counts_as_any_other_it_accepts():
    one = Result("test_refuses", 0, records=[Record("call", error=("ValueError", "too small"))])
    other = Result("test_refuses", 0, records=[Record("call", error=("IndexError", "out of range"))])
    assert alike(one, other)
    assert not alike(one, Result("test_refuses", 0, records=[Record("call", output=1)]))
    one.error = other.error = Mismatch("it must refuse with a KeyError")
    assert not alike(one, other), "where the test failed, other errors are other mistakes"
