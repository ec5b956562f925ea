"""The fast form of chapter 4: many models on the same sentences, trained side by side by gathers.

It is the function of model.py for every run, to float32 error. Three things make it fast:

1. An input x_h is two ones among zeros, so neither a one-hot tensor of all positions nor a product with a (2N, 2N)
   matrix at every position is needed:

       u   = W^T x_last                    two rows of W
       s_h = u[z_h] + u[N + z_{h-1}]       a gather of two numbers a position
       w   = sum over h of a_h x_h         the transpose of that gather: a sum over equal tokens

   The last axis of u, s and a counts the runs (R), so that one gather moves a whole row of R numbers. Sentences are
   taken a few at a time, as many as fit the processor's cache, and the backward pass computes s again instead of
   keeping it.
2. Runs share their sentences, and each is moved by its own gradients (the rule of `ngd_step`, one axis more).
3. A reparameterised model knows three kinds of position only, so its w comes from three sums that do not depend on lam.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from einops import reduce
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from .config import Run
from .data import Batch
from .model import build_reparam
from .training import measure

IN_CACHE = 2**18


class Sentences:
    """B sentences as the places of their tokens: what the gather and its transpose need.

    Shapes: tokens (B, H), any integer type.
    """

    def __init__(self, tokens: Int[Tensor, "B H"], vocab_size: int):
        self.tokens = tokens = tokens.long()
        (self.B, self.H), self.N = tokens.shape, vocab_size
        self.query, self.before_query = tokens[:, -1], self.N + tokens[:, -2]
        self.x_last = torch.zeros(self.B, 2 * self.N, device=tokens.device)
        self.x_last.scatter_(1, torch.stack([self.query, self.before_query], dim=1), 1.0)
        self._parts: dict[int, list[_Part]] = {}

    def parts(self, R: int) -> Iterator["_Part"]:
        """The sentences in parts of a size that suits R runs."""
        size = min(self.B, max(1, IN_CACHE // (self.H * R)))
        if size not in self._parts:
            self._parts[size] = [_Part(self, slice(at, at + size)) for at in range(0, self.B, size)]
        return iter(self._parts[size])


class _Part:
    """Some of the sentences. Row j of sentence b in a table (B * 2N) holds u[j], or adds up w[j], of that sentence."""

    def __init__(self, whole: Sentences, rows: slice):
        tokens, N = whole.tokens[rows], whole.N
        self.rows, self.N, (self.B, self.H) = rows, N, tokens.shape
        self.tokens, self.query, self.before_query = tokens, whole.query[rows], whole.before_query[rows]
        first_row = torch.arange(self.B, device=tokens.device)[:, None] * 2 * N
        self.current = (first_row + tokens).flatten()  # row of E(z_h)
        self.previous = (first_row + N + tokens[:, :-1]).flatten()  # row of Ebar(z_{h-1}), for h = 1 .. H-1
        self.query_row = first_row[:, 0] + self.query
        self._lists = None

    def lists(self) -> tuple[Tensor, Tensor]:
        """For each of the B * 2N rows the places that read it, the query's own token apart: (places, offsets)."""
        if self._lists is None:
            B, H, N, device = self.B, self.H, self.N, self.tokens.device
            keys = self.tokens[:, :-1] * H + torch.arange(H - 1, device=device)  # sorted: by token, then by place
            on_cpu = keys.device.type == "cpu"
            keys = torch.from_numpy(np.sort(keys.int().numpy(), axis=1)) if on_cpu else keys.sort(dim=1).values
            place = (keys % H).long()
            row = torch.arange(B, device=device)[:, None]
            places = torch.cat([place, place + 1], dim=1) + row * H  # E(z_h) is read at h, Ebar(z_h) at h + 1
            counts = torch.zeros(B, N, dtype=torch.long, device=device)
            counts.scatter_add_(1, self.tokens[:, :-1], torch.ones_like(place))
            starts = counts.cumsum(dim=1) - counts
            offsets = torch.cat([starts, starts + H - 1], dim=1) + row * 2 * (H - 1)
            self._lists = places.flatten(), offsets.flatten()
        return self._lists

    def queries(self, W: Tensor) -> Tensor:
        """u = W^T x_last. Shapes: W (2N, 2N, R) -> (B, 2N, R)."""
        return W.index_select(0, self.query).add_(W.index_select(0, self.before_query))

    def gather(self, u: Tensor) -> Tensor:
        """s_h = u . x_h. Shapes: u (B, 2N, R) -> (B, H, R)."""
        R = u.shape[-1]
        rows = u.reshape(-1) if R == 1 else u.reshape(-1, R)  # selecting single numbers is quicker from one axis
        s = rows.index_select(0, self.current).view(self.B, self.H, R)
        s[:, 1:] += rows.index_select(0, self.previous).view(self.B, self.H - 1, R)
        return s

    def collect(self, a: Tensor) -> Tensor:
        """w = sum over h of a_h x_h, the transpose of `gather`. Shapes: a (B, H, R) -> (B, 2N, R)."""
        R = a.shape[-1]
        if R == 1:
            w, a = a.new_zeros(self.B, 2, self.N), a[..., 0]
            w[:, 0].scatter_add_(1, self.tokens, a)
            w[:, 1].scatter_add_(1, self.tokens[:, :-1], a[:, 1:])
        else:
            places, offsets = self.lists()
            w = torch.nn.functional.embedding_bag(places, a.reshape(-1, R), offsets, mode="sum")
            w.index_add_(0, self.query_row, a[:, -1])
        return w.view(self.B, 2 * self.N, R)


def _weigh(s: Tensor, kind: str) -> Tensor:
    """Attention weights of scores (B, H, R), which are overwritten."""
    if kind == "linear":
        return s
    if kind == "relu":
        return s.add_(1e-8).relu_()
    if s.shape[-1] == 1:
        return s[..., 0].softmax(dim=1)[..., None]
    highest = s
    while (H := highest.shape[1]) > 1:  # halving is several times quicker here than amax over a middle axis
        half = torch.maximum(highest[:, : H // 2], highest[:, H // 2 : H // 2 * 2])
        highest = half if H % 2 == 0 else torch.cat([half, highest[:, -1:]], dim=1)
    a = s.sub_(highest).exp_()
    return a.div_(a.sum(dim=1, keepdim=True))


class _Attend(torch.autograd.Function):
    """W (2N, 2N, R) -> w (R, B, 2N)."""

    @staticmethod
    def forward(ctx, W, sentences, kind):
        ctx.save_for_backward(W)
        ctx.sentences, ctx.kind = sentences, kind
        R = W.shape[-1]
        w = W.new_empty(R, sentences.B, 2 * sentences.N)
        for part in sentences.parts(R):
            a = _weigh(part.gather(part.queries(W)), kind)
            w[:, part.rows] = part.collect(a).permute(2, 0, 1)
        ctx.kept = a if part.B == sentences.B else None  # all in one part: small enough to keep
        return w

    @staticmethod
    def backward(ctx, gradient):
        (W,) = ctx.saved_tensors
        to_W = torch.zeros_like(W)
        for part in ctx.sentences.parts(W.shape[-1]):
            to_s = part.gather(gradient[:, part.rows].permute(1, 2, 0).contiguous())  # with respect to a, so far
            if ctx.kind != "linear":
                a = _weigh(part.gather(part.queries(W)), ctx.kind) if ctx.kept is None else ctx.kept
                if ctx.kind == "relu":
                    to_s.mul_(a > 0)
                else:
                    to_s.mul_(a)
                    to_s.sub_(a * to_s.sum(dim=1, keepdim=True))
            to_u = part.collect(to_s)
            to_W.index_add_(0, part.query, to_u)
            to_W.index_add_(0, part.before_query, to_u)
        return to_W, None, None


def fast_attend(W: Float[Tensor, "d d R"], sentences: Sentences, kind: str) -> Float[Tensor, "R B d"]:
    """What `attend` of model.py reads, for R matrices W at once. Shapes: W (2N, 2N, R) -> w (R, B, 2N).

    Raises ValueError for a kind that is not linear, softmax or relu.
    """
    if kind not in ("linear", "softmax", "relu"):
        raise ValueError(f"kind is linear, softmax or relu, but not {kind!r}.")
    return _Attend.apply(W, sentences, kind)


def fast_forward(
    W: Float[Tensor, "d d R"],
    V: Float[Tensor, "R N d"],
    F: Float[Tensor, "R N d"],
    kappa: Float[Tensor, "R 1 1"],
    sentences: Sentences,
    kind: str,
    apart: bool = False,
) -> tuple[Float[Tensor, "R B N"], ...]:
    """Logits of R models: (xi,), or with `apart` (xi, xi_A, xi_F). V and F are the first N rows of model.py's.

    Shapes: W (2N, 2N, R), V and F (R, N, 2N), kappa (R, 1, 1) -> (R, B, N) each.
    """
    w = fast_attend(W, sentences, kind)
    from_query = torch.matmul(sentences.x_last, F.mT)
    if not apart:
        return (torch.baddbmm(from_query, w, (V + kappa * F).mT),)
    xi_A = torch.bmm(w, V.mT)
    xi_F = kappa * torch.bmm(w, F.mT) + from_query
    return xi_A + xi_F, xi_A, xi_F


RUN_AXIS = {"W": 2, "V": 0, "F": 0, "lam": 0}


class Fleet(ABC):
    """R models of one kind, size, noise mode and rule, from zero, that see the same sentences.

    Subclasses say how logits come about: FullFleet (origin and reparamW) and LamFleet (reparam). `trained` holds what
    gradients are taken of, by name. `told`: the noise that each reparameterised model is told; default its run's alpha.
    """

    trained: dict[str, Tensor]

    def __init__(self, runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu"):
        first = runs[0]
        self.runs, self.kind, self.noisy, self.cfg, self.rule = (
            list(runs),
            first.kind,
            first.noisy,
            first.data,
            first.rule,
        )
        self.device, self.N = device, self.cfg.vocab_size
        told = [run.alpha for run in runs] if told is None else told
        self.gamma = [math.log(alpha / (1 - alpha)) if alpha else 0.0 for alpha in told]
        self.alpha = self._numbers(run.alpha for run in runs)
        lr = self._numbers(run.lr for run in runs)
        self.rates = {"W": lr, "V": lr.view(-1, 1, 1), "F": lr.view(-1, 1, 1), "lam": lr.view(-1, 1)}
        self.kappa = self._numbers(float(run.kappa) for run in runs).view(-1, 1, 1)

    def _numbers(self, values: Iterable[float | bool]) -> Shaped[Tensor, "R"]:
        return torch.tensor(list(values), device=self.device)

    @abstractmethod
    def logits(self, batch: Batch, apart: bool = False) -> tuple[Float[Tensor, "R B N"], ...]:
        """(xi,), or with `apart` (xi, xi_A, xi_F), each (R, B, N)."""

    @abstractmethod
    def weights(self, i: int) -> dict[str, Tensor]:
        """W, V and F of run i as model.py has them, each (2N, 2N), and lam of a reparameterised one."""

    def step(self, batch: Batch) -> dict[str, Float[Tensor, "R"]]:
        """One step of every run on the batch; returns `loss`, `risk` and `prob` before it, as `measure`."""
        for value in self.trained.values():
            value.requires_grad_()
        measured = measure(self.logits(batch)[0], batch, self.alpha)
        grads = torch.autograd.grad(measured["loss"].sum(), list(self.trained.values()))  # the runs share nothing
        for value in self.trained.values():
            value.requires_grad_(False)
        self._move(dict(zip(self.trained, grads, strict=True)))
        return {name: values.detach() for name, values in measured.items()}

    @torch.no_grad()
    def _move(self, grads: dict[str, Tensor]) -> None:
        """One step of each run against its own gradients, each divided by its norm as in `ngd_step`.

        Under the rule "gd" they stay as long as they are.
        """
        for name, value in self.trained.items():
            gradient, rate = grads[name], self.rates[name]
            if self.rule == "ngd":
                axes = [axis for axis in range(gradient.ndim) if axis != RUN_AXIS[name]]
                norm = gradient.square().sum(axes, keepdim=True).sqrt()  # quicker here than vector_norm or vmap
                rate = rate / torch.where(norm > 0, norm, 1.0)
            value.addcmul_(gradient, rate, value=-1)

    @torch.no_grad()
    def evaluate(self, batches: Sequence[Batch], apart: bool = False) -> dict[str, Float[Tensor, "R"]]:
        """Means over the batches, each (R,): `loss`, `risk`, `prob` as `measure`.

        With `apart` also `xiA_y`, `xiA_max`, `xiF_tau`, `xiF_max`: means of what each layer says.
        """
        sums: dict[str, Tensor] = {}
        for batch in batches:
            xi, *layers = self.logits(batch, apart)
            found = measure(xi, batch, self.alpha)
            if apart:
                xi_A, xi_F = layers
                own = batch.outputs.expand(len(xi), -1)[..., None]
                found["xiA_y"] = xi_A.gather(2, own).mean(dim=(1, 2))
                found["xiA_max"] = xi_A.amax(dim=2).mean(dim=1)
                found["xiF_tau"] = xi_F[..., self.N - 1].mean(dim=1)
                found["xiF_max"] = xi_F.amax(dim=2).mean(dim=1)
            for name, values in found.items():
                sums[name] = sums.get(name, 0) + values
        return {name: values / len(batches) for name, values in sums.items()}


class FullFleet(Fleet):
    """The models with a free W, of one attention kind: origin (V and F free too), reparamW, or both.

    Shapes: W (2N, 2N, R), V and F (R, N, 2N); the rows of V and F below the first N never reach a logit.
    """

    def __init__(self, runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu"):
        super().__init__(runs, told, device)
        N = self.N
        self.built = []  # V and F at the start, all 2N rows of them
        for run, gamma in zip(runs, self.gamma, strict=True):
            lam = torch.zeros(1 if self.noisy else self.cfg.Q, device=device)
            start = torch.stack(build_reparam(lam, self.cfg, self.noisy, gamma)[1:])
            self.built.append(torch.zeros_like(start) if run.model_type == "origin" else start)
        self.trained = {"W": torch.zeros(2 * N, 2 * N, len(runs), device=device)}
        self.fixed = {name: torch.stack([start[at, :N] for start in self.built]) for at, name in enumerate("VF")}
        origin = self._numbers(run.model_type == "origin" for run in runs).view(-1, 1, 1)
        if origin.any():
            self.trained, self.fixed = self.trained | self.fixed, {}
            self.rates |= {name: self.rates[name] * origin for name in "VF"}

    def logits(self, batch: Batch, apart: bool = False) -> tuple[Tensor, ...]:
        W, V, F = ((self.trained | self.fixed)[name] for name in "WVF")
        return fast_forward(W, V, F, self.kappa, batch.derived(Sentences, self.N), self.kind, apart)

    def weights(self, i: int) -> dict[str, Tensor]:
        V, F = self.built[i].clone()
        now = self.trained | self.fixed
        V[: self.N], F[: self.N] = now["V"][i], now["F"][i]
        return {"W": now["W"][..., i].clone(), "V": V, "F": F}


class Classes:
    """The positions of each sentence by the sign of their score, in the order +1, 0, -1.

    The score of a position is lam where the token before it is the trigger, minus lam where the token itself is tau
    (with noise only), and 0 elsewhere; both together cancel.
    Shapes: `tokens` (3, B, N), how often each token is there; `count` (3, B), how many positions; `after` (3, B),
    how many of them come after the trigger; `query_terms` (2, B), whether the query is 0, and the token before it.
    """

    def __init__(self, tokens: Int[Tensor, "B H"], N: int, noisy: bool):
        query = tokens[:, -1]
        self.own = torch.zeros_like(query) if noisy else query
        after = torch.zeros_like(tokens, dtype=torch.bool)
        after[:, 1:] = tokens[:, :-1] == self.own[:, None]
        is_tau = tokens == N - 1 if noisy else torch.zeros_like(after)
        self.tokens = torch.zeros(3, len(tokens), N, device=tokens.device)
        everywhere = torch.ones(tokens.shape, device=tokens.device)
        self.tokens[1].scatter_add_(1, tokens, everywhere)
        for sign, places in ((0, after & ~is_tau), (2, is_tau & ~after)):  # few of all the positions
            b, h = places.nonzero(as_tuple=True)
            self.tokens[sign].index_put_((b, tokens[b, h]), everywhere[0, 0], accumulate=True)
            self.tokens[1] -= self.tokens[sign]
        self.count = reduce(self.tokens, "sign B N -> sign B", "sum")
        self.after = torch.stack([self.count[0], (after & is_tau).sum(dim=1).float(), torch.zeros_like(self.count[0])])
        self.query_terms = torch.stack([query == 0, tokens[:, -2] == 0]).float()


def _mix(a: Tensor, sums: Tensor) -> Tensor:
    """Sum over the three signs of weight times sum over positions; written out, because einsum would take it for B
    tiny matrix products.
    """
    return a[0] * sums[0] + a[1] * sums[1] + a[2] * sums[2]


class LamFleet(Fleet):
    """The models that train lam alone, of any attention kind. Shapes: lam (R, Q), with noise (R, 1)."""

    def __init__(self, runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu"):
        super().__init__(runs, told, device)
        self.trained = {"lam": torch.zeros(len(runs), 1 if self.noisy else self.cfg.Q, device=device)}
        self.gammas = self._numbers(self.gamma)
        self.is_relu = self._numbers(run.kind == "relu" for run in runs)[:, None]
        self.is_softmax = self._numbers(run.kind == "softmax" for run in runs)[:, None]
        self.tau = torch.zeros(self.N, device=device)
        self.tau[-1] = 1.0

    def logits(self, batch: Batch, apart: bool = False) -> tuple[Tensor, ...]:
        known = batch.derived(Classes, self.N, self.noisy)
        a = self._weights(self.trained["lam"][:, known.own], known)
        xi_A = _mix(a[..., None], known.tokens)  # V = I
        if not self.noisy:
            return (xi_A, xi_A, torch.zeros_like(xi_A)) if apart else (xi_A,)
        gamma, kappa = self.gammas[:, None], self.kappa[:, :, 0]
        read = gamma * xi_A[..., 0] + _mix(a, known.after)
        of_tau = gamma * known.query_terms[0] + known.query_terms[1] + kappa * read
        xi_F = of_tau[..., None] * self.tau
        return (xi_A + xi_F, xi_A, xi_F) if apart else (xi_A + xi_F,)

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

    def weights(self, i: int) -> dict[str, Tensor]:
        lam = self.trained["lam"][i].clone()
        W, V, F = build_reparam(lam, self.cfg, self.noisy, self.gamma[i])
        return {"W": W, "V": V, "F": F, "lam": lam}


def fleet_of(runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu") -> Fleet:
    """The fleet of one group of runs (see `together` in experiments/runs.py)."""
    return (LamFleet if runs[0].model_type == "reparam" else FullFleet)(runs, told, device)
