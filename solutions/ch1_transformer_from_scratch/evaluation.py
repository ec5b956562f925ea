"""How good a model is on held-out text, and what knowing less would give (chapter 1)."""

import math

import torch
from jaxtyping import Int
from torch import Tensor, nn

from .objective import accuracy, next_token_loss


@torch.no_grad()
def evaluate(model: nn.Module, rows: Int[Tensor, "rows T"], batch_size: int = 32) -> dict[str, float]:
    """Held-out loss (nats a token) and accuracy over all rows; eval mode while it runs, the mode before is restored.

    Returns {"loss", "accuracy"}.
    """
    before = model.training
    model.eval()
    device = next(model.parameters()).device
    loss = right = 0.0
    for batch in rows.split(batch_size):
        batch = batch.to(device)
        logits = model(batch)
        loss += next_token_loss(logits, batch).item() * len(batch)
        right += accuracy(logits, batch) * len(batch)
    model.train(before)
    return {"loss": loss / len(rows), "accuracy": right / len(rows)}


def baselines(train: Int[Tensor, "rows T"], held_out: Int[Tensor, "held T"], vocabulary_size: int) -> dict[str, float]:
    """Cross-entropies, in nats a token, of three models that cannot read: what a transformer has to beat.

    Returns {"uniform", "unigram", "bigram"}: log V; token frequencies (one added to each count); and Witten-Bell
    smoothed pairs, where a token followed by many different ones leans more on the unigram. Counted on `train`,
    measured on the tokens of `held_out` that `next_token_loss` judges. Source: Chen and Goodman 1999, section 2.
    """
    V = vocabulary_size
    counts = torch.bincount(train.flatten(), minlength=V).double() + 1
    unigram = counts / counts.sum()
    pairs, times = (train[:, :-1] * V + train[:, 1:]).unique(return_counts=True)
    followers = torch.bincount(pairs // V, minlength=V)
    total = torch.zeros(V, dtype=torch.int64).index_add(0, pairs // V, times)
    before, after = held_out[:, :-1].flatten(), held_out[:, 1:].flatten()
    place = torch.searchsorted(pairs, before * V + after).clamp(max=len(pairs) - 1)
    count = torch.where(pairs[place] == before * V + after, times[place], 0)
    weight = followers[before] / (followers[before] + total[before]).clamp(min=1)
    weight[total[before] == 0] = 1.0  # never seen before: the unigram alone
    seen = count / total[before].clamp(min=1)
    bigram = (1 - weight) * seen + weight * unigram[after]
    return {
        "uniform": math.log(V),
        "unigram": -unigram[after].log().mean().item(),
        "bigram": -bigram.log().mean().item(),
    }
