"""Sentences of noisy in-context recall (chapter 4), and where a run takes them from.

Runs that share a seed and a noise mode share their sentences, and their label noise is one uniform number a sentence,
compared with each run's own alpha, so comparisons between models and between alphas are paired.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.train import generator as generator_of

from .config import DataConfig


def sample_batch(
    cfg,
    batch: int,
    noisy: bool,
    alpha: float = 0.0,
    ood: bool = False,
    generator: torch.Generator | None = None,
) -> tuple[Int[Tensor, "batch H"], Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    """Draw sentences with their labels: (tokens, labels, outputs), all int64.

    The trigger q is followed by the output y somewhere, and comes again at the end, as the query. With noise
    the trigger is 0, every sentence holds a second pair (q, tau), and the label is tau with probability alpha,
    otherwise y. `ood`: y is one of the outputs never seen in training. Raises ValueError for noise with H < 6.
    Shapes: tokens (batch, H), labels and outputs (batch,).
    Source: Nguyen and Nguyen-Tang 2025, sections 3 and 5.
    """
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    if noisy and H < 6:
        raise ValueError(f"A noisy sentence needs H of at least 6, but H is {H}.")
    # solution
    draws = {"generator": generator, "device": generator.device if generator else None}
    rows = torch.arange(batch, device=draws["device"])

    q = torch.zeros_like(rows) if noisy else torch.randint(0, Q, (batch,), **draws)
    first, last = (Q + Y, N - 2) if ood else (Q, Q + Y - 1)
    y = torch.randint(first, last + 1, (batch,), **draws)
    tokens = torch.randint(Q, N - 1, (batch, H), **draws)  # fillers everywhere
    tokens[:, -1] = q
    p = torch.randint(0, H - 2, (batch,), **draws)
    tokens[rows, p], tokens[rows, p + 1] = q, y
    if not noisy:
        return tokens, y, y

    tau = N - 1
    blocked_from, blocked_to = (p - 1).clamp(min=0), (p + 1).clamp(max=H - 3)  # |p' - p| < 2
    blocked = blocked_to - blocked_from + 1
    # number the free places 0, 1, ..., draw one of the numbers, and step over the blocked places
    number = (torch.rand(batch, dtype=torch.float64, **draws) * (H - 2 - blocked)).long()
    p_tau = number + blocked * (number >= blocked_from)
    tokens[rows, p_tau], tokens[rows, p_tau + 1] = q, tau
    labels = torch.where(torch.rand(batch, **draws) < alpha, tau, y)
    return tokens, labels, y
    # end solution


TRAINING, UNSEEN, POPULATION, FINITE = range(4)  # streams of random numbers of their own, for each seed


@dataclass
class Batch:
    """Sentences, their outputs y, and for each the number that decides whether its label is noise."""

    tokens: Int[Tensor, "B H"]
    outputs: Int[Tensor, "B"]
    uniform: Float[Tensor, "B"]
    _derived: dict = field(default_factory=dict, repr=False)

    def is_noise(self, alpha: Float[Tensor, "R"]) -> Bool[Tensor, "R B"]:
        """Whether the label is the noise token, for each alpha. Shapes: alpha (R,) -> (R, B)."""
        return self.uniform < alpha[:, None]

    def derived(self, make: Callable, *settings) -> Any:
        """`make(tokens, *settings)`, worked out once for each batch and kept with it."""
        key = (make, *settings)
        if key not in self._derived:
            self._derived[key] = make(self.tokens, *settings)
        return self._derived[key]


def draws(key: Sequence[int], device: str = "cpu") -> torch.Generator:
    """A generator on the device that belongs to the key alone."""
    return torch.Generator(device).manual_seed(generator_of(*key).initial_seed())


def stream(
    cfg: DataConfig, batch_size: int, noisy: bool, key: Sequence[int], ood: bool = False, device: str = "cpu"
) -> Iterator[Batch]:
    """Fresh batches without end, the same ones for the same key; nothing is kept."""
    sentences, noise = draws((*key, 0), device), draws((*key, 1), device)
    while True:
        tokens, _, outputs = sample_batch(cfg, batch_size, noisy, 0.0, ood, sentences)
        yield Batch(tokens, outputs, torch.rand(batch_size, generator=noise, device=tokens.device))


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


def epochs(batches: Sequence[Batch], key: Sequence[int]) -> Iterator[Batch]:
    """A finite set without end, in a fresh order in each pass."""
    tokens = torch.cat([batch.tokens for batch in batches])
    outputs = torch.cat([batch.outputs for batch in batches])
    uniform = torch.cat([batch.uniform for batch in batches])
    order = draws((*key, 2))
    while True:
        for rows in torch.randperm(len(tokens), generator=order).to(tokens.device).chunk(len(batches)):
            yield Batch(tokens[rows], outputs[rows], uniform[rows])
