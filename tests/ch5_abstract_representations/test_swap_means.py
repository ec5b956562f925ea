"""Hidden tests of exercise 5.17: the chosen cells move by alpha times a difference, everything else follows."""

from pathlib import Path

from utils.grade import close, load_file, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_model = stand_in.a_model


@takes_along(a_model)
def probe_swap(swap_means, weights, tokens, cells, m_from, m_to, site, rest):
    given = [m_from, m_to]
    logits = swap_means(a_model(weights), tokens, cells, m_from, m_to, site, *rest)
    return {"logits": logits, "given": given}


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
    for before, now in zip(data[3:], got["given"], strict=True):
        close(now, before, "the caller's means are different after the call")


def test_alpha_zero(swap_means, draw):
    check(swap_means, make(draw), "b0.out", "with alpha = 0 nothing may change", 0.0)


def test_shift(swap_means, draw):
    data = make(draw)
    says = "a shift is off: the chosen cells of board b move by m_to[b] - m_from[b], the others stay"
    check(swap_means, data, ("z_out", "b0.z_attn")[draw.index], says)


def test_alpha(swap_means, draw):
    check(swap_means, make(draw), "b1.out", "alpha must scale the shift", 2.5)
