"""Sentences of noisy in-context recall (chapter 4), drawn on the fly."""

import torch
from jaxtyping import Int
from torch import Tensor


def sample_batch(
    cfg,
    batch: int,
    noisy: bool,
    alpha: float = 0.0,
    ood: bool = False,
    generator: torch.Generator | None = None,
) -> tuple[Int[Tensor, "batch H"], Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    """Draw sentences with their labels: (tokens, labels, outputs), all int64.

    Somewhere in a sentence the trigger q is followed by the output y; q stands again at the end, as the query. With
    noise the trigger is 0, a second pair (q, tau) stands in every sentence, and the label is tau with probability
    alpha; else it is y. `ood`: y is one of the outputs never seen in training. Raises ValueError for noise with H < 6.
    Shapes: tokens (batch, H), labels and outputs (batch,).
    Source: Nguyen and Nguyen-Tang 2025, sections 3 and 5.
    """
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    if noisy and H < 6:
        raise ValueError(f"A noisy sentence needs H of at least 6, but H is {H}.")
    # solution
    draws = {"generator": generator, "device": generator.device if generator else None}
    rows = torch.arange(batch, device=draws["device"])

    q = torch.zeros_like(rows) if noisy else torch.randint(0, Q, (batch,), **draws)
    first, last = (Q + Y, N - 2) if ood else (Q, Q + Y - 1)
    y = torch.randint(first, last + 1, (batch,), **draws)
    tokens = torch.randint(Q, N - 1, (batch, H), **draws)  # fillers everywhere
    tokens[:, -1] = q
    p = torch.randint(0, H - 2, (batch,), **draws)
    tokens[rows, p], tokens[rows, p + 1] = q, y
    if not noisy:
        return tokens, y, y

    tau = N - 1
    blocked_from, blocked_to = (p - 1).clamp(min=0), (p + 1).clamp(max=H - 3)  # |p' - p| < 2
    blocked = blocked_to - blocked_from + 1
    # number the free places 0, 1, ..., draw one of the numbers, and step over the blocked places
    number = (torch.rand(batch, dtype=torch.float64, **draws) * (H - 2 - blocked)).long()
    p_tau = number + blocked * (number >= blocked_from)
    tokens[rows, p_tau], tokens[rows, p_tau + 1] = q, tau
    labels = torch.where(torch.rand(batch, **draws) < alpha, tau, y)
    return tokens, labels, y
    # end solution
