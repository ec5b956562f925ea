"""Which positions can be predicted from the context, and which sequences run in circles (chapter 2)."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def occurrence_counts(x: Int[Tensor, "B T"], triggers: Int[Tensor, "B k"]) -> Int[Tensor, "B T"]:
    """At each trigger, how many times that trigger has occurred so far in its row, this time included; 0 elsewhere.

    Shapes: x (B, T), triggers (B, k), each row with its own; k may be 0 -> (B, T).
    """
    # solution
    hits = (x[:, :, None] == triggers[:, None, :]).long()  # (B, T, k)
    return (hits.cumsum(dim=1) * hits).sum(dim=2)
    # end solution


def in_context_mask(counts: Int[Tensor, "B T"]) -> Bool[Tensor, "B T"]:
    """Where the next token can be read off the context: at a trigger that has been seen before.

    Shapes: counts (B, T) -> bool (B, T).
    """
    # solution
    return counts >= 2
    # end solution


def has_absorbing_cycle(triggers: Int[Tensor, "B k"], outputs: Int[Tensor, "B k"]) -> Bool[Tensor, "B"]:
    """Whether a row's outputs lead from trigger to trigger back to where they started, so that it would go on for ever.

    Shapes: (B, k), (B, k) -> bool (B,). Triggers of a row are distinct; k may be 0.
    """
    # solution
    leads_to = outputs[:, :, None] == triggers[:, None, :]  # [b, i, j]: after trigger i comes trigger j
    goes_on = torch.ones_like(triggers, dtype=torch.bool)
    for _ in range(triggers.shape[1]):  # whoever can still walk k steps among k triggers walks in a circle
        goes_on = (leads_to & goes_on[:, None, :]).any(dim=2)
    return goes_on.any(dim=1)
    # end solution
