"""Loss and accuracy over the real positions of padded sequences (chapter 3)."""

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor


def sequence_loss(logits: Float[Tensor, "B T C"], targets: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Cross-entropy in nats: the mean over the real positions of each sequence, then the mean over sequences.

    Shapes: logits (B, T, C), targets (B, T), -100 at padding -> a scalar. Short sequences weigh more per token.
    """
    losses = F.cross_entropy(rearrange(logits, "B T C -> B C T"), targets, reduction="none")
    return (losses.sum(1) / (targets != -100).sum(1).clamp(min=1)).mean()


def masked_accuracy(logits: Float[Tensor, "B T C"], targets: Int[Tensor, "B T"], bos: bool = False) -> float:
    """Share of the real positions whose largest logit is at the target.

    Shapes: logits (B, T, C), targets (B, T), -100 at padding -> a float from 0 to 1. Every real position of the batch
    weighs the same. With `bos`, position 0 of every row holds the mark § and doesn't count.
    """
    # solution
    if bos:
        logits, targets = logits[:, 1:], targets[:, 1:]
    real = targets != -100
    right = (logits.argmax(dim=-1) == targets) & real
    return (right.sum() / real.sum()).item()
    # end solution
