"""Character statistics of a text: unigram and bigram tables (chapter 2)."""

import json
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.course import ROOT, CourseError


def load_counts(file: Path | None = None) -> tuple[str, Int[Tensor, "V"], Int[Tensor, "V V"]]:
    """Characters, unigram counts and bigram counts of Shakespeare's plays (or of another file of the same form).

    Shapes: (V,), (V, V); row i of the bigrams counts what follows character i. Raises CourseError for a damaged file.
    """
    file = file or ROOT / "chapters" / "ch2_induction_heads" / "data" / "shakespeare_bigrams.json"
    try:
        stored = json.loads(Path(file).read_text(encoding="utf-8"))
        characters = stored["characters"]
        unigrams = torch.tensor(stored["unigrams"], dtype=torch.long)
        bigrams = torch.zeros(len(characters), len(characters), dtype=torch.long)
        for i, row in enumerate(stored["bigrams"]):
            bigrams[i, row[::2]] = torch.tensor(row[1::2], dtype=torch.long)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise CourseError(f"{file} is missing, or it does not hold bigram counts.") from None
    return characters, unigrams, bigrams


def normalise_counts(
    unigrams: Int[Tensor, "V"] | Float[Tensor, "V"], bigrams: Int[Tensor, "V V"] | Float[Tensor, "V V"]
) -> tuple[Float[Tensor, "V"], Float[Tensor, "V V"]]:
    """Turn counts into probabilities: pi_u[i] of token i, pi_b[i, j] of token j after token i.

    Shapes: (V,), (V, V) -> the same, as new tensors. A token that nothing ever followed gets a uniform row.
    Source: Bietti et al. 2023.
    """
    # solution
    pi_u = unigrams.double() / unigrams.sum()
    V = len(unigrams)
    totals = bigrams.double().sum(dim=1, keepdim=True)
    pi_b = torch.where(totals > 0, bigrams / totals, 1 / V)
    return pi_u, pi_b
    # end solution
