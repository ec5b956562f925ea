"""The ideal observer: what anybody could know about the hidden cells of a board (chapter 5)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .boards import Library, paint, pairs_of


def enumerate_scenes(
    lib: Library, kind_probs: Sequence[float] = (1 / 3, 1 / 3, 1 / 3), rule: str = "apart"
) -> tuple[Int[Tensor, "scenes T"], Float[Tensor, "scenes"]]:
    """Every scene of a world without fuzzy cells, and its prior probability; all kinds that have probability above 0.

    Shapes: (scenes, T) int8, -1 for background, else the object token; and (scenes,). The background's colour is left
    out: it is uniform and independent of the rest.
    """
    positions, k, stride = lib.side - lib.d + 1, lib.comps.shape[1], lib.d + lib.margin
    line, roots = torch.arange(positions), torch.arange(len(lib.roots))
    tables, prior = [], []
    if kind_probs[0] > 0:
        tables.append(torch.cartesian_prod(roots, line, line)[:, None])
    if kind_probs[1] > 0:
        pairs = pairs_of(lib, rule)
        two = torch.cartesian_prod(roots, roots)
        first, second = two.repeat_interleave(len(pairs), 0).unbind(1)
        places = pairs.repeat(len(two), 1)
        ends = torch.cat([first[:, None], places[:, :2], second[:, None], places[:, 2:]], dim=1)
        tables.append(ends.view(-1, 2, 3))
    if kind_probs[2] > 0:
        line, slot = torch.arange(lib.side - (stride * k - lib.margin) + 1), torch.arange(k * k)
        comp, row, column = torch.cartesian_prod(torch.arange(len(lib.comps)), line, line).T[..., None]
        row, column = row + stride * (slot // k), column + stride * (slot % k)
        tables.append(torch.stack([lib.comps.flatten(1)[comp[:, 0]], row, column], dim=-1))
    for table, share in zip(tables, [share for share in kind_probs if share > 0], strict=True):
        prior.append(torch.full((len(table),), share / len(table)))
    scenes = [paint(lib, table, torch.full((len(table),), -1))["board"].flatten(1).to(torch.int8) for table in tables]
    return torch.cat(scenes), torch.cat(prior)


def ideal_observer(
    lib, masked: Int[Tensor, "B T"], scenes: Int[Tensor, "scenes T"], prior: Float[Tensor, "scenes"]
) -> Float[Tensor, "B T V"]:
    """For each cell of each masked board the probability of every token, given all the visible cells: Bayes' rule.

    `scenes` and `prior` come from `enumerate_scenes`: -1 is background, whose colour is uniform and independent of the
    scene. A visible cell is certain. UNK has probability 0. Raises ValueError for a board that no scene explains.
    """
    # solution
    posterior = torch.zeros(*masked.shape, lib.vocab)
    for board, result in zip(masked, posterior, strict=True):
        hidden, background = board == lib.unk, board < lib.n_bg
        seen = torch.where(background, -1, board).to(scenes.dtype)
        possible = ((scenes == seen) | hidden).all(dim=1)
        weight = prior[possible]
        if not len(weight):
            raise ValueError("no scene of this world looks like the visible part of the board")
        weight = weight / weight.sum()
        for token in range(lib.n_bg, lib.unk):
            result[:, token] = weight @ (scenes[possible] == token).to(weight.dtype)
        colours = torch.zeros(lib.n_bg)
        if background.any():
            colours[board[background][0]] = 1
        else:
            colours[:] = 1 / lib.n_bg
        nothing = weight @ (scenes[possible] == -1).to(weight.dtype)
        result[:, : lib.n_bg] = nothing[:, None] * colours
    return posterior
    # end solution
