"""Hidden tests of exercise 4.6, entry by entry, and through the scores and gradients that the matrices give."""

import torch

from utils.grade import close, draws, require, shaped
from utils.grade.judge import a_thing


def probe_matrices(build_reparam, lam, cfg, noisy, gamma, direction):
    """W, V, F, and the gradient of W . direction with respect to lam."""
    lam = lam.requires_grad_()
    result = build_reparam(lam, SimpleNamespace(**cfg), noisy, gamma)
    gradient = None
    W = result[0] if isinstance(result, (tuple, list)) else None
    if torch.is_tensor(W) and W.shape == direction.shape and W.requires_grad:
        (gradient,) = torch.autograd.grad((W * direction).sum(), lam, allow_unused=True)
    return {"result": result, "lam": gradient}


def sizes(draw):
    Q, Y = 3 - draw.index, 2 + draw.index
    return {"vocab_size": Q + Y + 4, "H": 9, "Q": Q, "Y": Y}


def expected(lam, cfg, noisy, gamma):
    """The oracle: the few entries that are not zero."""
    N, Q = cfg["vocab_size"], cfg["Q"]
    W, F = torch.zeros(2 * N, 2 * N), torch.zeros(2 * N, 2 * N)
    if noisy:
        W[0, N], W[0, N - 1] = lam.item(), -lam.item()
        F[N - 1, 0], F[N - 1, N] = gamma, 1.0
    else:
        for q in range(Q):
            W[q, N + q] = lam[q]
    return W, torch.diag(torch.ones(2 * N)), F


def built(build_reparam, draw, noisy, shape=(), dtype=torch.float32):
    cfg, gamma = sizes(draw), -0.4 - draw.uniform(1).item()
    lam = draw.uniform(cfg["Q"], low=0.5, high=3.0) * (-1) ** torch.arange(
        draw.index, draw.index + cfg["Q"]
    )  # any sign
    lam = lam[:1].reshape(shape) if noisy else lam
    lam = lam.to(dtype)
    d = 2 * cfg["vocab_size"]
    direction = draw.normal(d, d).to(dtype)
    got = build_reparam.run(probe_matrices, lam, cfg, noisy, gamma, direction)
    result = got["result"]
    says = "build_reparam must return three tensors: W, V, F"
    require(result is not None, f"{says}, but it returns {a_thing(result)}")
    require(isinstance(result, (tuple, list)) and len(result) == 3, says)
    for part, name in zip(result, "WVF", strict=True):
        require(torch.is_tensor(part), f"{name} must be a tensor, (2N, 2N), and not {part!r}"[:200])
        kind = part.dtype if part.is_floating_point() else dtype
        shaped(part, (d, d), f"{name} is (2N, 2N)", dtype=kind)
        says = f"{name} is of type {kind}, but lam is of type {dtype}: the three matrices are of lam's type"
        require(kind == dtype, says)
    return got, expected(lam, cfg, noisy, gamma), lam, cfg, direction


def test_without_noise(build_reparam, draw):
    got, right, lam, *_ = built(build_reparam, draw, False)
    says = "W is not the sum of lam_q E(q) Ebar(q)^T over the triggers"
    close(got["result"][0], right[0], says, inputs={"lam": lam}, name="W")
    close(got["result"][1], right[1], "V is not the identity", name="V")
    close(got["result"][2], right[2], "F must be zero without noise", name="F")


def test_noise(build_reparam, draw):
    shape = ((), (1,))[draw.index]  # one element, with or without an axis
    got, right, lam, *_ = built(build_reparam, draw, True, shape)
    says = "with noise W is not lam E(0) (Ebar(0) - E(tau))^T"
    close(got["result"][0], right[0], says, inputs={"lam": lam}, name="W")
    close(got["result"][1], right[1], "with noise V is not the identity", name="V")
    says = "with noise F is not E(tau) (gamma E(0) + Ebar(0))^T"
    close(got["result"][2], right[2], says, name="F")


@draws(1)
def test_type_of_lam(build_reparam, draw):
    for noisy in (False, True):
        built(build_reparam, draw, noisy, dtype=torch.float64)


def test_gradients_reach_lam(build_reparam, draw):
    Q = sizes(draw)["Q"]
    for noisy in (False, True):
        got, _, lam, cfg, direction = built(build_reparam, draw, noisy)
        N = cfg["vocab_size"]
        says = "no gradient reaches lam: build W from the tensor itself, without item, detach or torch.tensor(lam)"
        require(got["lam"] is not None, says)
        right = direction[0, N] - direction[0, N - 1] if noisy else direction[:Q, N : N + Q].diagonal()
        close(got["lam"], right, "the gradient with respect to lam is off", name="the gradient of lam")
