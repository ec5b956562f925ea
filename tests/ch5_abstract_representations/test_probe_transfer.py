"""Hidden tests of exercise 5.16: fitted here, tested there, and no board on both sides.

The learner's fit_probe is replaced by one of the judge's that notes what it is given.
"""

import math

import torch

from utils.grade import close, equal, require, takes_along
from utils.grade.probes import names_of


@takes_along(names_of)
def probe_fit(probe_transfer, X, y, board, condition, fit_on, test_on, rest, tested):
    """The result, and what fit_probe was given; the probe answers with the class of the nearest class mean.

    Where there is nothing to test, whether a probe is fitted is nobody's mistake, and none is told of.
    """
    seen = []

    def fit_probe(X, y, l2=1e-3, classes=None):
        seen.append({"X": X.clone(), "y": y.clone(), "l2": float(l2), "classes": classes})
        C = int(y.max()) + 1 if classes is None else classes
        means = torch.stack([X[y == c].mean(0) if (y == c).any() else torch.full((X.shape[1],), 1e3) for c in range(C)])
        return 2 * means.T, -means.square().sum(1)

    names = names_of(probe_transfer, "fit_probe")
    before = names.get("fit_probe")
    names["fit_probe"] = fit_probe
    try:
        result = probe_transfer(X, y, board, condition, fit_on, test_on, *rest)
    finally:
        names["fit_probe"] = before
    return {"result": result, "seen": seen if tested else []}


def make(draw, n=120):
    board, y = draw.integers(0, 30, n).sort().values, draw.integers(0, 3, n)
    condition = draw.integers(0, 4, 30)[board]
    board[:8], condition[:8] = torch.tensor([0, 1] * 4), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    y[:8] = torch.arange(8) % 3
    board[8:20], condition[8:20] = torch.tensor([1] * 6 + [3] * 6), torch.tensor([1, 2] * 6)  # enough to test
    # far from the origin the bias decides: without it, the class with the longest mean would win everywhere
    return draw.normal(n, 4) + 1.2 * draw.normal(3, 4)[y] + 3, y, board, condition


def sides(board, condition, fit_on, test_on):
    fit = [i for i in range(len(board)) if board[i] % 2 == 0 and int(condition[i]) in fit_on]
    test = [i for i in range(len(board)) if board[i] % 2 == 1 and int(condition[i]) in test_on]
    return torch.tensor(fit), torch.tensor(test)


def run(probe_transfer, data, fit_on, test_on, *rest):
    tested = len(sides(data[2], data[3], fit_on, test_on)[1])
    got = probe_transfer.run(probe_fit, *data, fit_on, test_on, list(rest), tested > 0)
    require(
        isinstance(got["result"], float),
        f"the result must be a Python float, not a {type(got['result']).__name__}",
    )
    says = f"fit_probe must be called once, but it was called {len(got['seen'])} times"
    require(len(got["seen"]) == 1 or not tested, says)
    return got


def check_fit(got, data, fit_on, test_on):
    fit, _ = sides(data[2], data[3], fit_on, test_on)
    says = "the probe must be fitted on the cells of even-numbered boards whose condition is in fit_on, and no others"
    same = tuple(got["seen"][0]["X"].shape) == (len(fit), 4)
    require(same, says)
    close(got["seen"][0]["X"], data[0][fit], says)
    equal(got["seen"][0]["y"], data[1][fit], "the labels that the probe is fitted on do not belong to its cells")


def answers(data, fit_on, cells):
    """What the judge's probe says of these cells."""
    X, y, board, condition = data
    fit, _ = sides(board, condition, fit_on, ())
    means = torch.stack([X[fit][y[fit] == c].mean(0) for c in range(3)])
    return torch.cdist(cells, means).argmin(1)


def accuracy(data, fit_on, test_on):
    X, y, board, condition = data
    _, test = sides(board, condition, fit_on, test_on)
    return float((answers(data, fit_on, X[test]) == y[test]).float().mean())


def test_fitted_on(probe_transfer, draw):
    data = make(draw)
    fit_on, test_on = ((0, 3), (1, 2)) if draw.index else ([2], [0, 1, 3])
    check_fit(run(probe_transfer, data, fit_on, test_on), data, fit_on, test_on)


def test_tested_on(probe_transfer, draw):
    data = make(draw)
    fit_on, test_on = ([0, 1], [2, 3]) if draw.index else ([1, 2, 3], [0])
    got = run(probe_transfer, data, fit_on, test_on)
    says = "the accuracy is not that on the odd-numbered boards whose condition is in test_on"
    close(got["result"], accuracy(data, fit_on, test_on), says, atol=1e-4)
    fit_on, test_on = [0, 1, 3], [1, 2, 3]
    says = "where fit_on and test_on have conditions in common, all of test_on are tested, those too"
    close(run(probe_transfer, data, fit_on, test_on)["result"], accuracy(data, fit_on, test_on), says, atol=1e-4)
    fit_on, test_on, (X, y, board, condition) = [0, 1, 2, 3], [1, 3], data
    between = (board % 2 == 1) & (condition == 2)  # all of them are missed, so that testing them shows
    y = torch.where(between, (answers(data, fit_on, X) + 1) % 3, y)
    data, says = (X, y, board, condition), "cells are tested whose condition is not in the list test_on"
    close(run(probe_transfer, data, fit_on, test_on)["result"], accuracy(data, fit_on, test_on), says, atol=1e-4)


def test_l2_and_classes(probe_transfer, draw):
    data = make(draw)
    got = run(probe_transfer, data, [0, 1], [2], 0.25)
    equal(got["seen"][0]["l2"], 0.25, "l2 must reach fit_probe")
    X, y, board, condition = data
    y = torch.where(board % 2 == 0, y.clamp(max=1), 2)  # a class that the fitted boards do not show
    got = run(probe_transfer, (X, y, board, condition), [0], [1])
    says = "a class that only the tested boards show counts as missed: tell fit_probe the number of all classes"
    require(got["seen"][0]["classes"] == 3, says)
    got = run(probe_transfer, (X, torch.where(y == 2, 4, y), board, condition), [0], [1])
    says = "the number of classes is too small where class numbers have gaps: it is the largest number plus 1"
    require(got["seen"][0]["classes"] == 5, says)


def test_nothing_to_test(probe_transfer, draw):
    X, y, board, condition = make(draw)
    got = run(probe_transfer, (X, y, board, condition), [0, 1, 2, 3], [7])
    require(math.isnan(got["result"]), "where there is nothing to test, the result must be nan", got=got["result"])
