"""Wrong answers to exercise 4.10 that learners write, and right ones written differently."""

import math

import torch

from utils.grade.mutants import right, wrong


def bayes_risk(alpha):
    return -alpha * math.log(alpha) - (1 - alpha) * math.log(1 - alpha)


@wrong("N - 1 other tokens are counted: y and tau are both apart, which leaves N - 2")
def one_token_too_many(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 1) * (1 - alpha) / math.e)


@wrong("N other tokens are counted: y and tau are apart, which leaves N - 2")
def all_tokens(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + cfg.vocab_size * (1 - alpha) / math.e)


@wrong("this is the floor without noise: with noise tau has a logit of its own")
def without_noise(cfg, alpha):
    return math.log(1 + (cfg.vocab_size - 1) / math.e)


@wrong("the floor without noise and the Bayes risk are added: they do not simply add up")
def floors_added(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 1) / math.e)


@wrong("the factor 1 - alpha is missing: it is 1 / (1 + e^gamma)")
def without_factor(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) / math.e)


@wrong("the factor is alpha instead of 1 - alpha")
def wrong_factor(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * alpha / math.e)


@wrong("the Bayes risk is missing: this is only what is lost above it")
def excess(cfg, alpha):
    return math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) / math.e)


@wrong("the logit of y is taken to be 0: its weight can reach 1, so e^-1 belongs to the others")
def logit_0(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha))


@wrong("the others are multiplied by e instead of divided by it")
def times_e(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) * math.e)


@wrong("this is the Bayes risk: softmax with V = I cannot reach it")
def only_bayes(cfg, alpha):
    return bayes_risk(alpha)


@wrong("this is the floor with kappa = 0: here the feed-forward layer sees what attention read")
def kappa_0(cfg, alpha):
    odds = alpha / (1 - alpha)
    return math.log(math.e + odds + cfg.vocab_size - 2) - (1 - alpha) - alpha * math.log(odds)


@wrong("attention is spread evenly over the sentence: the weight of y can reach 1")
def diluted(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) * math.exp(-1 / cfg.H))


@wrong("the weight of y is taken to be 1/2, shared with tau: the largest share there is, is 1")
def half_weight(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) * math.exp(-0.5))


@wrong("the triggers are left out of the others: every token but y and tau keeps the logit 0, triggers too")
def triggers_left_out(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2 - cfg.Q) * (1 - alpha) / math.e)


@wrong("the floor is in bits: it is wanted in nats")
def in_bits(cfg, alpha):
    return (bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) / math.e)) / math.log(2)


@wrong("only the outputs compete: so does every token that is neither y nor tau")
def outputs_compete(cfg, alpha):
    return bayes_risk(alpha) + math.log(1 + (cfg.Y - 1) * (1 - alpha) / math.e)


@wrong("gamma is left out: then tau would be as likely as y")
def without_gamma(cfg, alpha):
    return math.log(2 + (cfg.vocab_size - 2) / math.e)


@wrong("alpha * gamma has the wrong sign")
def gamma_sign(cfg, alpha):
    gamma = math.log(alpha / (1 - alpha))
    return math.log(1 + math.exp(gamma) + (cfg.vocab_size - 2) / math.e) + alpha * gamma


def at_cap(cfg, alpha, tau=1.0, mean=1.0, gamma=1.0):
    """log of the sum of exponentials minus the label's mean logit, at the cap; each part can be left out."""
    g = math.log(alpha / (1 - alpha))
    return math.log(math.e + math.exp(tau + g) + cfg.vocab_size - 2) - mean - gamma * alpha * g


@wrong("in the sum of exponentials the logit of tau is gamma alone: with kappa = 1 it gets the cap as well, 1 + gamma")
def tau_without_the_cap(cfg, alpha):
    return at_cap(cfg, alpha, tau=0.0)


@wrong("the cap is missing in the label's mean logit: both y and tau have it, so 1 is subtracted")
def without_the_cap(cfg, alpha):
    return at_cap(cfg, alpha, mean=0.0)


@wrong("the cap is subtracted only where the label is y: with kappa = 1 tau has it as well")
def cap_of_y_only(cfg, alpha):
    return at_cap(cfg, alpha, mean=1 - alpha)


@wrong("- alpha * gamma is missing: where the label is tau, its logit is 1 + gamma")
def without_alpha_gamma(cfg, alpha):
    return at_cap(cfg, alpha, gamma=0.0)


@wrong("the Bayes risk is added to a loss that contains it already")
def bayes_twice(cfg, alpha):
    return at_cap(cfg, alpha) + bayes_risk(alpha)


@wrong("the sum of exponentials lacks its cap: e and e^(1 + gamma) stand beside the N - 2 others, not 1 and e^gamma")
def sum_without_the_cap(cfg, alpha):
    g = math.log(alpha / (1 - alpha))
    return math.log(1 + math.exp(g) + cfg.vocab_size - 2) - 1 - alpha * g


@wrong("the result is a tensor: a plain number is promised, and .item() makes one of it")
def as_a_tensor(cfg, alpha):
    return torch.tensor(bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) / math.e))


@right
def by_logits(cfg, alpha):
    logits = torch.zeros(cfg.vocab_size)
    logits[0] = 1.0
    logits[1] = 1.0 + math.log(alpha / (1 - alpha))
    target = torch.zeros(cfg.vocab_size)
    target[0], target[1] = 1 - alpha, alpha
    return torch.nn.functional.cross_entropy(logits, target).item()


@right
def by_odds(cfg, alpha):
    gamma = math.log(alpha) - math.log(1 - alpha)
    return math.log(1 + math.exp(gamma) + (cfg.vocab_size - 2) * math.exp(-1)) - alpha * gamma


@right
def loss_at_1(cfg, alpha):
    a = torch.tensor(alpha, dtype=torch.float64)
    risk = torch.distributions.Bernoulli(a).entropy()
    return (risk + torch.log1p((cfg.vocab_size - 2) * (1 - a) / math.e)).item()
