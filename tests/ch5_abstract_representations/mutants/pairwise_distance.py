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
