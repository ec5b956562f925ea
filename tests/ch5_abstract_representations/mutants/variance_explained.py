"""Wrong answers to exercise 5.12 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips("""
    def variance_explained(X, y):
        centred = X - X.mean(dim=0)
        total = centred.square().sum()
        between = 0.0
        for label in y.unique():
            members = centred[y == label]
            between += len(members) * float(members.mean(dim=0).square().sum())
        return float(between / total) if total > 0 else 0.0
""")

NotCentred = slip(
    "the mean of all vectors is not subtracted: the share must not depend on where the origin is",
    "X - X.mean(dim=0)",
    "X",
)
SizesIgnored = slip("every class counts alike: weight it by its size", "len(members) * ", "")
Within = slip(
    "that is the share within the classes: the one between them is wanted",
    "float(between / total)",
    "float(1 - between / total)",
)
PerFeature = slip(
    "a mean of the features' shares: add up over all features before dividing",
    "return float(between / total) if total > 0 else 0.0",
    "parts = sum((y == c).sum() * centred[y == c].mean(0).square() for c in y.unique())\n"
    "    return float((parts / centred.square().sum(0).clamp(min=1e-12)).mean())",
)  # fmt: skip
Root = slip(
    "the root of the share is returned: eta squared is the share itself",
    "float(between / total)",
    "float(between / total) ** 0.5",
)
OneMean = slip("one mean over vectors and features is subtracted: the mean is a vector", "X.mean(dim=0)", "X.mean()")
ByNumber = slip(
    "labels are taken to be 0, 1, 2 without gaps: ask for those that occur", "y.unique()", "range(len(y.unique()))"
)
UpToTheLargest = slip(
    "labels are taken to be 0, 1, 2 without gaps: ask for those that occur", "y.unique()", "range(int(y.max()) + 1)"
)
Nan = slip(
    "where X does not vary, the result is nan, 0 / 0: it must be 0",
    "float(between / total) if total > 0 else 0.0",
    "float(torch.tensor(between) / total)",
)
Tensor = slip(
    "the result is a tensor: return a Python float",
    "float(between / total) if total > 0 else 0.0",
    "torch.as_tensor(between / total) if total > 0 else 0.0",
)
Lengths = slip(
    "lengths are added up instead of their squares",
    "float(members.mean(dim=0).square().sum())",
    "float(members.mean(dim=0).norm())",
)
InPlace = slip(
    "the caller's X is centred in place: work on a copy",
    "centred = X - X.mean(dim=0)",
    "X -= X.mean(dim=0)\n    centred = X",
)
Runs = slip(
    "only neighbours in the list form a class: members of a class may be anywhere",
    "for label in y.unique():\n            members = centred[y == label]\n".replace("            ", "        "),
    "for members in centred.split(y.unique_consecutive(return_counts=True)[1].tolist()):\n",
)  # fmt: skip
TenClasses = slip("only the labels 0 to 9 count: any may occur", "y.unique()", "y[y < 10].unique()")
SquaresSubtracted = slip(
    "the total is the mean square minus the square of the mean, which rounding spoils: subtract the mean first",
    "total = centred.square().sum()", "total = X.square().sum() - len(X) * X.mean(dim=0).square().sum()",
)  # fmt: skip
MeanOfMeans = slip(
    "the mean of the classes' means is subtracted: subtract the mean of all vectors",
    "centred = X - X.mean(dim=0)",
    "centred = X - torch.stack([X[y == label].mean(dim=0) for label in y.unique()]).mean(dim=0)",
)  # fmt: skip
MeanOfRows = slip(
    "each vector's own mean is subtracted: subtract the mean vector", "X.mean(dim=0)", "X.mean(dim=1, keepdim=True)"
)
Percent = slip(
    "the share is a percentage: it goes from 0 to 1", "float(between / total)", "float(100 * between / total)"
)
OneForNothing = slip("where X does not vary, the share is 1: it must be 0", "else 0.0", "else 1.0")
Median = slip("a class's median stands for its mean", "members.mean(dim=0)", "members.median(dim=0).values")
RatioOfParts = slip(
    "the variance between the classes is divided by itself and the total: divide by the total",
    "float(between / total)", "float(between / (between + total))",
)  # fmt: skip
NumbersCompared = slip("label 0 is left out: it is a class like the others", "y.unique()", "y[y > 0].unique()")
Unbiased = slip(
    "the total is made with n - 1: it is the sum of the squares, over all n",
    "total = centred.square().sum()", "total = X.var(dim=0).sum() * len(X)",
)  # fmt: skip
AbsoluteValues = slip(
    "absolute values are added up instead of squares",
    "members.mean(dim=0).square().sum()", "members.mean(dim=0).abs().sum()",
)  # fmt: skip
VarianceOfMeans = slip(
    "that is the variance of the classes' means over that of the vectors, which weights small classes like large ones",
    "return float(between / total) if total > 0 else 0.0",
    "means = torch.stack([X[y == label].mean(dim=0) for label in y.unique()])\n"
    "    return float(means.var(dim=0).sum() / X.var(dim=0).sum()) if total > 0 else 0.0",
)  # fmt: skip
MeanSquares = slip(
    "the total is a mean of squares: add up the squares of all vectors and features",
    "total = centred.square().sum()", "total = centred.square().mean()",
)  # fmt: skip
VarianceAsTotal = slip(
    "the total is a variance, the sum between the classes is not: divide one sum of squares by the other",
    "total = centred.square().sum()", "total = X.var(dim=0).sum()",
)  # fmt: skip
SumsSquared = slip(
    "the sum of a class is squared: square its mean, and count it as often as the class has members",
    "len(members) * float(members.mean(dim=0).square().sum())", "float(members.sum(dim=0).square().sum())",
)  # fmt: skip
SizesAveraged = slip(
    "every class counts with the mean size: weight it by its own",
    "len(members) * ", "len(X) / len(y.unique()) * ",
)  # fmt: skip
OneMinusWithin = slip(
    "the variance within a class is made with n - 1, which is nan for a single member: use sums of squares over all n",
    "return float(between / total) if total > 0 else 0.0",
    "within = sum((y == label).sum() * X[y == label].var(dim=0).sum() for label in y.unique())\n"
    "    return float(1 - within / (len(X) * X.var(dim=0).sum())) if total > 0 else 0.0",
)  # fmt: skip
RowsScaled = slip(
    "the vectors are scaled to length 1 first: use them as they are",
    "centred = X - X.mean(dim=0)",
    "X = torch.nn.functional.normalize(X, dim=1)\n    centred = X - X.mean(dim=0)",
)  # fmt: skip
BetweenOverWithin = slip(
    "the sum between the classes is divided by that within them: divide by the whole",
    "float(between / total) if total > 0", "float(between / (total - between)) if total > 0",
)  # fmt: skip
AllLengths = slip(
    "lengths are added up instead of their squares",
    "centred.square().sum()", "centred.norm(dim=1).sum()",
    "members.mean(dim=0).square().sum()", "members.mean(dim=0).norm()",
)  # fmt: skip
SmallIsNothing = slip(
    "vectors that vary little get 0: only where they do not vary at all is the share 0",
    "total > 0",
    "total > 1e-3",
)


@right
def by_residuals(X, y):
    means = torch.stack([X[y == label].mean(0) for label in y.tolist()])
    total = (X - X.mean(0)).pow(2).sum().item()
    return 1 - (X - means).pow(2).sum().item() / total if total else 0


@right
def by_one_hot(X, y):
    labels, index = y.unique(return_inverse=True)
    hot = torch.nn.functional.one_hot(index, len(labels)).double()
    centred = X.double() - X.double().mean(0)
    fitted = hot @ torch.linalg.lstsq(hot, centred).solution
    total = float(centred.pow(2).sum())
    return float(fitted.pow(2).sum()) / total if total > 1e-20 else 0.0
