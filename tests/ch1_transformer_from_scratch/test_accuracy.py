"""Hidden tests of exercise 1.13: the fraction of next tokens whose argmax is right."""

import torch
import torch.nn.functional as F

from utils.grade import close, plain_number

B, T, V = 3, 6, 11


def number(result):
    """The returned share, as the Python float that is promised."""
    plain_number(result, float, "the accuracy")
    return result


def test_perfect_prediction(accuracy, draw):
    tokens = draw.integers(0, V, B, T + draw.index)
    logits = draw.normal(B, T + draw.index, V)
    logits[:, :-1] += 20.0 * F.one_hot(tokens[:, 1:], V)
    says = "logits that predict every next token give an accuracy of 1"
    close(number(accuracy(logits, tokens)), 1.0, says, name="the accuracy", inputs={"tokens": tokens})


def test_share(accuracy, draw):
    B, T = 5, 8 + draw.index
    tokens, logits = draw.integers(0, V, B, T), draw.normal(B, T, V)
    told = draw.uniform(B, T - 1) < 0.5  # where the prediction is to be right
    told[0], told[1:3, 0], told[:, -1] = True, False, torch.tensor([True, True, True, False, False])
    if int(told.sum()) * 5 in (3 * told.numel(), 2.5 * told.numel()):
        told[3, 1] = ~told[3, 1]  # a share that no part of the predictions has
    target = F.one_hot(tokens[:, 1:], V).bool()
    others = logits[:, :-1].masked_fill(target, -torch.inf).amax(-1)
    margin = torch.tensor([9.0, 9.0, 0.1, 0.1, 0.1]).view(B, 1)  # sure in two rows, by a hair in the others
    short = torch.where(draw.uniform(B, T - 1) < 0.5, 0.2, 9.0)  # wrong by a hair or by far
    logits[:, :-1][target] = torch.where(told, others + margin, others - short).flatten()
    logits[:, -1] += 20 * F.one_hot(tokens[:, 0], V)  # what the last position says must not count
    right = [
        max(range(V), key=logits[b, t].tolist().__getitem__) == int(tokens[b, t + 1])
        for b in range(B)
        for t in range(T - 1)
    ]
    says = "the accuracy differs from the fraction of positions whose largest logit is at the next token"
    close(
        number(accuracy(logits, tokens)), sum(right) / len(right), says, name="the accuracy", inputs={"tokens": tokens}
    )
