"""Wrong answers to exercise 3.12 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def hist(seq, bos=False):
    return selector_width(select(seq, seq, "=="), bos)
""")

BosIgnored = slip("bos is not handed on to selector_width", ", bos)", ")")
AlwaysBos = slip("BOS is expected always: without bos, position 0 counts like any other", ", bos)", ", True)")
UpToHere = slip(
    "only earlier occurrences are counted: all of them count",
    'select(seq, seq, "==")',
    'select(seq, seq, "==") & select(indices, indices, "<=")',
)
Others = slip("the tokens that differ are counted: count the equal ones", '"=="', '"!="')
OfTokens = slip(
    "the argument seq is not used: count in the sequence that is given", "select(seq, seq", "select(tokens, tokens"
)
Shares = slip(
    "that is a mean, not a count: use selector_width",
    'selector_width(select(seq, seq, "=="), bos)',
    'aggregate(select(seq, seq, "=="), 1, 0)',
)
TwoHeads = slip(
    "with bos, the values are right, but there are two heads: hand bos to selector_width",
    'return selector_width(select(seq, seq, "=="), bos)',
    'often = selector_width(select(seq, seq, "=="))\n    return where(indices == 0, 0, often) if bos else often',
)
WithoutItself = slip("a position's own token is left out: it counts, too", ", bos)", ", bos) - 1")
SameIndex = slip(
    "positions are compared, which are all different: compare the tokens", "select(seq, seq", "select(indices, indices"
)
SmallerToo = slip("smaller tokens are counted as well: only equal ones count", '"=="', '"<="')
ByCount = slip(
    "count looks for one atom, the same at every position: here each position asks for its own token",
    'selector_width(select(seq, seq, "=="), bos)',
    "count(seq, seq)",
)
SOpForSelector = slip(
    "`seq == seq` compares each position with itself: select compares every key with every query",
    'select(seq, seq, "==")',
    "seq == seq",
)
LengthTimesOne = slip(
    "the mean of 1 over the chosen keys is 1, so that this is the length: selector_width counts them",
    'selector_width(select(seq, seq, "=="), bos)',
    'length() * aggregate(select(seq, seq, "=="), 1)',
)
RoundedLength = slip(
    "the mean of 1 over the chosen keys is 1, so that this is the length: selector_width counts them",
    'selector_width(select(seq, seq, "=="), bos)',
    'round(length() * aggregate(select(seq, seq, "=="), 1))',
)
EqualToItself = slip(
    "`seq == seq` compares each position with itself, and is true everywhere: select compares it with all the others",
    'selector_width(select(seq, seq, "=="), bos)',
    "round(length() * aggregate(full_s, indicator(seq == seq)))",
)
NotJoined = slip(
    "a row that has not chosen position 0 gives a mean of 0, and 1 / 0 fails: selector_width takes care of that",
    'selector_width(select(seq, seq, "=="), bos)',
    'round(1 / aggregate(select(seq, seq, "=="), indicator(indices == 0)))',
)
OnlySelected = slip(
    "a selector is returned: selector_width counts what it chooses",
    'selector_width(select(seq, seq, "=="), bos)',
    'select(seq, seq, "==")',
)
KeyIndices = slip(
    "position numbers are compared with tokens: compare tokens with tokens", "select(seq, seq", "select(indices, seq"
)
QueryIndices = slip(
    "position numbers are compared with tokens: compare tokens with tokens", "select(seq, seq", "select(seq, indices"
)
OtherPlaces = slip(
    "a position's own token is left out: it counts, too",
    'select(seq, seq, "==")',
    'select(seq, seq, "==") & select(indices, indices, "!=")',
)
Before = slip(
    "only earlier occurrences are counted, without the position's own: all of them count",
    'select(seq, seq, "==")',
    'select(seq, seq, "==") & select(indices, indices, "<")',
)
After = slip(
    "only later occurrences are counted: all of them count",
    'select(seq, seq, "==")',
    'select(seq, seq, "==") & select(indices, indices, ">=")',
)
MinusBos = slip(
    "with bos, 1 is taken off every count: only position 0 is not to be counted, which selector_width does with bos",
    ", bos)",
    ") - bos",
)
PlusBos = slip("with bos, 1 is added to every count: selector_width has counted rightly", ", bos)", ", bos) + bos")
BosTurned = slip("bos is read the other way round", ", bos)", ", not bos)")
QueryTokens = slip(
    "the argument seq is compared with the tokens: both sides are the sequence that is given",
    "select(seq, seq",
    "select(seq, tokens",
)
KeyTokens = slip(
    "the argument seq is compared with the tokens: both sides are the sequence that is given",
    "select(seq, seq",
    "select(tokens, seq",
)
NoComparison = slip('select wants a comparison as its third argument, such as "=="', ', "==")', ")")
MeanPlace = slip(
    "that is the mean position of a token, not how often it occurs: use selector_width",
    'selector_width(select(seq, seq, "=="), bos)',
    'aggregate(select(seq, seq, "=="), indices)',
)
ZeroAtStart = slip(
    "position 0 gets 0 also without bos: there it holds a token like any other",
    'return selector_width(select(seq, seq, "=="), bos)',
    'often = selector_width(select(seq, seq, "=="), bos)\n    return where(indices == 0, 0, often)',
)
NOT_A_LIST = "an s-op isn't a list: before it runs, Python can't loop over it, so let select compare all positions"
ByLoop = slip(NOT_A_LIST, 'selector_width(select(seq, seq, "=="), bos)', "[seq.count(item) for item in seq]")
Looped = slip(NOT_A_LIST, 'selector_width(select(seq, seq, "=="), bos)', "sum(item == seq for item in seq)")
Floats = slip("the result is a float: a number of tokens is an int", ", bos)", ", bos) * 1.0")
NotReturned = slip("nothing is returned: the line with return is missing", "return selector_width", "selector_width")
ByFunction = slips("""
def hist(seq, bos=False):
    equal = select(seq, seq, lambda key, query: key == query)
    return selector_width(equal, bos=bos)
""")
ByMeans = slips("""
def hist(seq, bos=False):
    same, first = select(seq, seq, "=="), select(indices, 0, "==")
    others = round(1 / aggregate(same | first, indicator(indices == 0))) - 1
    return others if bos else others + aggregate(same & first, 1)
""")
