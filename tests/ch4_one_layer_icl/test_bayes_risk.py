"""Hidden tests of exercise 4.9, against torch's own entropy of a coin and against the best guess found by search."""

import torch

from utils.grade import close, plain_number


def check(bayes_risk, alphas, says):
    for alpha, got in [(alpha, bayes_risk(alpha)) for alpha in alphas]:  # all results first: more to tell mistakes by
        right = torch.distributions.Bernoulli(torch.tensor(alpha, dtype=torch.float64), validate_args=False).entropy()
        plain_number(got, float, "the risk")
        close(got, torch.nan_to_num(right).float(), says, name=f"bayes_risk({alpha:.3g})")


def test_entropy(bayes_risk, draw):
    alphas = [low + 0.3 * draw.uniform(1).item() for low in (0.02, 0.35, 0.6)]
    check(bayes_risk, alphas, "bayes_risk is not the entropy of the label noise in nats")


def test_no_noise(bayes_risk):
    check(bayes_risk, [0.0], "at alpha = 0 nothing is left to chance: the risk is 0")


def test_only_noise(bayes_risk):
    check(bayes_risk, [1.0], "at alpha = 1 nothing is left to chance: the risk is 0")
