"""Inputs drawn from a seed, so that a check repeats itself and a grading can draw new ones."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor


class Draw:
    """A source of random test inputs; the same seed and label give the same inputs, call by call.

    `index` counts the repetitions of a test (0, 1, ...): use it to vary sizes. `seed` is a fresh number to hand to a
    probe that needs a seed of its own.
    """

    def __init__(self, seed: int = 0, label: str = "", index: int = 0):
        digest = hashlib.sha256(f"{seed}/{label}/{index}".encode()).digest()
        self.index = index
        self.generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))

    @property
    def seed(self) -> int:
        return self.integer(0, 2**31 - 1)

    def normal(self, *shape: int, std: float = 1.0, mean: float = 0.0) -> Tensor:
        return torch.randn(*shape, generator=self.generator) * std + mean

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.rand(*shape, generator=self.generator) * (high - low) + low

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """int64 tensor with low <= value < high."""
        return torch.randint(low, high, shape, generator=self.generator)

    def integer(self, low: int, high: int) -> int:
        """One number, low <= value < high."""
        return int(torch.randint(low, high, (), generator=self.generator))

    def permutation(self, n: int) -> Tensor:
        return torch.randperm(n, generator=self.generator)

    def once(self, make: Callable[["Draw"], Any]) -> Any:
        """make(self), but worked out once where the same inputs are asked for again, as diagnosis does per mutant.

        `make` is a top-level function that draws inputs and works out what is expected; nobody may change its result.
        """
        made, after = _made(make, self.generator.get_state().numpy().tobytes(), self.index)
        self.generator.set_state(after)
        return made


@lru_cache(maxsize=64)
def _made(make: Callable, state: bytes, index: int) -> tuple[Any, Tensor]:
    draw = Draw(index=index)
    draw.generator.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
    return make(draw), draw.generator.get_state()
