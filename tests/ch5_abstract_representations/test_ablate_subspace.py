"""Hidden tests of exercise 5.19: what is left is orthogonal to the rows of U, and nothing more is removed."""

import torch

from utils.grade import close, equal, shaped


def make(draw, k=3, D=7):
    U = draw.normal(k, D)
    U[1] = U[1] + 2 * U[0]  # far from orthonormal
    return draw.normal(5, 4, D), U, draw.normal(D, std=2.0)


def removed(rest, U):
    """Least squares: the part of X - mu that a combination of U's rows explains."""
    columns = rest.double().reshape(-1, rest.shape[-1]).T
    weights = torch.linalg.pinv(U.double().T, rtol=1e-5) @ columns
    return (U.double().T @ weights).T.reshape(rest.shape).float()


def run(ablate_subspace, X, U, mu):
    got = ablate_subspace.call(X, U, mu)
    for before, now, name in zip((X, U, mu), got["args"], ("X", "U", "mu"), strict=True):
        equal(now, before, f"the caller's {name} is different after the call")
    shaped(got["result"], X.shape, "the result must have the shape of X")
    return got["result"]


def test_orthonormal(ablate_subspace, draw):
    X, U, mu = make(draw)
    U = torch.linalg.qr(U.T).Q.T.contiguous()
    says = "with orthonormal rows the projection of X - mu is not removed (and mu added again)"
    close(run(ablate_subspace, X, U, mu), X - removed(X - mu, U), says, atol=1e-4)


def test_any_rows(ablate_subspace, draw):
    X, U, mu = make(draw)
    if draw.index:
        U = U * 1e-3
        X = X[0]  # any number of axes in front of D
    got = run(ablate_subspace, X, U, mu)
    says = "with rows that are not orthonormal the wrong part is removed: make an orthonormal basis of their span first"
    rows = U / U.norm(dim=1, keepdim=True)
    close((got - mu) @ rows.T, torch.zeros(*X.shape[:-1], 3), says, atol=1e-3)
    close(got, X - removed(X - mu, U), says, atol=1e-3)


def test_a_short_row(ablate_subspace, draw):
    X, U, mu = make(draw)
    U[draw.index] *= 0.01
    says = "a short row spans as much as a long one: drop only directions that rounding alone has left"
    close(run(ablate_subspace, X, U, mu), X - removed(X - mu, U), says, atol=1e-3)


def test_nothing_to_remove(ablate_subspace, draw):
    X, U, mu = make(draw)
    says = "where all rows of U are 0 they span nothing, so nothing is removed"
    close(run(ablate_subspace, X, 0 * U, mu), X, says, atol=1e-4)


def test_small_vectors(ablate_subspace, draw):
    X, U, mu = make(draw)
    X, mu = 1e-3 * X, 1e-3 * mu
    says = "small vectors are left with too few digits: do not round"
    close(run(ablate_subspace, X, U, mu), X - removed(X - mu, U), says, atol=1e-5)


def test_dependent_rows(ablate_subspace, draw):
    X, U, mu = make(draw)
    says = "with rows that depend on each other, more than their span is removed: drop directions of size 0"
    U[2] = U[0] - 0.5 * U[1]
    U = torch.cat([U, draw.normal(1, U.shape[1])])  # the row that the others give is not the last one
    close(run(ablate_subspace, X, U, mu), X - removed(X - mu, U), says, atol=1e-3)
    _, U, _ = make(draw)
    U[2] = U[0] - 0.5 * U[1] if not draw.index else 0.0
    close(run(ablate_subspace, X, U, mu), X - removed(X - mu, U), says, atol=1e-3)
