"""Wrong answers to exercise 4.4 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
scores, weights = pieces.scores, pieces.weights


def read(a, x):
    return torch.einsum("bt,btd->bd", a, x), a


@wrong("the scores are those of x_h . W x_last: the last position belongs on the left of W")
def transposed(x, W, kind):
    return read(weights(scores(x, W.T), kind), x)


@wrong("the softmax runs over the batch: the weights of one sentence must add up to 1 over its positions")
def softmax_over_batch(x, W, kind):
    s = scores(x, W)
    return read(s.softmax(0) if kind == "softmax" else weights(s, kind), x)


@wrong("the softmax runs over batch and positions at once: each sentence has its own")
def softmax_over_all(x, W, kind):
    s = scores(x, W)
    return read(s.flatten().softmax(0).reshape(s.shape) if kind == "softmax" else weights(s, kind), x)


@wrong("relu lacks its 1e-8: from zero scores it has no derivative, and nothing ever moves")
def relu_without_eps(x, W, kind):
    s = scores(x, W)
    return read(s.relu() if kind == "relu" else weights(s, kind), x)


@wrong("the 1e-8 is not added to the scores inside the relu: the derivative at zero scores is still 0")
def eps_outside(x, W, kind):
    s = scores(x, W)
    return read(s.relu() + 1e-8 if kind == "relu" else weights(s, kind), x)


@wrong("the 1e-8 is not added to the scores inside the relu: the derivative at zero scores is still 0")
def clamped_at_eps(x, W, kind):
    s = scores(x, W)
    return read(s.clamp(min=1e-8) if kind == "relu" else weights(s, kind), x)


@wrong("the number added inside the relu is larger than 1e-8")
def large_eps(x, W, kind):
    s = scores(x, W)
    return read((s + 1e-6).relu() if kind == "relu" else weights(s, kind), x)


@wrong("the relu lets negative scores leak through: they must give 0")
def leaky(x, W, kind):
    s = scores(x, W)
    return read(torch.nn.functional.leaky_relu(s + 1e-8) if kind == "relu" else weights(s, kind), x)


@wrong("the weights of relu are divided by their sum: leave them as they are")
def relu_normalised(x, W, kind):
    a = weights(scores(x, W), kind)
    return read(a / a.sum(1, keepdim=True) if kind == "relu" else a, x)


@wrong("the weights of linear attention are divided by the number of positions: they are the scores")
def linear_mean(x, W, kind):
    a = weights(scores(x, W), kind)
    return read(a / a.shape[1] if kind == "linear" else a, x)


@wrong("the weights of linear attention are divided by their sum: they are the scores as they are")
def linear_normalised(x, W, kind):
    a = weights(scores(x, W), kind)
    return read(a / a.sum(1, keepdim=True) if kind == "linear" else a, x)


@wrong("the scores are divided by the square root of the width for every kind: here there is no scaling")
def scaled(x, W, kind):
    return read(weights(scores(x, W) / x.shape[-1] ** 0.5, kind), x)


@wrong("the logarithm of the softmax is taken: the weights are the softmax itself")
def log_softmax(x, W, kind):
    s = scores(x, W)
    return read(s.log_softmax(-1) if kind == "softmax" else weights(s, kind), x)


@wrong("the query's own score is left out: the query is a position like any other and can get weight, too")
def query_masked(x, W, kind):
    s = scores(x, W)
    a = weights(s[:, :-1], kind)
    return read(torch.cat([a, torch.zeros_like(s[:, :1])], 1), x)


@wrong("the token before is dropped: w mixes both halves of x")
def current_half(x, W, kind):
    w, a = read(weights(scores(x, W), kind), x)
    half = x.shape[-1] // 2
    return torch.cat([w[:, :half], 0 * w[:, half:]], 1), a


@wrong("the wrong half of x is kept: w mixes both halves")
def previous_half(x, W, kind):
    w, a = read(weights(scores(x, W), kind), x)
    half = x.shape[-1] // 2
    return torch.cat([0 * w[:, :half], w[:, half:]], 1), a


@wrong("the relu is a smooth one, gelu: the weights are max(0, s + 1e-8)")
def smooth(x, W, kind):
    s = scores(x, W)
    return read(torch.nn.functional.gelu(s + 1e-8) if kind == "relu" else weights(s, kind), x)


@wrong("linear attention takes the absolute values of the scores: it can also subtract")
def linear_abs(x, W, kind):
    a = weights(scores(x, W), kind)
    return read(a.abs() if kind == "linear" else a, x)


@wrong("the softmax is taken of scores divided by the square root of the width: here there is no scaling")
def softmax_scaled(x, W, kind):
    s = scores(x, W)
    return read((s / x.shape[-1] ** 0.5).softmax(-1) if kind == "softmax" else weights(s, kind), x)


@wrong("every kind is computed as a softmax")
def always_softmax(x, W, kind):
    return read(weights(scores(x, W), "softmax" if kind == "linear" else kind), x)


@wrong("softmax and relu are exchanged")
def kinds_exchanged(x, W, kind):
    return read(weights(scores(x, W), {"softmax": "relu", "relu": "softmax"}.get(kind, kind)), x)


@wrong("w is computed with the scores instead of the weights")
def w_from_scores(x, W, kind):
    s = scores(x, W)
    return read(s, x)[0], weights(s, kind)


@wrong("the scores are returned instead of the weights")
def returns_scores(x, W, kind):
    s = scores(x, W)
    return read(weights(s, kind), x)[0], s


@wrong("w is the mean of a_h x_h over the positions: it is their sum")
def w_is_mean(x, W, kind):
    w, a = read(weights(scores(x, W), kind), x)
    return w / x.shape[1], a


@wrong("weights and w come in the wrong order: (w, a)")
def order_exchanged(x, W, kind):
    return read(weights(scores(x, W), kind), x)[::-1]


@wrong("only w is returned: return the weights as well")
def only_w(x, W, kind):
    return read(weights(scores(x, W), kind), x)[0]


@wrong("the query itself is left out: there is no mask, the last position is read too")
def without_query(x, W, kind):
    w, a = read(weights(scores(x, W), kind), x)
    return w - a[:, -1:] * x[:, -1], a


@wrong("an unknown kind is taken as one of the three: it must raise an error")
def unknown_is_linear(x, W, kind):
    return read(weights(scores(x, W), kind if kind in ("softmax", "relu") else "linear"), x)


@wrong("an unknown kind is taken as one of the three: it must raise an error")
def unknown_is_relu(x, W, kind):
    return read(weights(scores(x, W), kind if kind in ("softmax", "linear") else "relu"), x)


@wrong("capitals do not matter here, but the kinds are exactly 'linear', 'softmax' and 'relu': anything else raises")
def any_capitals(x, W, kind):
    return read(weights(scores(x, W), kind.lower()), x)


@wrong("the exponentials of large scores overflow: take a softmax that does not, or subtract the largest score first")
def overflows(x, W, kind):
    s = scores(x, W)
    return read(s.exp() / s.exp().sum(1, keepdim=True) if kind == "softmax" else weights(s, kind), x)


@wrong("no gradient reaches W through the weights: do not detach them")
def detached(x, W, kind):
    return read(weights(scores(x, W), kind).detach() + 0 * W.sum(), x)


@wrong("the weights pick positions of x_last: each a_h multiplies its own x_h")
def reads_the_query(x, W, kind):
    a = weights(scores(x, W), kind)
    return a.sum(1, keepdim=True) * x[:, -1], a


@wrong("W is applied to what is read: w is the sum of a_h x_h alone")
def w_through_W(x, W, kind):
    w, a = read(weights(scores(x, W), kind), x)
    return w @ W.T, a


@wrong("squeeze drops every axis of size 1, also that of a single sentence or position: name the axis")
def squeezes(x, W, kind):
    a = weights((x @ (x[:, -1] @ W).unsqueeze(-1)).squeeze(), kind)
    return (a.reshape(len(x), 1, -1) @ x).squeeze(), a


@wrong("the caller's x is multiplied in place by the weights: make a new tensor")
def changes_x(x, W, kind):
    a = weights(scores(x.clone(), W), kind)
    w = (a[..., None] * x).sum(1)
    x.mul_(a.detach()[..., None])
    return w, a


@right
def by_match(x, W, kind):
    s = (x @ (x[:, -1] @ W)[:, :, None])[:, :, 0]
    match kind:
        case "linear":
            a = s
        case "softmax":
            a = torch.softmax(s, dim=1)
        case "relu":
            a = torch.clamp(s + 1e-8, min=0)
        case _:
            raise KeyError(kind)
    return (a[:, None, :] @ x)[:, 0], a


@right
def by_table(x, W, kind):
    kinds = {
        "linear": lambda s: s,
        "softmax": lambda s: torch.exp(s - s.logsumexp(1, keepdim=True)),
        "relu": lambda s: torch.maximum(s + 1e-8, torch.zeros_like(s)),
    }
    a = kinds[kind](torch.stack([x_b @ (W.T @ x_b[-1]) for x_b in x]))
    return (a.unsqueeze(-1) * x).sum(1), a


@right
def not_implemented(x, W, kind):
    s = scores(x, W)
    if kind == "linear":
        a = s
    elif kind == "softmax":
        a = s.softmax(-1)
    elif kind == "relu":
        a = (s + 1e-8).relu()
    else:
        raise NotImplementedError(f"no attention of kind {kind}")
    return (a[..., None] * x).sum(1), a


@right
def asserts(x, W, kind):
    assert kind in ("linear", "softmax", "relu"), "no such kind"
    s = torch.einsum("bi,ij,btj->bt", x[:, -1], W, x)
    a = s
    if kind == "softmax":
        a = (s - s.amax(1, keepdim=True)).exp()
        a = a / a.sum(1, keepdim=True)
    elif kind == "relu":
        a = torch.where(s > -1e-8, s + 1e-8, 0)
    return [torch.bmm(a.unsqueeze(1), x).squeeze(1), a]
