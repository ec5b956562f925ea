"""Batches of the sequence tasks, in whole tensors (chapter 3)."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

IGNORE = -100  # the target at padding, which torch's cross-entropy leaves out by default
MOST = 10  # hist and hist2 count no further than this


def make_batch(
    task: str,
    n: int,
    max_len: int,
    vocabulary: int = 10,
    generator: torch.Generator | None = None,
    min_len: int = 1,
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"], Bool[Tensor, "B T"]]:
    """n random sequences of a task, with their targets: tokens, targets and mask, each (n, max_len).

    Lengths are uniform from min_len to max_len, symbols uniform from 0 to vocabulary - 1; all draws use `generator`.
    The mask is True at real positions, which come first. Behind them tokens hold the number `vocabulary` (written §)
    and targets hold -100. Tasks, for "bab" = 1 0 1:

    - reverse: the symbols backwards, 1 0 1
    - sort: the symbols in order, 0 1 1
    - hist: how often each symbol occurs, 2 1 2, but 10 at most
    - hist2: how many different symbols occur as often as this one, 1 1 1, but 10 at most
    - sort_by_freq: the different symbols, the most frequent first and ties by first appearance, then §: 1 0 §

    Source: Weiss, Goldberg, Yahav 2021, section 5.
    """
    # solution
    lengths = torch.randint(min_len, max_len + 1, (n, 1), generator=generator)
    place = torch.arange(max_len)
    mask = place < lengths
    tokens = torch.randint(vocabulary, (n, max_len), generator=generator).where(mask, vocabulary)

    if task == "reverse":
        targets = tokens.gather(1, (lengths - 1 - place).clamp(min=0))
    elif task == "sort":
        targets = tokens.sort(dim=1).values  # § is larger than every symbol and stays behind
    else:
        counts = torch.zeros(n, vocabulary + 1, dtype=torch.int64).scatter_add_(1, tokens, mask.long())
        if task == "hist":
            targets = counts.gather(1, tokens).clamp(max=10)
        elif task == "hist2":
            alike = torch.zeros(n, max_len + 1, dtype=torch.int64).scatter_add_(1, counts, (counts > 0).long())
            targets = alike.gather(1, counts.gather(1, tokens)).clamp(max=10)
        else:
            first = torch.full((n, vocabulary + 1), max_len).scatter_reduce_(1, tokens, place.expand(n, -1), "amin")
            score = (counts * (max_len + 1) - first)[:, :vocabulary]  # § takes no part
            order = score.argsort(dim=1, descending=True)[:, :max_len]
            targets = torch.full((n, max_len), vocabulary)
            targets[:, : order.shape[1]] = order
            targets = targets.where(place < (counts > 0).sum(1, keepdim=True), vocabulary)
    return tokens, targets.where(mask, -100), mask
    # end solution
