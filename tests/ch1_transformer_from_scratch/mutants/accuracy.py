"""Wrong answers to exercise 1.13 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def hits(logits, tokens):
    return logits[:, :-1].argmax(-1) == tokens[:, 1:]


@wrong("predictions and tokens are not shifted: the argmax at t is compared with token t")
def unshifted(logits, tokens):
    return (logits.argmax(-1) == tokens).float().mean().item()


@wrong("the shift goes the wrong way: the argmax at t+1 is compared with token t")
def backwards(logits, tokens):
    return (logits[:, 1:].argmax(-1) == tokens[:, :-1]).float().mean().item()


@wrong("the targets wrap around: the last position of a row has no next token")
def rolled(logits, tokens):
    return (logits.argmax(-1) == tokens.roll(-1, 1)).float().mean().item()


@wrong("the hits are divided by B times T: there are only T - 1 predictions in a row")
def divided_by_t(logits, tokens):
    return hits(logits, tokens).sum().item() / tokens.numel()


@wrong("the hits are counted, not averaged: return a fraction between 0 and 1")
def counted(logits, tokens):
    return float(hits(logits, tokens).sum())


@wrong("the accuracy is given in percent: return a fraction between 0 and 1")
def percent(logits, tokens):
    return 100 * hits(logits, tokens).float().mean().item()


@wrong("the fraction of wrong predictions is returned")
def error_rate(logits, tokens):
    return 1 - hits(logits, tokens).float().mean().item()


@wrong("a row counts only when all of its predictions are right: every position counts on its own")
def whole_rows(logits, tokens):
    return hits(logits, tokens).all(-1).float().mean().item()


@wrong("only the first row of the batch counts")
def first_row(logits, tokens):
    return hits(logits, tokens)[0].float().mean().item()


@wrong("only the last prediction of each row counts: every position predicts its next token")
def last_only(logits, tokens):
    return hits(logits, tokens)[:, -1].float().mean().item()


@wrong("the probability of the right token is averaged: a prediction is right or wrong, by its argmax")
def mean_probability(logits, tokens):
    return logits[:, :-1].softmax(-1).gather(-1, tokens[:, 1:, None]).mean().item()


@wrong("a prediction counts when the right token is among the five largest: only the largest counts")
def top_five(logits, tokens):
    return (logits[:, :-1].topk(5).indices == tokens[:, 1:, None]).any(-1).float().mean().item()


@wrong("a prediction counts only when its probability exceeds one half: the largest logit is enough")
def confident(logits, tokens):
    return (logits[:, :-1].softmax(-1).gather(-1, tokens[:, 1:, None]) > 0.5).float().mean().item()


@wrong("an integer division rounds the fraction down to a whole number")
def integer_division(logits, tokens):
    found = hits(logits, tokens)
    return float(int(found.sum()) // found.numel())


@wrong("the argmax runs over the sequence: it should run over the vocabulary, the last axis")
def over_the_sequence(logits, tokens):
    return (logits[:, :-1].argmax(1) == tokens[:, 1:]).float().mean().item()


@wrong("the guesses are not token ids: compare the argmax along the last axis with the tokens, not the largest logits")
def one_argmax(logits, tokens):
    return (logits[:, :-1].argmax() == tokens[:, 1:]).float().mean().item()


@wrong("the guesses are not token ids: compare the argmax along the last axis with the tokens, not the largest logits")
def compares_values(logits, tokens):
    return (logits[:, :-1].max(-1).values == tokens[:, 1:]).float().mean().item()


@wrong("max along an axis returns a pair, values and indices: compare the indices alone")
def compares_the_pair(logits, tokens):
    return (logits[:, :-1].max(-1) == tokens[:, 1:]).float().mean().item()


@wrong("the hits are booleans, and torch can't take their mean: turn them into floats first")
def mean_of_bools(logits, tokens):
    return (logits[:, :-1].argmax(-1) == tokens[:, 1:]).mean().item()


@wrong("one fraction for each row is returned: take the mean over all rows")
def one_for_each_row(logits, tokens):
    return hits(logits, tokens).float().mean(-1)


@wrong("the hits are divided by the number of rows: divide by the number of all predictions, B times (T - 1)")
def divided_by_rows(logits, tokens):
    return hits(logits, tokens).sum().item() / len(tokens)


@wrong("the result is a tensor, but it should be a Python float: .item() returns the number in it")
def a_tensor(logits, tokens):
    return hits(logits, tokens).float().mean()


ACROSS_ROWS = (
    "batch and sequence are flattened before the shift, so a row's last logits guess the next row's first token"
)


@wrong(ACROSS_ROWS)
def across_rows(logits, tokens):
    return (logits.flatten(0, 1)[:-1].argmax(-1) == tokens.flatten()[1:]).float().mean().item()


@right
def by_loop(logits, tokens):
    found = [
        int(torch.topk(logits[b, t], 1).indices) == int(tokens[b, t + 1])
        for b in range(tokens.shape[0])
        for t in range(tokens.shape[1] - 1)
    ]
    return sum(found) / len(found)


@right
def by_maximum(logits, tokens):
    before = logits[:, :-1].log_softmax(-1)
    chosen = before.gather(-1, tokens[:, 1:, None]).squeeze(-1)
    return (chosen == before.max(-1).values).double().mean().item()
