"""Wrong answers to exercise 3.10 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def mark_first(seq, value):
    earlier = select(seq, value, "==") & select(indices, indices, "<")
    return (seq == value) & ~has_focus(earlier)
""")

Last = slip("that marks the last occurrence: look for earlier ones, not later ones", '"<"', '">"')
SeesItself = slip(
    "each occurrence finds itself and is ruled out: look strictly before it", 'indices, "<"', 'indices, "<="'
)
AllOfThem = slip(
    "every occurrence is marked, not only the first", "(seq == value) & ~has_focus(earlier)", "seq == value"
)
WithoutValue = slip(
    "everything before the first occurrence is marked, too: the position must hold the value itself",
    "(seq == value) & ~has_focus(earlier)",
    "~has_focus(earlier)",
)
Numbers = slip(
    "the marks are 0 and 1: they must be bools",
    "(seq == value) & ~has_focus(earlier)",
    "indicator((seq == value) & ~has_focus(earlier))",
)
OfTokens = slip(
    "the argument seq is not used: look at the sequence that is given",
    "select(seq, value",
    "select(tokens, value",
    "(seq == value)",
    "(tokens == value)",
)
TwoHeads = slip(
    "the values are right, but counting takes two heads: whether any is there takes one",
    "~has_focus(earlier)",
    "(selector_width(earlier) == 0)",
)
Repeats = slip("it marks the repeats and not the first occurrence", "~has_focus", "has_focus")
AtStart = slip(
    "only position 0 can be marked: the first occurrence may come anywhere", "~has_focus(earlier)", "(indices == 0)"
)
Neighbour = slip(
    "only the position just before is looked at: none of the earlier ones may hold the value",
    'select(indices, indices, "<")',
    'select(indices, indices - 1, "==")',
)
AndNot = slip(
    "Python's `and` and `not` ask for a truth value, which an s-op has only when it runs: write & and ~",
    "(seq == value) & ~has_focus(earlier)",
    "(seq == value) and not has_focus(earlier)",
)
Onwards = slip(
    "everything from the first occurrence on is marked: only the occurrence itself is meant",
    "(seq == value) & ~has_focus(earlier)",
    'has_focus(select(seq, value, "==") & select(indices, indices, "<="))',
)
EveryFirst = slip(
    "the first occurrence of every token is marked: only that of the value is meant",
    "select(seq, value,",
    "select(seq, seq,",
    "(seq == value) & ",
    "",
)
OnlyAtStart = slip(
    "any earlier position rules a mark out, so that only position 0 can have one: ask for earlier ones with the value",
    'select(seq, value, "==") & ',
    "",
)
NoParentheses = slip(
    "& binds more tightly than ==, so put the comparison into parentheses",
    "(seq == value) & ~has_focus(earlier)",
    "seq == value & ~has_focus(earlier)",
)
UpToTheSecond = slip(
    "everything with one occurrence up to it is marked: the position must hold the value itself",
    "(seq == value) & ~has_focus(earlier)",
    '(selector_width(select(seq, value, "==") & select(indices, indices, "<=")) == 1)',
)
OnlyOnes = slip(
    "a value is marked only where it occurs once in all: its first occurrence is meant, however many follow",
    "~has_focus(earlier)",
    "(count(seq, value) == 1)",
)
SelectorAsFlag = slip(
    "a selector holds a choice for each pair of positions, not a value for each position: has_focus turns it into one",
    "has_focus(earlier)",
    "earlier",
)
LeftNeighbour = slip(
    "only the position just before is looked at: none of the earlier ones may hold the value",
    "~has_focus(earlier)",
    '(shift(seq, 1, "") != value)',
)
HalfOfTokens = slip(
    "the argument seq is not used everywhere: look at the sequence that is given",
    "select(seq, value",
    "select(tokens, value",
)
BeforeTheFirst = slip(
    "what comes before the first occurrence is marked: mark the occurrence itself",
    "(seq == value) & ~has_focus(earlier)",
    '~has_focus(select(seq, value, "==") & select(indices, indices, "<="))',
)
MeanPosition = slip(
    "the mean position of all occurrences is compared: that is the first only where there is one",
    "~has_focus(earlier)",
    '(indices == aggregate(select(seq, value, "=="), indices))',
)
OnlySelected = slip(
    "a selector is returned: the result must be a bool at each position",
    "return (seq == value) & ~has_focus(earlier)",
    "return earlier",
)
BoolMean = slip(
    "bools have no mean: turn them into 0 and 1 by indicator, or ask has_focus",
    "~has_focus(earlier)",
    '(aggregate(select(indices, indices, "<"), seq == value) == 0)',
)
FindsItself = slip(
    "every occurrence is marked, not only the first",
    "~has_focus(earlier)",
    'has_focus(select(seq, value, "==") & select(indices, indices, "<="))',
)
ByPlace = slips("""
def mark_first(seq, value):
    before = select(indices, indices, "<")
    seen = aggregate(before & select(seq, value, "=="), 1, 0)
    return (seq == value) & (seen == 0)
""")
OwnValue = slips("""
def mark_first(seq, value):
    repeat = has_focus(select(seq, seq, "==") & select(indices, indices, "<"))
    return (seq == value) & (repeat == False)
""")
