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
    "directions of size 0, which rounding makes a little larger, are kept: drop what is tiny beside the largest",
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
AbsoluteCut = slip(
    "directions are dropped by their size alone: measure them against the largest, as U may be small all over",
    "sizes > 1e-5 * sizes.max()", "sizes > 1e-2",
)  # fmt: skip
OneAfterTheOther = slip(
    "the rows are removed one after the other, though they share directions: find an orthonormal basis first",
    "return X - (X - mu) @ basis.T @ basis",
    "rest = X - mu\n    for row in U:\n        row = row / row.norm().clamp(min=1e-9)\n"
    "        rest = rest - (rest @ row)[..., None] * row\n    return mu + rest",
)  # fmt: skip
OrthonormalButAll = slip(
    "a QR decomposition gives as many directions as rows, also where rows depend on each other: drop those of size 0",
    "basis = rows[sizes > 1e-5 * sizes.max()]", "basis = torch.linalg.qr(U.T).Q.T",
)  # fmt: skip
MeanOfX = slip(
    "the mean of X stands for mu: use the argument",
    "return X - (X - mu)",
    "return X - (X - X.reshape(-1, X.shape[-1]).mean(0))",
)
UCentred = slip("mu is taken from the rows of U as well: they are directions", "svd(U, full", "svd(U - mu, full")
Doubles = slip(
    "the result has another dtype than X",
    "return X - (X - mu) @ basis.T @ basis",
    "return (X - (X - mu) @ basis.T @ basis).double()",
)
TwoAxesOnly = slip(
    "X is taken to have two axes: it may have any number in front of D",
    "return X - (X - mu) @ basis.T @ basis", "return X - torch.mm(torch.mm(X - mu, basis.T), basis)",
)  # fmt: skip
UInPlace = slip(
    "the caller's U is changed in place",
    "_, sizes, rows",
    "U /= U.norm(dim=1, keepdim=True) + 1e-9\n    _, sizes, rows",
)
LastLeftOut = slip(
    "one direction of the span is left in", "rows[sizes > 1e-5 * sizes.max()]", "rows[sizes > 1e-5 * sizes.max()][:-1]"
)
KeptWithoutMean = slip(
    "only the subspace is kept, and mu not added: the subspace is to be removed",
    "X - (X - mu) @ basis.T @ basis", "(X - mu) @ basis.T @ basis",
)  # fmt: skip
Added = slip("the projection is added: take it away", "X - (X - mu)", "X + (X - mu)")
RowsCentred = slip(
    "the mean of U's rows is subtracted: they are directions as they are",
    "torch.linalg.svd(U,", "torch.linalg.svd(U - U.mean(dim=0),",
)  # fmt: skip
NoThreshold = slip(
    "directions of size 0, which rounding makes a little larger, are kept: drop what is tiny beside the largest",
    "1e-5 * sizes.max()", "0",
)  # fmt: skip
MeanDirection = slip(
    "only the mean of the rows is removed: all directions of their span are to go",
    "rows[sizes > 1e-5 * sizes.max()]", "torch.nn.functional.normalize(U.mean(dim=0, keepdim=True), dim=1)",
)  # fmt: skip
ProjectionOfMu = slip(
    "the projection of mu is removed: that of X - mu", "(X - mu) @ basis.T @ basis", "mu @ basis.T @ basis"
)
MuTwice = slip(
    "mu is added although it was never taken from the result: only the projection is taken from X",
    "@ basis.T @ basis", "@ basis.T @ basis + mu",
)  # fmt: skip
WrongSide = slip(
    "what is made of U has k rows and k columns: directions of length D are the right singular vectors of U",
    "torch.linalg.svd(U,", "torch.linalg.svd(U.T,",
)  # fmt: skip
PinvTurned = slip(
    "what is made of U has k rows and k columns: directions of length D are the right singular vectors of U",
    "@ basis.T @ basis", "@ (U @ torch.linalg.pinv(U))",
)  # fmt: skip
BasisFirst = slip(
    "the basis is on the wrong side: with directions as its rows, X - mu meets its transpose first and then itself",
    "@ basis.T @ basis", "@ basis @ basis.T",
)  # fmt: skip
NotNormed = slip(
    "the rows are made orthogonal, but not scaled to length 1",
    "_, sizes, rows = torch.linalg.svd(U, full_matrices=False)\n    basis = rows[sizes > 1e-5 * sizes.max()]",
    "basis = []\n    for row in U:\n        for other in basis:\n"
    "            row = row - (row @ other) * other\n        basis.append(row)\n    basis = torch.stack(basis)",
)  # fmt: skip
GramSchmidtButAll = slip(
    "Gram-Schmidt makes a direction of every row, also of what rounding leaves of one that the others give: drop those",
    "_, sizes, rows = torch.linalg.svd(U, full_matrices=False)\n    basis = rows[sizes > 1e-5 * sizes.max()]",
    "basis = []\n    for row in U:\n        for other in basis:\n            row = row - (row @ other) * other\n"
    "        basis.append(row / row.norm())\n    basis = torch.stack(basis)",
)  # fmt: skip
Inverted = slip(
    "the rows' dot products with each other are inverted, which fails where rows depend on each other: use a basis",
    "X - (X - mu) @ basis.T @ basis", "X - (X - mu) @ U.T @ torch.linalg.inv(U @ U.T) @ U",
)  # fmt: skip
InvertedFirst = slip(
    "the rows' dot products with each other are inverted, which fails where rows depend on each other: use a basis",
    "X - (X - mu) @ basis.T @ basis", "X - (X - mu) @ (U.T @ torch.linalg.inv(U @ U.T) @ U)",
)  # fmt: skip
Solved = slip(
    "the rows' dot products with each other are inverted, which fails where rows depend on each other: use a basis",
    "X - (X - mu) @ basis.T @ basis", "X - (X - mu) @ U.T @ torch.linalg.solve(U @ U.T, U)",
)  # fmt: skip
SolvedFlat = slip(
    "the rows' dot products with each other are inverted, which fails where rows depend on each other: use a basis",
    "return X - (X - mu) @ basis.T @ basis",
    "flat = (X - mu).reshape(-1, X.shape[-1])\n"
    "    return X - (torch.linalg.solve(U @ U.T, U @ flat.T).T @ U).reshape(X.shape)",
)  # fmt: skip
Ridge = slip(
    "a small number is added before the inversion, so that part of the projection stays: remove all of it",
    "X - (X - mu) @ basis.T @ basis",
    "X - (X - mu) @ U.T @ torch.linalg.inv(U @ U.T + 1e-3 * torch.eye(len(U))) @ U",
)  # fmt: skip
OnlyNormedWithNan = slip(
    "the rows are scaled to length 1, but not made orthogonal: they share directions",
    "basis = rows[sizes > 1e-5 * sizes.max()]", "basis = U / U.norm(dim=1, keepdim=True)",
)  # fmt: skip
OneAfterTheOtherWithNan = slip(
    "the rows are removed one after the other, though they share directions: find an orthonormal basis first",
    "return X - (X - mu) @ basis.T @ basis",
    "rest = X - mu\n    for row in U:\n        row = row / row.norm()\n"
    "        rest = rest - (rest @ row)[..., None] * row\n    return mu + rest",
)  # fmt: skip
SmallestEigenvalues = slip(
    "the eigenvectors of the smallest eigenvalues are taken: the span of U belongs to the others",
    "_, sizes, rows = torch.linalg.svd(U, full_matrices=False)\n    basis = rows[sizes > 1e-5 * sizes.max()]",
    "basis = torch.linalg.eigh(U.T @ U)[1][:, : len(U)].T",
)  # fmt: skip
ColumnsNormed = slip(
    "the columns of U are scaled to length 1: the directions are its rows",
    "basis = rows[sizes > 1e-5 * sizes.max()]", "basis = torch.nn.functional.normalize(U, dim=0)",
)  # fmt: skip
OverTheWhole = slip(
    "the projection is divided by the length of U as a whole: each direction must have length 1",
    "X - (X - mu) @ basis.T @ basis", "X - (X - mu) @ U.T @ U / U.norm() ** 2",
)  # fmt: skip
WeakLeftOut = slip(
    "directions that are only weaker than the strongest are left in: drop none but those of size 0", "1e-5", "0.5"
)
MuRemovedToo = slip(
    "the direction of mu is removed as well: only the rows of U span the subspace",
    "svd(U, full", "svd(torch.cat([U, mu[None]]), full",
)  # fmt: skip
TwoAxesInEinsum = slip(
    "X is taken to have two axes: it may have any number in front of D",
    "(X - mu) @ basis.T @ basis", "torch.einsum('nd,kd,ke->ne', X - mu, basis, basis)",
)  # fmt: skip
ThreeAxesInEinsum = slip(
    "X is taken to have three axes: it may have any number in front of D",
    "(X - mu) @ basis.T @ basis", "torch.einsum('btd,kd,ke->bte', X - mu, basis, basis)",
)  # fmt: skip
Flattened = slip(
    "the axes in front of D are joined into one: the result must have the shape of X",
    "return X", "X = X.reshape(-1, X.shape[-1])\n    return X",
)  # fmt: skip
FirstOfQ = slip(
    "as many columns of Q are kept as U has independent rows, but those need not be the first: use singular vectors",
    "basis = rows[sizes > 1e-5 * sizes.max()]",
    "basis = torch.linalg.qr(U.T).Q.T[: int(torch.linalg.matrix_rank(U))]",
)  # fmt: skip
ShortRowKept = slip(
    "directions of a tenth of the largest size are dropped: only those that rounding has left may be",
    "1e-5 * sizes.max()",
    "0.1 * sizes.max()",
)
ZeroRows = slip(
    "where all rows are 0, directions that they do not span are removed: a size of 0 belongs to no span",
    "sizes > 1e-5 * sizes.max()",
    "sizes >= 1e-5 * sizes.max()",
)
FourDigits = slip(
    "the result is rounded: return it as it is",
    "return X - (X - mu) @ basis.T @ basis",
    "return (X - (X - mu) @ basis.T @ basis).round(decimals=4)",
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
