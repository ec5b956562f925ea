"""The objects of the world: roots made of tokens, composites made of roots (chapter 5)."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Int
from torch import Tensor

from utils.course import CourseError

from .config import WorldConfig


@dataclass(frozen=True)
class Library:
    """All objects of a world. Tokens: backgrounds 0 .. n_bg - 1, then n_obj object tokens, then UNK (a hidden cell).

    Shapes: roots (R, d, d), the token of each cell, -1 where the background shows; comps (C, k, k), the root in each
    slot, -1 for an empty one. `modes` (R, d, d, M): the tokens that a fuzzy cell may hold.
    """

    roots: Int[Tensor, "R d d"]
    comps: Int[Tensor, "C k k"]
    n_bg: int
    n_obj: int
    side: int  # of the board
    margin: int = 1  # empty cells between the roots of a composite
    modes: Int[Tensor, "R d d M"] | None = None

    @property
    def d(self) -> int:
        """Side of a root."""
        return self.roots.shape[1]

    @property
    def unk(self) -> int:
        """The token of a hidden cell."""
        return self.n_bg + self.n_obj

    @property
    def vocab(self) -> int:
        """Number of tokens, UNK included."""
        return self.unk + 1


def make_library(
    n_roots: int, d: int, n_bg: int, n_obj: int, n_comps: int, generator: torch.Generator, side: int = 8
) -> Library:
    """Draw n_roots different roots and n_comps different composites of 2 x 2 roots.

    Each cell of a root is one of the n_obj object tokens (numbers n_bg .. n_bg + n_obj - 1), each slot of a composite
    one of the roots, uniformly and with replacement. Raises ValueError where there are not that many different ones.
    """

    # solution
    def different(count: int, size: int, choices: int) -> Int[Tensor, "count size size"]:
        if count > choices ** (size * size):
            raise ValueError(f"there are only {choices ** (size * size)} different objects, but {count} are wanted")
        found = {}
        while len(found) < count:
            drawn = torch.randint(choices, (size, size), generator=generator)
            found.setdefault(tuple(drawn.flatten().tolist()), drawn)
        return torch.stack(list(found.values())) if found else torch.empty(0, size, size, dtype=torch.int64)

    roots = n_bg + different(n_roots, d, n_obj)
    return Library(roots, different(n_comps, 2, n_roots), n_bg, n_obj, side)
    # end solution


def build_library(world: WorldConfig, generator: torch.Generator) -> Library:
    """The library of a world, partly filled, fuzzy and larger composites included; its objects are all different.

    Raises CourseError where there are too few tokens for that.
    """
    full = world.filled == world.abs_dim**2 and world.slots == world.comp_dim**2
    if full and world.abs_w_c is None and world.comp_dim == 2:
        sizes = (world.abs_n, world.abs_dim, world.vocab_bck, world.vocab_token, world.comp_n)
        try:
            return replace(make_library(*sizes, generator, world.board_dim), margin=world.comp_margin)
        except ValueError as error:
            raise CourseError(f"The objects cannot all be different: {error}.") from None
    modes = _different(lambda: _root(world, generator), world.abs_n)
    comps = _different(lambda: _composite(world, generator), world.comp_n)
    comps = comps if len(comps) else torch.empty(0, world.comp_dim, world.comp_dim, dtype=torch.int64)
    sizes = (world.vocab_bck, world.vocab_token, world.board_dim, world.comp_margin)
    return Library(modes[..., 0], comps, *sizes, modes if world.abs_w_c else None)


def _root(world: WorldConfig, generator: torch.Generator) -> Int[Tensor, "d d M"]:
    d, m = world.abs_dim, world.abs_w_m
    modes = torch.full((d * d, m), -1)
    filled = torch.randperm(d * d, generator=generator)[: world.filled]
    for number, cell in enumerate(filled.tolist()):
        fuzzy = number < (world.abs_w_c or 0)
        tokens = torch.randperm(world.vocab_token, generator=generator)[:m] if fuzzy else None
        one = torch.randint(world.vocab_token, (1,), generator=generator).expand(m)
        modes[cell] = world.vocab_bck + (one if tokens is None else tokens.sort().values)
    return modes.view(d, d, m)


def _composite(world: WorldConfig, generator: torch.Generator) -> Int[Tensor, "k k"]:
    size = world.comp_dim**2
    slots = torch.full((size,), -1)
    chosen = torch.randperm(size, generator=generator)[: world.slots]
    slots[chosen] = torch.randint(world.abs_n, (len(chosen),), generator=generator)
    return slots.view(world.comp_dim, world.comp_dim)


def _different(draw, count: int, tries: int = 2000) -> Int[Tensor, "count ..."]:
    found = {}
    for _ in range(tries * max(count, 1)):
        if len(found) == count:
            break
        drawn = draw()
        found.setdefault(tuple(drawn.flatten().tolist()), drawn)
    if len(found) < count:
        raise CourseError(f"The objects cannot all be different: {count} are wanted, and only {len(found)} were found.")
    return torch.stack(list(found.values())) if found else torch.empty(0, dtype=torch.int64)
