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
