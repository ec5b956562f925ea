"""Hidden tests of exercise 2.10: which value answers to each key, by the largest inner product."""

import torch

from utils.grade import equal, require
from utils.grade.judge import a_thing


def answer(W, u, V):
    """The oracle for one key: the number of its value, in float64."""
    scores = [float(v @ (W.double() @ u.double())) for v in V.double()]
    return max(range(len(scores)), key=scores.__getitem__)


def clear_keys(W, U, V, n):
    """The first n keys whose two best values are well apart, so that rounding decides nothing."""
    best = (U.double() @ W.double().T @ V.double().T).sort(1, descending=True).values
    return U[:n].clone() if len(V) == 1 else U[(best[:, 0] - best[:, 1]) > 0.01][:n].clone()


def clear(draw, d_out, d_in, n, m):
    """W, U, V of random entries in which no key has two values of nearly the same score."""
    W, V = draw.normal(d_out, d_in), draw.normal(m, d_out)
    return W, clear_keys(W, draw.normal(40 * n, d_in), V, n), V


def check(recall, W, U, V, says):
    got = recall(W, U, V)
    require(torch.is_tensor(got), f"the result must be a tensor of indices, but it is {a_thing(got)}")
    wanted = f"the result has shape {tuple(got.shape)}, but there is one index for each key: ({len(U)},)"
    require(tuple(got.shape) == (len(U),), wanted, got=got)
    require(got.dtype == torch.int64, f"the result holds indices (int64), but its dtype is {got.dtype}", got=got)
    wanted = torch.tensor([answer(W, u, V) for u in U])
    equal(got, wanted, says, inputs={"W": W, "U": U, "V": V})


def test_square_memory(recall, draw):
    n = 9 + draw.index
    W, U, V = clear(draw, 5, 5, n, n)
    says = "with as many keys as values, all of one dimension, the indices are wrong: look at which way W leads"
    check(recall, W, U, V, says)


def test_one_index_for_each_key(recall, draw):
    n, m = (11, 6) if draw.index else (4, 9)
    W, U, V = clear(draw, 4, 7, n, m)
    last = torch.arange(m)
    first = answer(W, U[0], V)
    last[first], last[-1] = m - 1, first  # the last value answers to the first key
    says = "for some keys the index is not that of the value with the largest inner product v_j . W u_i"
    check(recall, W, U, V[last], says)


def test_negative_scores(recall, draw):
    W, V = draw.normal(4, 3), draw.normal(5, 4)
    direction = torch.linalg.solve(W.T @ W + 0.1 * torch.eye(3), draw.normal(3))
    V = V - 6.0 * (W @ direction) / (W @ direction).square().sum()  # all scores near -6
    V = V * (1 + draw.uniform(5, 1))
    U = clear_keys(W, direction + 0.3 * draw.normal(500, 3), V, 12)
    V = V.roll(-answer(W, U[0], V) - 1, 0)  # the last value answers to the first key, so index 0 does not
    says = "where all inner products are negative, the one nearest to zero is the largest"
    check(recall, W, U, V, says)


def test_one_key_one_value(recall, draw):
    W, U, V = clear(draw, 3, 5, 1, 4)
    check(recall, W, U, V, "with a single key (n = 1) the result must still be a tensor of one index")
    W, U, V = clear(draw, 3, 5, 4, 1)
    check(recall, W, U, V, "with a single value (m = 1) every key gets index 0")


def test_arguments_are_left_alone(recall, draw):
    given = clear(draw, 4, 3, 6, 5)
    after = recall.call(*given)["args"]
    for before, now, name in zip(given, after, "WUV", strict=True):
        equal(now, before, f"the caller's {name} is different after the call")
