"""The puzzle ladder of the optional part, solved (chapter 3). The tasks follow Rush and Weiss 2023."""

from .language import aggregate, indices, length, select, selector_width, tokens, where
from .library import load_from


def index_of(value):
    """The position where the value occurs first, at all positions: a number, or -1 where it does not occur."""
    earlier = selector_width(select(tokens, value, "==") & select(indices, indices, "<"))
    first = (tokens == value) & (earlier == 0)
    return aggregate(select(first, True, "=="), indices, -1)


def minimum_everywhere():
    """The smallest token, at all positions."""
    before = (select(indices, indices, "<") & select(tokens, tokens, "==")) | select(tokens, tokens, "<")
    return aggregate(select(selector_width(before), 0, "=="), tokens)


def right_align(blank="."):
    """The tokens that are not blank, moved together to the right end, in their order; blanks in front."""
    kept = tokens != blank
    later = selector_width(select(kept, True, "==") & select(indices, indices, ">"))
    place = where(kept, length() - 1 - later, -1)
    return aggregate(select(place, indices, "=="), tokens, blank)


def slide(blank="<"):
    """Each blank takes the nearest token to its right that is none; a blank with none to its right stays."""
    kept = tokens != blank
    before = selector_width(select(kept, True, "==") & select(indices, indices, "<="))
    following = aggregate(select(before, before + 1, "==") & select(kept, True, "=="), tokens, blank)
    return where(kept, tokens, following)


def add():
    """The sum of two numbers such as "123+938", a digit a position, right-aligned, zeros in front."""
    from .programs import long_addition

    return long_addition(tokens)


def third():
    """The token at position 2, at all positions."""
    return load_from(tokens, 2)


# what a program for each puzzle must give: (title, input, wanted)
PUZZLES = {
    "third": ("the token at position 2, everywhere", "hello", ["l"] * 5),
    "index_of": ("where does l occur first?", "hello", [2] * 5),
    "minimum": ("the smallest token, everywhere", "53252", ["2"] * 5),
    "right_align": ("move what is not . to the right end", "a.b..c", [".", ".", ".", "a", "b", "c"]),
    "slide": ("each < takes the nearest letter to its right", "a<<b<c", ["a", "b", "b", "b", "c", "c"]),
    "add": ("the digits of the sum, as ints, at the right end", "123+938", [0, 0, 0, 1, 0, 6, 1]),
}
