"""Wrong answers to exercise 3.8 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def has_focus(selector):
    return aggregate(selector, 1, 0) > 0
""")

ZeroOrOne = slip("the result is a number, 0 or 1: compare it, to get a bool", " > 0", "")
Turned = slip("it is the other way round: True where nothing is chosen", " > 0", " == 0")
Positions = slip(
    "a row that chooses only position 0 looks empty: so it is with a mean of positions, and with a width with bos",
    "selector, 1, 0",
    "selector, indices, 0",
)
AlwaysTrue = slip(
    "an empty row gives True as well: its default must be a value that the comparison rejects", "1, 0", "1, 1"
)
NeverTrue = slip("a mean of ones is 1, never more: no row passes this comparison", " > 0", " > 1")
TwoHeads = slip(
    "the values are right, but counting takes two heads where one is enough",
    "aggregate(selector, 1, 0)",
    "selector_width(selector)",
)
OfBools = slip(
    "several bools or strings have no mean: read a number that is never 0, and compare what comes out",
    "(selector, 1, 0) > 0",
    "(selector, True, False)",
)
OfTokens = slip(
    "several bools or strings have no mean: read a number that is never 0, and compare what comes out",
    "(selector, 1, 0) > 0",
    "(selector, tokens, 0) != 0",
)
EmptyText = slip(
    "several bools or strings have no mean: read a number that is never 0, and compare what comes out",
    "(selector, 1, 0) > 0",
    '(selector, tokens, "") != ""',
)
WithNone = slip(
    "None is not a value of a sequence: the default must be a number that a chosen row never gives",
    "(selector, 1, 0) > 0",
    "(selector, indices, None) != None",
)
NoneAndTokens = slip(
    "None is not a value of a sequence: the default must be a number that a chosen row never gives",
    "(selector, 1, 0) > 0",
    "(selector, tokens, None) != None",
)
Widths = slip(
    "the number of chosen keys is returned: the question is only whether there is any",
    "aggregate(selector, 1, 0) > 0",
    "selector_width(selector)",
)
AsBool = slip(
    "Python's bool() and `not` ask for a truth value, which an s-op has only when it runs: compare with a number",
    "aggregate(selector, 1, 0) > 0",
    "bool(aggregate(selector, 1, 0))",
)
PythonsNot = slip(
    "Python's bool() and `not` ask for a truth value, which an s-op has only when it runs: compare with a number",
    "aggregate(selector, 1, 0) > 0",
    "not aggregate(selector, 0, 1)",
)
AnyOfIt = slip(
    "a selector can't be looped over before it runs: aggregate something by it",
    "aggregate(selector, 1, 0) > 0",
    "any(selector)",
)
AsArray = slip(
    "a selector is a step that has not run, not an array: aggregate something by it",
    "aggregate(selector, 1, 0) > 0",
    "selector.any(axis=1)",
)
AsNumber = slip(
    "a selector can't be compared or computed with: aggregate something by it, and compare that",
    "aggregate(selector, 1, 0) > 0",
    "selector > 0",
)
AsCondition = slip(
    "a selector holds a choice for each pair of positions, not a value for each position: aggregate by it first",
    "aggregate(selector, 1, 0) > 0",
    "where(selector, True, False)",
)
AsIndicator = slip(
    "a selector holds a choice for each pair of positions, not a value for each position: aggregate by it first",
    "aggregate(selector, 1, 0) > 0",
    "indicator(selector)",
)
OnlyTheFirst = slip(
    "only position 0 counts: a row that chooses any other key has a focus, too",
    "selector, 1, 0",
    "selector, indicator(indices == 0), 0",
)
JoinedFirst = slip(
    "only position 0 counts: a row that chooses any other key has a focus, too",
    "(selector, 1, 0)",
    '(selector & select(indices, 0, "=="), 1, 0)',
)
OneOfLength = slip(
    "the values are right, but the length takes a layer of its own: any number that is never 0 can be read",
    "selector, 1, 0",
    "selector, 1 / length(), 0",
)
ValuesFirst = slip("aggregate takes the selector first and the values second", "(selector, 1, 0)", "(1, selector, 0)")
ExactlyOne = slip(
    "only rows that choose exactly one key give True: one is enough, but there may be more",
    "aggregate(selector, 1, 0) > 0",
    "selector_width(selector) == 1",
)
ReadsItself = slip(
    "a selector is read as if it held values: read a number that is never 0", "selector, 1, 0", "selector, selector, 0"
)
SameDefault = slip(
    "an empty row gives True as well: its default must be a value that the comparison rejects", " > 0", " >= 0"
)
Equal = slips("""
def has_focus(selector):
    return aggregate(selector, 2, -1) == 2
""")
ByDefault = slips("""
def has_focus(selector):
    found = aggregate(selector, indices + 1)
    return found != 0
""")
