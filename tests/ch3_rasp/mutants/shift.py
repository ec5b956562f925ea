"""Wrong answers to exercise 3.7 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def shift(seq, n, fill):
    return aggregate(select(indices, indices - n, "=="), seq, fill)
""")

StepByStep = slip(
    "the values are right, but each place takes a layer of its own: one head reaches n places far",
    'return aggregate(select(indices, indices - n, "=="), seq, fill)',
    "for _ in range(abs(n)):\n"
    '        seq = aggregate(select(indices, indices - (1 if n > 0 else -1), "=="), seq, fill)\n'
    "    return seq",
)
Left = slip("it moves the other way: position i reads position i - n", "indices - n", "indices + n")
WrapsRound = slip(
    "what falls off one end comes back at the other: those places get fill",
    "indices - n",
    "(indices - n) % length()",
)
NoFill = slip("fill is not used: it is the default of aggregate", ", seq, fill)", ", seq)")
Absolute = slip("a negative n moves to the right as well: it must move to the left", "indices - n", "indices - abs(n)")
ByOne = slip("the distance n is not used: it always moves by one place", "indices - n", "indices - 1")
OfTokens = slip("the argument is not used: move the sequence that is given", ", seq, fill", ", tokens, fill")
Clamped = slip(
    "the first value is repeated where nothing arrives: those places get fill",
    "indices - n",
    "where(indices < n, 0, indices - n)",
)
OneTooFar = slip("it moves one place too far", "indices - n", "indices - n - 1")
OneShort = slip("it moves one place too little", "indices - n", "indices - n + 1")
ZeroIsNothing = slip(
    "n = 0 is taken for a missing distance: nothing moves then",
    "    return",
    "    if not n:\n        return where(indices < 0, seq, fill)\n    return",
)
FixedFill = slip("fill is always '?': use the one that is given", ", seq, fill)", ", seq, '?')")
FillAsText = slip("fill is turned into text: use it as it is", ", seq, fill)", ", seq, str(fill))")
TwoHeads = slip(
    "the values are right, but a second head looks whether anything arrives: aggregate's default does that already",
    'return aggregate(select(indices, indices - n, "=="), seq, fill)',
    'move = select(indices, indices - n, "==")\n'
    "    arrives = has_focus(move & full_s)\n"
    "    return where(arrives, aggregate(move, seq, fill), fill)",
)
SEVERAL = "each row chooses several positions, and strings have no mean: choose exactly the one n places to the left"
AllBefore = slip(SEVERAL, '"=="', '"<="')
AllLess = slip(SEVERAL, '"=="', '"<"')
AllAfter = slip(SEVERAL, '"=="', '">="')
AllGreater = slip(SEVERAL, '"=="', '">"')
AllEarlier = slip(SEVERAL, 'select(indices, indices - n, "==")', 'select(indices, indices, "<")')
EqualTokens = slip(SEVERAL, 'select(indices, indices - n, "==")', 'select(tokens, tokens, "==")')
EqualValues = slip(SEVERAL, 'select(indices, indices - n, "==")', 'select(seq, seq, "==")')
FixedPlace = slip("every position reads position n: the one to read differs from query to query", "indices - n", "n")
ByItem = slip(
    "every position reads position n: the one to read differs from query to query",
    'aggregate(select(indices, indices - n, "=="), seq, fill)',
    "seq[n]",
)
Mirrored = slip("the order is turned round: position i reads position i - n, not n - i", "indices - n", "n - indices")
FromTheEnd = slip(
    "every position reads the same one: what to read is counted from the query's index, not from the length",
    "indices - n",
    "length() - n",
)
DefaultAfterwards = slip(
    "where nothing arrives, aggregate has put 0 among the values before fill can replace it: make fill its default",
    'return aggregate(select(indices, indices - n, "=="), seq, fill)',
    'return where(indices < n, fill, aggregate(select(indices, indices - n, "=="), seq))',
)
OrFill = slip(
    "where nothing arrives, aggregate has put 0 among the values before fill can replace it: make fill its default",
    "seq, fill)",
    "seq) | fill",
)
EmptyText = slip("fill is not used: it is the default of aggregate", ", seq, fill)", ', seq, "")')
ByIndexing = slip(
    "an s-op isn't a list: it can't be sliced, or indexed by another s-op, so choose the position by select",
    'aggregate(select(indices, indices - n, "=="), seq, fill)',
    "seq[indices - n]",
)
BySlice = slip(
    "an s-op isn't a list: it can't be sliced, or indexed by another s-op, so choose the position by select",
    'aggregate(select(indices, indices - n, "=="), seq, fill)',
    "[fill] * n + seq[:-n]",
)
MovesIndices = slip(
    "positions are moved, not the values of seq: the second argument of aggregate is what is read",
    "seq, fill)",
    "indices, fill)",
)
OnlyPositions = slip(
    "the positions to read are returned: read seq there by aggregate",
    'aggregate(select(indices, indices - n, "=="), seq, fill)',
    "indices - n",
)
MinusTokens = slip(
    "n is taken off the tokens: it is the positions that are compared",
    "select(indices, indices - n",
    "select(seq, seq - n",
)
OnlySelected = slip(
    "a selector is returned, which says where to look: aggregate reads what is there",
    'aggregate(select(indices, indices - n, "=="), seq, fill)',
    'select(indices, indices - n, "==")',
)
Exchanged = slip("aggregate takes the values before the default", "seq, fill)", "fill, seq)")
Within = slip(
    SEVERAL, 'select(indices, indices - n, "==")', "select(indices, indices, lambda key, query: query - key <= n)"
)
LeftWithoutFill = slip(
    "it moves the other way, and fill is not used: position i reads position i - n, and fill is aggregate's default",
    "indices - n",
    "indices + n",
    ", seq, fill)",
    ", seq)",
)
OtherSide = slips("""
def shift(seq, n, fill):
    return aggregate(select(indices + n, indices, "=="), seq, fill)
""")
ByFunction = slips("""
def shift(seq, n, fill):
    before = select(indices, indices, lambda key, query: query - key == n)
    return aggregate(before, seq, default=fill)
""")
