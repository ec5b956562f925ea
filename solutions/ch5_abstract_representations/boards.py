"""Boards: objects placed on a background, with labels that come for free, and cells hidden from view (chapter 5)."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from .library import Library


def paint(lib, objects: Int[Tensor, "B K 3"], bg: Int[Tensor, "B"]) -> dict[str, Tensor]:
    """Paint boards: objects[b, k] is (root, row, column) of board b's k-th object, root -1 for none; later ones on top.

    Returns board, root_id and offset, all (B, S, S): the token of a cell, the root it belongs to (-1: background) and
    its place d * row + column inside that root (-1: background); and bg and objects as they came.
    """
    n, slots, _ = objects.shape
    side, d = lib.side, lib.d
    cell = torch.arange(d * d)
    root, row, column = objects[..., None].unbind(2)  # (B, K, 1)
    token = lib.roots.flatten(1)[root[..., 0].clamp(min=0)]  # (B, K, d d)
    at = (row + cell // d) * side + column + cell % d
    at = torch.where((root >= 0) & (token >= 0), at, side * side)  # a cell beyond the board takes what is not drawn
    number = 1 + torch.arange(slots * d * d).expand(n, -1)
    owner = torch.zeros(n, side * side + 1, dtype=torch.int64)
    owner.scatter_reduce_(1, at.flatten(1), number, "amax")  # where several objects lie, the last one is seen
    owner = owner[:, :-1]

    def read(values, background):
        values = torch.cat([background[:, None], values.expand(n, slots, d * d).flatten(1)], dim=1)
        return values.gather(1, owner).view(n, side, side)

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

    Background, roots, composites and positions are uniform over all that fit. Two roots never overlap: their positions
    (row, column, row, column) are uniform over all pairs that keep them apart, or over the rows of `pairs`.
    Returns what `paint` does, and kind (B,) and comp (B,), the composite's number or -1. K is the number of a
    composite's slots; kinds 0 and 1 use the first of them.
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
    mask |= patched[:, None, None] & rows[:, :, None] & columns[:, None, :]
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
