"""Where a run's sentences come from: drawn on the fly, a finite set gone through again and again, or files (chapter 4).

Runs that share a seed and a noise mode share their sentences, and their label noise is one uniform number a sentence,
compared with each run's own alpha: comparisons between models and between alphas are paired.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.train import generator

from .config import DataConfig
from .data import sample_batch
from .fast import Sentences

TRAINING, UNSEEN, POPULATION, FINITE = range(4)  # streams of random numbers of their own, for each seed


@dataclass
class Batch:
    """Sentences in index form, their outputs y, and for each the number that decides whether its label is noise."""

    sentences: Sentences
    outputs: Int[Tensor, "B"]
    uniform: Float[Tensor, "B"]

    def is_noise(self, alpha: Float[Tensor, "R"]) -> Bool[Tensor, "R B"]:
        """Whether the label is the noise token, for each alpha. Shapes: alpha (R,) -> (R, B)."""
        return self.uniform < alpha[:, None]


def draws(key: Sequence[int], device: str = "cpu") -> torch.Generator:
    """A generator on the device that belongs to the key alone."""
    return torch.Generator(device).manual_seed(generator(*key).initial_seed())


def batch_of(tokens: Int[Tensor, "B H"], outputs: Int[Tensor, "B"], uniform: Float[Tensor, "B"], N: int) -> Batch:
    """A batch from plain tensors."""
    return Batch(Sentences(tokens, N), outputs, uniform)


def stream(
    cfg: DataConfig, batch_size: int, noisy: bool, key: Sequence[int], ood: bool = False, device: str = "cpu"
) -> Iterator[Batch]:
    """Fresh batches without end, the same ones for the same key; nothing is kept."""
    sentences, noise = draws((*key, 0), device), draws((*key, 1), device)
    while True:
        tokens, _, outputs = sample_batch(cfg, batch_size, noisy, 0.0, ood, sentences)
        uniform = torch.rand(batch_size, generator=noise, device=tokens.device)
        yield batch_of(tokens, outputs, uniform, cfg.vocab_size)


def fixed(
    cfg: DataConfig,
    count: int,
    batch_size: int,
    noisy: bool,
    key: Sequence[int],
    ood: bool = False,
    device: str = "cpu",
) -> list[Batch]:
    """`count` batches to measure on."""
    fresh = stream(cfg, batch_size, noisy, key, ood, device)
    return [next(fresh) for _ in range(count)]


def epochs(batches: Sequence[Batch], cfg: DataConfig, key: Sequence[int]) -> Iterator[Batch]:
    """A finite set without end, in a fresh order in each pass."""
    tokens = torch.cat([b.sentences.tokens for b in batches])
    outputs = torch.cat([b.outputs for b in batches])
    uniform = torch.cat([b.uniform for b in batches])
    order = draws((*key, 2))
    while True:
        for rows in torch.randperm(len(tokens), generator=order).to(tokens.device).chunk(len(batches)):
            yield batch_of(tokens[rows], outputs[rows], uniform[rows], cfg.vocab_size)
