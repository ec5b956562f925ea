"""More wrong answers to exercise 2.13: parameters, freezing, gradients, and the form of the result."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_memory_pieces.py"))
Base = pieces.MemoryAttention


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


NOTHING_FROZEN = "the freeze flags have no effect: switch off requires_grad of the weight, not of the map around it"


@wrong(NOTHING_FROZEN)
class NothingFrozen(Base):
    def freeze(self, **frozen):
        pass


@wrong("the freeze flags are ignored: wv is always frozen, wk and wo never")
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
