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
TWO_HEADS = (
    "the values are right, but the first layer has two heads, as sort and selector_width have: length() takes one"
)
ByWidth = slip(TWO_HEADS, "length()", "selector_width(full_s)")
BySorting = slip(
    TWO_HEADS,
    "aggregate(flip, seq)",
    "sort(seq, -indices)",
)
SEVERAL = "each row chooses several positions, and strings have no mean: choose the one at the mirrored place"
MIRRORED = 'select(indices, length() - 1 - indices, "==")'
Later = slip(SEVERAL, MIRRORED, 'select(indices, indices, ">")')
Earlier = slip(SEVERAL, MIRRORED, 'select(indices, indices, "<")')
NotThere = slip(SEVERAL, '"=="', '"!="')
AtLeast = slip(SEVERAL, '"=="', '">="')
LessThan = slip(SEVERAL, '"=="', '"<"')
More = slip(SEVERAL, '"=="', '">"')
Everyone = slip(SEVERAL, MIRRORED, "full_s")
EqualTokens = slip(SEVERAL, MIRRORED, 'select(tokens, tokens, "==")')
EqualValues = slip(SEVERAL, MIRRORED, 'select(seq, seq, "==")')
ReadsPositions = slip(
    "the reversed positions are returned, not what is found there", "aggregate(flip, seq)", "aggregate(flip, indices)"
)
PlusOne = slip(
    "position 0 asks for position length + 1, which does not exist: the last position is length - 1",
    "length() - 1",
    "length() + 1",
)
MinusTwo = slip("position 0 asks for the last position but one: the last is length - 1", "length() - 1", "length() - 2")
FromTheEnd = "no position has a negative index: count from the end by length - 1 - index"
Negative = slip(FromTheEnd, "length() - 1 - indices", "-indices")
AsInLists = slip(FromTheEnd, "length() - 1 - indices", "-1 - indices")
Backwards = slip(FromTheEnd, "length() - 1 - indices", "indices - (length() - 1)")
Adds = slip(
    "position 0 reads the last one, but position 1 looks even further right: take the index off",
    "length() - 1 - indices",
    "length() - 1 + indices",
)
Halfway = slip(
    "half the length is where a string is mirrored, but the two positions add up to length - 1",
    "length() - 1 - indices",
    "length() / 2 - indices",
)
AnotherDefault = slip(
    "position 0 finds nothing and gets the default: the last position is length - 1",
    "length() - 1 - indices",
    "length() - indices",
    "(flip, seq)",
    "(flip, seq, '')",
)
ComparesTokens = slip(
    "tokens are compared with position numbers: the keys to compare are indices", "select(indices,", "select(seq,"
)
FromTokens = slip(
    "position numbers are computed from tokens: what to look for is length - 1 - index",
    "length() - 1 - indices",
    "length() - 1 - seq",
)
BothSides = slip(
    "keys and queries are both mirrored, so that every position finds itself: mirror one of the two",
    "select(indices,",
    "select(length() - 1 - indices,",
)
Sorted = slip(
    "the sequence is sorted: it is its order in the input that must be turned round",
    "aggregate(flip, seq)",
    "sort(seq)",
)
FirstOne = slip(
    "every position reads the first one: the position to read differs from query to query",
    "length() - 1 - indices",
    "0",
)
Unread = slip("the sequence is returned as it is", "aggregate(flip, seq)", "seq")
TheInput = slip("the input is returned as it is", "aggregate(flip, seq)", "tokens")
NOT_A_LIST = (
    "an s-op isn't a list: before it runs, Python can neither turn it round nor tell its len(), so choose the mirrored "
    "position by select and length()"
)
WholeList = slip(
    "the values are right, but a Python function turns the whole list, as no head can: select and aggregate",
    "aggregate(flip, seq)",
    "SOp(lambda column: column[::-1], seq)",
)
Sliced = slip(
    NOT_A_LIST,
    "return aggregate(flip, seq)",
    "return seq[::-1]",
)
ByReversed = slip(
    NOT_A_LIST,
    "return aggregate(flip, seq)",
    "return list(reversed(seq))",
)
LengthOfInput = slip(
    NOT_A_LIST,
    "length()",
    "len(tokens)",
)
LengthOfSequence = slip(
    NOT_A_LIST,
    "length()",
    "len(seq)",
)
NotCalled = slip("length is a function that makes the s-op: write length()", "length()", "length")
OneEqualsSign = slip("the comparison must be one of those that select knows: write two equals signs", '"=="', '"="')
OnlySelected = slip(
    "a selector is returned, which says where to look: aggregate reads what is there",
    "return aggregate(flip, seq)",
    "return flip",
)
ArgumentsExchanged = slip(
    "aggregate takes the selector first and the values second", "aggregate(flip, seq)", "aggregate(seq, flip)"
)
ByShift = slip(
    "shift moves all positions by the same number of places, fixed in advance: here each has a distance of its own",
    "aggregate(flip, seq)",
    'shift(seq, length() - 1, "?")',
)
RunAtOnce = slip(
    "the program is run on a fixed input: return the s-op itself",
    "return aggregate(flip, seq)",
    'return aggregate(flip, seq)("hello")',
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
