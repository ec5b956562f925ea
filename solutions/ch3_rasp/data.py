"""Data sets of a language: fixed splits, batches of similar lengths, leakage and trivial baselines (chapter 3)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from utils.train import generator

from .attention_targets import Selectors
from .languages import Language

Batch = tuple[Tensor, Tensor, Tensor, Selectors]  # tokens, targets, mask (B, T) and the selectors to follow, maybe none
SPLITS = {"train": 0, "valid": 1, "test": 2, "longer": 3}  # each draws from a generator of its own


@dataclass
class DataSet:
    """Sequences of one split, all in memory."""

    language: Language
    tokens: Int[Tensor, "B T"]
    targets: Int[Tensor, "B T"]
    mask: Bool[Tensor, "B T"]

    def __len__(self) -> int:
        return len(self.tokens)

    def first(self, n: int) -> "DataSet":
        """The first n sequences only."""
        return DataSet(self.language, self.tokens[:n], self.targets[:n], self.mask[:n])

    def batches(
        self, size: int, shuffle: torch.Generator | None = None, attention: bool = False, bucket: int = 1
    ) -> Iterator[Batch]:
        """All sequences once, in batches of similar lengths, each cut to its longest sequence.

        With `shuffle` the order is random: `bucket` batches at a time are sorted by length, which saves padding, then
        all batches are mixed; without, everything is sorted. If `attention` asks for them, the selectors to follow are
        made for each batch.
        """
        lengths = self.mask.sum(1)
        if shuffle is None:
            groups = list(lengths.argsort(stable=True).split(size))
        else:
            mixed = torch.randperm(len(self), generator=shuffle)
            pools = mixed.split(size * bucket)
            groups = [group for pool in pools for group in pool[lengths[pool].argsort(stable=True)].split(size)]
            groups = [groups[i] for i in torch.randperm(len(groups), generator=shuffle)]
        for rows in groups:
            T = int(lengths[rows].max())
            tokens, targets, mask = self.tokens[rows, :T], self.targets[rows, :T], self.mask[rows, :T]
            yield tokens, targets, mask, self.language.selectors(tokens, mask) if attention else {}


def data_set(language: Language, split: str, n: int, max_len: int, seed: int = 0, min_len: int = 1) -> DataSet:
    """n sequences of a split; the same seed gives the same ones, and the splits are independent draws."""
    return DataSet(language, *language.batch(n, max_len, generator(seed, SPLITS[split]), min_len))


def leaked(data: DataSet, train: DataSet) -> int:
    """How many of the sequences are also in the training set."""

    def rows(part: DataSet) -> list[bytes]:
        lengths, numbers = part.mask.sum(1).tolist(), part.tokens.to(torch.uint8).numpy()
        return [row[:length].tobytes() for row, length in zip(numbers, lengths, strict=True)]

    known = set(rows(train))
    return sum(row in known for row in rows(data))


def baselines(data: DataSet, train: DataSet) -> dict[str, float]:
    """Accuracy of two rules learned from `train` that look at no other position (§ at the front is left out).

    "majority": always the most frequent class. "token": for each token the class that is most frequent there.
    """
    start = int(data.language.bos)

    def pairs(part: DataSet) -> tuple[Tensor, Tensor]:
        real = part.mask[:, start:]
        return part.tokens[:, start:][real], part.targets[:, start:][real]

    tokens, targets = pairs(train)
    V, C = data.language.vocabulary, len(data.language.classes)
    table = torch.bincount(tokens * C + targets, minlength=V * C).reshape(V, C)
    seen, wanted = pairs(data)
    majority, rule = table.sum(0).argmax(), table.argmax(1)
    return {
        "majority": (wanted == majority).float().mean().item(),
        "token": (wanted == rule[seen]).float().mean().item(),
    }


def cut(data: DataSet, n: int) -> DataSet:
    """The first n sequences, or all where n is 0."""
    return data.first(n) if n else data
