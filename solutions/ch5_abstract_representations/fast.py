"""The faster form of this chapter: the ideal observer of a world whose objects never overlap (tested equal to it)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .boards import Library, paint
from .observer import enumerate_scenes


class FastObserver:
    """`ideal_observer` for the rule "apart", without a list of all pairs.

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
