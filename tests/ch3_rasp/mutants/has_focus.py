"""Wrong answers to exercise 3.8 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def has_focus(selector):
    return aggregate(selector, 1, 0) > 0
""")

ZeroOrOne = slip("the result is 0 or 1, an int: compare, to get a bool", " > 0", "")
Turned = slip("it is the other way round: True where nothing is chosen", " > 0", " == 0")
Positions = slip(
    "the positions are averaged: a row that chooses only position 0 then looks empty",
    "selector, 1, 0",
    "selector, indices, 0",
)
AlwaysTrue = slip(
    "an empty row gives True as well: its default must be a value that the comparison rejects", "1, 0", "1, 1"
)
NeverTrue = slip("a mean of ones is 1, never more: no row passes this comparison", " > 0", " > 1")
TwoHeads = slip(
    "the values are right, but counting takes two heads where one is enough",
    "aggregate(selector, 1, 0)",
    "selector_width(selector)",
)
Equal = slips("""
def has_focus(selector):
    return aggregate(selector, 2, -1) == 2
""")
ByDefault = slips("""
def has_focus(selector):
    found = aggregate(selector, indices + 1)
    return found != 0
""")
