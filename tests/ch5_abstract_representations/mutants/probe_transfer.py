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
