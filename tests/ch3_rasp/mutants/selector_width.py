"""Wrong answers to exercise 3.5 that learners write, and right ones written differently."""

from utils.grade import slips

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
