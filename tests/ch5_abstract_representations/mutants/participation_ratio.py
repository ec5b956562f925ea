"""Wrong answers to exercise 5.13 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips("""
    def participation_ratio(X):
        centred = X - X.mean(dim=0)
        variances = torch.linalg.svdvals(centred) ** 2
        squares = (variances ** 2).sum()
        return float(variances.sum() ** 2 / squares) if squares > 0 else 0.0
""")

NotCentred = slip("the mean is not subtracted: it counts as one more dimension", "X - X.mean(dim=0)", "X")
NotSquared = slip(
    "singular values are used as if they were variances: square them",
    "torch.linalg.svdvals(centred) ** 2",
    "torch.linalg.svdvals(centred)",
)
SquaredTwice = slip(
    "the singular values are squared twice: variances are their squares",
    "svdvals(centred) ** 2",
    "svdvals(centred) ** 4",
)
SumNotSquared = slip("the sum of the variances is not squared", "variances.sum() ** 2", "variances.sum()")
Upside = slip(
    "the fraction is upside down", "float(variances.sum() ** 2 / squares)", "float(squares / variances.sum() ** 2)"
)
PerFeature = slip(
    "the features' own variances are used: those along the principal axes are wanted",
    "torch.linalg.svdvals(centred) ** 2", "centred.square().sum(dim=0)",
)  # fmt: skip
Rank = slip(
    "the number of non-zero variances is counted: the ratio weighs them",
    "float(variances.sum() ** 2 / squares)",
    "float((variances > 1e-4 * variances.max()).sum())",
)
Nan = slip("where X does not vary, the result is nan, 0 / 0: it must be 0", " if squares > 0 else 0.0", "")
Tensor = slip(
    "the result is a tensor: return a Python float",
    "float(variances.sum() ** 2 / squares)",
    "variances.sum() ** 2 / squares",
)
InPlace = slip(
    "the caller's X is centred in place: work on a copy",
    "centred = X - X.mean(dim=0)",
    "X -= X.mean(dim=0)\n    centred = X",
)
Cutoff = slip(
    "small variances are taken for none at all: the ratio does not depend on the scale", "squares > 0", "squares > 1e-6"
)
OneAdded = slip("something is added to what is divided by", "/ squares)", "/ (squares + 1e-2))")
MeanOfRows = slip(
    "each vector's own mean is subtracted: subtract the mean vector", "X.mean(dim=0)", "X.mean(dim=1, keepdim=True)"
)
OneMean = slip("one mean over vectors and features is subtracted: the mean is a vector", "X.mean(dim=0)", "X.mean()")
OverD = slip(
    "the ratio is divided by the number of features: it is a number of dimensions",
    "float(variances.sum() ** 2 / squares)", "float(variances.sum() ** 2 / squares) / X.shape[1]",
)  # fmt: skip
Entropy = slip(
    "that is exp of the entropy of the shares, another way of counting dimensions",
    "float(variances.sum() ** 2 / squares)",
    "float(torch.special.entr(variances / variances.sum()).sum().exp())",
)  # fmt: skip
Standardised = slip(
    "every feature is scaled to variance 1 first: their variances are what counts",
    "centred = X - X.mean(dim=0)", "centred = (X - X.mean(dim=0)) / (X.std(dim=0) + 1e-9)",
)  # fmt: skip
OneForNothing = slip("where X does not vary, the result is 1: it must be 0", "else 0.0", "else 1.0")
WholeNumber = slip(
    "the ratio is rounded: return it as it is",
    "float(variances.sum() ** 2 / squares)", "round(float(variances.sum() ** 2 / squares))",
)  # fmt: skip
RootBelow = slip(
    "the root of the squares' sum is divided by: the sum itself is",
    "variances.sum() ** 2 / squares",
    "variances.sum() / squares.sqrt()",
)
Correlations = slip(
    "the correlations of the features are used: their variances are what counts",
    "torch.linalg.svdvals(centred) ** 2", "torch.linalg.eigvalsh(torch.corrcoef(X.T))",
)  # fmt: skip
VariancesBelow = slip(
    "the sum of the variances is divided by: divide by the sum of their squares",
    "variances.sum() ** 2 / squares", "variances.sum() ** 2 / variances.sum()",
)  # fmt: skip
SquaresAbove = slip(
    "the squares are added up above as well, so that the ratio is always 1: there it is the square of the sum",
    "variances.sum() ** 2 / squares", "squares / squares",
)  # fmt: skip
OverTheLargest = slip(
    "the sum of the variances is divided by the largest: that is another count of directions",
    "float(variances.sum() ** 2 / squares)",
    "float(variances.sum() / variances.max())",
)


@right
def by_covariance(X):
    C = torch.cov(X.double().T)
    squares = (C * C).sum()
    return float(torch.trace(C) ** 2 / squares) if squares > 0 else 0.0


@right
def by_gram(X):
    X = X.double()
    X = X - X.mean(0, keepdim=True)
    G = X @ X.T
    top = G.diagonal().sum().pow(2)
    return (top / G.pow(2).sum()).item() if top else 0
