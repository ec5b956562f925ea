"""Numbers about a model: means over many rows, how far heads look, how many written words are words (chapter 1)."""

import re
from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.plot.attention import attention_patterns


@torch.no_grad()
def evaluate(
    model: nn.Module, rows: Int[Tensor, "rows T"], batch_size: int = 32, **measures: Callable[[Tensor, Tensor], float]
) -> dict[str, float]:
    """The mean over all rows of each measure(logits, tokens), by its name; the model runs in eval mode meanwhile."""
    before = model.training
    model.eval()
    device = next(model.parameters()).device
    totals = dict.fromkeys(measures, 0.0)
    try:
        for batch in rows.split(batch_size):
            batch = batch.to(device)
            logits = model(batch)
            for name, measure in measures.items():
                totals[name] += float(measure(logits, batch)) * len(batch)
    finally:
        model.train(before)
    return {name: total / len(rows) for name, total in totals.items()}


def mean_patterns(model: nn.Module, rows: Int[Tensor, "rows T"]) -> Float[Tensor, "L N T T"]:
    """The attention patterns of all heads, averaged over rows."""
    device = next(model.parameters()).device
    return torch.stack([attention_patterns(model, row.to(device)) for row in rows]).mean(dim=0)


def looks_back(pattern: Float[Tensor, "... T T"], distance: int) -> Float[Tensor, "..."]:
    """Mean attention that a query gives to the key `distance` positions before it, over all queries that have one."""
    return pattern.diagonal(offset=-distance, dim1=-2, dim2=-1).mean(dim=-1)


def induction(pattern: Float[Tensor, "... T T"]) -> Float[Tensor, "..."]:
    """For a text that is one row of tokens twice: mean attention from the second half to what followed the copy."""
    half = pattern.shape[-1] // 2
    return pattern.diagonal(offset=1 - half, dim1=-2, dim2=-1)[..., 1:].mean(dim=-1)


def repeated_rows(vocabulary_size: int, half: int, count: int, seed: int = 0) -> Int[Tensor, "count T"]:
    """Rows of random tokens, each written twice: nothing but copying helps to predict the second half."""
    draws = torch.Generator().manual_seed(seed)
    rows = torch.randint(1, vocabulary_size, (count, half), generator=draws)
    return torch.cat([rows, rows], dim=1)


def words(text: str) -> list[str]:
    """The words of a text, in lower case, with apostrophes inside them."""
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower())


def share_of_known_words(written: str, text: Iterable[str]) -> float:
    """The fraction of the words in `written` that occur anywhere in `text` (a list of documents)."""
    known = {word for document in text for word in words(document)}
    found = words(written)
    return sum(word in known for word in found) / max(1, len(found))
