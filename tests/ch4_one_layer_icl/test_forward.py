"""Hidden tests of exercise 4.5, against the model's formulas written out."""

import torch

from utils.grade import close, require, shaped
from utils.grade.judge import a_thing

N, B, T = 7, 3, 5


def probe_logits(forward, params, tokens, kappa, kind, direction):
    """The three logits, and the gradients of xi . direction with respect to W, V and F."""
    params = {name: value.requires_grad_() for name, value in params.items()}
    result = forward(params, tokens, kappa, kind)
    xi = result[0] if isinstance(result, (tuple, list)) else None
    if torch.is_tensor(xi) and xi.shape == direction.shape and xi.requires_grad:
        (xi * direction).sum().backward()
    return {"result": result, **{name: value.grad for name, value in params.items()}}


def expected(params, tokens, kappa, kind):
    """The oracle, xi_A and xi_F: ones are put in place token by token; sums are written out."""
    W, V, F = params["W"], params["V"], params["F"]
    n = len(W) // 2
    x = torch.zeros(*tokens.shape, 2 * n)
    for b, sentence in enumerate(tokens.tolist()):
        for h, z in enumerate(sentence):
            x[b, h, z] = 1.0
            if h:
                x[b, h, n + sentence[h - 1]] = 1.0
    s = (x[:, -1:, :, None] * W * x[:, :, None, :]).sum((-1, -2))
    a = {"linear": s, "softmax": s.softmax(1), "relu": torch.relu(s + 1e-8)}[kind]
    w = sum(a[:, h, None] * x[:, h] for h in range(tokens.shape[1]))
    reads = x[:, -1] + w if kappa else x[:, -1]
    return (V[:n] * w[:, None]).sum(-1), (F[:n] * reads[:, None]).sum(-1)


def compute(forward, draw, kappa, kind, only="WVF", batch=B, length=T):
    """Run on random parameters, those not named in `only` zero; form and shapes are judged here."""
    params = {name: draw.normal(2 * N, 2 * N) * (name in only) for name in "WVF"}
    tokens, direction = draw.integers(0, N - 1, batch, length), draw.normal(batch, N)
    got = forward.run(probe_logits, params, tokens, kappa, kind, direction)
    result = got["result"]
    says = "forward must return three tensors: xi, xi_A, xi_F"
    require(result is not None, f"{says}, but it returns {a_thing(result)}")
    require(isinstance(result, (tuple, list)) and len(result) == 3, says)
    for part, name in zip(result, ("xi", "xi_A", "xi_F"), strict=True):
        shaped(part, (batch, N), f"{name} holds one logit for each token of the vocabulary")
    return got, params, tokens, direction


def check(forward, draw, kappa, kind, says, only="WVF", **sizes):
    got, params, tokens, _ = compute(forward, draw, kappa, kind, only, **sizes)
    xi_A, xi_F = expected(params, tokens, kappa, kind)
    shown = {"inputs": {"tokens": tokens}}
    for i, name, right in ((1, "xi_A", xi_A), (2, "xi_F", xi_F), (0, "xi", xi_A + xi_F)):
        close(got["result"][i], right, f"the logits {name} are off {says}", rtol=1e-3, atol=1e-4, name=name, **shown)


def test_zero_parameters(forward, draw):
    got, *_ = compute(forward, draw, 1, "linear", only="")
    close(got["result"][0], torch.zeros(B, N), "with all parameters zero every logit must be zero")


def test_attention_alone(forward, draw):
    check(forward, draw, 0, "linear", "with F = 0", only="WV")


def test_feed_forward_of_the_query(forward, draw):
    check(forward, draw, 0, "linear", "with kappa = 0, where F reads x_last alone")


def test_feed_forward_of_what_was_read(forward, draw):
    check(forward, draw, 1, "linear", "with kappa = 1, where F reads x_last + w")


def test_kinds(forward, draw):
    for kind in ("softmax", "relu"):
        check(forward, draw, 1 - draw.index, kind, f"with kind {kind!r}")


def test_any_length(forward, draw):
    check(forward, draw, 1, "relu", "for a single sentence", batch=1, length=9)


def test_gradients(forward, draw):
    got, params, tokens, direction = compute(forward, draw, 1, "softmax")
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    (sum(expected(leaves, tokens, 1, "softmax")) * direction).sum().backward()
    for name, leaf in leaves.items():
        require(got[name] is not None, f"no gradient reaches {name}: do not detach it, and do not work under no_grad")
        says = f"the gradient with respect to {name} is off"
        close(got[name], leaf.grad, says, rtol=1e-3, atol=1e-4, name=f"the gradient of {name}")
