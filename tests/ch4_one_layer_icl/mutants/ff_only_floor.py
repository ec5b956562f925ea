"""Wrong answers to exercise 4.12 that learners write, and right ones written differently."""

import math

import torch

from utils.grade.mutants import right, wrong


def bayes_risk(alpha):
    return -sum(p * math.log(p) for p in (alpha, 1 - alpha) if p > 0)


def best_lam(cfg, alpha, others=2):
    return math.log(1 + (cfg.vocab_size - others) * (1 - alpha) / alpha)


@wrong("N - 1 other tokens are counted: y and tau are both apart, which leaves N - 2")
def one_token_too_many(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + alpha * best_lam(cfg, alpha, 1)


@wrong("N other tokens are counted: y and tau are apart, which leaves N - 2")
def all_tokens(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + alpha * best_lam(cfg, alpha, 0)


@wrong("this is the Bayes risk: without seeing what attention read, tau cannot keep up with y")
def only_bayes(cfg, alpha):
    return bayes_risk(alpha)


@wrong("the Bayes risk is missing: this is only what is lost above it")
def excess(cfg, alpha):
    return 0.0 if alpha in (0, 1) else alpha * best_lam(cfg, alpha)


@wrong("the best lam has the wrong factor: it is lost only where the label is tau, with probability alpha")
def wrong_factor(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + (1 - alpha) * best_lam(cfg, alpha)


@wrong("the factor alpha is missing: the best lam is lost only where the label is tau")
def without_factor(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + best_lam(cfg, alpha)


@wrong("the best lam is that of inverted odds: it should contain (1 - alpha) / alpha")
def odds_inverted(cfg, alpha):
    if alpha in (0, 1):
        return 0.0
    return bayes_risk(alpha) + alpha * math.log(1 + (cfg.vocab_size - 2) * alpha / (1 - alpha))


@wrong("tau is missing among the tokens that y competes with: the N - 2 others have logit 0, and tau has gamma")
def without_1(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + alpha * math.log((cfg.vocab_size - 2) * (1 - alpha) / alpha)


@wrong("this is the floor of a predictor that knows the trigger alone: here attention still finds y")
def trigger_only(cfg, alpha):
    return bayes_risk(alpha) + ((1 - alpha) * math.log(cfg.Y) if 0 < alpha < 1 else 0)


@wrong("this is the loss at lam = 0: the floor is the least over lam")
def at_zero(cfg, alpha):
    if alpha in (0, 1):
        return 0.0
    gamma = math.log(alpha / (1 - alpha))
    return math.log(1 + math.exp(gamma) + cfg.vocab_size - 2) - alpha * gamma


@wrong("this is the loss with probability 1 - alpha on y and the rest shared evenly: tau has a logit of its own, gamma")
def rest_shared(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + alpha * math.log(cfg.vocab_size - 1)


@wrong("the floor of the kappa = 1 model with softmax is computed: here lam can grow, but tau does not see it")
def softmax_floor(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) / math.e)


@wrong("the floor is in bits: it is wanted in nats")
def in_bits(cfg, alpha):
    return 0.0 if alpha in (0, 1) else (bayes_risk(alpha) + alpha * best_lam(cfg, alpha)) / math.log(2)


@wrong("alpha = 0 is not handled: there the floor is 0, and nothing may be divided by alpha")
def fails_at_0(cfg, alpha):
    return bayes_risk(alpha) + alpha * best_lam(cfg, alpha)


@wrong(
    "alpha = 0 is not handled: there the floor is 0, and gamma, the logarithm of alpha / (1 - alpha), does not exist"
)
def no_gamma_at_0(cfg, alpha):
    odds = alpha / (1 - alpha)
    return bayes_risk(alpha) + alpha * math.log(odds + cfg.vocab_size - 2) - alpha * math.log(odds)


@wrong("- alpha * gamma is missing: where the label is tau, it has its logit gamma")
def without_alpha_gamma(cfg, alpha):
    if alpha in (0, 1):
        return 0.0
    return bayes_risk(alpha) + alpha * math.log(alpha / (1 - alpha) + cfg.vocab_size - 2)


@wrong("alpha = 1 is not handled: there the floor is 0, and log (1 - alpha) does not exist")
def fails_at_1(cfg, alpha):
    if alpha == 0:
        return 0.0
    return -alpha * math.log(alpha) - (1 - alpha) * math.log(1 - alpha) + alpha * best_lam(cfg, alpha)


@wrong("at alpha = 0 the floor is 0: the logit of y can grow for ever")
def log_n_at_0(cfg, alpha):
    return math.log(cfg.vocab_size) if alpha == 0 else bayes_risk(alpha) + alpha * best_lam(cfg, alpha)


@wrong("the search for the best lam stops too early, at the end of its range")
def short_search(cfg, alpha):
    if alpha in (0, 1):
        return 0.0
    gamma = math.log(alpha / (1 - alpha))
    lam = torch.linspace(0, 1, 101)
    return (
        torch.log(lam.exp() + math.exp(gamma) + cfg.vocab_size - 2) - (1 - alpha) * lam
    ).min().item() - alpha * gamma


def searched(cfg, alpha, low, high, step):
    """The least loss on a grid of lam."""
    if alpha in (0, 1):
        return 0.0
    gamma = math.log(alpha / (1 - alpha))
    lam = torch.arange(low, high, step, dtype=torch.float64)
    return (
        torch.log(lam.exp() + math.exp(gamma) + cfg.vocab_size - 2) - (1 - alpha) * lam
    ).min().item() - alpha * gamma


@wrong("the search for the best lam stops too early, at the end of its range")
def search_to_5(cfg, alpha):
    return searched(cfg, alpha, 0, 5, 1e-3)


@wrong("the search for the best lam stops too early, at the end of its range")
def search_to_10(cfg, alpha):
    return searched(cfg, alpha, 0, 10, 1e-3)


@wrong("the search begins above the best lam, which lies near 0 where almost every label is tau")
def search_from_1(cfg, alpha):
    return searched(cfg, alpha, 1, 30, 1e-3)


@wrong("the grid of the search is too coarse: the lowest point lies between its points, and can be solved for")
def coarse_grid(cfg, alpha):
    return searched(cfg, alpha, 0, 30, 0.1)


@wrong("the descent stops long before the lowest point: it can be solved for")
def few_descent_steps(cfg, alpha):
    if alpha in (0, 1):
        return 0.0
    gamma, lam = math.log(alpha / (1 - alpha)), 0.0
    rest = math.exp(gamma) + cfg.vocab_size - 2
    for _ in range(200):
        lam -= 0.1 * (1 / (1 + rest * math.exp(-lam)) - (1 - alpha))
    return math.log(math.exp(lam) + rest) - (1 - alpha) * lam - alpha * gamma


@wrong("the factor 1 - alpha is missing in the best lam: e^best = 1 + (N-2)(1-alpha)/alpha")
def without_odds(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + alpha * math.log(1 + (cfg.vocab_size - 2) / alpha)


@wrong("the best lam itself is returned: the loss there is asked for")
def returns_lam(cfg, alpha):
    return 0.0 if alpha in (0, 1) else best_lam(cfg, alpha)


@wrong("the triggers are left out of the others: every token but y and tau has the logit 0, triggers too")
def triggers_left_out(cfg, alpha):
    return 0.0 if alpha in (0, 1) else bayes_risk(alpha) + alpha * best_lam(cfg, alpha, 2 + cfg.Q)


@wrong("the result is a tensor: a plain number is promised, and .item() makes one of it")
def as_a_tensor(cfg, alpha):
    return torch.tensor(0.0 if alpha in (0, 1) else bayes_risk(alpha) + alpha * best_lam(cfg, alpha))


@right
def by_search(cfg, alpha):
    if alpha <= 0 or alpha >= 1:
        return 0.0
    gamma = math.log(alpha / (1 - alpha))
    lam = torch.linspace(-5, 20, 100_001, dtype=torch.float64)
    return (
        torch.log(lam.exp() + math.exp(gamma) + cfg.vocab_size - 2) - (1 - alpha) * lam
    ).min().item() - alpha * gamma


@right
def by_rest(cfg, alpha):
    """P(y) = 1 - alpha at the optimum, so the others share alpha."""
    if alpha in (0.0, 1.0):
        return 0
    odds = alpha / (1 - alpha)
    p_tau = alpha * odds / (odds + cfg.vocab_size - 2)
    return -(1 - alpha) * math.log(1 - alpha) - alpha * math.log(p_tau)


@right
def at_the_optimum(cfg, alpha):
    if not 0 < alpha < 1:
        return 0.0
    gamma = math.log(alpha) - math.log1p(-alpha)
    top = math.log1p((cfg.vocab_size - 2) * math.exp(-gamma))
    total = math.exp(top) + math.exp(gamma) + cfg.vocab_size - 2
    return math.log(total) - (1 - alpha) * top - alpha * gamma
