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
