"""Hidden tests of exercise 5.13: how many dimensions, from data whose variances are known."""

import torch

from utils.grade import close, equal, plain_number


def spread(draw, variances, n=24, D=7):
    """n points whose principal variances are exactly these (up to a common factor), turned and shifted."""
    k = len(variances)
    scores = torch.linalg.qr(draw.normal(n, k + 1) - 0.0).Q
    ones = torch.ones(n, 1) / n**0.5
    scores = torch.linalg.qr(torch.cat([ones, draw.normal(n, k)], dim=1)).Q[:, 1:]
    turn = torch.linalg.qr(draw.normal(D, D)).Q[:k]
    shift = 3 * draw.normal(D) + 2  # its own mean is far from 0, so that one mean for all features is not none
    return scores * torch.tensor(variances).sqrt() @ turn + shift


def run(participation_ratio, X):
    got = participation_ratio.call(X)
    equal(got["args"][0], X, "the caller's X is different after the call")
    plain_number(got["result"], float)
    return got["result"]


def test_even(participation_ratio, draw):
    k = 3 + draw.index
    says = f"points spread evenly in {k} dimensions must give {k}, wherever their mean is"
    close(run(participation_ratio, spread(draw, [2.0] * k)), float(k), says, atol=1e-3)


def test_uneven(participation_ratio, draw):
    variances = [4.0, 1.0, 0.5 + draw.index]
    wanted = sum(variances) ** 2 / sum(v * v for v in variances)
    says = "for uneven variances the ratio (sum of variances)^2 / sum of their squares is off"
    close(run(participation_ratio, spread(draw, variances)), wanted, says, atol=1e-3)
    says = "for vectors a thousand times shorter the ratio is off: it does not depend on their scale"
    close(run(participation_ratio, spread(draw, variances) / 1000), wanted, says, atol=1e-2)


def test_line_and_point(participation_ratio, draw):
    close(run(participation_ratio, spread(draw, [1.0])), 1.0, "points on a line must give 1", atol=1e-3)
    close(run(participation_ratio, torch.full((5, 3), 2.0)), 0.0, "where X does not vary, the result must be 0")
    few = spread(draw, [1.0, 1.0], n=4, D=9)
    close(run(participation_ratio, few), 2.0, "with fewer points than dimensions the ratio is off", atol=1e-3)
