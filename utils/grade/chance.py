"""How surprising counts of random draws are: bounds that hold for every sample size, so right answers pass."""

import torch
from torch import Tensor

RARE = 20.0  # a right answer exceeds it with probability below 2 exp(-20) = 4e-9 for each count
MANY = 100_000  # events of one probability: no test counts more


def rarity(shares, probabilities, draws: int) -> Tensor:
    """The largest draws * KL(share || probability), each share that of one event in `draws` independent trials.

    Chernoff's bound: P(rarity > r) <= 2 exp(-r) for each event, whatever the probability and however few the draws.
    Infinite where an event of probability 0 was seen, or one of probability 1 was missed, and for shares of another
    shape than the probabilities (one probability may be that of many events).
    """
    p, shares = torch.as_tensor(probabilities, dtype=torch.float64), torch.as_tensor(shares)
    if not (shares.shape == p.shape or p.ndim == 0 and shares.numel() < MANY):
        return torch.tensor(torch.inf)
    q = (torch.as_tensor(shares, dtype=torch.float64) * draws).round() / draws  # shares may have lost a few digits
    if not bool(q.isfinite().all()) or bool((q < 0).any()) or bool((q > 1).any()):
        return torch.tensor(torch.inf)
    kl = torch.special.xlogy(q, q) + torch.special.xlogy(1 - q, 1 - q)
    kl = kl - torch.special.xlogy(q, p) - torch.special.xlogy(1 - q, 1 - p)
    return draws * kl.max()
