"""Hidden tests of exercise 4.3, against the double sum written out."""

import torch

from utils.grade import close, require, shaped


def probe_scores(last_token_scores, x, W, direction):
    """Scores, and the gradients of their product with `direction`."""
    x, W = x.requires_grad_(), W.requires_grad_()
    s = last_token_scores(x, W)
    result = {"result": s, "x": x.grad, "W": W.grad}
    if torch.is_tensor(s) and s.requires_grad and s.shape == direction.shape:
        (s * direction).sum().backward()
        result = {"result": s, "x": x.grad, "W": W.grad}
    return result


def expected(sentence, W):
    """The oracle for one sentence (T, d): every product of the double sum x_last . W x_h."""
    return (sentence[-1:, :, None] * W * sentence[:, None, :]).sum((-1, -2))


def scored(last_token_scores, draw, B, T, d, dtype=torch.float32):
    x, W, direction = draw.normal(B, T, d).to(dtype), draw.normal(d, d).to(dtype), draw.normal(B, T).to(dtype)
    got = last_token_scores.run(probe_scores, x, W, direction)
    shaped(got["result"], (B, T), "there is one score for each position", dtype=dtype)
    return got, x, W, direction


def test_scores(last_token_scores, draw):
    dtype = (torch.float32, torch.float64)[draw.index]
    got, x, W, _ = scored(last_token_scores, draw, 3, 4 + draw.index, 6, dtype)
    says = "the scores are not x_last . W x_h: the last position on the left, every position on the right"
    close(got["result"], torch.stack([expected(z, W) for z in x]), says)


def test_one_sentence_or_position(last_token_scores, draw):
    for B, T in ((1, 3), (2, 1), (1, 1)):
        got, x, W, _ = scored(last_token_scores, draw, B, T, 3)
        close(
            got["result"],
            torch.stack([expected(z, W) for z in x]),
            f"with {B} sentences of {T} positions the scores are off",
        )


def test_gradients(last_token_scores, draw):
    got, x, W, direction = scored(last_token_scores, draw, 3, 4, 5)
    require(got["W"] is not None, "no gradient reaches W: do not detach it, and do not work under no_grad")
    right = torch.einsum("bt,bi,btj->ij", direction, x[:, -1], x)
    close(got["W"], right, "the gradient with respect to W is off", name="the gradient of W")
