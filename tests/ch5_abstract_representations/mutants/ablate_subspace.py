"""Wrong answers to exercise 5.19 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips("""
    def ablate_subspace(X, U, mu):
        _, sizes, rows = torch.linalg.svd(U, full_matrices=False)
        basis = rows[sizes > 1e-5 * sizes.max()]
        return X - (X - mu) @ basis.T @ basis
""")

NotOrthonormal = slip(
    "the rows of U are used as if they were orthonormal", "basis = rows[sizes > 1e-5 * sizes.max()]", "basis = U"
)
OnlyNormed = slip(
    "the rows are scaled to length 1, but not made orthogonal: they share directions",
    "basis = rows[sizes > 1e-5 * sizes.max()]", "basis = U / U.norm(dim=1, keepdim=True).clamp(min=1e-9)",
)  # fmt: skip
AroundZero = slip("the projection of X itself is removed: that of X - mu", "(X - mu) @", "X @")
NoMean = slip("mu is not added again", "X - (X - mu) @ basis.T @ basis", "X - mu - (X - mu) @ basis.T @ basis")
Kept = slip(
    "only the subspace is kept: it is to be removed",
    "return X - (X - mu) @ basis.T @ basis",
    "return mu + (X - mu) @ basis.T @ basis",
)
Doubled = slip("the projection is taken away twice: that mirrors the vectors", "X - (X - mu)", "X - 2 * (X - mu)")
AllDirections = slip(
    "directions of size 0 are kept: dependent rows then remove more than their span",
    "rows[sizes > 1e-5 * sizes.max()]",
    "rows",
)
OneDirection = slip("only the strongest direction is removed", "rows[sizes > 1e-5 * sizes.max()]", "rows[:1]")
ToZero = slip(
    "the vectors are set to mu altogether", "return X - (X - mu) @ basis.T @ basis", "return mu.expand(X.shape).clone()"
)
InPlace = slip(
    "the caller's X is changed in place",
    "return X - (X - mu) @ basis.T @ basis",
    "X -= (X - mu) @ basis.T @ basis\n    return X.clone()",
)


@right
def by_pinv(X, U, mu):
    P = torch.linalg.pinv(U.double(), rtol=1e-6) @ U.double()
    return (X.double() - (X - mu).double() @ P).to(X.dtype)


@right
def by_gram_schmidt(X, U, mu):
    basis = []
    scale = U.double().norm(dim=1).max()
    for row in U.double():
        for _ in range(2):
            for b in basis:
                row = row - (row @ b) * b
        if row.norm() > 1e-5 * scale:
            basis.append(row / row.norm())
    rest = X.double() - mu
    for b in basis:
        rest = rest - (rest * b).sum(-1, keepdim=True) * b
    return (mu + rest).to(X.dtype)
