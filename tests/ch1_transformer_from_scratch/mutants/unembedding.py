"""Wrong answers to exercise 1.9 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade import load_file, right, slips

Base = load_file(Path(__file__).with_name("_pieces.py")).Unembedding

slip = slips(
    Base,
    """
    def forward(self, x):
        return x @ self.W_U + self.b_U
    """,
)
LOGITS = "x @ self.W_U + self.b_U"

NoBias = slip("the bias b_U is never added: it is zero at first, but loaded weights need not be", " + self.b_U", "")
BiasSubtracted = slip("the bias b_U is subtracted: it must be added", "+ self.b_U", "- self.b_U")
BiasTwice = slip("the bias b_U is added twice", "+ self.b_U", "+ 2 * self.b_U")
BiasMultiplied = slip("the bias b_U is multiplied: it must be added", "+ self.b_U", "* self.b_U")
BiasTrained = slip(
    "b_U is trained: it is meant to be a constant, so requires_grad=False must reach the parameter itself",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.b_U = nn.Parameter(torch.zeros(config.vocabulary_size, requires_grad=False))

def forward""",
)  # fmt: skip
Softmax = slip("these are probabilities, after a softmax: return logits", LOGITS, f"({LOGITS}).softmax(-1)")
LogSoftmax = slip(
    "these are log-probabilities, after a log-softmax: return logits, because the loss does the rest",
    LOGITS, f"({LOGITS}).log_softmax(-1)",
)  # fmt: skip
LAST = "only the last position gets logits: every position predicts its next token"
LastPositionOnly = slip(LAST, "x @", "x[:, -1] @")
LastPositionKept = slip(LAST, "x @", "x[:, -1:] @")
FirstRowOnly = slip(
    "every row of the batch gets the logits of the first row",
    LOGITS, "(x[:1] @ self.W_U + self.b_U).expand(len(x), -1, -1)",
)  # fmt: skip
Scaled = slip(
    "the logits are divided by the root of E: nothing is scaled here", "self.W_U", "self.W_U / x.shape[-1] ** 0.5"
)
Doubled = slip("the logits are doubled: nothing is scaled here", LOGITS, f"2 * ({LOGITS})")
NormalisedAgain = slip(
    "the input is normalised once more: the final layer norm comes before the unembedding, not in it",
    "x @", "F.layer_norm(x, x.shape[-1:]) @",
)  # fmt: skip
DetachedWeights = slip(
    "W_U is cut off from the gradient (detach or no_grad), so it would never be trained",
    "self.W_U", "self.W_U.detach()",
)  # fmt: skip
NoGradient = slip(
    "everything is cut off from the gradient (detach or no_grad), so nothing would ever be trained",
    LOGITS, f"({LOGITS}).detach()",
)  # fmt: skip
InPlace = slip(
    "the residual stream was changed in place: it belongs to the caller",
    f"return {LOGITS}", f"logits = {LOGITS}\n    x -= x.mean(-1, keepdim=True)\n    return logits",
)  # fmt: skip
Transposed = slip(
    "W_U is transposed on the way (F.linear does that): it is already (E, V), ready to multiply from the right",
    LOGITS, "F.linear(x, self.W_U, self.b_U)",
)  # fmt: skip
Activated = slip(
    "an activation comes after the product: logits may be negative, so they are returned as they are",
    LOGITS, f"F.relu({LOGITS})",
)  # fmt: skip


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
