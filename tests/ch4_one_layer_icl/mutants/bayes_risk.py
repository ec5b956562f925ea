"""Wrong answers to exercise 4.9 that learners write, and right ones written differently."""

import math

import numpy as np
import torch

from utils.grade.mutants import right, wrong


def entropy(alpha):
    return -sum(p * math.log(p) for p in (alpha, 1 - alpha) if p > 0)


@wrong("the logarithm is to base 2: the risk is in nats")
def in_bits(alpha):
    return entropy(alpha) / math.log(2)


@wrong("the logarithm is to base 10: the risk is in nats")
def base_10(alpha):
    return entropy(alpha) / math.log(10)


@wrong("0 * log 0 is not handled: it counts as 0, and math.log(0) raises an error")
def log_of_0_raises(alpha):
    return -alpha * math.log(alpha) - (1 - alpha) * math.log(1 - alpha)


@wrong("0 * log 0 gives nan: it counts as 0")
def nan_at_0(alpha):
    a = torch.tensor([alpha, 1 - alpha])
    return -(a * a.log()).sum().item()


@wrong("alpha = 0 is handled, alpha = 1 is not")
def only_0_guarded(alpha):
    return 0.0 if alpha == 0 else -alpha * math.log(alpha) - (1 - alpha) * math.log(1 - alpha)


@wrong("alpha = 1 is handled, alpha = 0 is not")
def only_1_guarded(alpha):
    return 0.0 if alpha == 1 else -alpha * math.log(alpha) - (1 - alpha) * math.log(1 - alpha)


@wrong("only the noisy labels are counted: those that are y add - (1 - alpha) log (1 - alpha)")
def first_term_only(alpha):
    return -alpha * math.log(alpha) if alpha > 0 else 0.0


@wrong("only the labels that are y are counted: the noisy ones add - alpha log alpha")
def second_term_only(alpha):
    return -(1 - alpha) * math.log(1 - alpha) if alpha < 1 else 0.0


@wrong("the sign is wrong: logarithms of probabilities are negative, the risk is not")
def negative(alpha):
    return -entropy(alpha)


@wrong("the logarithms are exchanged: each probability goes with its own logarithm")
def crossed(alpha):
    p = min(max(alpha, 1e-12), 1 - 1e-12)
    return -p * math.log(1 - p) - (1 - p) * math.log(p)


@wrong("the second term is added with the wrong sign: both terms are minus p log p")
def one_sign_wrong(alpha):
    return entropy(alpha) + (2 * (1 - alpha) * math.log(1 - alpha) if alpha < 1 else 0.0)


@wrong("the first term is added with the wrong sign: both terms are minus p log p")
def other_sign_wrong(alpha):
    return entropy(alpha) + (2 * alpha * math.log(alpha) if alpha > 0 else 0.0)


@wrong("at alpha = 1 alpha itself is returned: nothing is left to chance there, so the risk is 0")
def alpha_at_the_ends(alpha):
    return alpha if alpha in (0, 1) else entropy(alpha)


@wrong("this is minus alpha times gamma, the log odds: the risk is an entropy, the sum of two terms - p log p")
def log_odds(alpha):
    return -alpha * math.log(alpha / (1 - alpha)) if 0 < alpha < 1 else 0.0


@wrong("the logarithms are averaged with equal weights: each is weighted by its own probability")
def equal_weights(alpha):
    return -0.5 * math.log(alpha) - 0.5 * math.log(1 - alpha) if 0 < alpha < 1 else 0.0


@wrong("the risk comes as a tensor with an axis: a single number is wanted")
def with_an_axis(alpha):
    return torch.special.entr(torch.tensor([[alpha, 1 - alpha]])).sum(1)


@wrong("this is the chance of a wrong guess: the loss is a cross-entropy")
def error_rate(alpha):
    return min(alpha, 1 - alpha)


@wrong("this is the variance alpha (1 - alpha): the loss is a cross-entropy")
def variance(alpha):
    return alpha * (1 - alpha)


@wrong("this is the Gini impurity: the loss is a cross-entropy")
def gini(alpha):
    return 2 * alpha * (1 - alpha)


@wrong("the logarithms are not weighted by the probabilities")
def unweighted(alpha):
    return -math.log(alpha) - math.log(1 - alpha) if 0 < alpha < 1 else 0.0


@wrong("the number added inside the logarithms is too large: it shows in the result")
def large_eps(alpha):
    return -alpha * math.log(alpha + 1e-2) - (1 - alpha) * math.log(1 - alpha + 1e-2)


@wrong("nothing is returned")
def returns_nothing(alpha):
    entropy(alpha)


@wrong("the result is a tensor: a plain number is promised, and .item() makes one of it")
def as_a_tensor(alpha):
    return torch.tensor(entropy(alpha))


@right
def by_xlogy(alpha):
    a = torch.tensor(alpha, dtype=torch.float64)
    return -float(torch.xlogy(a, a) + torch.xlogy(1 - a, 1 - a))


@right
def with_small_eps(alpha):
    return -alpha * math.log(alpha + 1e-15) - (1 - alpha) * math.log(1 - alpha + 1e-15)


@right
def guarded(alpha):
    if alpha in (0, 1):
        return 0
    return -(alpha * math.log(alpha) + (1 - alpha) * math.log1p(-alpha))


@right
def by_numpy(alpha):
    p = np.array([alpha, 1 - alpha])
    return -(p[p > 0] * np.log(p[p > 0])).sum()  # numpy's own float


@right
def by_entr(alpha):
    return torch.special.entr(torch.tensor([alpha, 1 - alpha])).sum().item()


@right
def by_cross_entropy(alpha):
    p = torch.tensor([[alpha, 1 - alpha]])
    return torch.nn.functional.cross_entropy(p.clamp(min=1e-30).log(), p).item()
