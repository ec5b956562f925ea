"""Wrong answers to exercise 3.6 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def reverse(seq):
    flip = select(indices, length() - 1 - indices, "==")
    return aggregate(flip, seq)
""")

NoMinusOne = slip(
    "position 0 asks for position `length`, which does not exist: the last position is length - 1",
    "length() - 1 - indices",
    "length() - indices",
)
Unmoved = slip("every position reads itself", "length() - 1 - indices", "indices")
FixedLength = slip("a fixed length is built in: it differs from input to input", "length() - 1", "4")
OfTokens = slip(
    "the argument is not used: turn round the sequence that is given", "aggregate(flip, seq)", "aggregate(flip, tokens)"
)
Positions = slip(
    "the reversed positions are returned, not what is found there", "aggregate(flip, seq)", "length() - 1 - indices"
)
LastOne = slip(
    "every position reads the last one: the position to read differs from query to query",
    "length() - 1 - indices",
    "length() - 1",
)
Averages = slip(
    "each row chooses several positions, and strings have no mean: choose the one at the mirrored place",
    '"=="',
    '"<="',
)
BySorting = slip(
    "the values are right, but sorting takes two heads in its first layer: one head can find the length",
    "aggregate(flip, seq)",
    "sort(seq, -indices)",
)
OtherSide = slips("""
def reverse(seq):
    mirrored = length() - indices - 1
    return aggregate(select(mirrored, indices, "=="), seq)
""")
SumOfPlaces = slips("""
def reverse(seq):
    return aggregate(select(indices + 1, length() - indices, lambda key, query: key == query), seq)
""")
