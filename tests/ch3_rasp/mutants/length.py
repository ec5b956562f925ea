"""Wrong answers to exercise 3.4 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def length():
    share = aggregate(full_s, indicator(indices == 0))
    return round(1 / share)
""")

NoRound = slip("1 / share is a float: round it, since a length is an int", "round(1 / share)", "1 / share")
TheShare = slip(
    "the share itself is returned: it is 1 / length, so turn it over",
    "round(1 / share)",
    "share",
)
BoolMean = slip(
    "bools have no mean: turn the flag into 0 and 1 by indicator first", "indicator(indices == 0)", "indices == 0"
)
FlagAtOne = slip(
    "the flag marks position 1, which an input of one token lacks: position 0 is always there",
    "indices == 0",
    "indices == 1",
)
OneTooFew = slip(
    "that is the last position: positions count from 0, so the length is one more",
    "round(1 / share)",
    "round(1 / share) - 1",
)
OfTokens = slip(
    "the flag compares tokens with position numbers: it must say which position is the first",
    "indices == 0",
    "tokens == 0",
)
TwoHeads = slip(
    "the values are right, but selector_width takes two heads where one mean is enough",
    "round(1 / share)",
    "selector_width(full_s)",
)
Cut = slip(
    "int() cuts: the reciprocal of a share can be a little below the length, so round to the nearest",
    "round(1 / share)",
    "(1 / share).map(int)",
)
UpToHere = slip(
    "only the positions up to here are averaged: every position must look at all of them",
    "aggregate(full_s,",
    'aggregate(select(indices, indices, "<="),',
)
ByLastPosition = slips("""
def length():
    mean_position = aggregate(full_s, indices)
    return round(2 * mean_position) + 1
""")
Inline = slips("""
def length():
    everyone = select(indices, indices, lambda k, q: True)
    return round(aggregate(everyone, where(indices == 0, 1, 0)) ** -1)
""")
