"""The geometry of activations: what varies with what, in how many dimensions, and what can be read off (chapter 5)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def variance_explained(X: Float[Tensor, "n D"], y: Int[Tensor, "n"]) -> float:
    """The share of the variance of X that lies between the classes of y: eta squared.

    Sum over examples of |mean of its class - mean of all|^2, over the sum of |example - mean of all|^2. 0 where X
    does not vary. A Python float.
    """
    # solution
    centred = X - X.mean(dim=0)
    total = centred.square().sum()
    between = sum((y == c).sum() * centred[y == c].mean(dim=0).square().sum() for c in y.unique())
    return float(between / total) if total > 1e-10 * X.square().sum() else 0.0
    # end solution


def participation_ratio(X: Float[Tensor, "n D"]) -> float:
    """How many dimensions X uses: (sum of the variances along its principal axes)^2 / sum of their squares.

    n points spread evenly in k dimensions give k, points on a line 1; 0 where X does not vary. A Python float.
    """
    # solution
    centred = X - X.mean(dim=0)
    variances = torch.linalg.svdvals(centred).square()
    squares = variances.square().sum()
    return float(variances.sum().square() / squares) if squares > 0 else 0.0
    # end solution


def pairwise_distance(X: Float[Tensor, "n D"], metric: str = "euclidean") -> Float[Tensor, "n n"]:
    """All distances between the rows of X: "euclidean", or "unit" (euclidean between rows scaled to length 1).

    The matrix is symmetric with zeros on its diagonal. A row of zeros stays zero when it is scaled. Raises ValueError
    for another metric.
    """
    # solution
    if metric not in ("euclidean", "unit"):
        raise ValueError(f"there is no metric {metric!r}: choose euclidean or unit")
    if metric == "unit":
        X = X / X.norm(dim=1, keepdim=True).clamp(min=1e-12)
    above, distances = torch.triu_indices(len(X), len(X), offset=1), X.new_zeros(len(X), len(X))
    distances[above[0], above[1]] = torch.nn.functional.pdist(X)  # each pair once
    return distances + distances.T
    # end solution


def fit_probe(
    X: Float[Tensor, "n D"], y: Int[Tensor, "n"], l2: float = 1e-3, classes: int | None = None
) -> tuple[Float[Tensor, "D C"], Float[Tensor, "C"]]:
    """A linear probe: weights W and bias b such that X W + b is closest to the one-hot labels, in the ridge sense.

    Minimises the mean over the examples of |x W + b - onehot(y)|^2, plus l2 times the sum of the squares of W; the
    bias is not penalised. C is `classes`, or the largest label plus 1. The probe's answer is the class with the
    largest output.
    """
    # solution
    labels = torch.nn.functional.one_hot(y, classes or int(y.max()) + 1).to(X.dtype)
    mean_x, mean_y = X.mean(dim=0), labels.mean(dim=0)
    centred = X - mean_x
    gram = centred.T @ centred / len(X) + l2 * torch.eye(X.shape[1], dtype=X.dtype)
    W = torch.linalg.solve(gram, centred.T @ (labels - mean_y) / len(X))
    return W, mean_y - mean_x @ W
    # end solution


def probe_transfer(
    X: Float[Tensor, "n D"],
    y: Int[Tensor, "n"],
    board: Int[Tensor, "n"],
    condition: Int[Tensor, "n"],
    fit_on: Sequence[int],
    test_on: Sequence[int],
    l2: float = 1e-3,
) -> float:
    """Accuracy of a probe that is fitted under some conditions and tested under others.

    Row i is a cell of board[i], which has condition[i] (its background, say). The probe is fitted on the cells of
    even-numbered boards whose condition is in `fit_on`, and tested on those of odd-numbered boards whose condition is
    in `test_on`: so no board is on both sides, also where the conditions overlap. nan where there is nothing to test.
    """
    # solution
    fit = (board % 2 == 0) & torch.isin(condition, torch.tensor(list(fit_on)))
    test = (board % 2 == 1) & torch.isin(condition, torch.tensor(list(test_on)))
    W, b = fit_probe(X[fit], y[fit], l2, classes=int(y.max()) + 1)
    return ((X[test] @ W + b).argmax(dim=1) == y[test]).float().mean().item()
    # end solution


def probe_accuracy(
    probe: tuple[Float[Tensor, "D C"], Float[Tensor, "C"]], X: Float[Tensor, "n D"], y: Int[Tensor, "n"]
) -> float:
    """The share of rows that a fitted probe names rightly."""
    W, b = probe
    return ((X @ W + b).argmax(dim=1) == y).float().mean().item()
