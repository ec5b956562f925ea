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
FixedPenalty = slip("the penalty is fixed: use the argument l2", "l2 * torch.eye", "1e-3 * torch.eye")
PenaltySquared = slip("l2 is squared: it enters the sum as it is", "l2 * torch.eye", "l2**2 * torch.eye")
PenaltyEverywhere = slip(
    "l2 is added to every number of the table: only the diagonal gets it, l2 times the identity",
    "l2 * torch.eye(X.shape[1])", "l2",
)  # fmt: skip
OneSideSummed = slip(
    "only one side of the equation is divided by n: divide both", "(labels - mean_y) / len(X)", "(labels - mean_y)"
)
OneLess = slip(
    "the mean is taken over n - 1: over all n examples",
    "centred.T @ centred / len(X)", "centred.T @ centred / (len(X) - 1)",
    "(labels - mean_y) / len(X)", "(labels - mean_y) / (len(X) - 1)",
)  # fmt: skip
KindsCounted = slip(
    "C is the number of different labels: with gaps among them it is the largest label plus 1",
    "labels = F.one_hot(y, classes or int(y.max()) + 1).to(X.dtype)",
    "known, index = y.unique(return_inverse=True)\n    labels = F.one_hot(index, classes or len(known)).to(X.dtype)",
)  # fmt: skip
PlusMinus = slip("the labels are 1 and -1: they are one-hot, 1 and 0", ".to(X.dtype)\n", ".to(X.dtype) * 2 - 1\n")
FewSteps = slip(
    "a few steps of gradient descent do not arrive: solve the equation",
    "W = torch.linalg.solve(gram, centred.T @ (labels - mean_y) / len(X))",
    "W = torch.zeros(X.shape[1], labels.shape[1])\n    for _ in range(20):\n"
    "        W = W - 0.05 * (gram @ W - centred.T @ (labels - mean_y) / len(X))",
)  # fmt: skip
Exchanged = slip("bias and weights are exchanged: the weights come first", "return W, b", "return b, W")
InPlace = slip("the caller's X is centred in place", "centred = X - mean_x", "centred = X.sub_(mean_x)")
PenaltyTimesN = slip(
    "the penalty grows with the number of examples: it is added to their mean",
    "l2 * torch.eye",
    "len(X) * l2 * torch.eye",
)
PenaltyHalved = slip("the penalty counts half", "l2 * torch.eye", "l2 / 2 * torch.eye")
BiasAdded = slip(
    "what W makes of the mean of X is added to the bias: take it away", "mean_y - mean_x @ W", "mean_y + mean_x @ W"
)
DifferentLabels = slip(
    "C is the number of different labels: with gaps among them it is the largest label plus 1",
    "classes or int(y.max()) + 1", "classes or len(y.unique())",
)  # fmt: skip
OneLessOnOneSide = slip(
    "the mean is taken over n - 1: over all n examples",
    "centred.T @ centred / len(X)", "centred.T @ centred / (len(X) - 1)",
)  # fmt: skip
StandardisedInside = slip(
    "the penalty falls on weights of features scaled to variance 1: it falls on W itself",
    "centred = X - mean_x", "scale = X.std(dim=0)\n    centred = (X - mean_x) / scale",
    "b = mean_y", "W = W / scale[:, None]\n    b = mean_y",
)  # fmt: skip
GramSummed = slip(
    "only one side of the equation is divided by n: divide both", "centred.T @ centred / len(X)", "centred.T @ centred"
)
OneMean = slip(
    "one mean over all numbers of X is subtracted: the mean is a vector", "X.mean(dim=0)", "X.mean().expand(X.shape[1])"
)
ClassSums = slip(
    "each class is divided by its own size: divide by the number of all examples",
    "(labels - mean_y) / len(X)", "(labels - mean_y) / labels.sum(0).clamp(min=1)",
)  # fmt: skip
Logistic = slip(
    "that is logistic regression: the squares of the differences to the one-hot labels are minimised",
    "    return W, b",
    "    W, b = (torch.zeros(size, requires_grad=True) for size in (W.shape, b.shape))\n"
    "    optimizer = torch.optim.LBFGS([W, b], max_iter=100)\n\n"
    "    def loss():\n"
    "        optimizer.zero_grad()\n"
    "        value = F.cross_entropy(X @ W + b, y) + l2 * W.square().sum()\n"
    "        value.backward()\n"
    "        return value\n\n"
    "    optimizer.step(loss)\n"
    "    return W.detach(), b.detach()",
)  # fmt: skip
OnlyLabelsCentred = slip(
    "X is taken to have the mean 0: subtract its mean from the vectors, and let the bias make up for it",
    "mean_x, mean_y = X.mean(dim=0), ", "mean_x, mean_y = torch.zeros(X.shape[1]), ",
)  # fmt: skip
StandardisedFirst = slip(
    "X is standardised first, so that the weights do not belong to X itself: subtract the mean, and no more",
    "mean_x, mean_y =", "X = (X - X.mean(dim=0)) / X.std(dim=0)\n    mean_x, mean_y =",
)  # fmt: skip
OneClassShort = slip(
    "there is one class too few: their number is the largest label plus 1", "int(y.max()) + 1", "int(y.max())"
)
Doubles = slip(
    "weights and bias are float64, which can't multiply the vectors: return them in the dtype of X",
    "return W, b",
    "return W.double(), b.double()",
)
GradientSteps = slip(
    "some hundred steps of gradient descent do not arrive where directions vary little: solve for the weights",
    "W = torch.linalg.solve(gram, centred.T @ (labels - mean_y) / len(X))",
    "W = torch.zeros(X.shape[1], labels.shape[1])\n"
    "    for _ in range(800):\n"
    "        W = W - (gram @ W - centred.T @ (labels - mean_y) / len(X)) / torch.linalg.matrix_norm(gram, 2)",
)


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
