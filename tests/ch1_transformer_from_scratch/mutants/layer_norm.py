"""Wrong answers to exercise 1.3 that learners write, and right ones written differently."""

from pathlib import Path

import torch
from torch import nn

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

Base = load_file(Path(__file__).with_name("_pieces.py")).LayerNorm


@wrong("the variance divides by E - 1: the biased one, divided by E, is wanted, and torch gives it only when told to")
class UnbiasedVariance(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + self.eps).sqrt() * self.w + self.b


@wrong("epsilon is added to the standard deviation, outside the root: it belongs to the variance")
class EpsilonOutsideRoot(Base):
    def forward(self, x):
        spread = x.var(-1, keepdim=True, unbiased=False).sqrt() + self.eps
        return (x - x.mean(-1, keepdim=True)) / spread * self.w + self.b


@wrong("epsilon is missing: an almost constant row divides by nearly zero")
class NoEpsilon(Base):
    def forward(self, x):
        variance = x.var(-1, keepdim=True, unbiased=False).clamp(min=1e-12)
        return (x - x.mean(-1, keepdim=True)) / variance.sqrt() * self.w + self.b


@wrong("epsilon is missing: an almost constant row divides by nearly zero")
class NoEpsilonAtAll(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True, unbiased=False) * self.w + self.b


@wrong("epsilon is a fixed number: take it from the config")
class EpsilonHardCoded(Base):
    def forward(self, x):
        variance = x.var(-1, keepdim=True, unbiased=False)
        return (x - x.mean(-1, keepdim=True)) / (variance + 1e-5).sqrt() * self.w + self.b


@wrong("mean and variance are taken over the sequence too: each position is normalised alone")
class OverTheSequence(Base):
    def forward(self, x):
        mean, variance = x.mean((-2, -1), keepdim=True), x.var((-2, -1), keepdim=True, unbiased=False)
        return (x - mean) / (variance + self.eps).sqrt() * self.w + self.b


@wrong("mean and variance are taken along the sequence: the axis to normalise is the last one, E")
class AlongTheSequence(Base):
    def forward(self, x):
        mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, unbiased=False)
        return (x - mean) / (variance + self.eps).sqrt() * self.w + self.b


@wrong("mean and variance are taken over the batch, as batch norm does: each position of each row is normalised alone")
class OverTheBatch(Base):
    def forward(self, x):
        mean, variance = x.mean(0, keepdim=True), x.var(0, keepdim=True, unbiased=False)
        return (x - mean) / (variance + self.eps).sqrt() * self.w + self.b


@wrong("neither the gain w nor the bias b is used")
class NoAffine(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt()


@wrong("the bias b is never added")
class NoBias(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt() * self.w


@wrong("the gain w is never used")
class NoGain(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt() + self.b


@wrong("the bias is added before the gain, so that it is scaled too: scale by w first, then shift by b")
class BiasBeforeGain(Base):
    def forward(self, x):
        z = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt()
        return (z + self.b) * self.w


@wrong("gain and bias come before the normalising, which undoes them: they come last")
class AffineFirst(Base):
    def forward(self, x):
        x = x * self.w + self.b
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt()


@wrong("the mean is not subtracted: that is RMS norm")
class NoMean(Base):
    def forward(self, x):
        return x / ((x * x).mean(-1, keepdim=True) + self.eps).sqrt() * self.w + self.b


@wrong("it divides by the variance: divide by its root, the standard deviation")
class DividesByVariance(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + self.eps) * self.w + self.b


@wrong("the mean is subtracted but nothing is divided: the variance must become 1 too")
class OnlyCentred(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) * self.w + self.b


@wrong("the residual stream was changed in place: later layers still need it")
class InPlace(Base):
    def forward(self, x):
        x -= x.mean(-1, keepdim=True)
        return x / (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt() * self.w + self.b


@wrong("mean and variance are cut off from the gradient (detach or no_grad): they depend on the input too")
class DetachedStatistics(Base):
    def forward(self, x):
        with torch.no_grad():
            mean, spread = x.mean(-1, keepdim=True), (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt()
        return (x - mean) / spread * self.w + self.b


@wrong("two slips around the root: the variance divides by E (std() takes E - 1), and epsilon belongs under the root")
class StdPlusEpsilon(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + self.eps) * self.w + self.b


@wrong("epsilon is missing, and the variance divides by E - 1: divide by E, and add epsilon under the root")
class StdAlone(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True) * self.w + self.b


@wrong("the mean is left in what is divided: subtract it there too, not only inside the variance")
class MeanInTheVarianceOnly(Base):
    def forward(self, x):
        variance = x.var(-1, keepdim=True, unbiased=False)
        return x / (variance + self.eps).sqrt() * self.w + self.b


@wrong("a missing pair of brackets: the mean must be subtracted first, then the whole difference divided")
class MissingBrackets(Base):
    def forward(self, x):
        spread = (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt()
        return x - x.mean(-1, keepdim=True) / spread * self.w + self.b


@wrong("it multiplies by the standard deviation: divide by it")
class Multiplied(Base):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return centred * (centred.square().mean(-1, keepdim=True) + self.eps).sqrt() * self.w + self.b


@wrong("the squares are summed, not averaged: the variance is their mean over the last axis")
class SumOfSquares(Base):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return centred / (centred.square().sum(-1, keepdim=True) + self.eps).sqrt() * self.w + self.b


@wrong("the vector is brought to length 1: it is the variance, the mean of the squares, that must become 1")
class UnitLength(Base):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return centred / centred.norm(dim=-1, keepdim=True).clamp(min=1e-12) * self.w + self.b


@wrong("the input is added to the result: the block adds the residual, layer norm does not")
class OwnResidual(Base):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return x + centred / (centred.square().mean(-1, keepdim=True) + self.eps).sqrt() * self.w + self.b


@right
class ByMoments(Base):
    def forward(self, x):
        mean, second = x.mean(-1, keepdim=True), (x * x).mean(-1, keepdim=True)
        return torch.addcmul(self.b, (x - mean) * torch.rsqrt(second - mean * mean + self.eps), self.w)


@right
class Functional(Base):
    def forward(self, x):
        return nn.functional.layer_norm(x, x.shape[-1:], self.w, self.b, self.eps)


@right
class ByMatrix(Base):
    def forward(self, x):
        size = x.shape[-1]
        centred = x @ (torch.eye(size) - torch.full((size, size), 1 / size))
        length = torch.einsum("...e,...e->...", centred, centred)[..., None]
        return self.b + self.w * centred / torch.sqrt(length / size + self.eps)


@right
class RowByRow(Base):
    def forward(self, x):
        rows = []
        for row in x.reshape(-1, x.shape[-1]).double():
            centred = row - sum(row) / len(row)
            rows.append(centred / (centred.dot(centred) / len(row) + self.eps) ** 0.5)
        return torch.stack(rows).reshape(x.shape).to(x.dtype) * self.w + self.b
