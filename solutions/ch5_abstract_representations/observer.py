"""The ideal observer: what anybody could know about the hidden cells of a board (chapter 5)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.course import CourseError

from .boards import Library, paint, pairs_of


def enumerate_scenes(
    lib: Library, kind_probs: Sequence[float] = (1 / 3, 1 / 3, 1 / 3), rule: str = "apart"
) -> tuple[Int[Tensor, "scenes T"], Float[Tensor, "scenes"]]:
    """Every scene of a world without fuzzy cells, and its prior probability; all kinds that have probability above 0.

    Shapes: (scenes, T) small integers, -1 for background, else the object token; and (scenes,). The background's
    colour is left out: it is uniform and independent of the rest. Raises CourseError for a world with fuzzy cells.
    """
    if getattr(lib, "modes", None) is not None:
        raise CourseError("The scenes of a world with fuzzy cells can't be listed: one object has many looks.")
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
    small = torch.int8 if int(lib.roots.max()) < 128 else torch.int16
    scenes = [paint(lib, table, torch.full((len(table),), -1))["board"].flatten(1).to(small) for table in tables]
    return torch.cat(scenes), torch.cat(prior)


def ideal_observer(
    lib, masked: Int[Tensor, "B T"], scenes: Int[Tensor, "scenes T"], prior: Float[Tensor, "scenes"]
) -> Float[Tensor, "B T V"]:
    """For each cell of each masked board the probability of every token, given all the visible cells: Bayes' rule.

    `scenes` and `prior` come from `enumerate_scenes`: -1 is background, whose colour is uniform and independent of
    the scene. A visible cell is certain. UNK has probability 0. Raises ValueError for a board that no scene explains.
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


class FuzzyObserver:
    """The ideal observer of worlds with fuzzy cells, each of whose tokens is as likely as the others.

    A scene says here which cell of which root lies where. A visible token counts for a scene as often as that cell
    shows it, and a hidden cell shows its tokens with their own probabilities.
    """

    def __init__(self, lib: Library, kind_probs: Sequence[float] = (1 / 3, 1 / 3, 1 / 3), rule: str = "apart"):
        self.lib = lib
        modes = (lib.roots[..., None] if lib.modes is None else lib.modes).flatten(0, 2)  # (R d d, M)
        self.shows = torch.stack([(modes == token).float().mean(1) for token in range(lib.n_bg, lib.unk)], dim=1)
        number = torch.where(lib.roots >= 0, torch.arange(len(modes)).view_as(lib.roots), -1)
        scenes, self.prior = enumerate_scenes(replace(lib, roots=number, modes=None), kind_probs, rule)
        self.scenes = scenes.long() + 1  # 0: background; else 1 + d d * root + offset

    def __call__(self, masked: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """The posterior of each cell, as `ideal_observer` gives it."""
        return torch.stack([self._board(board) for board in masked])

    def _board(self, board: Int[Tensor, "T"]) -> Float[Tensor, "T V"]:
        lib, weight = self.lib, self.prior
        chance = torch.cat([torch.zeros(1, lib.n_obj), self.shows])  # of each object token, by what lies on a cell
        background, hidden = board < lib.n_bg, board == lib.unk
        for cell in (~hidden).nonzero()[:, 0].tolist():
            lies = self.scenes[:, cell]
            weight = weight * ((lies == 0) if background[cell] else chance[lies, board[cell] - lib.n_bg])
        if not weight.any():
            raise ValueError("no scene of this world looks like the visible part of the board")
        possible = weight > 0
        scenes, weight = self.scenes[possible], weight[possible] / weight.sum()
        result = torch.nn.functional.one_hot(board, lib.vocab).float()
        colours = torch.full((lib.n_bg,), 1 / lib.n_bg)
        if background.any():
            colours = torch.nn.functional.one_hot(board[background][0], lib.n_bg).float()
        for cell in hidden.nonzero()[:, 0].tolist():
            lies = torch.bincount(scenes[:, cell], weights=weight, minlength=len(chance))
            result[cell] = torch.cat([lies[0] * colours, lies @ chance, torch.zeros(1)])
        return result


class FastObserver:
    """The faster form of `ideal_observer` for the rule "apart", without a list of all pairs (tested equal to it).

    A pair of placed roots explains a board exactly when both agree with the visible cells and together cover all
    visible object cells; both are sums over the two roots, so single placements are enough. Worlds with fuzzy cells or
    the other rules are not covered.
    """

    def __init__(self, lib: Library, kind_probs: Sequence[float] = (1 / 3, 1 / 3, 1 / 3)):
        if lib.modes is not None:
            raise ValueError("the ideal observer needs a world without fuzzy cells")
        self.lib, self.kind_probs = lib, kind_probs
        positions = lib.side - lib.d + 1
        line, roots = torch.arange(positions), torch.arange(len(lib.roots))
        table = torch.cartesian_prod(roots, line, line)
        self.placed = paint(lib, table[:, None], torch.full((len(table),), -1))["board"].flatten(1)  # (P, T)
        self.comps = torch.empty(0, lib.side**2, dtype=torch.int8)
        if kind_probs[2] > 0:
            self.comps, _ = enumerate_scenes(lib, (0, 0, 1))
        gap = (table[:, None, 1:] - table[None, :, 1:]).abs()
        self.apart = (gap >= lib.d).any(dim=-1)
        self.tokens = torch.arange(lib.n_bg, lib.unk)

    def _hot(self, tokens: Int[Tensor, "n T"]) -> Float[Tensor, "n TK"]:
        return (tokens[:, :, None] == self.tokens).flatten(1).float()

    def __call__(self, masked: Int[Tensor, "B T"], chunk: int = 64) -> Float[Tensor, "B T V"]:
        """The posterior of each cell, as `ideal_observer` gives it."""
        return torch.cat([self._chunk(part) for part in masked.split(chunk)])

    def _chunk(self, masked: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        lib, n = self.lib, len(masked)
        objects = (masked >= lib.n_bg) & (masked < lib.unk)
        visible = (masked != lib.unk).float()
        hot = self._hot(torch.where(objects, masked, -1))
        wanted = objects.sum(dim=1)[:, None]
        found = []
        for templates in (self.placed, self.comps.long()):
            agree = hot @ self._hot(templates).T  # visible object cells that the template gets right
            size = visible @ (templates >= 0).float().T  # visible cells that it fills
            found.append((agree, agree == size))
        (cover, fits), (whole, whole_fits) = found
        pairs = fits[:, :, None] & fits[:, None, :] & self.apart
        pairs &= cover[:, :, None] + cover[:, None, :] == wanted[:, :, None]
        pairs = pairs * (self.kind_probs[1] / max(int(self.apart.sum()), 1))
        single = (fits & (cover == wanted)) * (self.kind_probs[0] / len(self.placed))
        comp = (whole_fits & (whole == wanted)) * (self.kind_probs[2] / max(len(self.comps), 1))
        total = single.sum(1) + pairs.sum((1, 2)) + comp.sum(1)
        if bool((total == 0).any()):
            raise ValueError("no scene of this world looks like the visible part of the board")
        places = single + pairs.sum(1) + pairs.sum(2)
        tokens = (places @ self._hot(self.placed) + comp @ self._hot(self.comps.long())).view(n, -1, lib.n_obj)
        tokens = tokens / total[:, None, None]
        background = masked < lib.n_bg
        first = masked[torch.arange(n), background.long().argmax(dim=1)]
        known = torch.nn.functional.one_hot(first.clamp(max=lib.n_bg - 1), lib.n_bg).float()
        colours = torch.where(background.any(1)[:, None], known, 1 / lib.n_bg)
        nothing = (1 - tokens.sum(-1, keepdim=True)).clamp(min=0)
        nothing[objects] = 0
        return torch.cat([nothing * colours[:, None], tokens, torch.zeros(n, masked.shape[1], 1)], dim=-1)


def observer_of(
    lib: Library, kind_probs: Sequence[float] = (1 / 3, 1 / 3, 1 / 3), rule: str = "apart"
) -> Callable[[Int[Tensor, "B T"]], Float[Tensor, "B T V"]]:
    """The ideal observer that fits a world: masked boards (B, T) -> the probability of each token (B, T, V)."""
    if lib.modes is not None:
        return FuzzyObserver(lib, kind_probs, rule)
    if rule == "apart":
        return FastObserver(lib, kind_probs)
    scenes, prior = enumerate_scenes(lib, kind_probs, rule)
    return lambda masked: ideal_observer(lib, masked, scenes, prior)
