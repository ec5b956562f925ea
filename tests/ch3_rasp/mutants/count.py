"""Wrong answers to exercise 3.9 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def count(seq, atom):
    share = aggregate(full_s, indicator(seq == atom))
    return round(length() * share)
""")

Share = slip("the share of the atom is returned: multiply it by the length", "round(length() * share)", "share")
NoRound = slip("the count is left a float: round it", "round(length() * share)", "length() * share")
BoolMean = slip(
    "bools have no mean: turn them into 0 and 1 by indicator first", "indicator(seq == atom)", "seq == atom"
)
Presence = slip(
    "that says whether the atom occurs, not how often",
    "round(length() * share)",
    "indicator(share > 0)",
)
OfOwnToken = slip(
    "each position counts its own token: the atom is the same for all of them",
    "round(length() * share)",
    'selector_width(select(seq, seq, "=="))',
)
OfTokens = slip("the argument seq is not used: count in the sequence that is given", "seq == atom", "tokens == atom")
TWO_HEADS = "the values are right, but with two heads: one mean is enough, over full_s, which length() reads by as well"
OwnSelector = slip(TWO_HEADS, "aggregate(full_s,", 'aggregate(select(indices, 0, ">="),')
TwoHeads = slip(
    TWO_HEADS,
    "round(length() * share)",
    'selector_width(select(seq, atom, "=="))',
)
Cut = slip(
    "int() cuts: length times share can be a little below a whole number, so round to the nearest",
    "round(length() * share)",
    "(length() * share).map(int)",
)
AsText = slip("values are compared as text: 3 and '3' are different", "seq == atom", "seq.map(str) == str(atom)")
Others = slip("what differs from the atom is counted: count what equals it", "seq == atom", "seq != atom")
UpToHere = slip(
    "only occurrences up to here are counted: every position must get the number in the whole input",
    "aggregate(full_s,",
    'aggregate(select(indices, indices, "<="),',
)
LengthWhereFound = slip(
    "length times 1 is the length: the mean must be that of a flag, over the whole input",
    "share = aggregate(full_s, indicator(seq == atom))",
    'share = aggregate(select(seq, atom, "=="), 1, 0)',
)
FloatWhereFound = slip(
    "length times 1 is the length: the mean must be that of a flag, over the whole input",
    "share = aggregate(full_s, indicator(seq == atom))",
    'share = aggregate(select(seq, atom, "=="), 1, 0)',
    "round(length() * share)",
    "length() * share",
)
NOT_A_LIST = "an s-op isn't a list: before it runs, Python can't count, add up or search it, so take the mean of a flag"
ByMethod = slip(NOT_A_LIST, "round(length() * share)", "seq.count(atom)")
BySum = slip(NOT_A_LIST, "round(length() * share)", "sum(seq == atom)")
ByLen = slip(NOT_A_LIST, "length()", "len(seq)")
SearchesIt = slip(NOT_A_LIST, "seq == atom", "atom in seq")
RoundsTheShare = slip(
    "the share is rounded, which leaves 0 or 1: multiply it by the length first",
    "round(length() * share)",
    "round(share)",
)
RoundsTooEarly = slip(
    "the share is rounded, which leaves 0 or 1: multiply it by the length first",
    "length() * share",
    "share",
    "round(share)",
    "length() * round(share)",
)
Divided = slip(
    "the share is divided by the length: a share of the length is a product", "length() * share", "share / length()"
)
Upended = slip(
    "the share is turned over, which gives the length where the atom occurs once: multiply it by the length",
    "round(length() * share)",
    "1 / share",
)
RoundedUpended = slip(
    "the share is turned over, which gives the length where the atom occurs once: multiply it by the length",
    "length() * share",
    "1 / share",
)
TheFlag = slip(
    "the flag itself is returned: take its mean over the whole input",
    "round(length() * share)",
    "indicator(seq == atom)",
)
FlagTimesLength = slip(
    "no mean is taken: the length is multiplied by each position's own flag",
    "aggregate(full_s, indicator(seq == atom))",
    "indicator(seq == atom)",
)
TruthOfTokens = slip(
    "the flag asks whether a token is true, and most are: it must ask whether the token equals the atom",
    "indicator(seq == atom)",
    "indicator(seq)",
)
SoFar = slip(
    "only occurrences up to here are counted: every position must get the number in the whole input",
    "aggregate(full_s,",
    'aggregate(select(indices, indices, "<="),',
    "length()",
    "(indices + 1)",
)
OnlyThere = slip(
    "only the positions that hold the atom get the number: all positions must",
    "round(length() * share)",
    'where(seq == atom, selector_width(select(seq, seq, "==")), 0)',
)
AmongItsLike = slip(
    "each row looks only at tokens like its own: the mean must go over the whole input",
    "aggregate(full_s,",
    'aggregate(select(seq, seq, "=="),',
)
NotCalled = slip("length is a function that makes the s-op: write length()", "length()", "length")
ByInt = slip(
    "int() wants a number at once, and an s-op has none before it runs: round() waits for it",
    "round(length() * share)",
    "int(length() * share)",
)
WholeDivision = slip("s-ops have no //: round the product", "round(length() * share)", "length() * share // 1")
MeanPosition = slip(
    "that is the mean position of the atom: how often it occurs is a mean of flags, times the length",
    "round(length() * share)",
    'aggregate(select(seq, atom, "=="), indices)',
)
WithBos = slip(
    "position 0 is left out, as if it held BOS: there is none here, so it counts",
    "round(length() * share)",
    'selector_width(select(seq, atom, "=="), bos=True)',
)
OneOverLength = slip("the mean of the flag is multiplied by the position, not by the length", "length()", "indices")
IsNot = slip("`is` asks for the same object, and an s-op is never an atom: compare by ==", "seq == atom", "seq is atom")
ByDivision = slips("""
def count(seq, atom):
    hits = aggregate(full_s, where(seq == atom, 1, 0))
    first = aggregate(full_s, where(indices == 0, 1, 0))
    return round(hits / first)
""")
ByMap = slips("""
def count(seq, atom):
    hits = seq.map(lambda value: int(value == atom))
    return round(aggregate(full_s, hits) * length())
""")
ShareRounded = slip(
    "the share is rounded before it is multiplied by the length: round the product alone",
    "round(length() * share)",
    "round(length() * round(share, 2))",
)
