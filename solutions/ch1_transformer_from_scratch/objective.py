"""The loss and the accuracy of next-token predictions (chapter 1)."""

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor


def next_token_loss(logits: Float[Tensor, "B T V"], tokens: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Mean cross-entropy, in nats, of the token at t + 1 given the logits at t.

    Shapes: logits (B, T, V), tokens (B, T) -> a scalar tensor; the last logits of each row have no target.
    """
    # solution
    predictions = rearrange(logits[:, :-1], "B T V -> (B T) V")
    targets = rearrange(tokens[:, 1:], "B T -> (B T)")
    return F.cross_entropy(predictions, targets)
    # end solution


def accuracy(logits: Float[Tensor, "B T V"], tokens: Int[Tensor, "B T"]) -> float:
    """Fraction of next tokens that got the highest logit of all tokens at the position before them.

    Shapes: logits (B, T, V), tokens (B, T) -> a Python float between 0 and 1.
    """
    # solution
    right = logits[:, :-1].argmax(dim=-1) == tokens[:, 1:]
    return right.float().mean().item()
    # end solution
