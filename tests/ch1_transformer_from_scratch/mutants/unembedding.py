"""Wrong answers to exercise 1.9 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

Base = load_file(Path(__file__).with_name("_pieces.py")).Unembedding


@wrong("the bias b_U is never added: it is zero at first, but loaded weights need not be")
class NoBias(Base):
    def forward(self, x):
        return x @ self.W_U


@wrong("the bias b_U is subtracted: it must be added")
class BiasSubtracted(Base):
    def forward(self, x):
        return x @ self.W_U - self.b_U


@wrong("the bias b_U is added twice")
class BiasTwice(Base):
    def forward(self, x):
        return x @ self.W_U + 2 * self.b_U


@wrong("b_U is trained: it is meant as a constant, and requires_grad=False must reach the parameter itself")
class BiasTrained(Base):
    def __init__(self, config):
        super().__init__(config)
        self.b_U = nn.Parameter(torch.zeros(config.vocabulary_size, requires_grad=False))


@wrong("these are probabilities, after a softmax: logits are wanted")
class Softmax(Base):
    def forward(self, x):
        return (x @ self.W_U + self.b_U).softmax(-1)


@wrong("these are log-probabilities, after a log-softmax: logits are wanted, the loss takes care of the rest")
class LogSoftmax(Base):
    def forward(self, x):
        return (x @ self.W_U + self.b_U).log_softmax(-1)


@wrong("only the last position gets logits: every position predicts its next token")
class LastPositionOnly(Base):
    def forward(self, x):
        return x[:, -1] @ self.W_U + self.b_U


@wrong("only the last position gets logits: every position predicts its next token")
class LastPositionKept(Base):
    def forward(self, x):
        return x[:, -1:] @ self.W_U + self.b_U


@wrong("every row of the batch gets the logits of the first row")
class FirstRowOnly(Base):
    def forward(self, x):
        return (x[:1] @ self.W_U + self.b_U).expand(len(x), -1, -1)


@wrong("the logits are divided by the root of E: nothing is scaled here")
class Scaled(Base):
    def forward(self, x):
        return x @ self.W_U / x.shape[-1] ** 0.5 + self.b_U


@wrong("the input is normalised once more: the final layer norm stands before the unembedding, not in it")
class NormalisedAgain(Base):
    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:]) @ self.W_U + self.b_U


@wrong("W_U is cut off from the gradient (detach or no_grad), so it would never be trained")
class DetachedWeights(Base):
    def forward(self, x):
        return x @ self.W_U.detach() + self.b_U


@wrong("everything is cut off from the gradient (detach or no_grad), so nothing would ever be trained")
class NoGradient(Base):
    def forward(self, x):
        with torch.no_grad():
            return x @ self.W_U + self.b_U


@wrong("the residual stream was changed in place: it belongs to the caller")
class InPlace(Base):
    def forward(self, x):
        logits = x @ self.W_U + self.b_U
        x -= x.mean(-1, keepdim=True)
        return logits


@wrong(
    "W_U is turned over on the way (F.linear does that): it is (E, V) as it stands, ready to multiply from the right"
)
class Transposed(Base):
    def forward(self, x):
        return F.linear(x, self.W_U, self.b_U)


@wrong("the logits are doubled: nothing is scaled here")
class Doubled(Base):
    def forward(self, x):
        return 2 * (x @ self.W_U + self.b_U)


@wrong("the bias b_U is multiplied: it must be added")
class BiasMultiplied(Base):
    def forward(self, x):
        return x @ self.W_U * self.b_U


@wrong("an activation comes after the product: logits may be negative, so they are returned as they are")
class Activated(Base):
    def forward(self, x):
        return F.relu(x @ self.W_U + self.b_U)


@right
class Linear(Base):
    def forward(self, x):
        return F.linear(x, self.W_U.T, self.b_U)


@right
class Einsum(Base):
    def forward(self, x):
        return self.b_U + torch.einsum("bte,ev->btv", x, self.W_U)


@right
class BiasIsABuffer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.W_U = nn.Parameter(torch.zeros(config.embedding_dimension, config.vocabulary_size))
        self.register_buffer("b_U", torch.zeros(config.vocabulary_size))

    def forward(self, x):
        return torch.addmm(self.b_U, x.flatten(0, -2), self.W_U).unflatten(0, x.shape[:-1])
