"""Hidden tests of exercise 4.15, against the expectation taken position by position for every place of the pair."""

from functools import cache

import torch

from utils.grade import close, shaped
from utils.grade.suite import draws


def probe_row(first_step_gradient, cfg):
    return first_step_gradient(SimpleNamespace(**cfg))


@cache
def expected(N, H, Q, Y):
    """The oracle: given p and y each position has a distribution of its own, independent of its neighbours'."""
    one_hot = torch.eye(N, dtype=torch.float64)
    filler = one_hot[Q : N - 1].mean(0)
    row = torch.zeros(2 * N, dtype=torch.float64)
    for p in range(H - 2):
        for y in range(Q, Q + Y):
            z = [filler] * H
            z[p], z[p + 1], z[H - 1] = one_hot[0], one_hot[y], one_hot[0]
            for h in range(H):
                row[:N] += z[h] * (one_hot[y] - 1 / N)  # only z_h itself decides about its column
                if h > 0:
                    row[N:] += z[h - 1] * (z[h][y] - 1 / N)
    return row / ((H - 2) * Y)


def sizes(draw, H):
    Q, Y = 2 + draw.index, 4 - draw.index
    return {"vocab_size": Q + Y + draw.integer(3, 9), "H": H, "Q": Q, "Y": Y}


def check(first_step_gradient, cfg, part=slice(None), says=""):
    got = first_step_gradient.run(probe_row, cfg)
    N = cfg["vocab_size"]
    dtype = got.dtype if torch.is_tensor(got) and got.is_floating_point() else torch.float32
    shaped(got, (2 * N,), "the row has 2N entries", dtype=dtype)
    close(
        got[part],
        expected(N, cfg["H"], cfg["Q"], cfg["Y"])[part],
        says,
        rtol=1e-4,
        atol=1e-6,
        inputs=cfg,
        name="the row",
    )


def test_current_tokens(first_step_gradient, draw):
    cfg = sizes(draw, 7 + draw.integer(0, 5))
    N, Q, Y = cfg["vocab_size"], cfg["Q"], cfg["Y"]
    says = "the columns E(o) of the outputs are off: y occurs once after the trigger, and among the fillers"
    check(first_step_gradient, cfg, slice(Q, Q + Y), says)
    check(first_step_gradient, cfg, slice(0, Q), "the columns E(q) of the triggers are off")
    check(first_step_gradient, cfg, slice(Q + Y, N), "the columns E of the tokens that aren't outputs are off")


def test_column_of_the_rule(first_step_gradient, draw):
    cfg = sizes(draw, 7 + draw.integer(0, 5))
    N, Q = cfg["vocab_size"], cfg["Q"]
    says = "the columns Ebar(q) of the triggers are off: after the first q comes y, after the query nothing"
    check(first_step_gradient, cfg, slice(N, N + Q), says)


@draws(3)
def test_tokens_before(first_step_gradient, draw):
    cfg = sizes(draw, (4, 9, 17)[draw.index])
    N, Q = cfg["vocab_size"], cfg["Q"]
    says = "the columns Ebar of fillers, outputs or tau are off: look at what may follow them, place by place"
    check(first_step_gradient, cfg, slice(N + Q, 2 * N), says)
