"""Wrong answers to exercise 3.16 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def shuffle_dyck(seq, pairs):
    up_to = select(indices, indices, "<=")
    negative, level = indices < 0, indices >= 0
    for pair in pairs:
        balance = aggregate(up_to, indicator(seq == pair[0])) - aggregate(up_to, indicator(seq == pair[1]))
        negative = negative | (balance < 0)
        level = level & (balance == 0)
    at_end = aggregate(select(indices, length() - 1, "=="), level)
    return at_end & ~(aggregate(full_s, indicator(negative)) > 0)
""")

OnlyTheEnd = slip(
    "only the balance at the end is looked at: it must never be negative on the way",
    "at_end & ~(aggregate(full_s, indicator(negative)) > 0)",
    "at_end",
)
OnlyTheWay = slip(
    "brackets left open at the end are not noticed: the balance there must be 0",
    "return at_end & ~",
    "return ~",
)
OwnPrefix = slip(
    "each position judges only what comes up to it: all of them must tell of the whole input",
    "at_end & ~(aggregate(full_s, indicator(negative)) > 0)",
    "level & ~(aggregate(up_to, indicator(negative)) > 0)",
)
OnesAndZeros = slip(
    "the result is a number, 1 or 0: it must be a bool",
    "return at_end & ~(aggregate(full_s, indicator(negative)) > 0)",
    "return indicator(at_end & ~(aggregate(full_s, indicator(negative)) > 0))",
)
FirstPair = slip("only the first pair is looked at", "for pair in pairs:", "for pair in pairs[:1]:")
TwoPairs = slip("only the first two pairs are looked at", "for pair in pairs:", "for pair in pairs[:2]:")
PerPrefix = slip(
    "each position gets the verdict up to itself: the whole input has one verdict, told to all positions",
    'at_end = aggregate(select(indices, length() - 1, "=="), level)',
    "at_end = level",
)
MeanOfBalances = slip(
    "a mostly negative balance is asked for: one negative place is enough",
    "indicator(negative)) > 0",
    "indicator(negative)) > 0.5",
)
AllNegative = slip(
    "all pairs must be negative at once before it counts: any of them is enough",
    "negative, level = indices < 0",
    "negative, level = indices >= 0",
    "negative | (balance < 0)",
    "negative & (balance < 0)",
)
Strictly = slip("a prefix includes its last position: '<=', not '<'", '"<="', '"<"')
ThirdLayer = slip(
    "the values are right, but there is a layer too many: join the two answers position by position",
    "return at_end & ~(aggregate(full_s, indicator(negative)) > 0)",
    'bad = aggregate(full_s, indicator(negative)) > 0\n    return aggregate(select(indices, 0, "=="), at_end & ~bad)',
)
LastPair = slip(
    "only the last pair is looked at: each pair overwrites what the one before it found",
    "negative = negative | (balance < 0)",
    "negative = balance < 0",
    "level = level & (balance == 0)",
    "level = balance == 0",
)
OneBalance = slip(
    "all kinds share one balance, so that ( and } cancel out: each pair has its own",
    "    for pair in pairs:",
    "    seq, pairs = where(seq.isin([p[0] for p in pairs]), '(', where(seq.isin([p[1] for p in pairs]), ')', ''))"
    ", ['()']\n    for pair in pairs:",
)
Turned = slip(
    "it is the other way round: True where the brackets are balanced",
    "return at_end & ~(aggregate(full_s, indicator(negative)) > 0)",
    "return ~(at_end & ~(aggregate(full_s, indicator(negative)) > 0))",
)
AnyPair = slip(
    "one balanced kind is enough for True: all of them must be",
    "level = level & (balance == 0)",
    "level = level & (balance == 0) if pair == pairs[0] else level | (balance == 0)",
)
OfTokens = slip(
    "the argument seq is not used: read the sequence that is given",
    "    up_to =",
    "    seq = tokens\n    up_to =",
)
NeutralCloses = slip(
    "every other token closes a bracket: only the pair's own closing bracket does",
    "indicator(seq == pair[1])",
    "indicator(seq != pair[0])",
)
NowhereNegative = slip(
    "the whole input is judged up to each position: what is level and what is negative must be told to all positions",
    'at_end = aggregate(select(indices, length() - 1, "=="), level)',
    "at_end = level",
    "~(aggregate(full_s, indicator(negative)) > 0)",
    "~negative",
)
EverywhereLevel = slip(
    "the balances must be 0 at every position: only at the last one",
    "at_end & ~(aggregate(full_s, indicator(negative)) > 0)",
    "aggregate(full_s, indicator(level & ~negative)) == 1",
)
FirstPosition = slip(
    "the balances are looked at where the input begins: they must be 0 where it ends", "length() - 1", "0"
)
OnlyTotals = slip(
    "only the numbers of brackets are compared: none may be closed before it is opened, either",
    '    up_to = select(indices, indices, "<=")\n',
    "    fine = indices >= 0\n"
    "    for pair in pairs:\n"
    "        fine = fine & (count(seq, pair[0]) == count(seq, pair[1]))\n"
    "    return fine\n"
    '    up_to = select(indices, indices, "<=")\n',
)
ClosedMinusOpened = slip(
    "the balance has the wrong sign: it is opened minus closed",
    "aggregate(up_to, indicator(seq == pair[0])) - aggregate(up_to, indicator(seq == pair[1]))",
    "aggregate(up_to, indicator(seq == pair[1])) - aggregate(up_to, indicator(seq == pair[0]))",
)
WholeInput = slip(
    "only the balance at the end is looked at: it must never be negative on the way",
    'select(indices, indices, "<=")',
    "full_s",
)
ZeroIsNegative = slip("a balance of 0 counts as negative: only what is below 0 does", "balance < 0", "balance <= 0")
BoolMean = slip("bools have no mean: turn them into 0 and 1 by indicator first", "indicator(negative)", "negative")
RoundedShares = slip(
    "the difference of two shares is rounded, which leaves 0 nearly everywhere: compare it as it is",
    "balance = aggregate(up_to, indicator(seq == pair[0])) - aggregate(up_to, indicator(seq == pair[1]))",
    "balance = round(aggregate(up_to, indicator(seq == pair[0])) - aggregate(up_to, indicator(seq == pair[1])))",
)
ByLists = slips("""
def shuffle_dyck(seq, pairs):
    so_far = select(indices, indices, "<=")
    ok = True
    for left, right in pairs:
        change = where(seq == left, 1, where(seq == right, -1, 0))
        balance = aggregate(so_far, change)
        total = aggregate(full_s, change)
        lowest = aggregate(full_s, indicator(balance < 0))
        ok = (total == 0) & (lowest == 0) & ok
    return ok
""")
FromTheEnd = slips("""
def shuffle_dyck(seq, pairs):
    up_to = select(indices, indices, "<=")
    balances = [aggregate(up_to, where(seq == left, 1, where(seq == right, -1, 0))) for left, right in pairs]
    low, open_at_end = False, False
    for balance in balances:
        low = (balance < 0) | low
        open_at_end = (balance[-1] != 0) | open_at_end
    return ~(has_focus(select(low, True, "==")) | open_at_end)
""")
OneFlag = slips("""
def shuffle_dyck(seq, pairs):
    up_to = select(indices, indices, "<=")
    wrong = 0
    for pair in pairs:
        balance = aggregate(up_to, indicator(seq == pair[0])) - aggregate(up_to, indicator(seq == pair[1]))
        wrong = wrong + indicator(balance < 0) + indicator((balance != 0) & (indices == indices)) * 0
    last = select(indices, length() - 1, "==")
    ends = 0
    for pair in pairs:
        balance = aggregate(up_to, indicator(seq == pair[0])) - aggregate(up_to, indicator(seq == pair[1]))
        ends = ends + indicator(balance != 0)
    return (aggregate(full_s, wrong) == 0) & (aggregate(last, ends) == 0)
""")
