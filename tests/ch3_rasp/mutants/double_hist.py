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
DividedByCount = slip(
    "the values are right, but floats: choosing one occurrence of each token counts them without a division",
    'selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)',
    "hist(often) / often",
)
DividedWithBos = slip(
    "with bos, a count of 0 is divided by: choose one occurrence of each token instead of dividing",
    'selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)',
    "round(hist(often, bos) / often)",
)
DividedByOften = slip(
    "positions are divided by a count, which gives floats and fails at BOS: choose one occurrence of each token",
    'selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)',
    'selector_width(select(often, often, "=="), bos) / often',
)
OneTooFew = slip(
    "the result is one too small: the position's own token is among those that occur as often",
    '"=="), bos)',
    '"=="), bos) - 1',
)
AlikeInRepeating = slip(
    "repeats choose repeats: it is the keys that must be first occurrences, for every query",
    "select(repeat, False, ",
    "select(repeat, repeat, ",
)
FlagForSelector = slip(
    "a flag is joined to a selector: choose the keys that have it, by select(repeat, False, ...)",
    'select(repeat, False, "==")',
    "~repeat",
)
NoBosAtAll = slip(
    "bos is not used: hand it to both widths",
    "(same, bos)",
    "(same)",
    '"=="), bos)',
    '"=="))',
)
OnlyAtStart = slip(
    "every position but the first counts as a repeat: look for the same token at an earlier one",
    'same & select(indices, indices, "<")',
    'select(indices, indices, "<")',
)
OnlyItself = slip(
    "only positions with the same token are counted: tokens that differ, but occur as often, count too",
    ' & select(repeat, False, "==")',
    " & same",
)
OnlyOthers = slip(
    "every occurrence of the other tokens is counted, and its own token is left out: choose one occurrence of each",
    ' & select(repeat, False, "==")',
    ' & select(seq, seq, "!=")',
)
OthersAndItself = slip(
    "every occurrence of the other tokens is counted: choose one occurrence of each",
    'selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)',
    'selector_width(select(often, often, "==") & select(seq, seq, "!="), bos) + 1',
)
Either = slip(
    "as many occurrences, or a first occurrence: both are asked for, so join them with &",
    '"==") & select(repeat',
    '"==") | select(repeat',
)
RepeatByWidth = slip(
    "the values are right, but a width takes two heads: whether there is any earlier one takes one",
    'has_focus(same & select(indices, indices, "<"))',
    'selector_width(same & select(indices, indices, "<"), bos) > 0',
)
OnlyOnce = slip(
    "only tokens that occur once are counted: compare the key's count with the query's",
    'select(repeat, False, "==")',
    'select(often, 1, "==")',
)
ByCount = slip(
    "count looks for one atom, the same at every position: here each position asks for its own count",
    'selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)',
    "count(often, often)",
)
ByMark = slip(
    "mark_first looks for one value, the same at every position: here each token has a first occurrence",
    'select(repeat, False, "==")',
    'select(mark_first(seq, seq), True, "==")',
)
ByFirst = slips("""
def double_hist(seq, bos=False):
    equal = select(seq, seq, "==")
    times = selector_width(equal, bos)
    fresh = aggregate(equal & select(indices, indices, "<"), 1, 0) == 0
    return selector_width(select(fresh, True, "==") & select(times, times, "=="), bos)
""")
ByLookup = slips("""
def double_hist(seq, bos=False):
    earlier = select(indices, indices, lambda key, query: key < query) & select(seq, seq, "==")
    counted = where(has_focus(earlier), -1, hist(seq, bos))
    return selector_width(select(counted, hist(seq, bos), "=="), bos)
""")
