"""Hidden tests of exercise 5.15: the ridge solution, found by the judge as an ordinary least-squares problem."""

import torch

from utils.grade import close, equal, require


def ridge(X, y, l2, classes):
    """The oracle: rows that penalise W are added, the bias is a column of ones, lstsq does the rest."""
    X, n, D = X.double(), len(X), X.shape[1]
    labels = torch.nn.functional.one_hot(y, classes).double()
    rows = torch.cat([X, torch.ones(n, 1)], dim=1) / n**0.5
    more = torch.cat([torch.eye(D) * l2**0.5, torch.zeros(D, 1)], dim=1).double()
    wanted = torch.cat([labels / n**0.5, torch.zeros(D, classes).double()])
    solution = torch.linalg.lstsq(torch.cat([rows, more]), wanted).solution
    return solution[:D].float(), solution[D].float()


def run(fit_probe, X, y, *rest):
    got = fit_probe.call(X, y, *rest)
    equal(got["args"][0], X, "the caller's X is different after the call")
    pair = got["result"]
    two = isinstance(pair, (tuple, list)) and len(pair) == 2 and all(torch.is_tensor(p) for p in pair)
    require(two, "fit_probe must return two tensors, the weights (D, C) and the bias (C,)")
    dtypes = " and ".join(str(p.dtype) for p in pair)
    says = f"weights and bias must be float32, as the vectors are that they multiply, but they are {dtypes}"
    require(all(p.dtype == torch.float32 for p in pair), says)
    return pair


def make(draw, n=40, D=6, C=4):
    y = draw.integers(0, C, n)
    y[:C] = torch.arange(C)
    return draw.normal(n, D) + draw.normal(C, D)[y] + 2, y


def shapes(W, b, D, C):
    says = (
        f"the weights must have shape {(D, C)} and the bias {(C,)}, but they have {tuple(W.shape)} and {tuple(b.shape)}"
    )
    require(tuple(W.shape) == (D, C) and tuple(b.shape) == (C,), says)


def test_almost_no_penalty(fit_probe, draw):
    X, y = make(draw)
    W, b = run(fit_probe, X, y, 1e-6)
    shapes(W, b, 6, 4)
    expected, bias = ridge(X, y, 1e-6, 4)
    close(W, expected, "with almost no penalty the weights are not those of least squares on one-hot labels", atol=1e-3)
    close(b, bias, "with almost no penalty the bias is not that of least squares on one-hot labels", atol=1e-3)


def test_penalty(fit_probe, draw):
    X, y = make(draw, n=30 + 20 * draw.index)
    l2 = 0.3
    W, b = run(fit_probe, X, y, l2)
    expected, bias = ridge(X, y, l2, 4)
    says = "the penalty is off: l2 times the squares of W, beside the mean (not the sum) over the examples"
    close(W, expected, says, atol=1e-4)
    close(b, bias, "the bias is off with a penalty: it is not penalised itself", atol=1e-4)


def test_directions_of_unequal_spread(fit_probe, draw):
    X, y = make(draw)
    X = X * torch.tensor([4.0, 2.0, 1.0, 0.4, 0.2, 0.1])[draw.permutation(6)]
    W, _ = run(fit_probe, X, y, 1e-3)
    says = "the weights are not the best ones where some directions vary far less than others: solve for them"
    close(W, ridge(X, y, 1e-3, 4)[0], says, rtol=1e-2, atol=2e-2)


def test_default_and_classes(fit_probe, draw):
    X, y = make(draw)
    W, b = run(fit_probe, X, y)
    close(W, ridge(X, y, 1e-3, 4)[0], "without l2 the penalty must be 1e-3", atol=1e-3)
    got = fit_probe(X, y, 1e-3, 6 + draw.index)
    require(isinstance(got, (tuple, list)) and len(got) == 2, "fit_probe must return (weights, bias)")
    shapes(*got, 6, 6 + draw.index)


def test_labels_with_gaps(fit_probe, draw):
    X, y = make(draw)
    y = torch.tensor([0, 2, 5, 6])[y]
    W, b = run(fit_probe, X, y, 0.1)
    shapes(W, b, 6, 7)
    says = (
        "with labels 0, 2, 5 and 6, column c of the weights must belong to class c, and missing classes have one, too"
    )
    close(W, ridge(X, y, 0.1, 7)[0], says, atol=1e-3)
