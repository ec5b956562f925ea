"""Wrong answers to exercise 5.16 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips


def fit_probe(X, y, l2=1e-3, classes=None):
    raise NotImplementedError("the tests bring their own")


slip = slips("""
    def probe_transfer(X, y, board, condition, fit_on, test_on, l2=1e-3):
        even = board % 2 == 0
        fit = even & torch.isin(condition, torch.tensor(fit_on))
        test = ~even & torch.isin(condition, torch.tensor(test_on))
        W, b = fit_probe(X[fit], y[fit], l2, classes=int(y.max()) + 1)
        said = (X[test] @ W + b).argmax(dim=1)
        return (said == y[test]).float().mean().item()
""")

SameBoards = slip("boards are on both sides: fit on the even-numbered ones only", "fit = even & ", "fit = ")
TestedOnFitted = slip(
    "the test uses even-numbered boards as well: test on the odd-numbered ones", "test = ~even & ", "test = "
)
ByCell = slip(
    "cells are split, not boards: cells of one board then are on both sides",
    "even = board % 2 == 0",
    "even = torch.arange(len(board)) % 2 == 0",
)
Exchanged = slip(
    "odd boards are fitted and even ones tested: it is the other way round",
    "even = board % 2 == 0",
    "even = board % 2 == 1",
)
FitEverywhere = slip(
    "the probe is fitted under all conditions: only those of fit_on",
    "fit = even & torch.isin(condition, torch.tensor(fit_on))",
    "fit = even",
)
TestEverywhere = slip(
    "the probe is tested under all conditions: only those of test_on",
    "test = ~even & torch.isin(condition, torch.tensor(test_on))",
    "test = ~even",
)
TestsFit = slip("it tests on what it was fitted on", "X[test] @ W", "X[fit] @ W", "y[test]", "y[fit]")
PenaltyIgnored = slip("l2 does not reach fit_probe", "y[fit], l2, classes", "y[fit], 1e-3, classes")
ClassesOfFit = slip(
    "the number of classes is taken from the fitted cells: take it from all of y",
    "int(y.max()) + 1",
    "int(y[fit].max()) + 1",
)
NoBias = slip("the bias is not added", "X[test] @ W + b", "X[test] @ W")
FirstCondition = slip("only the first condition of fit_on counts", "torch.tensor(fit_on))", "torch.tensor(fit_on)[:1])")
ZeroForNothing = slip(
    "nothing to test gives 0, which looks like a result: it must be nan",
    ".float().mean().item()",
    ".float().sum().item() / max(int(test.sum()), 1)",
)
OnlyNewConditions = slip(
    "conditions that were fitted are left out of the test: the boards differ, so they may be in both",
    "test = ~even & torch.isin(condition, torch.tensor(test_on))",
    "test = ~even & torch.isin(condition, torch.tensor(test_on)) & ~torch.isin(condition, torch.tensor(fit_on))",
)  # fmt: skip
FromTo = slip(
    "every condition between the smallest and the largest of fit_on counts: only those in the list do",
    "torch.isin(condition, torch.tensor(fit_on))", "(condition >= min(fit_on)) & (condition <= max(fit_on))",
)  # fmt: skip
ConditionsExchanged = slip(
    "fit_on and test_on are exchanged",
    "torch.tensor(fit_on))",
    "torch.tensor(OTHER))",
    "torch.tensor(test_on))",
    "torch.tensor(fit_on))",
    "OTHER",
    "test_on",
)  # fmt: skip
NoSplit = slip(
    "no board is kept apart: fit on the even-numbered ones, test on the odd-numbered ones",
    "fit = even & ", "fit = ", "test = ~even & ", "test = ",
)  # fmt: skip
Halves = slip(
    "the first half of the boards is fitted: fit on the even-numbered ones", "board % 2 == 0", "board < board.median()"
)
BoardsRenumbered = slip(
    "boards are numbered anew before they are split: their own numbers count",
    "board % 2 == 0", "board.unique(return_inverse=True)[1] % 2 == 0",
)  # fmt: skip
NoClasses = slip(
    "fit_probe is not told how many classes there are: a class that only the tested boards show would be missing",
    ", classes=int(y.max()) + 1", "",
)  # fmt: skip
ErrorRate = slip("the share of mistakes is returned: the share of hits is wanted", "said == y[test]", "said != y[test]")
Count = slip("the hits are counted: their share is wanted", ".float().mean().item()", ".float().sum().item()")
Balanced = slip(
    "the classes' accuracies are averaged: every tested cell counts alike",
    "return (said == y[test]).float().mean().item()",
    "hits, t = (said == y[test]).float(), y[test]\n"
    "    return torch.stack([hits[t == c].mean() for c in t.unique()]).mean().item() if len(t) else float('nan')",
)  # fmt: skip
Refused = slip(
    "with nothing to test it raises an error: the result must be nan",
    "said = (X", "if not test.any():\n        raise ValueError('nothing to test')\n    said = (X",
)  # fmt: skip
TestedUnderFit = slip(
    "the test uses the conditions of fit_on: use those of test_on", "torch.tensor(test_on)", "torch.tensor(fit_on)"
)
HalfOfTheNumbers = slip(
    "the first half of the boards is fitted: fit on the even-numbered ones", "board % 2 == 0", "board < board.max() / 2"
)
TestedOnEven = slip(
    "the even-numbered boards are tested, which are fitted as well: test on the odd-numbered ones",
    "test = ~even & ", "test = even & ",
)  # fmt: skip
TestsFitUnlessEmpty = slip(
    "it tests on what it was fitted on",
    "W, b =", "if not test.any():\n        return float('nan')\n    W, b =",
    "X[test] @ W", "X[fit] @ W", "y[test]", "y[fit]",
)  # fmt: skip
TestedFromTo = slip(
    "cells are tested whose condition is not in the list test_on",
    "torch.isin(condition, torch.tensor(test_on))", "(condition >= min(test_on)) & (condition <= max(test_on))",
)  # fmt: skip
ClassesThatOccur = slip(
    "the number of classes is too small where class numbers have gaps: it is the largest number plus 1",
    "int(y.max()) + 1", "len(y.unique())",
)  # fmt: skip
TensorReturned = slip("the result must be a Python float, not a Tensor", ".float().mean().item()", ".float().mean()")
PlainBalanced = slip(
    "the classes' accuracies are averaged: every tested cell counts alike",
    "return (said == y[test]).float().mean().item()",
    "hits, t = (said == y[test]).float(), y[test]\n"
    "    return torch.stack([hits[t == c].mean() for c in t.unique()]).mean().item()",
)  # fmt: skip
FittedOnTest = slip("the probe is fitted on the tested cells", "fit_probe(X[fit], y[fit]", "fit_probe(X[test], y[test]")
ScaledByAll = slip(
    "the features are scaled by the statistics of all cells, the tested ones too: hand them on as they are",
    "W, b =", "X = (X - X.mean(dim=0)) / X.std(dim=0)\n    W, b =",
)  # fmt: skip
ScaledByFit = slip(
    "the features are scaled first: hand them to fit_probe as they are",
    "W, b =", "X = (X - X[fit].mean(dim=0)) / X[fit].std(dim=0)\n    W, b =",
)  # fmt: skip
EitherOr = slip(
    "a cell is fitted on if its board is even or its condition is in fit_on: both must hold",
    "fit = even & ", "fit = even | ",
)  # fmt: skip


@right
def by_lists(X, y, board, condition, fit_on, test_on, l2=1e-3):
    rows = list(zip(board.tolist(), condition.tolist(), strict=True))
    fit = [i for i, (b, c) in enumerate(rows) if b % 2 == 0 and c in list(fit_on)]
    test = [i for i, (b, c) in enumerate(rows) if b % 2 and c in list(test_on)]
    W, b = fit_probe(X[fit], y[fit], l2=l2, classes=int(y.max() + 1))
    if not test:
        return float("nan")
    return float(sum(((X[i] @ W + b).argmax() == y[i]).item() for i in test)) / len(test)


@right
def nothing_to_fit(X, y, board, condition, fit_on, test_on, l2=1e-3):
    def chosen(rest, values):
        return torch.tensor([i for i in range(len(y)) if board[i] % 2 == rest and int(condition[i]) in values])

    here, there = chosen(0, fit_on), chosen(1, test_on)
    if len(there) == 0:
        return float("nan")
    W, b = fit_probe(X[here], y[here], l2, classes=int(y.max()) + 1)
    return ((X[there] @ W + b).max(dim=1)[1] == y[there]).double().mean().item()


@right
def by_any(X, y, board, condition, fit_on, test_on, l2=1e-3):
    def among(values):
        return torch.stack([condition == value for value in values]).any(0)

    odd = board.remainder(2).bool()
    here, there = among(fit_on) & ~odd, among(test_on) & odd
    weights, bias = fit_probe(X[here], y[here], l2, int(y.max()) + 1)
    return (
        torch.eq(torch.addmm(bias, X[there], weights).max(1).indices, y[there]).float().mean().item()
        if there.any()
        else float("nan")
    )
