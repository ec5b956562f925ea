"""Wrong answers to exercise 1.3 that learners write, and right ones written differently."""

import torch
from torch import nn

from utils.grade.mutants import right, wrong


class Base(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))

    @property
    def eps(self):
        return self.config.layer_normalization_epsilon


@wrong("the variance divides by E - 1: torch.var does so unless unbiased=False")
class UnbiasedVariance(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + self.eps).sqrt() * self.w + self.b


@wrong("the mean and the standard deviation have lost the gain w and the bias b: neither is used")
class NoAffine(Base):
    def forward(self, x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + self.eps).sqrt()


@right
class Functional(Base):
    def forward(self, x):
        return nn.functional.layer_norm(x, x.shape[-1:], self.w, self.b, self.eps)
