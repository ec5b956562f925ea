"""Hidden tests of exercise 4.10, against the logits of the model whose attention reads y alone."""

import math

import torch

from utils.grade import close, plain_number


def sizes(draw, low, high):
    Q, Y = 1 + draw.integer(0, 5), 2 + draw.integer(0, 4)
    return {"vocab_size": Q + Y + draw.integer(low, high), "H": 8 + draw.integer(0, 300), "Q": Q, "Y": Y}


def expected(cfg, alpha):
    """The oracle: a weight on y is y's logit, that of tau is larger by gamma, all others have 0; the least loss."""
    best = math.inf
    for weight in (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0):
        logits = torch.zeros(cfg["vocab_size"], dtype=torch.float64)
        logits[0], logits[1] = weight, weight + math.log(alpha / (1 - alpha))
        logs = logits.log_softmax(0)
        best = min(best, -((1 - alpha) * logs[0] + alpha * logs[1]).item())
    return best


def probe_floor(softmax_floor, cfg, alpha):
    return softmax_floor(SimpleNamespace(**cfg), alpha)


def test_floor(softmax_floor, draw):
    cases = [(sizes(draw, 3, 60), low + 0.25 * draw.uniform(1).item()) for low in (0.05, 0.4, 0.7)]
    results = [softmax_floor.run(probe_floor, cfg, alpha) for cfg, alpha in cases]
    for (cfg, alpha), got in zip(cases, results, strict=True):
        plain_number(got, float, "the floor")
        says = "the floor is not the least loss with the weight of y at 1, its largest value"
        close(got, expected(cfg, alpha), says, inputs={**cfg, "alpha": alpha}, name="the floor")
