"""Wrong answers to exercise 5.14 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips("""
    def pairwise_distance(X, metric="euclidean"):
        if metric not in ("euclidean", "unit"):
            raise ValueError("euclidean or unit")
        if metric == "unit":
            X = X / X.norm(dim=1, keepdim=True).clamp(min=1e-12)
        return (X[:, None] - X[None]).square().sum(dim=-1).sqrt()
""")

Squared = slip("the squares of the distances are returned: take the root", ".sum(dim=-1).sqrt()", ".sum(dim=-1)")
Manhattan = slip(
    "absolute differences are added up: that is another distance", ".square().sum(dim=-1).sqrt()", ".abs().sum(dim=-1)"
)
Mean = slip(
    "the squares are averaged over the features: add them up", ".square().sum(dim=-1)", ".square().mean(dim=-1)"
)
UnitIgnored = slip('"unit" changes nothing: scale the rows to length 1', 'if metric == "unit":', "if False:")
AlwaysUnit = slip("the rows are always scaled: only for the metric unit", 'if metric == "unit":', "if True:")
UnitNan = slip("a row of zeros is divided by its length, 0, and gives nan: it must stay zero", ".clamp(min=1e-12)", "")
UnitColumns = slip(
    "the columns are scaled to length 1: it is the rows", "X.norm(dim=1, keepdim=True)", "X.norm(dim=0, keepdim=True)"
)
Gram = slip(
    "the squares come from a difference of large numbers, which rounding makes wrong or negative",
    "return (X[:, None] - X[None]).square().sum(dim=-1).sqrt()",
    "n = (X * X).sum(1)\n    return (n[:, None] + n - 2 * X @ X.T).sqrt()",
)  # fmt: skip
UpperOnly = slip(
    "only the upper triangle is filled: the matrix must be symmetric",
    ".sum(dim=-1).sqrt()",
    ".sum(dim=-1).sqrt().triu()",
)
NoRefusal = slip(
    "an unknown metric is taken for euclidean: raise a ValueError", 'raise ValueError("euclidean or unit")', "pass"
)
AsNumpy = slip("a numpy array is returned: a tensor is wanted", ".sum(dim=-1).sqrt()", ".sum(dim=-1).sqrt().numpy()")
AnyCase = slip(
    "upper and lower case are taken for the same: another spelling is another metric",
    "if metric not in",
    "metric = metric.lower()\n    if metric not in"
)  # fmt: skip
KeyErrorRaised = slip("it refuses with a KeyError: a ValueError is wanted", "raise ValueError", "raise KeyError")
Clamped = slip(
    "the squares come from a difference of large numbers and are cut off at 0: subtract the vectors first",
    "return (X[:, None] - X[None]).square().sum(dim=-1).sqrt()",
    "n = (X * X).sum(1)\n    return (n[:, None] + n - 2 * X @ X.T).clamp(min=0).sqrt()",
)  # fmt: skip
Cosine = slip(
    "with unit, 1 minus the cosine is returned: the euclidean distance of the scaled rows is wanted",
    "return (X[:, None]", "if metric == 'unit':\n        return 1 - X @ X.T\n    return (X[:, None]",
)  # fmt: skip
ShortRows = slip(
    "rows shorter than 1 are not scaled: only a row of zeros stays as it is", "clamp(min=1e-12)", "clamp(min=1)"
)
InPlace = slip(
    "the caller's X is scaled in place",
    "X = X / X.norm(dim=1, keepdim=True).clamp(min=1e-12)", "X /= X.norm(dim=1, keepdim=True).clamp(min=1e-12)",
)  # fmt: skip
UnitByDefault = slip(
    "without a metric the rows are scaled: the default is euclidean", 'metric="euclidean"', 'metric="unit"'
)
UnderTheRoot = slip(
    "something is added under the root: a row is at distance 0 from itself",
    ".sum(dim=-1).sqrt()",
    ".sum(dim=-1).add(1e-6).sqrt()",
)
Condensed = slip(
    "each pair comes once, in one long list: the matrix (n, n) is wanted",
    "return (X[:, None] - X[None]).square().sum(dim=-1).sqrt()", "return torch.nn.functional.pdist(X)",
)  # fmt: skip
OneForAll = slip(
    "the whole table is scaled by one length: each row has its own", "X.norm(dim=1, keepdim=True)", "X.norm()"
)
SomethingAdded = slip(
    "something is added to the lengths: divide by the length itself, and only keep 0 away",
    "X.norm(dim=1, keepdim=True).clamp(min=1e-12)", "(X.norm(dim=1, keepdim=True) + 1e-3)",
)  # fmt: skip
Centred = slip(
    "the mean is subtracted before the rows are scaled: the origin matters for their direction",
    "X = X / X.norm", "X = X - X.mean(dim=0)\n        X = X / X.norm",
)  # fmt: skip
SquaredLengths = slip(
    "the rows are divided by their squared length: divide by the length",
    "X.norm(dim=1, keepdim=True)",
    "X.norm(dim=1, keepdim=True).square()",
)
Shares = slip(
    "the rows go through a softmax: divide them by their length",
    "X = X / X.norm(dim=1, keepdim=True).clamp(min=1e-12)", "X = X.softmax(dim=1)",
)  # fmt: skip
LargestDifference = slip(
    "only the largest difference counts: square them all, add up, and take the root",
    ".square().sum(dim=-1).sqrt()", ".abs().amax(dim=-1)",
)  # fmt: skip

GramMended = slip(
    "for long vectors that lie close together the distances are off: subtract the vectors first, then square",
    "return (X[:, None] - X[None]).square().sum(dim=-1).sqrt()",
    "n = (X * X).sum(1)\n    D = (n[:, None] + n - 2 * X @ X.T).clamp(min=0).sqrt()\n    return D.fill_diagonal_(0)",
)  # fmt: skip
UnitBySum = slip(
    "the rows are divided by the sum of their sizes: scale them to length 1", "X.norm(dim=1", "X.norm(p=1, dim=1"
)


@right
def with_cdist(X, metric="euclidean"):
    if metric == "unit":
        X = torch.nn.functional.normalize(X, dim=1)
    elif metric != "euclidean":
        raise ValueError(metric)
    return torch.cdist(X, X, compute_mode="donot_use_mm_for_euclid_dist")


@right
def row_by_row(X, metric="euclidean"):
    known = {"euclidean": lambda x: x, "unit": lambda x: x / max(float(x.norm()), 1e-30)}
    if metric not in known:
        raise ValueError(f"no metric {metric}")
    rows = torch.stack([known[metric](x) for x in X])
    return torch.stack([(rows - row).norm(dim=1) for row in rows])
