"""Objects and scenes: a library of roots and composites, boards with labels for every cell, and holes in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch
from jaxtyping import Bool, Int
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
    With n_comps = 0, comps has shape (0, 2, 2).
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


def paint(lib, objects: Int[Tensor, "B K 3"], bg: Int[Tensor, "B"]) -> dict[str, Tensor]:
    """Paint boards: objects[b, k] is (root, row, column) of board b's k-th object (root -1: none); later ones on top.

    Returns board, root_id and offset, all (B, S, S): the token of a cell, the root it belongs to (-1: background) and
    its place d * row + column inside that root (-1: background); and bg and objects as they came.
    """
    n, slots, _ = objects.shape
    side, d = lib.side, lib.d
    cell = torch.arange(d * d)
    root, row, column = objects[..., None].unbind(2)  # (B, K, 1)
    token = lib.roots.flatten(1)[root[..., 0].clamp(min=0)]  # (B, K, d d)
    at = (row + cell // d) * side + column + cell % d
    at = at.masked_fill((root < 0) | (token < 0), side * side)  # a cell beyond the board takes what is not drawn
    owner = torch.zeros(n, side * side + 1, dtype=torch.int32)  # half of int64's memory to go through
    for k in range(slots):  # where several objects lie, the last one is seen
        owner.scatter_(1, at[:, k], (1 + k * d * d + cell).int().expand(n, -1))
    choices = 1 + slots * d * d  # for each cell: the background, or a cell of an object
    chosen = (owner[:, :-1] + choices * torch.arange(n, dtype=torch.int32)[:, None]).flatten()

    def read(values, background):
        values = torch.cat([background[:, None], values.expand(n, slots, d * d).flatten(1)], dim=1)
        return values.flatten().index_select(0, chosen).view(n, side, side)

    nothing = torch.full((n,), -1)
    layers = {"board": read(token, bg), "root_id": read(root, nothing), "offset": read(cell, nothing)}
    return layers | {"bg": bg, "objects": objects}


def sample_boards(
    lib,
    n: int,
    kind_probs: Sequence[float],
    generator: torch.Generator,
    pairs: Int[Tensor, "pairs 4"] | None = None,
) -> dict[str, Tensor]:
    """Draw n boards with one root (kind 0), two roots (kind 1) or one composite (kind 2), with these probabilities.

    Background, roots, composites and positions are uniform over all that fit. Two roots never overlap: their
    positions (row, column, row, column) are uniform over all pairs that keep them apart, or over the rows of `pairs`
    (which is for kind 1 alone). Where kind 2 has probability 0, `lib` may have no composites. Returns what `paint`
    does, and kind (B,) and comp (B,), the composite's number or -1. K is the number of a composite's slots; kinds 0
    and 1 use the first of them.
    """

    # solution
    def pick(high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=generator)

    kind = torch.multinomial(torch.tensor(kind_probs, dtype=torch.float32), n, replacement=True, generator=generator)
    pairs = _apart(lib.side - lib.d + 1, lib.d) if pairs is None else pairs
    roots = pick(len(lib.roots), n, 2)
    places = pairs[pick(len(pairs), n)].view(n, 2, 2) if len(pairs) else torch.zeros(n, 2, 2, dtype=torch.int64)
    alone = pick(lib.side - lib.d + 1, n, 2)
    places[:, 0] = torch.where((kind == 0)[:, None], alone, places[:, 0])
    k = lib.comps.shape[1]
    objects = torch.full((n, max(k * k, 2), 3), -1)
    objects[:, :2] = torch.cat([roots[..., None], places], dim=-1)
    objects[kind == 0, 1, 0] = -1
    comp = torch.full((n,), -1)
    if len(lib.comps) and bool((kind == 2).any()):
        stride = lib.d + lib.margin
        slot = torch.arange(k * k)
        comp = torch.where(kind == 2, pick(len(lib.comps), n), -1)
        corner = pick(lib.side - (stride * k - lib.margin) + 1, n, 2)
        row, column = corner[:, :1] + stride * (slot // k), corner[:, 1:] + stride * (slot % k)
        whole = torch.stack([lib.comps.flatten(1)[comp], row, column], dim=-1)
        objects[:, : k * k] = torch.where((kind == 2)[:, None, None], whole, objects[:, : k * k])
    return paint(lib, objects, pick(lib.n_bg, n)) | {"kind": kind, "comp": comp}
    # end solution


@cache
def _apart(positions: int, d: int) -> Int[Tensor, "pairs 4"]:
    """All pairs of positions at which two squares of side d have no cell in common."""
    line = torch.arange(positions)
    pairs = torch.cartesian_prod(line, line, line, line)
    gap = (pairs[:, :2] - pairs[:, 2:]).abs()
    return pairs[(gap >= d).any(dim=1)]


def mask_boards(
    lib, scenes: dict[str, Tensor], p: float, patch_p: float, generator: torch.Generator
) -> tuple[Int[Tensor, "B S S"], Bool[Tensor, "B S S"]]:
    """Hide cells: each one with probability p and, with probability patch_p for a board, a whole d x d patch as well.

    On a board with a composite (kind 2) the patch covers exactly one of its roots, chosen uniformly; on the others it
    lies anywhere. Returns the masked boards, UNK in each hidden cell, and the mask, true where a cell is hidden. The
    caller's boards stay as they are.
    """
    # solution
    board, objects = scenes["board"], scenes["objects"]
    n, d = len(board), lib.d
    mask = torch.rand(board.shape, generator=generator) < p
    patched = torch.rand(n, generator=generator) < patch_p
    corner = torch.randint(lib.side - d + 1, (n, 2), generator=generator)
    lot = torch.rand(objects.shape[:2], generator=generator).masked_fill(objects[..., 0] < 0, -1)
    part = objects[torch.arange(n), lot.argmax(dim=1), 1:]
    corner = torch.where((scenes["kind"] == 2)[:, None], part, corner)
    line = torch.arange(lib.side)
    rows, columns = ((line >= at[:, None]) & (line < at[:, None] + d) for at in corner.unbind(1))
    mask |= (patched[:, None] & rows)[:, :, None] & columns[:, None]
    return torch.where(mask, lib.unk, board), mask
    # end solution


def blur(lib: Library, scenes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Boards of a fuzzy world: each object cell draws one of its tokens, independently. Other worlds are left alone."""
    if lib.modes is None:
        return scenes
    root, offset = scenes["root_id"].clamp(min=0), scenes["offset"].clamp(min=0)
    modes = lib.modes.flatten(1, 2)[root, offset]  # (B, S, S, M)
    drawn = torch.randint(modes.shape[-1], root.shape, generator=generator)
    token = modes.gather(-1, drawn[..., None])[..., 0]
    return scenes | {"board": torch.where(scenes["root_id"] >= 0, token, scenes["board"])}


def pairs_of(lib: Library, rule: str) -> Int[Tensor, "pairs 4"]:
    """Position pairs of two roots: "apart", "original" (rows differ and columns differ; may overlap) or "any"."""
    positions = lib.side - lib.d + 1
    if rule == "apart":
        return _apart(positions, lib.d)
    line = torch.arange(positions)
    pairs = torch.cartesian_prod(line, line, line, line)
    return pairs if rule == "any" else pairs[(pairs[:, :2] != pairs[:, 2:]).all(dim=1)]
