"""Strings of brackets, and whether each prefix is balanced (P, T or F), for the dyck languages (chapter 3)."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
from torch import Tensor

from .tasks import IGNORE

PAIRS = ("()", "{}", "[]", "<>", "\\/", "`'", "ab", "xy")  # dyck-k takes the first k
CLASSES = "PTF"  # could still be balanced, is balanced, broken for good
LONE = 0.3  # probability that a step of the balanced generator inserts the neutral token instead of a pair
ROWS = 8192  # strings that grow together: their tables fit the processor's cache


def alphabet(k: int) -> str:
    """The brackets of dyck-k, opening ones at even places, then the neutral token: a, or n where a is a bracket."""
    return "".join(PAIRS[:k]) + ("a" if k < 7 else "n")


def balanced(
    k: int, lengths: Int[Tensor, "B"], generator: torch.Generator | None
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B"]]:
    """Balanced strings that grow until they are `lengths` long, or one longer: tokens (B, max + 1) and true lengths.

    Each step inserts a random pair, or with probability 0.3 the neutral token, at a random place. While they grow, rows
    are linked lists, so that a step costs the same at every place; token 0 is the start of a row, and tokens 1, 2, ...
    are numbered in the order in which they come in. Token number max + 2 is where rows that are done go on inserting.
    """
    B, most = len(lengths), int(lengths.max())
    lengths, order = lengths.sort(descending=True)  # so that those which still grow come first
    row, spare = torch.arange(B), (most + 2) * B
    after, symbols = torch.zeros((most + 3) * B, dtype=torch.int64), torch.zeros((most + 3) * B, dtype=torch.int8)
    made, n = torch.zeros(B, dtype=torch.int64), B
    while n:
        here_made = made[:n]
        growing = here_made < lengths[:n]
        chance = torch.rand(n, generator=generator)
        gap = (torch.rand(n, generator=generator) * (here_made + 1)).long()
        pair = chance >= LONE
        kind = ((chance - LONE) * (k / (1 - LONE))).clamp(0, k - 1).to(torch.int8)  # what is left of chance is uniform
        first = torch.where(growing, (here_made + 1) * B, spare) + row[:n]
        second = first + torch.where(pair & growing, B, 0)
        here = torch.where(growing, gap * B, spare) + row[:n]
        symbols[second] = 2 * kind + 1
        symbols[first] = torch.where(pair, 2 * kind, 2 * k)
        behind = after[here]
        after[here] = first
        after[first] = second
        after[second] = behind
        here_made += growing * (1 + pair.long())
        left = (here_made < lengths[:n]).nonzero()
        n = int(left[-1]) + 1 if len(left) else 0

    tokens, at = torch.zeros(most + 1, B, dtype=torch.int8), row
    for place in range(most + 1):
        at = after[at[: int((lengths >= place).sum())]]
        tokens[place, : len(at)] = symbols[at]
    back = order.argsort()
    return tokens.T[back], made[back]


def prefix_classes(k: int, tokens: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
    """After each prefix: 0 (P) it could still be balanced, 1 (T) it is, 2 (F) it is broken for good.

    As long as nothing is broken, a closing bracket belongs to the last opening one of its own depth: sorted by depth,
    and by place where that is equal, the two are neighbours.
    """
    T, small = tokens.shape[1], tokens.to(torch.uint8)
    bracket, closes = small < 2 * k, (small & 1).bool()
    opens, closes = bracket & ~closes, bracket & closes
    depth = (opens.to(torch.int16) - closes.to(torch.int16)).cumsum(1, dtype=torch.int16)
    level = torch.where(bracket, depth + closes, T)  # the same for both brackets of a pair
    kind, bits = (torch.int16, 7) if T < 128 else (torch.int64, 31)  # numpy sorts short integers far faster
    packed = np.sort(((level.to(kind) << bits) | torch.arange(T, dtype=kind)).numpy(), axis=1)
    order = (torch.from_numpy(packed) & (2**bits - 1)).long()
    ranked = torch.where(closes, small, small + 128).gather(1, order)  # 128 marks what closes nothing
    mismatch = ranked < 128
    mismatch[:, 1:] &= ranked[:, 1:] + 127 != ranked[:, :-1]
    wrong = torch.zeros_like(closes).scatter_(1, order, mismatch) | (depth < 0)
    broken = wrong.to(torch.int16).cumsum(1, dtype=torch.int16) > 0
    return torch.where(broken, 2, (depth == 0).long())


def dyck_batch(
    k: int, n: int, max_len: int, generator: torch.Generator | None = None, min_len: int = 1
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"], Bool[Tensor, "B T"]]:
    """n strings of dyck-k with their classes: tokens, targets and mask, each (n, max_len + 1), as make_batch has them.

    Every third string is balanced (and may be max_len + 1 long), every third a random prefix of a balanced one with
    uniform noise behind it, every third uniform noise.
    """
    wanted = torch.randint(min_len, max_len + 1, (n,), generator=generator)
    noise = torch.randint(2 * k + 1, (n, max_len + 1), generator=generator, dtype=torch.int8)
    tokens, lengths, place = noise, wanted.clone(), torch.arange(max_len + 1)
    which = torch.arange(n) % 3
    grown = (which < 2).nonzero()[:, 0]
    if len(grown):
        parts = [balanced(k, rows, generator) for rows in wanted[grown].split(ROWS)]
        strings = torch.cat([F.pad(part, (0, max_len + 1 - part.shape[1])) for part, _ in parts])
        lengths[grown] = torch.cat([made for _, made in parts])
        kept = (torch.rand(len(grown), generator=generator) * (lengths[grown] + 1)).long()
        kept = torch.where(which[grown] == 0, lengths[grown], kept)
        tokens[grown] = torch.where(place < kept[:, None], strings, tokens[grown])
    mask = place < lengths[:, None]
    targets = torch.full(tokens.shape, IGNORE)
    for rows in lengths.argsort().chunk(8):  # strings of about the same length: half the work
        T = int(lengths[rows].max())
        targets[rows, :T] = prefix_classes(k, tokens[rows, :T]).where(mask[rows, :T], IGNORE)
    return tokens.where(mask, 2 * k + 1).long(), targets, mask
