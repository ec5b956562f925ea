"""Wrong answers to exercise 3.15 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def dyck1_ptf(seq):
    up_to = select(indices, indices, "<=")
    opened = aggregate(up_to, indicator(seq == "("))
    closed = aggregate(up_to, indicator(seq == ")"))
    balance = round((indices + 1) * opened) - round((indices + 1) * closed)
    broken = aggregate(up_to, indicator(balance < 0)) > 0
    return where(broken, "F", where(balance == 0, "T", "P"))
""")

NotForGood = slip(
    "an F does not last: ask whether the balance has been negative anywhere up to here",
    "aggregate(up_to, indicator(balance < 0)) > 0",
    "balance < 0",
)
MeanBalance = slip(
    "the mean of the balances is tested: one negative balance is enough to break it",
    "indicator(balance < 0)) > 0",
    "balance) < 0",
)
Strictly = slip("a prefix includes its last position: '<=', not '<'", '"<="', '"<"')
WholeInput = slip(
    "every prefix gets the verdict over the whole input: look only up to here",
    'select(indices, indices, "<=")',
    "full_s",
)
Exchanged = slip("T and P are exchanged: T is for a balance of 0", '"T", "P"', '"P", "T"')
OneNegative = slip("a balance of 0 counts as broken: only negative ones do", "balance < 0", "balance <= 0")
OfTokens = slip(
    "the argument seq is not used: read the sequence that is given",
    'seq == "("',
    'tokens == "("',
    'seq == ")"',
    'tokens == ")"',
)
ThirdLayer = slip(
    "the values are right, but there is a layer too many: broken needs only the balance",
    "aggregate(up_to, indicator(balance < 0)) > 0",
    'aggregate(select(where(balance < 0, 1, 0), 1, "==") & up_to, 1, 0) > aggregate(select(balance, "x", "=="), 0)',
)
BrokenEverywhere = slip(
    "one F anywhere makes everything F, also what comes before it: look only up to here",
    "aggregate(up_to, indicator(balance < 0)) > 0",
    "aggregate(full_s, indicator(balance < 0)) > 0",
)
FromHereOn = slip("a prefix is what comes up to here: '>=' looks at the rest", '"<="', '">="')
NeutralCloses = slip("every other token closes a bracket: only ) does, the rest is neutral", 'seq == ")"', 'seq != "("')
OtherBrackets = slip(
    "other brackets are counted as well: all but ( and ) is neutral here",
    'seq == "("',
    'seq.isin(["(", "[", "{"])',
)
BalancedFirst = slip(
    "T is given wherever the balance is 0, also after an F: ask first whether it is broken",
    'where(broken, "F", where(balance == 0, "T", "P"))',
    'where(balance == 0, "T", where(broken, "F", "P"))',
)
OpenFirst = slip(
    "P is given wherever a bracket is open, also after an F: ask first whether it is broken",
    'where(broken, "F", where(balance == 0, "T", "P"))',
    'where(balance > 0, "P", where(broken, "F", "T"))',
)
TimesIndex = slip(
    "a share is multiplied by the index: up to position i there are i + 1 positions",
    "balance = round((indices + 1) * opened) - round((indices + 1) * closed)",
    "balance = round(indices * opened) - round(indices * closed)",
)
DifferenceTimesIndex = slip(
    "a share is multiplied by the index: up to position i there are i + 1 positions",
    "round((indices + 1) * opened) - round((indices + 1) * closed)",
    "round(indices * (opened - closed))",
)
RoundedShares = slip(
    "the difference of two shares is rounded, which leaves 0 nearly everywhere: multiply by index + 1 first",
    "round((indices + 1) * opened) - round((indices + 1) * closed)",
    "round(opened - closed)",
)
TimesLength = slip(
    "a share of the prefix is multiplied by the length of the whole input, which takes a head more: by index + 1",
    "round((indices + 1) * opened) - round((indices + 1) * closed)",
    "round(length() * opened) - round(length() * closed)",
)
ClosedMinusOpened = slip(
    "the balance has the wrong sign: it is opened minus closed",
    "round((indices + 1) * opened) - round((indices + 1) * closed)",
    "round((indices + 1) * closed) - round((indices + 1) * opened)",
)
BoolMean = slip(
    "bools have no mean: turn them into 0 and 1 by indicator first", "indicator(balance < 0)", "balance < 0"
)
WholeCount = slip(
    "the brackets of the whole input are counted, so that each position gets the same balance: look only up to here",
    "round((indices + 1) * opened) - round((indices + 1) * closed)",
    'count(seq, "(") - count(seq, ")")',
)
WholeWidth = slip(
    "the brackets of the whole input are counted, so that each position gets the same balance: look only up to here",
    "round((indices + 1) * opened) - round((indices + 1) * closed)",
    'selector_width(select(seq, "(", "==")) - selector_width(select(seq, ")", "=="))',
)
ByWidths = slip(
    "the values are right, but two widths take four heads: one head gives both shares",
    "round((indices + 1) * opened) - round((indices + 1) * closed)",
    'selector_width(up_to & select(seq, "(", "==")) - selector_width(up_to & select(seq, ")", "=="))',
)
AlwaysBroken = slip(
    "the share of negative balances must be 1 before it counts as broken: any above 0 is enough",
    "indicator(balance < 0)) > 0",
    "indicator(balance < 0)) == 1",
)
PythonsIf = slip(
    "Python's `if` asks for a truth value, which an s-op has only when it runs: where() chooses at each position",
    'return where(broken, "F", where(balance == 0, "T", "P"))',
    'return "F" if broken else "T" if balance == 0 else "P"',
)
TooLate = slip(
    "an F comes one position late: whether it is broken includes this position",
    "broken = aggregate(up_to,",
    'broken = aggregate(select(indices, indices, "<"),',
)
NoneForP = slip(
    "the verdicts are the texts T, P and F: None isn't a value that a sequence can hold",
    'where(broken, "F", where(balance == 0, "T", "P"))',
    "where(broken, False, where(balance == 0, True, None))",
)
NotReturned = slip("nothing is returned: the line with return is missing", "return where", "where")
ByDifference = slips("""
def dyck1_ptf(seq):
    so_far = select(indices, indices, "<=")
    step = where(seq == "(", 1, where(seq == ")", -1, 0))
    level = aggregate(so_far, step)
    bad = aggregate(so_far, where(level < 0, 1, 0))
    return where(bad != 0, "F", where(level == 0, "T", "P"))
""")
ByMap = slips("""
def dyck1_ptf(seq):
    before = ~select(indices, indices, ">")
    share = aggregate(before, seq.lookup({})) if False else aggregate(before, indicator(seq == "("))
    share = share - aggregate(before, indicator(seq == ")"))
    negative = has_focus(before & select(share < 0, True, "=="))
    return where(negative, "F", where(share > 0, "P", "T"))
""")
CutOff = slip(
    "the numbers of brackets are cut off: 49 * (1 / 49) is a little below 1 in floats, so round",
    "balance = round((indices + 1) * opened) - round((indices + 1) * closed)",
    "balance = ((indices + 1) * opened).map(int) - ((indices + 1) * closed).map(int)",
)
TenthBroken = slip(
    "a single negative balance is not enough in a long text: is the share of them above 0?",
    "indicator(balance < 0)) > 0",
    "indicator(balance < 0)) > 0.1",
)
