"""Hidden tests of exercise 4.11, against the entropy of the labels of a predictor that sees the query alone."""

import torch

from utils.grade import close, plain_number


def probe_floor(trigger_only_floor, cfg, alpha):
    return trigger_only_floor(SimpleNamespace(**cfg), alpha)


def expected(cfg, alpha):
    """The oracle: the entropy of the distribution over tau and the outputs."""
    p = torch.tensor([alpha, *[(1 - alpha) / cfg["Y"]] * cfg["Y"]], dtype=torch.float64)
    return torch.special.entr(p).sum().item()


def check(trigger_only_floor, draw, alphas, says, Y=None):
    cases = []
    for alpha in alphas:
        Q, outputs = 1 + draw.integer(0, 5), Y or 2 + draw.integer(0, 7)
        N, H = Q + outputs + draw.integer(3, 50), 8 + draw.integer(0, 99)
        cases.append(({"vocab_size": N, "H": H, "Q": Q, "Y": outputs}, alpha))
    results = [trigger_only_floor.run(probe_floor, cfg, alpha) for cfg, alpha in cases]
    for (cfg, alpha), got in zip(cases, results, strict=True):
        plain_number(got, float, "the floor")
        close(got, expected(cfg, alpha), says, inputs={**cfg, "alpha": alpha}, name="the floor")


def test_floor(trigger_only_floor, draw):
    alphas = [low + 0.25 * draw.uniform(1).item() for low in (0.05, 0.4, 0.7)]
    says = "the floor is not the entropy of a label that is tau, or one of the Y outputs with equal chances"
    check(trigger_only_floor, draw, alphas, says)


def test_one_output(trigger_only_floor, draw):
    says = "with a single output, y is known without looking, and only the noise is left"
    check(trigger_only_floor, draw, [0.2 + 0.5 * draw.uniform(1).item()], says, Y=1)


def test_no_noise(trigger_only_floor, draw):
    check(trigger_only_floor, draw, [0.0], "at alpha = 0 the label is one of the Y outputs, each as likely")


def test_only_noise(trigger_only_floor, draw):
    check(trigger_only_floor, draw, [1.0], "at alpha = 1 the label is always tau, and the floor is 0")
