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
WRONG_SIDE = "wk acts on the queries: row t of the scores belongs to the query x_t as it is, and the keys are y = W x"


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


@wrong("wv is left out: it is the values W_V x that are mixed, not x itself")
class NoValueMap(Base):
    def mix(self, A, x):
        return self.wo(A @ x) + 0 * self.wv(x)


@wrong("wv and wo have changed places: values go through wv first, then through wo")
class MapsExchanged(Base):
    def mix(self, A, x):
        return self.wv(A @ self.wo(x))


@wrong("the values are made with wk: they have a map of their own, wv")
class ValuesFromKeys(Base):
    def mix(self, A, x):
        return self.wo(A @ self.wk(x)) + 0 * self.wv(x)


@wrong("a weight is applied without its transpose: the convention is y = W x, which is what nn.Linear does")
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


@wrong("the maps have biases: all three are bias-free")
class Biased(Base):
    def __init__(self, dim, **frozen):
        super().__init__(dim, **frozen)
        self.wk, self.wv, self.wo = (nn.Linear(dim, dim) for _ in range(3))
        self.wv.requires_grad_(False)


@wrong("there is a trainable W_Q: here the queries are x itself")
class OwnQueryMap(Base):
    def __init__(self, dim, **frozen):
        super().__init__(dim, **frozen)
        self.wq = nn.Linear(dim, dim, bias=False)

    def scores(self, x):
        return self.wq(x) @ self.wk(x).mT / math.sqrt(x.shape[-1])


@wrong("two maps are one and the same layer: each needs a matrix of its own")
class SharedMap(Base):
    def __init__(self, dim, freeze_wk=False, freeze_wv=True, freeze_wo=False):
        super().__init__(dim)
        self.wo = self.wv


@wrong("the maps start at zero: leave them as nn.Linear makes them")
class StartsAtZero(Base):
    def __init__(self, dim, **frozen):
        super().__init__(dim, **frozen)
        for layer in (self.wk, self.wv, self.wo):
            nn.init.zeros_(layer.weight)


NOTHING_FROZEN = (
    "the freeze flags have no effect: a map is frozen by requires_grad_ on its weight, not on the layer's name"
)


@wrong(NOTHING_FROZEN)
class NothingFrozen(Base):
    def freeze(self, **frozen):
        pass


@wrong("the freeze flags are not looked at: wv is always frozen, wk and wo never")
class FixedFreezing(Base):
    def freeze(self, **frozen):
        self.wv.weight.requires_grad_(False)


@wrong("the freeze flags are the wrong way round: requires_grad is True for what is to learn")
class FreezesTheOthers(Base):
    def freeze(self, **frozen):
        super().freeze(**{name: not yes for name, yes in frozen.items()})


@wrong("one flag freezes all three maps: each has a flag of its own")
class FreezesAll(Base):
    def freeze(self, **frozen):
        super().freeze(**dict.fromkeys(frozen, any(frozen.values())))


@wrong("the defaults are off: unless told otherwise only wv is frozen")
class OtherDefaults(Base):
    def __init__(self, dim, freeze_wk=False, freeze_wv=False, freeze_wo=False):
        super().__init__(dim, freeze_wk, freeze_wv, freeze_wo)


@wrong("the flag of wo freezes wv, and the other way round")
class FlagsExchanged(Base):
    def freeze(self, wk, wv, wo):
        super().freeze(wk=wk, wv=wo, wo=wv)


@wrong(NOTHING_FROZEN)
class FreezesTheLayer(Base):
    def freeze(self, **frozen):
        for name, yes in frozen.items():
            getattr(self, name).requires_grad = not yes


@wrong("the values are cut off from the gradient (detach or no_grad): a frozen weight still passes gradients on")
class ValuesDetached(Base):
    def mix(self, A, x):
        with torch.no_grad():
            values = self.wv(x)
        return self.wo(A @ values)


@wrong("the pattern is cut off from the gradient (detach or no_grad), so wk would never be trained")
class PatternDetached(Base):
    def pattern(self, scores):
        return super().pattern(scores).detach()


@wrong("two calls on the same input differ: nothing random (dropout) belongs in here")
class Dropout(Base):
    def pattern(self, scores):
        return F.dropout(super().pattern(scores), 0.1)


@wrong("the input was changed in place: the residual stream is still needed")
class InPlace(Base):
    def forward(self, x):
        out, A = super().forward(x.clone())
        x.data += out.detach()
        return out, A


@wrong("A has a head axis: there is one head here, so its shape is (B, T, T)")
class HeadAxis(Base):
    def forward(self, x):
        out, A = super().forward(x)
        return out, A[:, None]


@wrong("only the output is returned: return the pair (out, A)")
class OnlyOut(Base):
    def forward(self, x):
        return super().forward(x)[0]


@wrong("the pair is returned the wrong way round: out first, then A")
class PairExchanged(Base):
    def forward(self, x):
        return super().forward(x)[::-1]


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
        weights = scores.exp().tril()
        return self.wo(mixed), weights / weights.sum(-1, keepdim=True)


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
