"""Wrong answers to exercise 3.7 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def shift(seq, n, fill):
    return aggregate(select(indices, indices - n, "=="), seq, fill)
""")

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
OtherSide = slips("""
def shift(seq, n, fill):
    return aggregate(select(indices + n, indices, "=="), seq, fill)
""")
ByFunction = slips("""
def shift(seq, n, fill):
    before = select(indices, indices, lambda key, query: query - key == n)
    return aggregate(before, seq, default=fill)
""")
