"""Wrong answers to exercise 3.5 that learners write, and right ones written differently."""

from pathlib import Path

from utils.grade import load_file, slips

outside = load_file(Path(__file__).parents[1] / "_language.py").language()

slip = slips("""
def selector_width(selector, bos=False):
    at_0 = select(indices, 0, "==")
    others = 1 / aggregate(selector | at_0, indicator(indices == 0)) - 1
    chosen_0 = aggregate(selector & at_0, 1, 0)
    return round(others) if bos else round(others + chosen_0)
""")

NeverPositionZero = slip(
    "position 0 is taken off also where the row had chosen it itself: a second head must ask for that",
    "round(others + chosen_0)",
    "round(others)",
)
OneTooMany = slip("position 0 was joined to every row, so that each width is one too large", "== 0)) - 1", "== 0))")
NoRound = slip(
    "the width is left a float: round it",
    "round(others) if bos else round(others + chosen_0)",
    "others if bos else others + chosen_0",
)
NotJoined = slip(
    "where a row has not chosen position 0, the mean is 0 and 1 / 0 fails: join position 0 to every row first",
    "selector | at_0, indicator",
    "selector, indicator",
)
AlwaysPositionZero = slip(
    "position 0 is counted in every row, chosen or not: the second head must join with &",
    "selector & at_0",
    "selector | at_0",
)
AnyFocus = slip(
    "1 is added to every row that chooses anything: add it only where position 0 is among the chosen",
    "selector & at_0",
    "selector",
)
BosIgnored = slip(
    "with bos, position 0 is still counted",
    "round(others) if bos else round(others + chosen_0)",
    "round(others + chosen_0)",
)
BosByDefault = slip("bos is switched on by default: False is the default", "bos=False", "bos=True")
HeadsWithBos = slip(
    "with bos, the second head is still there, though nothing comes of it: one head is enough",
    "round(others) if bos",
    "round(others + chosen_0 * 0) if bos",
)
Cut = slip(
    "int() cuts: the reciprocal of a mean can be a little below the width, so round to the nearest",
    "round(others) if bos else round(others + chosen_0)",
    "others.map(int) if bos else (others + chosen_0).map(int)",
)
BosCounted = slip(
    "with bos, the joined position 0 is left in the count: take it off",
    "round(others) if bos",
    "round(others + 1) if bos",
)
BosTurned = slip("bos is read the other way round", "round(others) if bos", "round(others) if not bos")
FirstRowOnly = slip(
    "1 is added at position 0: it belongs to every row that has chosen position 0 as a key",
    "aggregate(selector & at_0, 1, 0)",
    "indicator(indices == 0)",
)
BoolMean = slip(
    "bools have no mean: turn the flag into 0 and 1 by indicator first", "indicator(indices == 0)", "(indices == 0)"
)
NotTakenOff = slip(
    "position 0 was joined to every row, so that each width is one too large",
    "== 0)) - 1",
    "== 0))",
    "round(others) if bos else round(others + chosen_0)",
    "round(others)",
)
TakenOffWithBos = slip(
    "without bos, position 0 stays joined to every row, so that each width is one too large",
    "== 0)) - 1",
    "== 0))",
    "round(others) if bos",
    "round(others - 1) if bos",
)
JoinedByAnd = slip(
    "position 0 is joined by &, which leaves it only to rows that have chosen it: | joins it to every row",
    "selector | at_0",
    "selector & at_0",
)
Subtracted = slip(
    "position 0 is taken off twice: add 1 where the row has chosen it", "others + chosen_0", "others - chosen_0"
)
TimesLength = slip(
    "the mean of 1 over the chosen keys is 1, so that this is the length: take the mean of a flag at position 0",
    "round(others) if bos else round(others + chosen_0)",
    "round(length() * aggregate(selector, 1, 0))",
)
BySum = slip(
    "a selector isn't a matrix before it runs: Python can't add up its rows, so count by the mean of a flag",
    "round(others) if bos else round(others + chosen_0)",
    "sum(selector)",
)
AsValues = slip(
    "a selector can't be read as values: it says which positions are read, so it is the first argument of aggregate",
    "round(others) if bos else round(others + chosen_0)",
    "round(length() * aggregate(full_s, selector))",
)
ShareOfZero = slip(
    "what is added is a fraction where the row has chosen more than position 0: ask for that position alone, by &",
    "aggregate(selector & at_0, 1, 0)",
    "aggregate(selector, indicator(indices == 0))",
)
PythonsOr = slip(
    "Python's `or` and `and` ask for a truth value, which a selector has only when it runs: write | and &",
    "selector | at_0",
    "selector or at_0",
    "selector & at_0",
    "selector and at_0",
)
JoinedFlag = slip(
    "a flag is joined to a selector: position 0 must be chosen by a selector too, by select(indices, 0, ...)",
    'select(indices, 0, "==")',
    "indices == 0",
)
QueryZero = slip(
    "position 0 gets every key: it is the key that must be at position 0, in every row",
    "select(indices, 0, ",
    "select(0, indices, ",
)
MarksBos = slip(
    "the flag looks for the token §, which is there only with bos: mark position 0",
    "indicator(indices == 0)",
    'indicator(tokens == "§")',
)
AllJoined = slip(
    "every position is joined to every row, so that the widths are all the same: join position 0 alone",
    "selector | at_0, indicator",
    "selector | full_s, indicator",
)
FloatWidth = slip(
    "the width is left a float: round it",
    "round(others) if bos else round(others + chosen_0)",
    "round(others) if bos else others + chosen_0",
)
FloatWithBos = slip("with bos, the width is left a float: round it", "round(others) if bos", "others if bos")
TheShare = slip(
    "a share is returned: the width comes from its reciprocal",
    "round(others) if bos else round(others + chosen_0)",
    "aggregate(selector, indicator(indices == 0))",
)
AlwaysOne = slip(
    "position 0 is counted in every row, chosen or not: the second head must join with &",
    "others + chosen_0",
    "others + 1",
)
NotReturned = slip("nothing is returned: the line with return is missing", "return round(others)", "round(others)")
ByWhere = slips("""
def selector_width(selector, bos=False):
    first = select(indices, 0, "==")
    with_first = round(1 / aggregate(first | selector, where(indices == 0, 1, 0)))
    if bos:
        return with_first - 1
    return where(has_focus(first & selector), with_first, with_first - 1)
""")
ByTwoMeans = slips("""
def selector_width(selector, bos=False):
    first = select(indices, indices, lambda key, query: key == 0)
    count = round(aggregate(selector | first, indicator(indices == 0)) ** -1) - 1
    return count if bos else count + aggregate(selector & first, 1)
""")
at_start = outside["select"](outside["indices"], 0, "==")
flag = outside["indicator"](outside["indices"] == 0)
StepsFromOutside = slips("""
def selector_width(selector, bos=False, joined=at_start):
    others = 1 / aggregate(joined | selector, flag) - 1
    return round(others) if bos else round(others + aggregate(selector & at_start, 1, 0))
""")
