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
TwoHeads = slip(
    "the values are right, but selector_width takes two heads: one mean over everything is enough",
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
