"""Reparameterised models side by side: attention knows three kinds of position, so no gather is needed (chapter 4).

The score of a position is lam where the token before it is the trigger, minus lam where the token itself is tau (with
noise only), and 0 elsewhere; both together cancel. So w is a combination of three sums over positions that do not
depend on lam, and these are taken once a batch.
"""

from collections.abc import Sequence

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor

from .batches import Batch
from .fast import Sentences
from .fleet import Fleet
from .model import build_reparam
from .runs import Run


class Classes:
    """The positions of each sentence by their score's sign, in the order +1, 0, -1.

    Shapes: `tokens` (3, B, N), how often each token stands there; `count` (3, B), how many positions; `after` (3, B),
    how many of them come after the trigger; `query_terms` (2, B), whether the query is 0, and the token before it.
    """

    def __init__(self, sentences: Sentences, noisy: bool):
        tokens, N, B = sentences.tokens, sentences.N, sentences.B
        self.own = torch.zeros_like(sentences.query) if noisy else sentences.query
        after = torch.zeros_like(tokens, dtype=torch.bool)
        after[:, 1:] = tokens[:, :-1] == self.own[:, None]
        is_tau = tokens == N - 1 if noisy else torch.zeros_like(after)
        self.tokens = torch.zeros(3, B, N, device=tokens.device)
        everywhere = torch.ones(tokens.shape, device=tokens.device)
        self.tokens[1].scatter_add_(1, tokens, everywhere)
        for sign, places in ((0, after & ~is_tau), (2, is_tau & ~after)):  # few of all the positions
            b, h = places.nonzero(as_tuple=True)
            self.tokens[sign].index_put_((b, tokens[b, h]), everywhere[0, 0], accumulate=True)
            self.tokens[1] -= self.tokens[sign]
        self.count = reduce(self.tokens, "sign B N -> sign B", "sum")
        self.after = torch.stack([self.count[0], (after & is_tau).sum(dim=1).float(), torch.zeros_like(self.count[0])])
        self.query_terms = torch.stack([sentences.query == 0, tokens[:, -2] == 0]).float()


def _mix(a: Tensor, sums: Tensor) -> Tensor:
    """Sum over the three signs of weight times sum over positions; written out, because einsum would take it for B
    tiny matrix products.
    """
    return a[0] * sums[0] + a[1] * sums[1] + a[2] * sums[2]


class LamFleet(Fleet):
    """The models that train lam alone, of any attention kind. Shapes: lam (R, Q), with noise (R, 1)."""

    def __init__(self, runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu"):
        super().__init__(runs, told, device)
        self.lam = torch.zeros(len(runs), 1 if self.noisy else self.cfg.Q, device=device)
        self.gammas = self._numbers(self.gamma)
        self.is_relu = self._numbers(run.kind == "relu" for run in runs)[:, None]
        self.is_softmax = self._numbers(run.kind == "softmax" for run in runs)[:, None]
        self.tau = torch.zeros(self.N, device=device)
        self.tau[-1] = 1.0
        self._known: dict[int, tuple[Sentences, Classes]] = {}

    def logits(self, batch: Batch, apart: bool = False) -> tuple[Tensor, ...]:
        known = self._classes(batch.sentences)
        a = self._weights(self.lam[:, known.own], known)
        xi_A = _mix(a[..., None], known.tokens)  # V = I
        if not self.noisy:
            return (xi_A, xi_A, torch.zeros_like(xi_A)) if apart else (xi_A,)
        gamma, kappa = self.gammas[:, None], self.kappa[:, :, 0]
        read = gamma * xi_A[..., 0] + _mix(a, known.after)
        of_tau = gamma * known.query_terms[0] + known.query_terms[1] + kappa * read
        xi_F = of_tau[..., None] * self.tau
        return (xi_A + xi_F, xi_A, xi_F) if apart else (xi_A + xi_F,)

    def _classes(self, sentences: Sentences) -> Classes:
        """Those of a batch to measure on are kept, those of a training batch give way to the next."""
        kept = self._known.get(id(sentences))
        if kept is None or kept[0] is not sentences:
            if len(self._known) > 16:
                self._known.clear()
            kept = self._known[id(sentences)] = (sentences, Classes(sentences, self.noisy))
        return kept[1]

    def _weights(self, lam: Float[Tensor, "R B"], known: Classes) -> Float[Tensor, "3 R B"]:
        """Attention weight of a position of each sign; the kinds differ from run to run, which is cheap here."""
        s = torch.stack([lam, torch.zeros_like(lam), -lam])
        a = s
        if self.is_relu.any():
            a = torch.where(self.is_relu, torch.relu(s + 1e-8), a)
        if self.is_softmax.any():
            there = s.masked_fill((known.count == 0)[:, None], -torch.inf)
            total = (there + known.count.clamp(min=1).log()[:, None]).logsumexp(dim=0)
            a = torch.where(self.is_softmax, (there - total).exp(), a)
        return a

    def trained(self) -> list[Tensor]:
        return [self.lam]

    def move(self, lam: Tensor) -> None:
        self.lam -= self.lr[:, None] * self.normalised(lam, run_axis=0)

    def weights(self, i: int) -> dict[str, Tensor]:
        lam = self.lam[i].clone()
        W, V, F = build_reparam(lam, self.cfg, self.noisy, self.gamma[i])
        return {"W": W, "V": V, "F": F, "lam": lam}
