"""RASP's library: what programs are put together from, written in the language itself (chapter 3).

Source: Weiss et al. 2021, appendix B, and the library of their interpreter.
"""

from .language import (
    aggregate,
    full_s,
    indicator,
    indices,
    length,
    select,
    selector_width,
    tokens,
    where,
)
from .values import Atom


def has_focus(selector):
    """Whether each query chooses any key: a bool at each position, one head."""
    # solution
    return aggregate(selector, 1, 0) > 0
    # end solution


def count(seq, atom: Atom):
    """How often the atom occurs in the sequence: the same int at all positions; one layer, one head."""
    # solution
    share = aggregate(full_s, indicator(seq == atom))
    return round(length() * share)
    # end solution


def shift(seq, n: int, fill: Atom):
    """The sequence moved n places to the right (to the left for negative n), `fill` in the gap: one head."""
    # solution
    return aggregate(select(indices, indices - n, "=="), seq, fill)
    # end solution


def mark_first(seq, value: Atom):
    """True where the value occurs for the first time, False everywhere else; one layer."""
    # solution
    earlier = select(seq, value, "==") & select(indices, indices, "<")
    return (seq == value) & ~has_focus(earlier)
    # end solution


def mark_last(seq, value: Atom):
    """True where the value occurs for the last time, False everywhere else; one layer."""
    later = select(seq, value, "==") & select(indices, indices, ">")
    return (seq == value) & ~has_focus(later)


def sort(seq, key=None, bos: bool = False):
    """The values of `seq` in the order of `key` (default: of themselves), equal keys in their old order; two layers.

    With `bos`, position 0 holds a beginning-of-sequence token: it stays where it is, and each layer needs one head.
    """
    # solution
    key = seq if key is None else key
    before = select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))
    place = selector_width(before, bos)
    if bos:
        place = where(indices == 0, 0, place + 1)
    return aggregate(select(place, indices, "=="), seq)
    # end solution


def contains(seq, atom: Atom):
    """Whether the atom occurs anywhere: the same bool at all positions."""
    return aggregate(full_s, indicator(seq == atom)) > 0


def average(seq):
    """The mean of the whole sequence, at all positions."""
    return aggregate(full_s, seq)


def minimum(a, b):
    """The smaller of two s-ops or atoms at each position."""
    return where(a < b, a, b)


def maximum(a, b):
    """The larger of two s-ops or atoms at each position."""
    return where(a > b, a, b)


def load_from(seq, location):
    """seq[location] at each position, for a location that may differ from position to position."""
    return aggregate(select(indices, location, "=="), seq)


def select_from_first(seq, value: Atom):
    """Chooses the position where the value occurs first, in every row."""
    return select(mark_first(seq, value), True, "==")


def select_from_last(seq, value: Atom):
    """Chooses the position where the value occurs last, in every row."""
    return select(mark_last(seq, value), True, "==")


def select_next_identical(seq):
    """Chooses the next position that holds the same value."""
    same = select(seq, seq, "==")
    number = selector_width(same & select(indices, indices, "<"))
    return same & select(number, number + 1, "==")


mark_first_instance, mark_last_instance, load_from_location = mark_first, mark_last, load_from

__all__ = ["tokens", *(name for name, value in list(globals().items()) if getattr(value, "__module__", "") == __name__)]
