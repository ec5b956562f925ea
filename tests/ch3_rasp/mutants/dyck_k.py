"""Wrong answers to exercise 3.17 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def dyck_k(seq, pairs):
    opens = indicator(seq.isin([pair[0] for pair in pairs]))
    closes = indicator(seq.isin([pair[1] for pair in pairs]))
    up_to = select(indices, indices, "<=")
    depth = round((indices + 1) * aggregate(up_to, opens)) - round((indices + 1) * aggregate(up_to, closes))
    level = depth + closes
    same_level = select(level, level, "==")
    bracket = select(opens + closes, 1, "==")
    rank = selector_width(same_level & up_to & bracket)
    mate = aggregate(select(opens, True, "==") & same_level & select(rank, rank - 1, "=="), seq, "-")
    wrong = closes & ~(mate + seq).isin(pairs)
    broken = aggregate(up_to, indicator(wrong | (depth < 0))) > 0
    return where(broken, "F", where(depth == 0, "T", "P"))
""")

NO_MATE = (
    "no closing bracket finds its mate, whose rank is one less than its own: rank the brackets of both kinds on a "
    "level, each by those up to itself"
)
Published = slip(
    "that is the published program: a neutral token between two brackets of the same level moves their ranks apart",
    " & bracket",
    "",
)
OnlyOpening = slip(
    NO_MATE,
    "select(opens + closes, 1",
    "select(opens, 1",
)
NotForGood = slip(
    "an F does not last: ask whether anything was wrong up to here",
    "aggregate(up_to, indicator(wrong | (depth < 0))) > 0",
    "wrong | (depth < 0)",
)
KindsIgnored = slip(
    "the kind of the brackets is not compared: (} passes",
    "indicator(wrong | (depth < 0))",
    "indicator(depth < 0)",
)
LevelOfClosing = slip(
    "a closing bracket is put one level below its mate: add 1 to its depth, which it has just lowered",
    "level = depth + closes",
    "level = depth",
)
FirstTwoPairs = slip(
    "only the first two pairs are known", "opens = indicator", "pairs = pairs[:2]\n    opens = indicator"
)
ExtraLayer = slip(
    "the values are right, but the program has grown by a layer: whether a token is a bracket is known from the start",
    'bracket = select(opens + closes, 1, "==")',
    'bracket = select(opens + closes + 0 * aggregate(same_level, 1), 1, "==")',
)
OfTokens = slip(
    "the argument seq is not used: read the sequence that is given",
    "opens = indicator",
    "seq = tokens\n    opens = indicator",
)
OnlyLetters = slip(
    "only letters are left out of the ranking: whatever is not in pairs is neutral",
    "select(opens + closes, 1",
    "select(seq.map(lambda c: int(not c.isalpha())), 1",
)
WholeLevel = slip(
    NO_MATE,
    "same_level & up_to & bracket",
    "same_level & bracket",
)
AllLevels = slip(
    "brackets of all levels are ranked together: a bracket and its mate are neighbours on their own level",
    "same_level & up_to & bracket",
    "up_to & bracket",
)
BuiltInPairs = slip(
    "the pairs () and {} are built in: use those that are given",
    'bracket = select(opens + closes, 1, "==")',
    'bracket = select(seq.isin(list("(){}")), True, "==")',
)
ByKind = slips("""
def dyck_k(seq, pairs):
    kinds = "".join(pairs)
    is_open, is_close = seq.isin(list(kinds[::2])), seq.isin(list(kinds[1::2]))
    past = select(indices, indices, "<=")
    change = where(is_open, 1, where(is_close, -1, 0))
    depth = round((indices + 1) * aggregate(past, change))
    level = where(is_open, depth, where(is_close, depth + 1, "none".__len__() * -1000))
    same = select(level, level, "==")
    rank = selector_width(same & past)
    mate = aggregate(same & select(rank, rank - 1, "==") & select(is_open, True, "=="), seq, "?")
    fine = (mate + seq).isin(pairs)
    bad = aggregate(past, indicator((is_close & ~fine) | (depth < 0)))
    return where(bad > 0, "F", where(depth == 0, "T", "P"))
""")
ByPairs = slips("""
def dyck_k(seq, pairs):
    left, right = [p[0] for p in pairs], [p[1] for p in pairs]
    o, c = indicator(seq.isin(left)), indicator(seq.isin(right))
    up_to = select(indices, indices, "<=")
    depth = round((indices + 1) * aggregate(up_to, o - c))
    level = where(o + c == 0, -1, depth + c)
    rank = selector_width(select(level, level, "==") & up_to)
    before = select(level, level, "==") & select(rank, rank - 1, "==")
    mate = aggregate(before, where(o == 1, seq, "-"), "-")
    bad = (c == 1) & ~((mate + seq).isin(pairs)) | (depth < 0)
    return where(aggregate(up_to, indicator(bad)) == 0, where(depth == 0, "T", "P"), "F")
""")
