"""The bigram task with every setting of DataArgs, drawn fast: one search per position for a whole batch (chapter 2)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from utils.course import CourseError
from utils.train import generator

from .config import DataArgs
from .counts import BigramTable
from .flags import in_context_mask, occurrence_counts

TRAIN_SHARE = 0.75  # of the vocabulary: outputs of the "train" half; the rest are those of the "test" half
CHUNK = 2048  # sequences drawn at a time: small batches share one run over the positions


@dataclass
class Batch:
    """Sequences and what is known about them.

    `flags` (of the positions of x): 0 where the bigram table rules, c >= 1 at the c-th occurrence of a trigger, -1 in a
    prefix of show_latents.
    """

    x: Int[Tensor, "B T"]
    y: Int[Tensor, "B T"]
    flags: Int[Tensor, "B T"]
    triggers: Int[Tensor, "B k"]
    outputs: Int[Tensor, "B k"]

    @property
    def mask(self) -> Bool[Tensor, "B T"]:
        """Where the target can be read off the context."""
        return in_context_mask(self.flags)

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(part.to(device) for part in vars(self).values()))


class BigramTask:
    """Draws batches of the task on a bigram table.

    `half`: "train" draws outputs from the first three quarters of the vocabulary, "test" from the rest, None from all.
    `bigram_outs`: outputs follow their trigger's bigram row instead of the uniform distribution.
    Raises CourseError for settings that do not fit each other or the table.
    """

    def __init__(
        self,
        args: DataArgs,
        table: BigramTable,
        half: str | None = None,
        bigram_outs: bool = False,
        device: str = "cpu",
    ):
        V = table.vocab_size
        _check(args, V, half, bigram_outs)
        self.args, self.table, self.device = args, table, torch.device(device)
        self.pi_u, self.pi_b = table.pi_u.to(self.device), table.pi_b.to(self.device)
        top = self.pi_u.argsort(descending=True, stable=True)[args.special_toks_offset :][: args.k]
        self.fixed_triggers = top.flip(0) if args.fixed_special_toks else None  # rarest of them first
        self.output_cdf = _cdf(self._output_rows(half, bigram_outs))
        steps = torch.arange(V, dtype=torch.float64, device=self.device)
        self._ladder = (_cdf(self.pi_b) + steps[:, None]).flatten()  # row i rises from i to i + 1: one sorted list

    def _output_rows(self, half: str | None, bigram_outs: bool) -> Tensor:
        """Row i: the distribution of trigger i's output."""
        V = len(self.pi_u)
        rows = self.pi_b.clone() if bigram_outs else torch.ones_like(self.pi_b)
        edge = int(TRAIN_SHARE * V)
        if half is not None:
            rows[:, slice(edge, None) if half == "train" else slice(edge)] = 0
        if self.args.no_repeat:
            rows.fill_diagonal_(0)
            lonely = rows.sum(dim=1) == 0  # followed by itself only
            rows[lonely] = 1.0
            rows.fill_diagonal_(0)
        return rows

    @property
    def probe_tokens(self) -> Int[Tensor, "n"]:
        """The tokens whose memory W_K^2 is asked for: the fixed triggers, or all where they change."""
        if self.fixed_triggers is not None:
            return self.fixed_triggers
        return torch.arange(self.table.vocab_size, device=self.device)

    def draw(self, size: int, draws: torch.Generator) -> Batch:
        """A batch of `size` sequences."""
        args, V = self.args, len(self.pi_u)
        triggers = self._triggers(size, draws)
        outputs = self._search(self.output_cdf[triggers], self._uniform((size, args.k), draws))
        forced = torch.full((size, V), -1, device=self.device).scatter_(1, triggers, outputs).flatten()
        prefix = triggers.T if args.show_latents else triggers.T[:0]
        free_length = max(args.seq_length + 1 - len(prefix), 0)

        tokens = torch.empty(free_length, size, dtype=torch.long, device=self.device)
        u = self._uniform((free_length, size), draws)
        rows = torch.arange(size, device=self.device) * V
        for t in range(free_length):
            if t == 0:
                tokens[0] = torch.searchsorted(_cdf(self.pi_u), u[0], right=True)
                continue
            last = tokens[t - 1]
            free = torch.searchsorted(self._ladder, u[t] + last, right=True).sub_(last, alpha=V)
            output = forced.take(rows + last)
            torch.where(output >= 0, output, free, out=tokens[t])
        tokens = torch.cat([prefix, tokens])[: args.seq_length + 1].T.contiguous()

        x, y = tokens[:, :-1], tokens[:, 1:]
        start = min(len(prefix), args.seq_length)
        counts = occurrence_counts(x[:, start:], triggers)
        if not args.output_counter:
            counts = counts.clamp(max=1)
        flags = torch.cat([torch.full_like(x[:, :start], -1), counts], dim=1)
        return Batch(x, y, flags, triggers, outputs)

    def batches(self, size: int, seed: int, first: int = 0) -> Iterator[Batch]:
        """Endless batches, from number `first` on; the same for the same seed, however they are asked for."""
        group = max(CHUNK // size, 1)
        number = first
        while True:
            chunk = self.draw(group * size, generator(seed, number // group))
            for at in range(number % group, group):
                rows = slice(at * size, (at + 1) * size)
                yield Batch(*(part[rows] for part in vars(chunk).values()))
            number = (number // group + 1) * group

    def _triggers(self, size: int, draws: torch.Generator) -> Int[Tensor, "B k"]:
        if self.fixed_triggers is not None:
            return self.fixed_triggers.expand(size, -1)
        waits = -torch.log1p(-self._uniform((size, len(self.pi_u)), draws)) / self.pi_u  # exponential of rate pi_u
        return waits.topk(self.args.k, largest=False).indices

    def _uniform(self, shape: tuple[int, ...], draws: torch.Generator) -> Tensor:
        """Uniform in [0, 1), far enough below 1 that i + u stays below i + 1."""
        return torch.rand(shape, dtype=torch.float64, generator=draws).clamp_(max=1 - 2**-40).to(self.device)

    @staticmethod
    def _search(cdf: Tensor, u: Tensor) -> Tensor:
        return torch.searchsorted(cdf, u.unsqueeze(-1), right=True).squeeze(-1)


def _cdf(weights: Tensor) -> Tensor:
    """Cumulative distribution of each row; its end is exactly 1, so that no draw falls beyond it."""
    total = weights.cumsum(dim=-1)
    return total / total[..., -1:]


def _check(args: DataArgs, V: int, half: str | None, bigram_outs: bool) -> None:
    if V < 2:
        raise CourseError(f"The vocabulary has {V} token, but the task needs at least 2.")
    for name in ("k", "special_toks_offset"):
        if getattr(args, name) < 0:
            raise CourseError(f"{name} must be zero or above, but it is {getattr(args, name)}.")
    if args.k > V:
        raise CourseError(f"k is {args.k}, but the vocabulary has only {V} tokens to choose triggers from.")
    if args.fixed_special_toks and args.k + args.special_toks_offset > V:
        raise CourseError(
            f"special_toks_offset {args.special_toks_offset} leaves fewer than k = {args.k} of the {V} tokens."
        )
    if args.seq_length < 1:
        raise CourseError(f"seq_length must be 1 or more, but it is {args.seq_length}.")
    if half not in (None, "train", "test"):
        raise CourseError(f"There is no half {half!r} of the outputs: choose train or test.")
    if half is not None and bigram_outs:
        raise CourseError("Outputs follow either the bigram table or one half of the vocabulary, not both.")
    if half == "train" and int(TRAIN_SHARE * V) < 1 + args.no_repeat:
        raise CourseError(f"A vocabulary of {V} tokens is too small to hold some of them back as test outputs.")
