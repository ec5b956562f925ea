"""Wrong answers to exercise 4.11 that learners write, and right ones written differently."""

import math

import torch

from utils.grade.mutants import right, wrong


def bayes_risk(alpha):
    return -sum(p * math.log(p) for p in (alpha, 1 - alpha) if p > 0)


@wrong("this is the Bayes risk: a predictor that sees the query alone cannot know y")
def only_bayes(cfg, alpha):
    return bayes_risk(alpha)


@wrong("the Bayes risk is missing: this predictor does not know which labels are noise either")
def without_bayes(cfg, alpha):
    return (1 - alpha) * math.log(cfg.Y)


@wrong("the factor 1 - alpha is missing: y has to be guessed only where the label is not noise")
def without_factor(cfg, alpha):
    return bayes_risk(alpha) + math.log(cfg.Y)


@wrong("the factor is alpha instead of 1 - alpha: y has to be guessed where the label is not noise")
def wrong_factor(cfg, alpha):
    return bayes_risk(alpha) + alpha * math.log(cfg.Y)


@wrong("the guess is among all tokens: this predictor knows that y is one of the Y outputs")
def all_tokens(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log(cfg.vocab_size)


@wrong("the guess is among the fillers: this predictor knows that y is one of the Y outputs")
def all_fillers(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log(cfg.vocab_size - 1 - cfg.Q)


@wrong("the guess is among the triggers: y is one of the Y outputs")
def triggers(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Q)


@wrong("tau is taken for one more output that is as likely as the others")
def tau_as_output(cfg, alpha):
    return math.log(cfg.Y + 1)


@wrong("the guess is among Y - 1 outputs: all Y are possible")
def one_output_too_few(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log(max(cfg.Y - 1, 1))


@wrong("without noise log Y is what remains: the noise is forgotten")
def no_noise(cfg, alpha):
    return math.log(cfg.Y)


@wrong("the floor is in bits: it is wanted in nats")
def in_bits(cfg, alpha):
    return (bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Y)) / math.log(2)


@wrong("alpha = 0 or 1 gives nan or an error: 0 * log 0 counts as 0")
def fails_at_the_ends(cfg, alpha):
    return -alpha * math.log(alpha) - (1 - alpha) * math.log((1 - alpha) / cfg.Y)


@wrong("alpha = 1 is not handled: the outputs then have probability 0, and 0 * log 0 counts as 0")
def fails_at_1(cfg, alpha):
    guess = (1 - alpha) / cfg.Y
    return -(1 - alpha) * math.log(guess) - (alpha * math.log(alpha) if alpha else 0.0)


@wrong("alpha = 0 is answered with 0: without noise the predictor still has to guess y")
def zero_without_noise(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Y)


@wrong("at alpha = 1 this is not 0: the label is always tau then")
def not_zero_at_1(cfg, alpha):
    return math.log(cfg.Y) if alpha in (0, 1) else bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Y)


@wrong("one of Y + 1 tokens is guessed, tau among them: where the label is not noise, y is one of Y")
def one_output_too_many(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Y + 1)


@wrong("log Y is to base 2: the floor is in nats")
def guess_in_bits(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log2(cfg.Y)


@wrong("log Y is divided by Y: there are Y outputs, each with the probability (1 - alpha) / Y")
def divided_by_y(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Y) / cfg.Y


@wrong("one output is counted in the place of Y: each of them adds - p log p with p = (1 - alpha) / Y")
def one_of_y(cfg, alpha):
    return sum(-p * math.log(p) for p in (alpha, (1 - alpha) / cfg.Y) if p > 0)


@wrong("log Y is subtracted: not knowing y makes the loss larger")
def subtracted(cfg, alpha):
    return bayes_risk(alpha) - (1 - alpha) * math.log(cfg.Y)


@wrong("the probability of each output is not divided by Y inside its logarithm, or the entropy is multiplied by Y")
def times_y(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * cfg.Y


@wrong("a single output is not expected: then y is known, and only the noise is left")
def one_output_guess(cfg, alpha):
    return bayes_risk(alpha) + (1 - alpha) * math.log(max(cfg.Y, 2))


@wrong("the result is a tensor: a plain number is promised, and .item() makes one of it")
def as_a_tensor(cfg, alpha):
    return torch.tensor(bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Y))


@right
def by_entropy(cfg, alpha):
    p = torch.full((cfg.Y + 1,), (1 - alpha) / cfg.Y)
    p[-1] = alpha
    return torch.special.entr(p).sum().item()


@right
def by_categorical(cfg, alpha):
    weights = [alpha] + cfg.Y * [(1 - alpha) / cfg.Y]
    return sum(-w * math.log(w) if w else 0 for w in weights)


@right
def by_xlogy(cfg, alpha):
    a = torch.tensor(float(alpha), dtype=torch.float64)
    return (-torch.xlogy(a, a) - torch.xlogy(1 - a, (1 - a) / cfg.Y)).item()
