"""What the reparameterised model and its rivals can reach, in closed form (chapter 4). All in nats."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def reparam_loss(
    lam: Float[Tensor, "*Q"], cfg, alpha: float | None = None, kappa: int = 1
) -> tuple[Float[Tensor, ""], Float[Tensor, "*Q"]]:
    """Expected loss of the reparameterised model with linear or ReLU attention, and its gradient with respect to lam.

    `alpha` None: without noise; lam has shape (Q,), the loss is the mean over the triggers, and kappa plays no part.
    With noise lam is a 0-d tensor; kappa 1 or 0 says whether the feed-forward layer sees what attention read.
    Shapes: (loss (), gradient of lam's shape); finite also at lam = 1000.
    """
    # solution
    N = cfg.vocab_size
    if alpha is None:  # logits: lam for y, 0 for the N - 1 others
        gap = math.log(N - 1) - lam
        return torch.nn.functional.softplus(gap).mean(), -gap.sigmoid() / lam.numel()
    gamma = math.log(alpha / (1 - alpha))
    if kappa == 1:  # logits: lam for y, lam + gamma for tau, 0 for the N - 2 others; 1 + e^gamma = 1 / (1 - alpha)
        gap = math.log((N - 2) * (1 - alpha)) - lam
        entropy = -alpha * math.log(alpha) - (1 - alpha) * math.log(1 - alpha)
        return entropy + torch.nn.functional.softplus(gap), -gap.sigmoid()
    # logits: lam for y, gamma for tau, 0 for the N - 2 others
    others = torch.full_like(lam, math.log(math.exp(gamma) + N - 2))
    loss = torch.logaddexp(lam, others) - (1 - alpha) * lam - alpha * gamma
    return loss, (lam - others).sigmoid() - (1 - alpha)
    # end solution


def bayes_risk(alpha: float) -> float:
    """The lowest possible loss: the binary entropy of the label noise, in nats; 0 at alpha = 0 and 1."""
    # solution
    return sum(-p * math.log(p) for p in (alpha, 1 - alpha) if p > 0)
    # end solution


def softmax_floor(cfg, alpha: float) -> float:
    """The lowest loss of the reparameterised model with softmax and kappa = 1, for 0 < alpha < 1.

    Softmax weights are at most 1, and with V = I so is the logit of y.
    """
    # solution
    return bayes_risk(alpha) + math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) / math.e)
    # end solution


def trigger_only_floor(cfg, alpha: float) -> float:
    """The lowest loss of a predictor that sees only the query, and knows alpha and that y is one of Y outputs."""
    # solution
    return bayes_risk(alpha) + (1 - alpha) * math.log(cfg.Y)
    # end solution


def ff_only_floor(cfg, alpha: float) -> float:
    """The lowest loss of the reparameterised model with kappa = 0; 0 at alpha = 0 and 1.

    Its feed-forward layer sees the query only, so the logit of tau stays at gamma while that of y may grow.
    """
    # solution
    if alpha in (0, 1):
        return 0.0
    best = math.log(1 + (cfg.vocab_size - 2) * (1 - alpha) / alpha)  # where the derivative is zero
    return bayes_risk(alpha) + alpha * best
    # end solution


def first_step_gradient(cfg) -> Float[Tensor, "d"]:
    """Row E(q) of -dL/dW at W = 0, without noise, linear attention, V = I, given that the trigger is q = 0.

    At W = 0 every token has probability 1/N, so the row is the mean of sum over h of (1{z_h = y} - 1/N) x_h.
    Shapes: (2N,), first the columns E(0) .. E(N-1), then Ebar(0) .. Ebar(N-1).
    """
    # solution
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    fillers = N - 1 - Q
    f = (H - 3) / fillers  # how often a filler is expected in the H - 3 places that are neither q nor the y after it
    row = torch.zeros(2 * N)
    E, Ebar = row[:N], row[N:]  # views
    outputs = slice(Q, Q + Y)

    E[0] = -2 / N  # q occurs twice and is never y
    E[Q : N - 1] = -f / N
    E[outputs] = (1 + f) / Y - (f + 1 / Y) / N

    Ebar[0] = 1 - 1 / N  # after q comes y; the query at the end has no successor
    pairs = (H - 3) * (H - 4) / (H - 2)  # neighbours that are both filler places
    Ebar[Q : N - 1] = pairs / fillers**2 - f / N
    after_y = (H - 3) / (H - 2)  # how often the y after q is followed by a filler place and not by the query
    Ebar[outputs] += (after_y / fillers - 1 / N) / Y
    return row
    # end solution
