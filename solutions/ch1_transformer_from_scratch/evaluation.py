"""How good a model is on held-out text, and what models that only count reach on the same tokens (chapter 1)."""

import torch
from jaxtyping import Int
from torch import Tensor, nn

from utils.ch1 import measure
from utils.ch1.shipped import for_writing
from utils.ch1.text import ngram_levels
from utils.train import generator

from .cache import generate_cached
from .objective import accuracy, next_token_loss
from .sampling import apply_temperature, sample_top_p
from .text_data import TextData


def evaluate(model: nn.Module, rows: Int[Tensor, "rows T"], batch_size: int = 32) -> dict[str, float]:
    """Held-out loss (nats a token) and accuracy over all rows; eval mode while it runs, the mode before is restored.

    Returns {"loss", "accuracy"}.
    """
    return measure.evaluate(model, rows, batch_size, loss=next_token_loss, accuracy=accuracy)


def quality(model: nn.Module, data: TextData, documents: list[str], seeds: int = 3, new_tokens: int = 400) -> dict:
    """What makes a model worth shipping: its loss beside counting models, real words, and heads that can be found.

    "words": for each seed, the fraction of the words it writes at temperature 0.8 that are words of `documents`;
    "previous_token": the largest mean attention of a head to the token before; "induction": the largest mean attention
    to what followed the earlier copy, on random tokens written twice, and "induction_control": the same on random
    tokens that do not repeat. Each head's value is named "layer.head".
    """
    levels = ngram_levels(data.train, data.held_out, model.config.vocabulary_size)
    written = []
    for seed in range(seeds):
        draws = generator(seed)

        def sample(logits: Tensor, draws=draws) -> int:
            return sample_top_p(apply_temperature(logits.cpu(), 0.8), 1.0, draws)

        start = torch.tensor([data.separator], device=next(model.parameters()).device)
        text = data.tokenizer.decode(generate_cached(for_writing(model), start, new_tokens, sample).tolist())
        written.append(measure.share_of_known_words(text, documents))
    half = model.config.context_length // 2
    twice = measure.repeated_rows(model.config.vocabulary_size, half, 8)
    other = torch.cat([twice[:, :half], twice.roll(1, dims=0)[:, half:]], dim=1)
    before = measure.looks_back(measure.mean_patterns(model, data.held_out[:8]), 1)
    copied, control = (measure.induction(measure.mean_patterns(model, rows)) for rows in (twice, other))
    return {
        **evaluate(model, data.held_out),
        "levels": levels,
        "words": written,
        "previous_token": _largest(before),
        "induction": _largest(copied),
        "induction_control": _largest(control),
    }


def _largest(scores: Tensor) -> tuple[str, float]:
    """The head with the largest score, as "layer.head", and that score; scores (L, N)."""
    layer, head = divmod(int(scores.argmax()), scores.shape[1])
    return f"{layer}.{head}", scores.max().item()
