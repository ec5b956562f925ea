"""Hidden tests of exercise 5.17: the chosen cells move by alpha times a difference, everything else follows."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_model, watched, traces = stand_in.a_model, stand_in.watched, stand_in.traces


@takes_along(a_model, watched, traces)
def probe_swap(swap_means, weights, tokens, cells, m_from, m_to, site, rest):
    """The logits, the arguments afterwards, and what is changed about the model."""
    given, watch = [tokens, cells, m_from, m_to], watched(a_model(weights), True)
    logits = swap_means(watch[0], tokens, cells, m_from, m_to, site, *rest)
    return {"logits": logits, "given": given, **traces(watch)}


def make(draw):
    cells = draw.uniform(3, 5) < 0.5
    cells[0, 0], cells[1, 1], cells[2, 0] = True, False, True
    return stand_in.model_weights(draw), draw.integers(0, 7, 3, 5), cells, draw.normal(3, 6), draw.normal(3, 6)


def by_hand(weights, tokens, cells, m_from, m_to, site, alpha):
    def edit(v):
        v = v.clone()
        for b in range(3):
            for t in range(5):
                if cells[b, t]:
                    v[b, t] += alpha * (m_to[b] - m_from[b])
        return v

    return stand_in.by_hand(weights, tokens, {site: edit})[1]


def check(swap_means, data, site, says, *alpha):
    got = swap_means.run(probe_swap, *data, site, list(alpha))
    close(got["logits"], by_hand(*data, site, alpha[0] if alpha else 1.0), says)
    for before, now in zip(data[3:], got["given"][2:], strict=True):
        close(now, before, "the caller's means are different after the call")
    for name, before, now in zip(("tokens", "cells"), data[1:3], got["given"][:2], strict=True):
        equal(now, before, f"the caller's {name} are different after the call")
    require(not got["changed"], "".join(got["changed"][:1]))
    require(not got["hooks"], "a hook is left on the model, which goes on editing later passes: remove it")


def test_alpha_zero(swap_means, draw):
    check(swap_means, make(draw), "b0.out", "with alpha = 0 nothing may change", 0.0)


def test_no_cells(swap_means, draw):
    data = list(make(draw))
    data[2] = torch.zeros_like(data[2])
    check(swap_means, data, "b0.out", "where no cell is chosen, the logits must be those of the board itself")


def test_shift(swap_means, draw):
    data = make(draw)
    says = "a shift is off: the chosen cells of board b move by m_to[b] - m_from[b], the others stay"
    check(swap_means, data, ("z_out", "b0.z_attn")[draw.index], says)


def test_alpha(swap_means, draw):
    check(swap_means, make(draw), "b1.out", "alpha must scale the shift", 2.5)
