"""What the heads of each task's program select, and how far a transformer's attention is from it (chapter 3)."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Selectors = dict[tuple[int, int], Tensor]  # (layer, head) -> bool (B, T_Q, T_K)


def attention_targets(
    task: str, tokens: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"], bos: bool = False
) -> dict[tuple[int, int], Bool[Tensor, "B T_Q T_K"]]:
    """The selectors of a task's program for each sequence of a batch: {(layer, head): matrix}.

    Shapes: tokens (B, T), mask (B, T), True at real positions, which come first -> bool (B, T_Q, T_K), True where
    query (row) selects key (column); False wherever either is padding.

    - sort: (0, 0) the keys that come before me in sorted order: smaller ones, and equal ones earlier in the input.
      (1, 0) my slot: query i selects the key that i keys come before.
    - hist2: (0, 0) the same token. (0, 1) the same token, earlier than me. (1, 0) the first occurrence of each token
      that occurs as often as mine.
    - sort_by_freq: (0, 0) and (0, 1) as for hist2. (1, 0) the keys that rank before me: all first occurrences rank
      before all repeats; among each, the more frequent token first, and the earlier position where that is equal.
      (2, 0) query i selects the key that i keys rank before.

    With `bos`, position 0 of every row is the mark § and the sequence starts at position 1, so that places count from
    there. § selects only itself, in every head, and every query selects § as well, except in head (1, 0) of sort.
    Source: Weiss, Goldberg, Yahav 2021, section 5 and appendix.
    """
    # solution
    place = torch.arange(tokens.shape[1], device=tokens.device)
    real = mask & (place >= bos)
    pair = real[:, :, None] & real[:, None, :]
    same = pair & (tokens[:, :, None] == tokens[:, None, :])
    earlier = place < place[:, None]
    slot = (place - int(bos))[:, None]

    if task == "sort":
        before = pair & (tokens[:, None, :] < tokens[:, :, None]) | same & earlier
        heads = {(0, 0): before, (1, 0): pair & (before.sum(-1)[:, None, :] == slot)}
    else:
        repeats = same & earlier
        count, first = same.sum(-1), ~repeats.any(-1)
        heads = {(0, 0): same, (0, 1): repeats}
        if task == "hist2":
            heads[1, 0] = pair & first[:, None, :] & (count[:, None, :] == count[:, :, None])
        else:
            score = count + first * (tokens.shape[1] + 1)  # above every count
            higher, equal = (compare(score[:, None, :], score[:, :, None]) for compare in (torch.gt, torch.eq))
            before = pair & (higher | equal & earlier)
            heads[1, 0] = before
            heads[2, 0] = pair & (before.sum(-1)[:, None, :] == slot)

    if bos:
        for head, selector in heads.items():
            selector[:, 0, 0] = True
            if (task, head) != ("sort", (1, 0)):
                selector[:, :, 0] = mask
    return heads
    # end solution


def attention_loss(
    patterns: list[Float[Tensor, "B N T_Q T_K"]],
    selectors: dict[tuple[int, int], Bool[Tensor, "B T_Q T_K"]],
    mask: Bool[Tensor, "B T"],
) -> Float[Tensor, ""]:
    """Mean squared distance between attention and selectors whose rows are scaled to sum to 1; a row that selects
    nothing becomes uniform over the real keys.

    Shapes: `patterns` holds one tensor (B, N, T, T) for each layer, `selectors` {(layer, head): (B, T, T)},
    mask (B, T) -> a scalar. Of each sequence of length l only the l x l block of real positions counts, in the
    patterns and in the selectors: the mean over the block, then the mean over sequences, then over the given heads.
    """
    # solution
    block = mask[:, :, None] & mask[:, None, :]
    size = block.sum((1, 2))
    losses = []
    for (layer, head), selector in selectors.items():
        selector = selector & block
        chosen = torch.where(selector.any(-1, keepdim=True), selector, block).float()
        wanted = chosen / chosen.sum(-1, keepdim=True).clamp(min=1)
        squares = (patterns[layer][:, head] - wanted).square() * block
        losses.append((squares.sum((1, 2)) / size).mean())
    return torch.stack(losses).mean()
    # end solution


def program_heads(task: str, tokens: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"], bos: bool = False) -> Selectors:
    """`attention_targets`, and the selectors of two programs for which the original experiments have none.

    - reverse: (0, 0) every key (for the length). (1, 0) the key as far from the end as I am from the start.
    - hist: (0, 0) the same token, or the first position. (0, 1), needed only without BOS: the first position, where it
      holds the same token.
    """
    if task not in ("reverse", "hist"):
        return attention_targets(task, tokens, mask, bos)
    place = torch.arange(tokens.shape[1], device=tokens.device)
    real = mask & (place >= bos)
    pair = real[:, :, None] & real[:, None, :]
    if task == "reverse":
        flip = pair & (place + place[:, None] == real.sum(1)[:, None, None] - 1 + 2 * int(bos))
        if bos:
            flip[:, 0, 0] = True
        return {(0, 0): mask[:, :, None] & mask[:, None, :], (1, 0): flip}
    same = pair & (tokens[:, :, None] == tokens[:, None, :])
    at_start = mask[:, :, None] & (place == 0)
    if bos:
        return {(0, 0): same | at_start}
    return {(0, 0): same | at_start, (0, 1): same & at_start}
