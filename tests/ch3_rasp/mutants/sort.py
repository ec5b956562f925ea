"""Wrong answers to exercise 3.11 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def sort(seq, key=None, bos=False):
    key = seq if key is None else key
    before = select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))
    place = selector_width(before, bos)
    if bos:
        place = where(indices == 0, 0, place + 1)
    return aggregate(select(place, indices, "=="), seq)
""")

NoTieBreak = slip(
    "equal keys get the same place, so that places stay empty: break the tie by position",
    'select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))',
    'select(key, key, "<")',
)
AndEqual = slip(
    "'<=' counts equal keys, and the position itself, as before: equal keys get the same place",
    'select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))',
    'select(key, key, "<=")',
)
LastOfEqual = slip(
    "'<=' gives equal keys the same place, that of the last of them: break the tie by position",
    'select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))',
    'select(key, key, "<=")',
    "selector_width(before, bos)",
    "selector_width(before, bos) - 1",
)
TiesOfValues = slip(
    "ties are looked for among the values of seq: keys that are equal need the decision",
    "(select(key, key, ",
    "(select(seq, seq, ",
)
BosNowhere = slip(
    "bos is not used: with it, position 0 keeps place 0, and the places of the rest begin at 1",
    "selector_width(before, bos)",
    "selector_width(before)",
    "        place = where(indices == 0, 0, place + 1)",
    "        pass",
)
Unstable = slip(
    "equal keys come out in turned order: the earlier position goes first",
    'indices, indices, "<"',
    'indices, indices, ">"',
)
Falling = slip("the order is falling: smaller keys go first", 'select(key, key, "<")', 'select(key, key, ">")')
Asks = slip(
    "each position reads the one whose number is its place: it must read the one whose place is its number",
    "select(place, indices",
    "select(indices, place",
)
KeyIgnored = slip("the key is not used: seq is sorted by itself", "seq if key is None else key", "seq")
KeyReturned = slip("the sorted keys are returned: return values of seq", '"=="), seq)', '"=="), key)')
TokensByDefault = slip(
    "without a key, the tokens are taken for it: it is seq itself, which may be something else",
    "seq if key is None else key",
    "tokens if key is None else key",
)
AsText = slip(
    "the keys are compared as text: numbers then come in the wrong order",
    "key = seq if key is None else key",
    "key = (seq if key is None else key).map(str)",
)
OfTokens = slip(
    "the argument seq is not used: the values of the sequence that is given are to be returned",
    '"=="), seq)',
    '"=="), tokens)',
)
TruthOfKey = slip(
    "`key or seq` asks whether an s-op is true, which nobody knows before a run: ask `key is None`",
    "seq if key is None else key",
    "key or seq",
)
EqualToNone = slip(
    "`key == None` builds a new s-op instead of comparing: ask `key is None`",
    "seq if key is None else key",
    "seq if key == None else key",
)
NoKey = slip("the key may be left out: then it is seq itself", "key = seq if key is None else key", "key = key")
OnePlace = slip("with bos, the rest lands one place too early: place 0 belongs to BOS", "place + 1", "place")
BosMoves = slip("with bos, BOS does not keep place 0: set it there", "where(indices == 0, 0, place + 1)", "place + 1")
BosIgnored = slip(
    "bos is not handed to selector_width, so that BOS is counted",
    "selector_width(before, bos)",
    "selector_width(before)",
)
HeadsWithBos = slip(
    "with bos, the values are right, but the places still take two heads: hand bos to selector_width",
    "selector_width(before, bos)",
    "selector_width(before & select(indices, 0, '!='), False)",
)
BosAtTheEnd = slip(
    "with bos, places count from 0 and BOS has the same place as the first of the rest: the rest starts at place 1",
    "        place = where(indices == 0, 0, place + 1)",
    "        pass",
)
EarlierOnly = slip(
    "several keys get the same place: before me go all smaller keys, and of the equal ones those that come earlier",
    'select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))',
    'select(key, key, "<=") & select(indices, indices, "<")',
)
AllEarlier = slip(
    "several keys get the same place: before me go all smaller keys, and of the equal ones those that come earlier",
    'select(key, key, "==") & select',
    "select",
)
AllJoined = slip(
    "every equal key, and every earlier position, counts as before: a tie needs both at once, so join them with &",
    '(select(key, key, "==") & select',
    '(select(key, key, "==") | select',
)
CountsItself = slip(
    "places start at 1: nothing goes before the first key, not even itself, so that its place is 0",
    'indices, indices, "<"',
    'indices, indices, "<="',
)
SmallerAndEarlier = slip(
    "several keys get the same place: before me go all smaller keys, and of the equal ones those that come earlier",
    'select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))',
    'select(key, key, "<") & (select(key, key, "==") | select(indices, indices, "<"))',
)
PlacesReturned = slip(
    "the places are returned: let each position read the value that belongs there",
    'aggregate(select(place, indices, "=="), seq)',
    "place",
)
OneLayer = slip(
    "the values before each position are averaged: count them by selector_width, and let each position read by place",
    'aggregate(select(place, indices, "=="), seq)',
    "aggregate(before, seq)",
)
ByPython = slip(
    "an s-op isn't a list: before it runs, Python can't sort it, so let every position find its own place",
    'aggregate(select(place, indices, "=="), seq)',
    "sorted(seq)",
)
OrAnd = slip(
    "Python's `or` and `and` ask for a truth value, which a selector has only when it runs: write | and &",
    '"<") | (select',
    '"<") or (select',
    '"==") & select',
    '"==") and select',
)
WithoutSelect = slip(
    "s-ops are compared position by position: select compares every key with every query",
    'select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))',
    "(key < key) | ((key == key) & (indices < indices))",
)
AlwaysShifted = slip(
    "places are shifted as if there were BOS, also without bos: then they count from 0",
    "    if bos:",
    "    if True:",
)
PlusOneAlways = slip(
    "places start at 1: nothing goes before the first key, not even itself, so that its place is 0",
    "selector_width(before, bos)",
    "selector_width(before, bos) + 1",
)
PlaceToPlace = slip(
    "each position looks for its own place, and finds itself: position i must look for the key whose place is i",
    "select(place, indices",
    "select(place, place",
)
TwoWidths = slip(
    "the values are right, but two widths take four heads: join the two selectors first, and count once",
    "selector_width(before, bos)",
    'selector_width(select(key, key, "<"), bos) + selector_width(\n'
    '        select(key, key, "==") & select(indices, indices, "<"), bos\n'
    "    )",
)
Unplaced = slip(
    "the sequence is returned as it is",
    'aggregate(select(place, indices, "=="), seq)',
    "seq",
)
IndicesReturned = slip(
    "positions are returned, not the values of seq: the second argument of aggregate is what is read",
    '"=="), seq)',
    '"=="), indices)',
)
NotReturned = slip("nothing is returned: the line with return is missing", "return aggregate", "aggregate")
ByFunction = slips("""
def sort(seq, key=None, bos=False):
    if key is None:
        key = seq
    smaller = select(key, key, lambda k, q: k < q)
    tie = select(key, key, "==") & ~select(indices, indices, ">=")
    rank = selector_width(tie | smaller, bos=bos)
    wanted = indices - 1 if bos else indices
    rank = where(indices == 0, -1, rank) if bos else rank
    return aggregate(select(rank, wanted, "=="), seq)
""")
OneExpression = slips("""
def sort(seq, key=None, bos=False):
    by = seq if key is None else key
    first = select(indices, indices, "<") & select(by, by, "==")
    width = selector_width(first | select(by, by, "<"), bos)
    return aggregate(select(where(indices == 0, 0, 1 + width) if bos else width, indices, "=="), seq)
""")
BosByToken = slip(
    "BOS is looked for by its token, which may be another one, or occur again: it is at index 0",
    "where(indices == 0, 0, place + 1)",
    'where(seq == "§", 0, place + 1)',
)
SmallNumber = slip(
    "ties are broken by a small number added to the key, which turns round keys that lie close",
    'before = select(key, key, "<") | (select(key, key, "==") & select(indices, indices, "<"))',
    "near = key.map(lambda v: ord(v) if isinstance(v, str) else v) + indices * 0.01\n"
    '    before = select(near, near, "<")',
)
