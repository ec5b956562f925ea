"""Hidden tests of exercise 4.4: the three kinds of weights, what they read, and the derivative of relu at zero."""

import torch

from utils.grade import close, require, shaped
from utils.grade.judge import a_thing


def probe_attention(attend, x, W, kind, direction):
    """What comes out, and the gradient of w . direction with respect to W."""
    W = W.requires_grad_()
    result = attend(x, W, kind)
    if isinstance(result, (tuple, list)) and len(result) == 2 and torch.is_tensor(result[0]):
        w = result[0]
        if w.requires_grad and w.shape == direction.shape:
            (w * direction).sum().backward()
    return {"result": result, "W": W.grad}


def probe_unknown(attend, x, W, kind):
    """Whether the call raises; for a kind that does not exist NotImplementedError is an error like others."""
    try:
        attend(x, W, kind)
    except (Exception, SystemExit):
        return "raises"
    return "returns"


def probe_zero_scores(attend, x, direction):
    """The weights of relu at W = 0, times 1e8, and the gradient of w . direction with respect to W."""
    W = torch.zeros(x.shape[-1], x.shape[-1], requires_grad=True)
    w, a = attend(x, W, "relu")
    if w.requires_grad:
        (w * direction).sum().backward()
    return {"large": a * 1e8, "W": W.grad}


def expected(x, W, kind):
    """The oracle: sums, and the three kinds, written out."""
    s = (x[:, -1:, :, None] * W * x[:, :, None, :]).sum((-1, -2))  # every product of the double sum
    if kind == "softmax":
        e = (s - s.max(1, keepdim=True).values).exp()
        a = e / e.sum(1, keepdim=True)
    else:
        a = s if kind == "linear" else torch.where(s + 1e-8 > 0, s + 1e-8, 0.0)
    return sum(a[:, h, None] * x[:, h] for h in range(x.shape[1])), a


def attended(attend, draw, kind, std=1.0, B=3, T=4, d=6):
    x, W, direction = draw.normal(B, T, d), draw.normal(d, d, std=std / d**0.5), draw.normal(B, d)
    got = attend.run(probe_attention, x, W, kind, direction)
    result = got["result"]
    says = "attend must return a pair: what is read (w) and the weights (a)"
    require(result is not None, f"{says}, but it returns {a_thing(result)}")
    require(isinstance(result, (tuple, list)) and len(result) == 2, says)
    shaped(result[1], (B, T), "the weights a come second, one for each position")
    shaped(result[0], (B, d), "what is read, w, comes first, one row for each sentence")
    return *result, got["W"], x, W, direction


def check(attend, draw, kind, std=1.0, **more):
    w, a, gradient, x, W, direction = attended(attend, draw, kind, std=std, **more)
    W = W.requires_grad_()
    right_w, right_a = expected(x, W, kind)
    close(a, right_a.detach(), f"the weights of kind {kind!r} are off", name="the weights a", atol=1e-5 * std)
    close(w, right_w.detach(), "w is not the sum of a_h x_h over all positions", name="w", atol=1e-5 * std)
    (right_w * direction).sum().backward()
    says = f"the gradient with respect to W is off for kind {kind!r}"
    require(gradient is not None, "no gradient reaches W: do not detach it, and do not work under no_grad")
    if std > 10:  # with large scores float32 leaves few digits of it
        require(gradient.isfinite().all(), f"the gradient with respect to W is not finite for kind {kind!r}")
        return
    close(gradient, W.grad, says, rtol=1e-3, atol=1e-4, name="the gradient of W")


def test_linear(attend, draw):
    check(attend, draw, "linear", T=4 + draw.index)


def test_softmax(attend, draw):
    check(attend, draw, "softmax", B=3 + 2 * draw.index)


def test_softmax_of_large_scores(attend, draw):
    check(attend, draw, "softmax", std=100.0)


def test_relu(attend, draw):
    check(attend, draw, "relu", T=5)


def test_one_sentence(attend, draw):
    for kind in ("linear", "softmax", "relu"):
        check(attend, draw, kind, B=1, T=1 + 3 * draw.index)


def test_relu_where_all_scores_are_zero(attend, draw):
    B, T, d = 2, 3, 4
    x, direction = draw.normal(B, T, d), draw.normal(B, d)
    got = attend.run(probe_zero_scores, x, direction)
    says = "with every score zero the weights of relu must be 1e-8, so that something moves at the start"
    close(got["large"], torch.ones(B, T), says, rtol=1e-3, name="the weights a (times 1e8)")
    # relu'(1e-8) = 1, so the gradient is that of linear attention
    right = torch.einsum("bd,btd,bi,btj->ij", direction, x, x[:, -1], x)
    says = "with every score zero the derivative of relu must be 1: add the 1e-8 to the scores, inside the relu"
    require(got["W"] is not None, "no gradient reaches W: do not detach it, and do not work under no_grad")
    close(got["W"], right, says, rtol=1e-3, atol=1e-4, name="the gradient of W")


def test_unknown_kind(attend, draw):
    x, W = draw.normal(2, 3, 4), draw.normal(4, 4)
    found = {kind: attend.run(probe_unknown, x, W, kind) for kind in ("sigmoid", "Linear")}
    for kind, does in found.items():
        require(does == "raises", f"the kind {kind!r} does not exist: attend must raise an error")
