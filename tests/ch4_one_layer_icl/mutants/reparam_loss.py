"""Wrong answers to exercise 4.8 that learners write, and right ones written differently."""

import math

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def formula(lam, cfg, alpha=None, kappa=1, **change):
    """The closed form with parts that can be changed: how many other tokens, gamma, what is subtracted."""
    N = cfg.vocab_size
    if alpha is None:
        others = torch.full_like(lam, math.log(change.get("clean", N - 1)))
        loss, gradient = torch.logaddexp(lam, others) - lam, -(others - lam).sigmoid()
        return loss.mean(), gradient / len(lam)
    gamma = change.get("gamma", math.log(alpha / (1 - alpha)))
    others = torch.tensor(math.log(change.get("noisy", N - 2))).to(lam)
    rest = torch.logaddexp(others, gamma + kappa * lam)
    loss = torch.logaddexp(lam, rest) - (1 - alpha) * lam - alpha * (gamma + kappa * lam)
    p_y, p_tau = (lam - rest).sigmoid(), (gamma + kappa * lam - torch.logaddexp(lam, rest)).exp()
    return loss, p_y - (1 - alpha) + kappa * (p_tau - alpha)


@wrong("with noise N - 1 other tokens are counted: y and tau are both apart, which leaves N - 2")
def one_token_too_many(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, noisy=cfg.vocab_size - 1)


@wrong("without noise N other tokens are counted: y is apart, which leaves N - 1")
def all_tokens(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, clean=cfg.vocab_size)


@wrong("without noise N - 2 other tokens are counted: tau has logit 0 there like all but y, which leaves N - 1")
def one_token_too_few(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, clean=cfg.vocab_size - 2)


@wrong("- alpha * gamma is missing: the logit of tau counts when the label is tau")
def without_alpha_gamma(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return (loss if alpha is None else loss + alpha * math.log(alpha / (1 - alpha))), gradient


@wrong("gamma is upside down: it is log(alpha / (1 - alpha))")
def gamma_inverted(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, gamma=0 if alpha is None else math.log((1 - alpha) / alpha))


@wrong("gamma is left out: the logit of tau is that of y plus gamma")
def gamma_zero(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, gamma=0.0)


@wrong("e^lam is computed on its own and overflows: at lam = 1000 take logaddexp, softplus or e^-lam")
def overflows(lam, cfg, alpha=None, kappa=1):
    N = cfg.vocab_size
    if alpha is None:
        return (torch.log(lam.exp() + N - 1) - lam).mean(), -(N - 1) / (lam.exp() + N - 1) / len(lam)
    gamma = math.log(alpha / (1 - alpha))
    tau = (gamma + kappa * lam).exp()
    total = lam.exp() + tau + N - 2
    loss = total.log() - (1 - alpha) * lam - alpha * (gamma + kappa * lam)
    return loss, (lam.exp() + kappa * tau) / total - (1 - alpha) - kappa * alpha


@wrong("e^lam is computed on its own and overflows: at lam = 1000 take logaddexp, softplus or e^-lam")
def overflows_with_noise(lam, cfg, alpha=None, kappa=1):
    return (formula if alpha is None else overflows)(lam, cfg, alpha, kappa)


@wrong("alpha and 1 - alpha are exchanged: the label is tau with probability alpha, and y otherwise")
def alphas_exchanged(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    if alpha is None:
        return loss, gradient
    gamma, share = math.log(alpha / (1 - alpha)), 1 - 2 * alpha
    return loss + share * ((1 - kappa) * lam - gamma), gradient + share * (1 - kappa)


@wrong("nan at large lam is covered up by numbers in its place: do not compute e^lam on its own")
def covers_up_nan(lam, cfg, alpha=None, kappa=1):
    loss, gradient = overflows(lam, cfg, alpha, kappa)
    return torch.nan_to_num(loss, posinf=0.0), torch.nan_to_num(gradient)


@wrong("the losses of the triggers are summed: the loss is their mean")
def summed(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss * lam.numel(), gradient * lam.numel()


@wrong("the gradient lacks 1/Q: the loss is the mean over the triggers")
def gradient_without_q(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss, gradient * lam.numel()


@wrong("the gradient has the wrong sign: the loss falls as lam grows")
def gradient_sign(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss, -gradient


@wrong("the loss is taken at the mean of lam: each trigger has its own loss, and these are averaged")
def mean_lam(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam.mean().expand(lam.shape).clone(), cfg, alpha, kappa)
    return loss, gradient


@wrong("the gradient is a single number without noise: it has one entry for each trigger")
def gradient_summed(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss, gradient.sum()


@wrong("one loss for each trigger is returned: the loss is their mean")
def loss_of_each(lam, cfg, alpha=None, kappa=1):
    _, gradient = formula(lam, cfg, alpha, kappa)
    return (
        F.softplus(math.log(cfg.vocab_size - 1) - lam) if alpha is None else formula(lam, cfg, alpha, kappa)[0]
    ), gradient


@wrong("kappa is not used: with kappa = 0 the logit of tau stays at gamma")
def kappa_always_1(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, 1)


@wrong("kappa is not used: with kappa = 1 the logit of tau grows with lam")
def kappa_always_0(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, 0)


@wrong("kappa is read the wrong way round")
def kappa_inverted(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, 1 - kappa)


@wrong("kappa changes the loss without noise, where it plays no part")
def kappa_without_noise(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return (loss, gradient) if alpha is not None or kappa else (0 * loss + math.log(cfg.vocab_size), 0 * gradient)


@wrong("the logarithms are to base 2: the loss is in nats")
def in_bits(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss / math.log(2), gradient / math.log(2)


@wrong("the loss is that above the Bayes risk: the entropy of the labels belongs to it")
def excess(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    risk = 0 if alpha is None else -alpha * math.log(alpha) - (1 - alpha) * math.log(1 - alpha)
    return loss - risk, gradient


@wrong("with noise the loss is that of predicting y alone: with probability alpha the label is tau")
def label_always_y(lam, cfg, alpha=None, kappa=1):
    if alpha is None:
        return formula(lam, cfg)
    tau = math.log(alpha / (1 - alpha)) + kappa * lam
    total = torch.logaddexp(torch.logaddexp(lam, tau), torch.tensor(math.log(cfg.vocab_size - 2)).to(lam))
    return total - lam, (lam - total).exp() + kappa * (tau - total).exp() - 1


@wrong("only the loss is returned: its gradient belongs to it")
def only_the_loss(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa)[0]


@wrong("gradient and loss come in the wrong order: (loss, gradient)")
def order_exchanged(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa)[::-1]


@wrong("with kappa = 0 the gradient of the kappa = 1 loss is returned")
def gradient_of_kappa_1(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa)[0], formula(lam, cfg, alpha, 1)[1]


@wrong("kappa = 0 is taken to mean that there is no noise: that is said by alpha being None")
def kappa_0_as_no_noise(lam, cfg, alpha=None, kappa=1):
    if alpha is not None and kappa:
        return formula(lam, cfg, alpha, kappa)
    loss, gradient = formula(lam.reshape(-1), cfg)
    return loss, gradient.reshape(lam.shape)


@wrong("the loss is a plain number: a tensor without axes is wanted, which later cells go on computing with")
def loss_as_number(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss.item(), gradient


@wrong("the losses of the triggers are summed: the loss is their mean")
def loss_summed(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss * lam.numel(), gradient


@wrong("the logarithms are to base 2: the loss is in nats")
def loss_in_bits(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss / math.log(2), gradient


@wrong("gamma is taken to be log alpha: it is log(alpha / (1 - alpha))")
def gamma_log_alpha(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, gamma=0 if alpha is None else math.log(alpha))


@wrong("- alpha * gamma is missing: the logit of tau counts when the label is tau")
def without_alpha_gamma_fa(lam, cfg, alpha=None, kappa=1):
    return (without_alpha_gamma if kappa == 1 else formula)(lam, cfg, alpha, kappa)


@wrong("- alpha * gamma is missing: the logit of tau counts when the label is tau")
def without_alpha_gamma_f(lam, cfg, alpha=None, kappa=1):
    return (without_alpha_gamma if kappa == 0 else formula)(lam, cfg, alpha, kappa)


@wrong("with noise N - 1 other tokens are counted: y and tau are both apart, which leaves N - 2")
def one_token_too_many_fa(lam, cfg, alpha=None, kappa=1):
    return (one_token_too_many if kappa == 1 else formula)(lam, cfg, alpha, kappa)


@wrong("with noise N - 1 other tokens are counted: y and tau are both apart, which leaves N - 2")
def one_token_too_many_f(lam, cfg, alpha=None, kappa=1):
    return (one_token_too_many if kappa == 0 else formula)(lam, cfg, alpha, kappa)


LABEL_Y = "with noise the loss is that of predicting y alone: with probability alpha the label is tau"


@wrong(LABEL_Y)
def label_always_y_f(lam, cfg, alpha=None, kappa=1):
    if alpha is None or kappa == 1:
        return formula(lam, cfg, alpha, kappa)
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss - alpha * lam + alpha * math.log(alpha / (1 - alpha)), gradient


@wrong("with noise the loss is that of predicting tau alone: with probability 1 - alpha the label is y")
def label_always_tau(lam, cfg, alpha=None, kappa=1):
    if alpha is None:
        return formula(lam, cfg)
    loss, gradient = formula(lam, cfg, alpha, kappa)
    gamma = math.log(alpha / (1 - alpha))
    return loss + (1 - alpha) * (lam - gamma - kappa * lam), gradient


@wrong(
    "with kappa = 0 the gradient subtracts alpha: lam is the logit of y, which is the label with probability 1 - alpha"
)
def gradient_minus_alpha(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss, gradient if alpha is None or kappa else gradient + (1 - alpha) - alpha


@wrong("with kappa = 0 the gradient forgets the label: - (1 - alpha) belongs to it")
def gradient_without_label(lam, cfg, alpha=None, kappa=1):
    loss, gradient = formula(lam, cfg, alpha, kappa)
    return loss, gradient if alpha is None or kappa else gradient + (1 - alpha)


@wrong("N is taken to be the number of fillers: all tokens but y, and with noise tau, have the logit 0, triggers too")
def triggers_left_out(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, clean=cfg.vocab_size - 1 - cfg.Q, noisy=cfg.vocab_size - 2 - cfg.Q)


@wrong("only the Y outputs compete: every token of the vocabulary has a logit")
def outputs_compete(lam, cfg, alpha=None, kappa=1):
    return formula(lam, cfg, alpha, kappa, clean=cfg.Y - 1, noisy=cfg.Y - 1)


@right
def by_autograd(lam, cfg, alpha=None, kappa=1):
    leaf = lam.detach().clone().requires_grad_()
    with torch.enable_grad():
        y = leaf.reshape(-1, 1)
        zeros = torch.zeros(len(y), cfg.vocab_size - (1 if alpha is None else 2), dtype=lam.dtype)
        if alpha is None:
            loss = -torch.cat([y, zeros], 1).log_softmax(1)[:, 0].mean()
        else:
            tau = math.log(alpha) - math.log(1 - alpha) + kappa * y
            logs = torch.cat([y, tau, zeros], 1).log_softmax(1)[0]
            loss = -(1 - alpha) * logs[0] - alpha * logs[1]
        (gradient,) = torch.autograd.grad(loss, leaf)
    return loss.detach(), gradient


@right
def by_small_exponentials(lam, cfg, alpha=None, kappa=1):
    """e^-lam throughout, as the formulas are printed."""
    N, e = cfg.vocab_size, torch.exp(-lam)
    if alpha is None:
        return torch.log1p((N - 1) * e).mean(), -(N - 1) * e / (1 + (N - 1) * e) / cfg.Q
    odds = alpha / (1 - alpha)
    if kappa == 1:
        loss = torch.log(1 + odds + (N - 2) * e) - alpha * math.log(odds)
        return loss, -(N - 2) * e / (1 + odds + (N - 2) * e)
    loss = lam + torch.log(1 + (odds + N - 2) * e) - (1 - alpha) * lam - alpha * math.log(odds)
    return loss, 1 / (1 + (odds + N - 2) * e) - (1 - alpha)


@right
def by_softplus(lam, cfg, alpha=None, kappa=1):
    N = cfg.vocab_size
    if alpha is None:
        z = math.log(N - 1) - lam
        return F.softplus(z).mean(), -torch.sigmoid(z) / z.numel()
    g = math.log(alpha / (1 - alpha))
    rest = math.log(N - 2) if kappa else math.log(N - 2 + math.exp(g))
    if kappa:
        z = rest - math.log1p(math.exp(g)) - lam
        return F.softplus(z) + math.log1p(math.exp(g)) - alpha * g, -torch.sigmoid(z)
    return F.softplus(rest - lam) + alpha * (lam - g), alpha - torch.sigmoid(rest - lam)
