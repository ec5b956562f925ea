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
TwiceTheMean = slip(
    "twice the mean position, plus 1, is the length, but a float: round it",
    "round(1 / share)",
    "2 * aggregate(full_s, indices) + 1",
)
LastPosition = slip(
    "that is the last position: positions count from 0, so the length is one more",
    "round(1 / share)",
    "round(2 * aggregate(full_s, indices))",
)
FloatLastPosition = slip(
    "that is the last position: positions count from 0, so the length is one more",
    "round(1 / share)",
    "2 * aggregate(full_s, indices)",
)
MeanPosition = slip(
    "the mean position is returned, about half of the length: take the mean of a flag, and turn it over",
    "round(1 / share)",
    "aggregate(full_s, indices)",
)
MeanPlace = slip(
    "the mean position is returned, about half of the length: take the mean of a flag, and turn it over",
    "round(1 / share)",
    "aggregate(full_s, indices + 1)",
)
NOT_A_LIST = (
    "an s-op isn't a list: before it runs, Python can't take its len(), sum() or max(), so take the mean of a flag"
)
ByLen = slip(NOT_A_LIST, "round(1 / share)", "len(tokens)")
BySum = slip(NOT_A_LIST, "round(1 / share)", "sum(indicator(indices == 0))")
ByMax = slip(NOT_A_LIST, "round(1 / share)", "max(indices) + 1")
RoundedShare = slip("the share is rounded, which leaves 0 or 1: turn it over first", "round(1 / share)", "round(share)")
RoundedTooEarly = slip(
    "the share is rounded before it is turned over, which leaves 0 or 1: turn it over first",
    "round(1 / share)",
    "1 / round(share)",
)
MeanOfOnes = slip(
    "the mean is 1, however long the input is: one position alone must have the flag, and all must be looked at",
    "indicator(indices == 0)",
    "1",
)
OnesAlone = slip(
    "the mean is 1, however long the input is: one position alone must have the flag, and all must be looked at",
    "round(1 / share)",
    "aggregate(full_s, 1)",
)
NoMean = slip(
    "no mean is taken: the flag is turned over as it is, and it is 0 nearly everywhere",
    "aggregate(full_s, indicator(indices == 0))",
    "indicator(indices == 0)",
)
OnlyItself = slip(
    "each position looks at itself only: every position must look at all of them",
    "full_s",
    'select(indices, indices, "==")',
)
OnlyTheFirst = slip(
    "the mean is 1, however long the input is: one position alone must have the flag, and all must be looked at",
    "full_s",
    'select(indices, 0, "==")',
)
OfPositions = slip(
    "the mean of the positions is turned over: it must be that of a flag which is 1 at one position only",
    "indicator(indices == 0)",
    "indices",
)
OthersFlagged = slip(
    "the flag is 1 everywhere but at position 0: it must be the other way round", "indices == 0", "indices != 0"
)
TruthOfIndices = slip(
    "the flag is 1 everywhere but at position 0: it must be the other way round", "indices == 0", "indices"
)
TruthOfTokens = slip(
    "the mean is 1, however long the input is: one position alone must have the flag, and all must be looked at",
    "indices == 0",
    "tokens",
)
FromHereOn = slip(
    "only the positions from here on are looked at: every position must look at all of them",
    "aggregate(full_s,",
    'aggregate(select(indices, indices, ">="),',
)
EarlierOnes = slip(
    "only earlier positions are looked at, and the first has none: every position must look at all of them",
    "full_s",
    'select(indices, indices, "<")',
)
MeanFromHere = slip(
    "the mean position from here on is returned: only its last value has to do with the length",
    "round(1 / share)",
    'aggregate(select(indices, indices, ">="), indices)',
)
ByInt = slip(
    "int() wants a number at once, and an s-op has none before it runs: round() waits for it",
    "round(1 / share)",
    "int(1 / share)",
)
RunAtOnce = slip(
    "the program is called without an input: return the s-op itself", "round(1 / share)", "round(1 / share)()"
)
WholeList = slip(
    "the values are right, but a Python function looks at the whole list, which no attention head can: take a mean",
    "round(1 / share)",
    "SOp(lambda x: [len(x)] * len(x))",
)
WholeDivision = slip("s-ops have no //: divide, and round", "round(1 / share)", "1 // share")
TimesPosition = slip(
    "the share is multiplied by the position: turn it over", "round(1 / share)", "round(share * indices)"
)
NotReturned = slip(
    "nothing is returned: the line with return is missing", "return round(1 / share)", "round(1 / share)"
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
