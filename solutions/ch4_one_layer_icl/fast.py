"""The fast form: many models of one attention kind on the same sentences, by gathers (chapter 4).

An input x_h is two ones among zeros, so no one-hot tensor of all positions and no product with a (2N, 2N) matrix at
every position is needed:

    u   = W^T x_last                    two rows of W
    s_h = u[z_h] + u[N + z_{h-1}]       a gather of two numbers a position
    w   = sum over h of a_h x_h         the transpose of that gather: a sum over equal tokens

The last axis of u, s and a counts the runs (R), so that one gather moves a whole row of R numbers. Sentences are taken
a few at a time, as many as fit the processor's cache, and the backward pass computes s again instead of keeping it.
It is the function of model.py for every run, to float32 error.
"""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

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
