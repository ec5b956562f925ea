"""Models that only count: what a language model without a network reaches on the same tokens (chapter 1)."""

import math

import torch
from jaxtyping import Int
from torch import Tensor

NAMES = ("uniform", "unigram", "bigram", "trigram", "4-gram")


def ngram_levels(
    train: Int[Tensor, "rows T"], held_out: Int[Tensor, "held T"], vocabulary_size: int, longest: int = 4
) -> dict[str, float]:
    """Cross-entropies, in nats a token, of models that predict from the last 0, 1, 2, ... tokens by counting.

    Returns {"uniform", "unigram", "bigram", "trigram", "4-gram"} as far as `longest`: log V; token frequencies (one
    added to each count); and longer contexts, each interpolated with the next shorter one by Witten and Bell's rule,
    where a context followed by many different tokens leans more on the shorter one. Counted on `train`, measured on
    the tokens of `held_out` that the loss of a transformer judges. Source: Chen and Goodman 1999, section 2.
    """
    levels = {"uniform": math.log(vocabulary_size)}
    for name, probability in zip(NAMES[1:], _probabilities(train, held_out, vocabulary_size, longest), strict=False):
        levels[name] = -probability.log().mean().item()
    return levels


def _probabilities(train: Tensor, held_out: Tensor, V: int, longest: int):
    """The probability of each token of `held_out` but the first of a row, order by order: (held, T - 1) each."""
    counts = torch.bincount(train.flatten(), minlength=V).double() + 1
    probability = (counts / counts.sum())[held_out[:, 1:]]
    yield probability
    for order in range(2, longest + 1):
        grams, times = _windows(train, order, V).unique(return_counts=True)
        contexts, which = (grams // V).unique(return_inverse=True)  # sorted, as the grams are
        followers = torch.bincount(which)
        total = torch.zeros(len(contexts), dtype=torch.int64).index_add(0, which, times)
        wanted = _windows(held_out, order, V)
        count, _ = _look_up(wanted, grams, times)
        seen, known = _look_up(wanted // V, contexts, total)
        kinds, _ = _look_up(wanted // V, contexts, followers)
        shorter = probability[:, order - 2 :]
        longer = torch.where(known, (count + kinds * shorter) / (seen + kinds).clamp(min=1), shorter)
        probability = torch.cat([probability[:, : order - 2], longer], dim=1)  # a row's start has a shorter context
        yield probability


def _windows(rows: Int[Tensor, "rows T"], order: int, V: int) -> Int[Tensor, "rows places"]:
    """Each run of `order` tokens inside a row as one number in base V."""
    places = rows.shape[1] - order + 1
    key = torch.zeros(len(rows), places, dtype=torch.int64)
    for at in range(order):
        key = key * V + rows[:, at : at + places]
    return key


def _look_up(wanted: Tensor, keys: Int[Tensor, "keys"], values: Tensor) -> tuple[Tensor, Tensor]:
    """The value of each wanted key (0 where it isn't among the sorted keys), and whether it is."""
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    known = keys[place] == wanted
    return torch.where(known, values[place], 0).double(), known
