"""Hidden tests of exercise 4.8, against N logits written out and differentiated by autograd in float64."""

import math

import torch

from utils.grade import close, require
from utils.grade.judge import a_thing


def probe_loss(reparam_loss, lam, cfg, alpha, more):
    """Loss and gradient, and lam afterwards."""
    result = reparam_loss(lam, SimpleNamespace(**cfg), alpha, **more)
    return {"result": result, "lam": lam}


def sizes(draw):
    Q, Y = 3 + draw.index, 4 - draw.index
    return {"vocab_size": Q + Y + draw.integer(3, 30), "H": 11, "Q": Q, "Y": Y}


def expected(lam, cfg, alpha, kappa):
    """The oracle: the logits of all N tokens, the expected cross-entropy, and autograd."""
    N = cfg["vocab_size"]
    lam = lam.double().requires_grad_()
    losses = []
    for value in lam.reshape(-1):
        if alpha is None:
            logits = torch.cat([value.reshape(1), torch.zeros(N - 1)])
            losses.append(-logits.log_softmax(0)[0])
        else:
            tau = math.log(alpha / (1 - alpha)) + kappa * value
            logits = torch.cat([value.reshape(1), tau.reshape(1), torch.zeros(N - 2)]).log_softmax(0)
            losses.append(-(1 - alpha) * logits[0] - alpha * logits[1])
    loss = sum(losses) / len(losses)
    (gradient,) = torch.autograd.grad(loss, lam)
    return loss.detach(), gradient


def check(reparam_loss, lam, cfg, alpha, kappa, says, default=False, atol=1e-6):
    got = reparam_loss.run(probe_loss, lam, cfg, alpha, {} if default else {"kappa": kappa})["result"]
    form = "reparam_loss must return a pair: the loss and its gradient with respect to lam"
    require(got is not None, f"{form}, but it returns {a_thing(got)}")
    require(isinstance(got, (tuple, list)) and len(got) == 2, form)
    loss, gradient = got
    form = f"the loss must be a tensor without axes, as lam with noise is, but it is {a_thing(loss)}"
    require(torch.is_tensor(loss), form)
    right_loss, right_gradient = expected(lam, cfg, alpha, kappa)
    shown = {"inputs": {"lam": lam, "alpha": alpha, "kappa": kappa, "vocab_size": cfg["vocab_size"]}}
    close(loss, right_loss, f"the loss is off {says}", rtol=1e-5, atol=atol, name="the loss", **shown)
    require(
        gradient is not None,
        "the gradient is None: it has not been computed, or lam isn't a leaf tensor, which would keep one",
    )
    close(gradient, right_gradient, f"the gradient is off {says}", rtol=1e-4, atol=atol, name="the gradient", **shown)


def number(draw, low=-2.0, high=7.0):
    return draw.uniform(1, low=low, high=high)[0].double()


def test_without_noise(reparam_loss, draw):
    cfg = sizes(draw)
    lam = draw.uniform(cfg["Q"], low=-2.0, high=8.0).double()
    check(reparam_loss, lam, cfg, None, 1, "without noise", default=True)


def test_kappa_plays_no_part_without_noise(reparam_loss, draw):
    cfg = sizes(draw)
    lam = draw.uniform(cfg["Q"], low=0.0, high=5.0)  # in float32 too
    check(reparam_loss, lam, cfg, None, 0, "without noise, where kappa plays no part")


def test_noise(reparam_loss, draw):
    alpha = 0.1 + 0.3 * draw.uniform(1).item() + 0.5 * draw.index
    check(reparam_loss, number(draw), sizes(draw), alpha, 1, "with noise and kappa = 1", default=draw.index == 1)


def test_noise_unseen_by_the_feed_forward_layer(reparam_loss, draw):
    alpha = 0.1 + 0.3 * draw.uniform(1).item() + 0.5 * draw.index
    check(reparam_loss, number(draw), sizes(draw), alpha, 0, "with noise and kappa = 0")


def test_large_lam(reparam_loss, draw):
    cfg, alpha = sizes(draw), 0.3 + 0.4 * draw.index
    lam = torch.full((cfg["Q"],), 1000.0, dtype=torch.float64)
    check(reparam_loss, lam, cfg, None, 1, "at lam = 1000, without noise", atol=1e-3)
    for kappa in (1, 0):
        says = f"at lam = 1000, with noise and kappa = {kappa}"
        check(reparam_loss, torch.tensor(1000.0, dtype=torch.float64), cfg, alpha, kappa, says, atol=1e-3)
