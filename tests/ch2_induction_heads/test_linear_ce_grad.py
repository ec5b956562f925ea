"""Hidden tests of exercise 2.12: the closed form against autograd, in float64, where nothing hides behind rounding."""

import torch

from utils.grade import close, equal, require, shaped

NAMES = "W", "U_in", "U_out", "p_z", "p_k_given_z"
EXACT = {"rtol": 1e-8, "atol": 1e-10, "name": "the gradient"}


def probe_twice(linear_ce_grad, given):
    """Two calls with the same tensors: both results, and what became of W besides its numbers."""
    W, *others = given
    first = linear_ce_grad(W, *others)
    second = linear_ce_grad(W, *others)
    return {"first": first, "second": second, "asks": W.requires_grad, "kept": W.grad}


def loss(W, U_in, U_out, p_z, p_k_given_z):
    """The loss, token by token; the oracle is what autograd makes of it."""
    total = 0
    for z in range(len(U_in)):
        log_phat = torch.log_softmax(U_out @ (W @ U_in[z]), dim=0)
        total = total - p_z[z] * (p_k_given_z[z] * log_phat).sum()
    return total


def autograds(given):
    W = given[0].clone().requires_grad_()
    return torch.autograd.grad(loss(W, *given[1:]), W)[0]


def inputs(draw, d_in=5, d_out=4, n=7, m=6, size=1.0):
    """W of random entries, scores with a standard deviation of 1 to 2, and uneven probabilities."""
    W = size * draw.normal(d_out, d_in).double() / (d_in * d_out) ** 0.25
    U_in, U_out = draw.normal(n, d_in).double() / d_in**0.25, draw.normal(m, d_out).double() / d_out**0.25
    p_z, p_k_given_z = (1.5 * draw.normal(n).double()).softmax(0), (1.5 * draw.normal(n, m).double()).softmax(1)
    return W, U_in, U_out, p_z, p_k_given_z


def check(linear_ce_grad, given, says, **tolerance):
    got = linear_ce_grad(*given)
    W = given[0]
    shaped(got, tuple(W.shape), "the gradient has the shape of W", dtype=W.dtype)
    close(got, autograds(given), says, **(EXACT | tolerance), inputs=dict(zip(NAMES, given, strict=True)))


def test_equal_sizes(linear_ce_grad, draw):
    given = inputs(draw, 6, 6, 6, 6)
    says = "the gradient is not autograd's: here all sizes are equal, so that no shape shows which axes are mixed up"
    check(linear_ce_grad, given, says)


def test_certain_and_impossible(linear_ce_grad, draw):
    W, U_in, U_out, p_z, _ = inputs(draw)
    follows = torch.eye(6).double()[draw.integers(0, 6, 7)]  # each token has one certain follower
    p_z = (p_z * (torch.arange(7) % 3 != draw.index)).double()  # and some tokens never come
    says = "with probabilities of 0 and 1 the gradient is not autograd's"
    check(linear_ce_grad, (W, U_in, U_out, p_z / p_z.sum(), follows), says)


def test_large_scores(linear_ce_grad, draw):
    given = inputs(draw, size=2000.0)
    got = linear_ce_grad(*given)
    says = "scores in the thousands overflow the exponential: use a softmax that subtracts the largest score first"
    require(torch.is_tensor(got) and bool(got.isfinite().all()), says, got=got)
    close(got, autograds(given), "with scores in the thousands the gradient is not autograd's", **EXACT)


def test_single_precision(linear_ce_grad, draw):
    given = tuple(value.float() for value in inputs(draw, n=1 + 6 * draw.index))
    says = "with float32 arguments the gradient is off"
    check(linear_ce_grad, given, says, rtol=1e-4, atol=1e-6)


def test_repeated_keys(linear_ce_grad, draw):
    W, U_in, U_out, p_z, p_k_given_z = inputs(draw)
    U_in[3], U_in[6], U_out[4] = (
        U_in[1],
        U_in[1],
        U_out[0],
    )  # a vector that serves three tokens, and one that serves two
    says = "where tokens share a vector, each still counts with its own p(z) and its own followers: they all add up"
    check(linear_ce_grad, (W, U_in, U_out, p_z, p_k_given_z), says)


def test_arguments_are_left_alone(linear_ce_grad, draw):
    given = inputs(draw)
    after = linear_ce_grad.call(*given)["args"]
    for before, now, name in zip(given, after, NAMES, strict=True):
        equal(now, before, f"the caller's {name} is different after the call")


def test_two_calls(linear_ce_grad, draw):
    given = inputs(draw)
    got = linear_ce_grad.run(probe_twice, given)
    says = "W is marked by the call (requires_grad, or a gradient kept in .grad): work on a copy, or without autograd"
    require(not got["asks"] and got["kept"] is None, says)
    says = "the second call with the same arguments gives another gradient: something is left over from the first"
    require(torch.is_tensor(got["second"]) and torch.equal(got["first"], got["second"]), says)
    close(got["first"], autograds(given), "after a second call the first result has changed", **EXACT)
