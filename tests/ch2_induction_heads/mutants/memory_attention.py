"""Wrong answers to exercise 2.13 that learners write, and right ones written differently."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_memory_pieces.py"))
Base = pieces.MemoryAttention


@wrong("the mask comes after the softmax: hidden keys have already taken their share")
class MaskAfterSoftmax(Base):
    def pattern(self, scores):
        return scores.softmax(-1).tril()


@wrong("there is no causal mask: every position reads the future")
class NoMask(Base):
    def pattern(self, scores):
        return scores.softmax(-1)


@wrong("the diagonal is masked too: each position may read itself")
class HidesItself(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu()
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@wrong("the diagonal is masked too: each position may read itself")
class HidesItselfSoftly(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu()
        return scores.masked_fill(hidden, -1e9).softmax(-1)


@wrong("the mask lets each position read one ahead")
class PeeksAhead(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(2)
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@wrong("the mask is upside down: the past is hidden and the future is read")
class UpsideDown(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(-1)
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@wrong("hidden scores are set to 0 before the softmax: a score of 0 still gets a share")
class FillsWithZero(Base):
    def pattern(self, scores):
        return scores.tril().softmax(-1)


@wrong("hidden scores are filled with a number that other scores can fall below: fill them with minus infinity")
class WeakMask(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return scores.masked_fill(hidden, -15.0).softmax(-1)


@wrong("the exponentials of large scores overflow, at a beta of 50 for example: torch's softmax does not")
class Overflows(Base):
    def pattern(self, scores):
        shares = scores.exp().tril()
        return shares / shares.sum(-1, keepdim=True)


@wrong("the mask of the first call is kept: T may differ from call to call, so make it from x each time")
class KeepsTheFirstMask(Base):
    hidden = None

    def pattern(self, scores):
        if self.hidden is None:
            self.hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        T = scores.shape[-1]
        return scores.masked_fill(self.hidden[:T, :T], -torch.inf).softmax(-1)


@wrong("the mask is (dim, dim), too small for longer inputs: it is (T, T), with T read off x")
class MaskOfWidth(Base):
    def pattern(self, scores):
        T, d = scores.shape[-1], self.wk.weight.shape[0]
        hidden = torch.ones(d, d, dtype=torch.bool).triu(1)[:T, :T]
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@wrong("hidden scores become -100, which is not low enough at any score: take minus infinity")
class FillsWithMinus100(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return scores.masked_fill(hidden, -100.0).softmax(-1)


@wrong("the scores are not scaled: divide them by the root of the width d")
class NoScale(Base):
    def scores(self, x):
        return x @ self.wk(x).mT


@wrong("the scores are divided by the width d itself: its square root is wanted")
class ScaledByWidth(Base):
    def scores(self, x):
        return x @ self.wk(x).mT / x.shape[-1]


@wrong("the scores are scaled with T, the number of positions: it is the root of the width d that counts")
class ScaledByLength(Base):
    def scores(self, x):
        return x @ self.wk(x).mT / x.shape[1]


@wrong("the scores are scaled with the root of T, the number of positions: it is the root of the width d that counts")
class ScaledByRootOfLength(Base):
    def scores(self, x):
        return x @ self.wk(x).mT / math.sqrt(x.shape[1])


@wrong("the scores are multiplied by the root of d: they must be divided by it")
class ScaledTheWrongWay(Base):
    def scores(self, x):
        return x @ self.wk(x).mT * math.sqrt(x.shape[-1])


@wrong("the scale comes after the softmax: it belongs to the scores, before it")
class ScaledAfterSoftmax(Base):
    def pattern(self, scores):
        return super().pattern(scores * math.sqrt(self.wk.in_features)) / math.sqrt(self.wk.in_features)


# From outside these two are the same: x_t . (W^T x_s) is (W x_t) . x_s.
WRONG_SIDE = "wk is applied to the queries: the query at t is x_t itself, and the keys are W_K x"


@wrong(WRONG_SIDE)
class QueriesForKeys(Base):
    def scores(self, x):
        return self.wk(x) @ x.mT / math.sqrt(x.shape[-1])


@wrong("the queries are mapped by wk too: W_Q is the identity, so a query is x itself")
class MapsQueriesToo(Base):
    def scores(self, x):
        return self.wk(x) @ self.wk(x).mT / math.sqrt(x.shape[-1])


@wrong("wk is never used: the keys are W_K x, only the queries are x itself")
class KeysNotMapped(Base):
    def scores(self, x):
        return x @ x.mT / math.sqrt(x.shape[-1]) + 0 * self.wk(x).sum()


@wrong("the keys are made with wv: they have a map of their own, wk")
class KeysFromValues(Base):
    def scores(self, x):
        return x @ self.wv(x).mT / math.sqrt(x.shape[-1]) + 0 * self.wk(x).sum()


@wrong("the softmax runs over the queries: for each query the shares of the keys must sum to one")
class SoftmaxOverQueries(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return scores.masked_fill(hidden, -torch.inf).softmax(-2)


@wrong("the softmax runs over the batch: for each query the shares of the keys must sum to one")
class SoftmaxOverBatch(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return scores.masked_fill(hidden, -torch.inf).softmax(0).nan_to_num(0.0)


@wrong("the softmax runs over the batch: for each query the shares of the keys must sum to one")
class SoftmaxOverBatchWithNan(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return scores.masked_fill(hidden, -torch.inf).softmax(0)


@wrong("there is no softmax: the scores themselves weigh the values")
class NoSoftmax(Base):
    def pattern(self, scores):
        return scores.tril()


@wrong("A is returned before the softmax: the attention weights are wanted, not the scores")
class ReturnsScores(Base):
    def forward(self, x):
        out, _ = super().forward(x)
        hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return out, self.scores(x).masked_fill(hidden, -torch.inf)


@wrong("A is returned before the softmax: the attention weights are wanted, not the scores")
class ReturnsUnmaskedScores(Base):
    def forward(self, x):
        return super().forward(x)[0], self.scores(x)


@wrong("the pattern is used the wrong way round: each query mixes the values by its own row, not by a column")
class PatternTransposed(Base):
    def mix(self, A, x):
        return self.wo(A.mT @ self.wv(x))


@wrong("wo is left out: the mix of the values must still go through it")
class NoOutputMap(Base):
    def mix(self, A, x):
        return A @ self.wv(x) + 0 * self.wo(x)


@wrong("wo is left out: the mix of the values must still go through it")
class NeverUsesOutputMap(Base):
    def mix(self, A, x):
        return A @ self.wv(x)


@wrong("wv is left out: it is the values W_V x that are mixed, not x itself")
class NoValueMap(Base):
    def mix(self, A, x):
        return self.wo(A @ x) + 0 * self.wv(x)


@wrong("wv and wo are swapped: values go through wv first, then through wo")
class MapsExchanged(Base):
    def mix(self, A, x):
        return self.wv(A @ self.wo(x))


@wrong("the values are made with wk: they have a map of their own, wv")
class ValuesFromKeys(Base):
    def mix(self, A, x):
        return self.wo(A @ self.wk(x)) + 0 * self.wv(x)


@wrong("a weight is applied without its transpose: a map takes x to W x, as nn.Linear does")
class ValueWeightTransposed(Base):
    def mix(self, A, x):
        return A @ x @ self.wv.weight @ self.wo.weight


@wrong(WRONG_SIDE)
class KeyWeightTransposed(Base):
    def scores(self, x):
        return x @ (x @ self.wk.weight).mT / math.sqrt(x.shape[-1])


@wrong("the input is added to the result: the block adds the residual, attention does not")
class OwnResidual(Base):
    def mix(self, A, x):
        return x + super().mix(A, x)


@right
class Einsums(Base):
    def scores(self, x):
        return torch.einsum("btd,de,bse->bts", x, self.wk.weight, x) * x.shape[-1] ** -0.5

    def pattern(self, scores):
        return torch.softmax(scores.float() + torch.full(scores.shape[-2:], -1e9).triu(1), dim=-1)


@right
class Merged(Base):
    def mix(self, A, x):
        return A @ (x @ (self.wo.weight @ self.wv.weight).T)


@right
class Fused(Base):
    def forward(self, x):
        keys, values = self.wk(x), self.wv(x)
        mixed = F.scaled_dot_product_attention(x, keys, values, is_causal=True)
        scores = torch.baddbmm(torch.zeros(x.shape[1], x.shape[1]), x, keys.mT, alpha=x.shape[-1] ** -0.5)
        hidden = torch.full(scores.shape[-2:], -torch.inf).triu(1)
        return self.wo(mixed), torch.exp((scores + hidden).log_softmax(-1))


@right
class OneByOne(nn.Module):
    def __init__(self, dim, freeze_wk=False, freeze_wv=True, freeze_wo=False):
        super().__init__()
        for name, frozen in (("wo", freeze_wo), ("wv", freeze_wv), ("wk", freeze_wk)):
            layer = nn.Linear(dim, dim, bias=False)
            layer.weight = nn.Parameter(layer.weight.data, requires_grad=not frozen)
            self.add_module(name, layer)

    def forward(self, x):
        patterns = []
        for t in range(x.shape[1]):
            scores = torch.einsum("bd,bsd->bs", x[:, t], self.wk(x[:, : t + 1])) / math.sqrt(x.shape[-1])
            patterns.append(F.pad(scores.softmax(-1), (0, x.shape[1] - t - 1)))
        A = torch.stack(patterns, dim=1)
        return self.wo(torch.bmm(A, self.wv(x))), A


globals().update(pieces.marked("_memory_attention_parts.py"))
