"""Wrong answers to exercise 1.3 that learners write, and right ones written differently."""

from pathlib import Path

import torch
from torch import nn

from utils.grade import load_file, right, slips, wrong

Base = load_file(Path(__file__).with_name("_pieces.py")).LayerNorm

slip = slips(
    Base,
    """
    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        variance = x.var(-1, keepdim=True, unbiased=False)
        return (x - mean) / (variance + self.eps).sqrt() * self.w + self.b
    """,
)

UnbiasedVariance = slip(
    "the variance divides by E - 1, as torch does unless told otherwise: divide by E",
    "unbiased=False", "unbiased=True",
)  # fmt: skip
EpsilonOutsideRoot = slip(
    "epsilon is added to the standard deviation, outside the root: add it to the variance",
    "(variance + self.eps).sqrt()", "(variance.sqrt() + self.eps)",
)  # fmt: skip
# A fixed 1e-5 beside the root is too small to tell from none, so the three share a sentence that is true of each.
NO_EPSILON = "the epsilon of the config has no effect: add it to the variance, under the root"
NoEpsilon = slip(NO_EPSILON, "(variance + self.eps)", "variance.clamp(min=1e-12)")
NoEpsilonAtAll = slip(NO_EPSILON, "variance + self.eps", "variance")
EpsilonHardCoded = slip("epsilon is a fixed number: take it from the config", "self.eps", "1e-5")
EpsilonHardCodedOutsideRoot = slip(NO_EPSILON, "(variance + self.eps).sqrt()", "(variance.sqrt() + 1e-5)")
OverTheSequence = slip(
    "mean and variance are taken over the sequence too: each position is normalised on its own",
    "mean(-1", "mean((-2, -1)", "var(-1", "var((-2, -1)",
)  # fmt: skip
AlongTheSequence = slip(
    "mean and variance are taken along the sequence: the axis to normalise is the last one, E",
    "mean(-1", "mean(1", "var(-1", "var(1",
)  # fmt: skip
OverTheBatch = slip(
    "mean and variance are taken over the batch, as batch norm does: normalise each position of each row by itself",
    "mean(-1", "mean(0", "var(-1", "var(0",
)  # fmt: skip
NoAffine = slip("neither the gain w nor the bias b is used", " * self.w + self.b", "")
NoBias = slip("the bias b is never added", " + self.b", "")
NoGain = slip("the gain w is never used", " * self.w", "")
GainPlusOne = slip(
    "the gain is taken as 1 + w: w itself is the gain, since it starts at 1", " * self.w +", " * (1 + self.w) +"
)
BiasBeforeGain = slip(
    "the bias is added before the gain, so it is scaled too: scale by w first, then shift by b",
    "return (x - mean) / (variance + self.eps).sqrt() * self.w + self.b",
    "return ((x - mean) / (variance + self.eps).sqrt() + self.b) * self.w",
)
GainOnTheBias = slip(
    "w and b are added up, and the sum is used as the gain: scale by w, then add b",
    "* self.w + self.b", "* (self.w + self.b)",
)  # fmt: skip
AffineFirst = slip(
    "gain and bias come before the normalising, which undoes them: they come last",
    " * self.w + self.b", "", "mean = x.mean", "x = x * self.w + self.b\n    mean = x.mean",
)  # fmt: skip
NoMean = slip(
    "the mean is not subtracted: that is RMS norm",
    "(x - mean)", "x", "x.var(-1, keepdim=True, unbiased=False)", "(x * x).mean(-1, keepdim=True)",
)  # fmt: skip
VarianceAboutZero = slip(
    "the variance is taken about zero: square the distances from the mean",
    "x.var(-1, keepdim=True, unbiased=False)", "(x * x).mean(-1, keepdim=True)",
)  # fmt: skip
DividesByVariance = slip("it divides by the variance: divide by its root, the standard deviation", ".sqrt()", "")
OnlyCentred = slip(
    "the mean is subtracted but nothing is divided: the variance must become 1 too",
    " / (variance + self.eps).sqrt()", "",
)  # fmt: skip
InPlace = slip(
    "the residual stream was changed in place: later layers still need it",
    "return (x - mean)", "x -= mean\n    return x",
)  # fmt: skip
DetachedStatistics = slip(
    "mean and variance are cut off from the gradient (detach or no_grad): they depend on the input too",
    "x.mean(-1, keepdim=True)", "x.mean(-1, keepdim=True).detach()",
    "unbiased=False)", "unbiased=False).detach()",
)  # fmt: skip
StdPlusEpsilon = slip(
    "two mistakes around the root: the variance divides by E (std() takes E - 1), and epsilon belongs under the root",
    "(variance + self.eps).sqrt()", "(x.std(-1, keepdim=True) + self.eps)",
)  # fmt: skip
StdAlone = slip(
    "epsilon is missing, and the variance divides by E - 1: divide by E, and add epsilon under the root",
    "(variance + self.eps).sqrt()", "x.std(-1, keepdim=True)",
)  # fmt: skip
MeanInTheVarianceOnly = slip(
    "the mean is left in what is divided: subtract it there too, not only inside the variance", "(x - mean)", "x"
)
MissingBrackets = slip(
    "a missing pair of brackets: the mean must be subtracted first, then the whole difference divided",
    "(x - mean)", "x - mean",
)  # fmt: skip
Multiplied = slip("it multiplies by the standard deviation: divide by it", "mean) /", "mean) *")
SumOfSquares = slip(
    "the squares are summed, not averaged: the variance is their mean over the last axis",
    "x.var(-1, keepdim=True, unbiased=False)", "((x - mean) ** 2).sum(-1, keepdim=True)",
)  # fmt: skip
OwnResidual = slip(
    "the input is added to the result: the block adds the residual, layer norm does not",
    "return (x - mean)", "return x + (x - mean)",
)  # fmt: skip


@wrong("the vector is scaled to length 1: the variance, the mean of the squares, must become 1")
class UnitLength(Base):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return centred / centred.norm(dim=-1, keepdim=True).clamp(min=1e-12) * self.w + self.b


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
