"""Hidden tests of exercise 2.9: a sum of weighted outer products, one pair after the other."""

import torch

from utils.grade import close, equal, require, shaped

SAYS = "store must return W, of shape (d_out, d_in)"


def added_up(U, V, alpha):
    """The oracle: entry by entry."""
    W = torch.zeros(V.shape[1], U.shape[1], dtype=torch.float64)
    for i in range(len(U)):
        for j in range(len(V)):
            W += alpha[i, j].double() * V[j].double()[:, None] * U[i].double()[None, :]
    return W


def test_shape(store, draw):
    U, V = draw.normal(5, 3 + draw.index), draw.normal(5, 7)
    shaped(store(U, V), (7, 3 + draw.index), SAYS, inputs={"U": U, "V": V})


def test_one_pair(store, draw):
    d_in, d_out = (4, 4) if draw.index else (3, 6)
    U, V = draw.normal(1, d_in), draw.normal(1, d_out)
    says = "one pair u -> v is not stored as the outer product that leads from u to v"
    close(store(U, V), added_up(U, V, torch.ones(1, 1)), says, name="W", inputs={"U": U, "V": V})


def test_pairs(store, draw):
    n, d_in, d_out = (6, 4, 3) if draw.index else (5, 5, 5)
    U, V = draw.normal(n, d_in), draw.normal(n, d_out)
    says = "without alpha, W is not the sum over the pairs u_i -> v_i"
    close(store(U, V), added_up(U, V, torch.eye(n)), says, name="W", inputs={"U": U, "V": V})


def test_repeated_keys(store, draw):
    n, d_in, d_out = 6, 4, 3
    U, V = draw.normal(n, d_in), draw.normal(n, d_out)
    U[4], U[5], V[3] = U[1], U[1], V[0]  # a key with three values, and a value with two keys
    says = "where a key comes more than once, all of its pairs are stored: they add up, none replaces another"
    close(store(U, V), added_up(U, V, torch.eye(n)), says, name="W", inputs={"U": U, "V": V})


def test_square_weights(store, draw):
    n, d_in, d_out = (5, 7, 3) if draw.index else (4, 4, 4)
    U, V, alpha = draw.normal(n, d_in), draw.normal(n, d_out), draw.normal(n, n)
    says = "with alpha W is not the sum over all pairs (i, j) of alpha[i, j] times the pair u_i -> v_j"
    close(store(U, V, alpha), added_up(U, V, alpha), says, name="W", inputs={"U": U, "V": V, "alpha": alpha})


def test_orthonormal_bases_give_alpha_back(store, draw):
    n, m = 3, 5
    U = torch.linalg.qr(draw.normal(6, n)).Q.T.contiguous()
    V = torch.linalg.qr(draw.normal(8, m)).Q.T.contiguous()
    alpha = draw.normal(n, m)
    alpha[:, 2] = 0  # a value that no key leads to
    alpha[1] = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0])  # a key that leads to two
    if draw.index:
        alpha = torch.zeros(n, m)  # nothing to store
    W = store(U, V, alpha)
    shaped(W, (8, 6), SAYS)
    says = "with orthonormal keys and values, v_j . W u_i must give alpha[i, j] back"
    close((V @ W @ U.T).T, alpha, says, name="alpha as read out of W", inputs={"alpha": alpha})


def test_double_precision(store, draw):
    U, V = draw.normal(4, 3).double(), draw.normal(4, 5).double()
    alpha = torch.eye(4).double()
    W = store(U, V, alpha)
    require(torch.is_tensor(W) and W.dtype == torch.float64, "float64 vectors go in, so W must be float64 too")
    close(W, added_up(U, V, alpha), "for float64 vectors W is off", rtol=1e-10, atol=1e-10, name="W")


def test_arguments_are_left_alone(store, draw):
    U, V, alpha = draw.normal(4, 3), draw.normal(4, 5), draw.normal(4, 4)
    after = store.call(U, V, alpha)["args"] + store.call(U, V)["args"]
    for before, now, name in zip((U, V, alpha, U, V), after, ("U", "V", "alpha", "U", "V"), strict=True):
        equal(now, before, f"the caller's {name} is different after the call")
