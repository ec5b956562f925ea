"""Wrong answers to exercise 3.13 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def double_hist(seq, bos=False):
    same = select(seq, seq, "==")
    often = selector_width(same, bos)
    repeat = has_focus(same & select(indices, indices, "<"))
    return selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)
""")

RepeatsCounted = slip(
    "a token is counted as often as it occurs: choose only its first occurrence",
    ' & select(repeat, False, "==")',
    "",
)
OnlyRepeats = slip(
    "only repeats are chosen: choose the first occurrences", "select(repeat, False", "select(repeat, True"
)
QueryRepeats = slip(
    "it asks whether the query is a repeat: it is the keys that must be first occurrences",
    "select(repeat, False, ",
    "select(False, repeat, ",
)
SelfIsRepeat = slip("every position counts itself as an earlier one: look strictly before", '"<"', '"<="')
FirstHist = slip(
    "that is the count of the token itself: the second layer compares counts",
    'selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)',
    "often",
)
DifferentCounts = slip(
    "tokens with another count are counted: compare for equality",
    'select(often, often, "==")',
    'select(often, often, "!=")',
)
BosIgnored = slip("with bos, the second width still counts position 0", '"=="), bos)', '"=="))')
OfTokens = slip(
    "the argument seq is not used: count in the sequence that is given", "select(seq, seq", "select(tokens, tokens"
)
ThreeLayers = slip(
    "the values are right, but first occurrences are found in a layer of their own: they need no counts",
    "has_focus(same &",
    'has_focus(select(often, often, "==") & same &',
)
AllTokens = slip(
    "all different tokens are counted: only those that occur as often as its own",
    'select(often, often, "==") & ',
    "",
)
AtMost = slip(
    "tokens that occur less often are counted as well: compare for equality",
    'select(often, often, "==")',
    'select(often, often, "<=")',
)
BosInFirst = slip("with bos, the first width still takes two heads and counts position 0", "(same, bos)", "(same)")
Floats = slip("the result is a float: a number of tokens is an int", '"=="), bos)', '"=="), bos) * 1.0')
ByFirst = slips("""
def double_hist(seq, bos=False):
    equal = select(seq, seq, "==")
    times = selector_width(equal, bos)
    fresh = aggregate(equal & select(indices, indices, "<"), 1, 0) == 0
    return selector_width(select(fresh, True, "==") & select(times, times, "=="), bos)
""")
ByMark = slips("""
def double_hist(seq, bos=False):
    earlier = select(indices, indices, lambda key, query: key < query) & select(seq, seq, "==")
    counted = where(has_focus(earlier), -1, hist(seq, bos))
    return selector_width(select(counted, hist(seq, bos), "=="), bos)
""")
