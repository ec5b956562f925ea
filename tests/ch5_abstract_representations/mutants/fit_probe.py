"""Wrong answers to exercise 5.15 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips

slip = slips("""
    def fit_probe(X, y, l2=1e-3, classes=None):
        labels = F.one_hot(y, classes or int(y.max()) + 1).to(X.dtype)
        mean_x, mean_y = X.mean(dim=0), labels.mean(dim=0)
        centred = X - mean_x
        gram = centred.T @ centred / len(X) + l2 * torch.eye(X.shape[1])
        W = torch.linalg.solve(gram, centred.T @ (labels - mean_y) / len(X))
        b = mean_y - mean_x @ W
        return W, b
""")

NotCentred = slip(
    "X is not centred: without that, the bias is squeezed into the weights", "centred = X - mean_x", "centred = X"
)
NoPenalty = slip("l2 is not used", "l2 * torch.eye", "0 * torch.eye")
SumNotMean = slip(
    "the squares are summed over the examples: take their mean, so that l2 means the same for any number of them",
    "centred.T @ centred / len(X) + l2", "centred.T @ centred + l2", "(labels - mean_y) / len(X)", "(labels - mean_y)",
)  # fmt: skip
Doubled = slip("the penalty counts twice", "l2 * torch.eye", "2 * l2 * torch.eye")
NoBias = slip("the bias is 0: it must make up for the means", "b = mean_y - mean_x @ W", "b = torch.zeros_like(mean_y)")
NothingCentred = slip(
    "neither X nor the labels are centred and the bias is 0: subtract both means, and let the bias make up for them",
    "centred = X - mean_x", "centred = X", "(labels - mean_y)", "labels", "b = mean_y - mean_x @ W",
    "b = torch.zeros_like(mean_y)",
)  # fmt: skip
BiasOfLabels = slip("the bias leaves out the mean of X", "b = mean_y - mean_x @ W", "b = mean_y")
Transposed = slip(
    "the weights are transposed: (D, C) is wanted, so that X W gives the outputs", "return W, b", "return W.T, b"
)
OnlyWeights = slip("only the weights are returned: the bias is needed as well", "return W, b", "return W")
BiasPenalised = slip(
    "the bias is penalised as well: only the weights are",
    "centred = X - mean_x", "ones = torch.cat([X, torch.ones(len(X), 1)], 1)\n    centred = ones",
    "torch.eye(X.shape[1])", "torch.eye(X.shape[1] + 1)",
    "(labels - mean_y) / len(X))", "labels / len(X))",
    "b = mean_y - mean_x @ W", "W, b = W[:-1], W[-1]",
)  # fmt: skip
ClassesIgnored = slip("`classes` is not used", "classes or int(y.max()) + 1", "int(y.max()) + 1")
DefaultPenalty = slip("the default of l2 is another one", "l2=1e-3", "l2=1e-1")
Standardised = slip(
    "the features are scaled to variance 1 and the weights left in that scale",
    "centred = X - mean_x", "centred = (X - mean_x) / X.std(dim=0)",
)  # fmt: skip


@right
def by_lstsq(X, y, l2=1e-3, classes=None):
    n, D = X.shape
    C = int(y.max()) + 1 if classes is None else classes
    labels = torch.zeros(n, C, dtype=torch.float64)
    labels[torch.arange(n), y] = 1
    rows = torch.cat(
        [torch.cat([X.double(), torch.ones(n, 1).double()], 1), torch.eye(D, D + 1).double() * (n * l2) ** 0.5]
    )
    found = torch.linalg.lstsq(rows, torch.cat([labels, torch.zeros(D, C).double()])).solution.to(X.dtype)
    return found[:-1], found[-1]


@right
def by_svd(X, y, l2=1e-3, classes=None):
    labels = F.one_hot(y, int(y.max()) + 1 if classes is None else classes).double()
    centre = X.double().mean(0)
    U, S, V = torch.linalg.svd(X.double() - centre, full_matrices=False)
    W = V.T @ ((S / (S**2 + l2 * len(X)))[:, None] * (U.T @ (labels - labels.mean(0))))
    return W.float(), (labels.mean(0) - centre @ W).float()
