"""Hidden tests of exercise 4.12, against the least loss of the kappa = 0 model found by bisection on its slope."""

import math

import torch

from utils.grade import close, plain_number


def probe_floor(ff_only_floor, cfg, alpha):
    """The floor and whether it is a tensor: that tells it from the near misses of a search."""
    found = ff_only_floor(SimpleNamespace(**cfg), alpha)
    return found, torch.is_tensor(found)


def expected(cfg, alpha):
    """The oracle: N logits, lam for y, gamma for tau, 0 for the rest; the slope in lam changes its sign once."""
    gamma, low, high = math.log(alpha / (1 - alpha)), -50.0, 50.0

    def logs(lam):
        logits = torch.zeros(cfg["vocab_size"], dtype=torch.float64)
        logits[0], logits[1] = lam, gamma
        return logits.log_softmax(0)

    for _ in range(60):
        middle = (low + high) / 2
        falls = logs(middle)[0].exp() < 1 - alpha  # the slope is P(y) - (1 - alpha)
        low, high = (middle, high) if falls else (low, middle)
    best = logs(low)
    return -((1 - alpha) * best[0] + alpha * best[1]).item()


def sizes(draw):
    Q, Y = 1 + draw.integer(0, 5), 2 + draw.integer(0, 7)
    return {"vocab_size": Q + Y + draw.integer(3, 50), "H": 8 + draw.integer(0, 99), "Q": Q, "Y": Y}


SAYS = "the floor is not the least loss over lam with logits lam for y, gamma for tau and 0 for the rest"


def check(ff_only_floor, cases, says=SAYS):
    results = [ff_only_floor.run(probe_floor, cfg, alpha) for cfg, alpha in cases]
    for (cfg, alpha), (got, _) in zip(cases, results, strict=True):
        plain_number(got, float, "the floor")
        shown = {"inputs": {**cfg, "alpha": alpha}, "name": "the floor"}
        close(got, expected(cfg, alpha), says, rtol=1e-5, atol=1e-6, **shown)


def test_floor(ff_only_floor, draw):
    check(ff_only_floor, [(sizes(draw), low + 0.25 * draw.uniform(1).item()) for low in (0.05, 0.4, 0.7)])


def test_wherever_the_lowest_point_lies(ff_only_floor, draw):
    """Sizes and alpha that put the best lam near 0, far out, and between the points of a coarse grid."""
    cases = []
    for best in (0.1 + 0.1 * draw.uniform(1).item(), 11.5, (2.225, 3.225)[draw.index]):
        cfg = {**sizes(draw), "vocab_size": 30 + draw.integer(0, 50)}
        others = cfg["vocab_size"] - 2
        cases.append((cfg, others / (others + math.exp(best) - 1)))  # so that e^best = 1 + others (1 - alpha) / alpha
    check(ff_only_floor, cases, f"{SAYS}: solve for the lowest point, or search finely enough from lam = 0 to 12")


def test_no_noise(ff_only_floor, draw):
    says = "at alpha = 0 the logit of y can grow for ever, and the floor is 0"
    close(ff_only_floor.run(probe_floor, sizes(draw), 0.0)[0], 0.0, says)


def test_only_noise(ff_only_floor, draw):
    says = "at alpha = 1 the label is always tau: the floor is 0"
    close(ff_only_floor.run(probe_floor, sizes(draw), 1.0)[0], 0.0, says)
