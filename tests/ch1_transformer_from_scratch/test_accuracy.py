"""Hidden tests of exercise 1.13: the share of next tokens whose argmax is right."""

import torch
import torch.nn.functional as F

from utils.grade import close

B, T, V = 3, 6, 11


def test_perfect_prediction(accuracy, draw):
    tokens = draw.integers(0, V, B, T + draw.index)
    logits = draw.normal(B, T + draw.index, V)
    logits[:, :-1] += 20.0 * F.one_hot(tokens[:, 1:], V)
    says = "logits that predict every next token give an accuracy of 1"
    close(accuracy(logits, tokens), 1.0, says, name="the accuracy", inputs={"tokens": tokens})


def test_share(accuracy, draw):
    T = 7 + draw.index
    tokens = draw.integers(0, V, B, T)
    logits = draw.normal(B, T, V)
    told = draw.uniform(B, T - 1) < 0.5
    told[0], told[1, :2] = True, torch.tensor([True, False])  # never 0, never 1, rows of different accuracy
    size = torch.tensor([20.0, 1.5, 1.5]).view(B, 1, 1)  # the first row is right throughout
    logits[:, :-1] += size * told[..., None] * F.one_hot(tokens[:, 1:], V)
    logits[:, -1] += 20 * F.one_hot(tokens[:, 0], V)  # what the last position says must not count
    right = [
        max(range(V), key=logits[b, t].tolist().__getitem__) == int(tokens[b, t + 1])
        for b in range(B)
        for t in range(T - 1)
    ]
    says = "the accuracy differs from the share of positions whose largest logit is at the next token"
    close(accuracy(logits, tokens), sum(right) / len(right), says, name="the accuracy", inputs={"tokens": tokens})
