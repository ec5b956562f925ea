"""The bigram task: sequences whose triggers are followed by outputs of their own (chapter 2).

First the exercises, then `BigramTask`, which draws with them by every setting of DataArgs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.course import CourseError
from utils.train import generator

from .bigrams import BigramTable
from .config import DataArgs

TRAIN_SHARE = 0.75  # of the vocabulary: outputs of the "train" half; the rest are those of the "test" half
CHUNK = 2048  # sequences drawn at a time: small batches share one run over the positions


def sample_triggers(
    pi_u: Float[Tensor, "V"], k: int, batch: int, fixed: bool, no_repeat: bool, generator: torch.Generator
) -> tuple[Int[Tensor, "B k"], Int[Tensor, "B k"]]:
    """For each sequence, choose k different triggers and an output for each of them.

    Shapes: pi_u (V,) -> triggers (B, k), outputs (B, k), both int64. With `fixed`, every sequence has the k most
    frequent tokens as its triggers; otherwise each draws its own from pi_u, one after the other without replacement.
    Outputs are uniform and independent; with `no_repeat`, uniform over the V - 1 tokens that are not their own
    trigger. Source: Bietti et al. 2023.
    """
    # solution
    V, device = len(pi_u), pi_u.device
    if fixed:
        triggers = pi_u.topk(k).indices.expand(batch, k)
    else:  # the k that ring first, where token i waits an exponential time of rate pi_u[i]
        waits = torch.empty(batch, V, dtype=pi_u.dtype, device=device).exponential_(generator=generator) / pi_u
        triggers = waits.topk(k, largest=False).indices
    if no_repeat:
        outputs = torch.randint(V - 1, (batch, k), generator=generator, device=device)
        outputs = outputs + (outputs >= triggers).long()  # step over the trigger: V - 1 tokens, all equally likely
    else:
        outputs = torch.randint(V, (batch, k), generator=generator, device=device)
    return triggers, outputs
    # end solution


def sample_sequences(
    pi_u: Float[Tensor, "V"],
    pi_b: Float[Tensor, "V V"],
    triggers: Int[Tensor, "B k"],
    outputs: Int[Tensor, "B k"],
    seq_len: int,
    generator: torch.Generator,
) -> Int[Tensor, "B T_plus_1"]:
    """Draw one sequence per row: a trigger is followed by its output, any other token by a draw from its bigram row.

    Shapes: triggers and outputs (B, k), k may be 0 -> tokens (B, seq_len + 1), int64; the first token follows pi_u.
    Source: Bietti et al. 2023.
    """
    # solution
    B, V, device = len(triggers), len(pi_u), pi_u.device
    cdf = pi_b.double().cumsum(dim=1)
    cdf = cdf / cdf[:, -1:]  # ends in exactly 1, so that no draw falls beyond it
    ladder = (cdf + torch.arange(V, device=device)[:, None]).flatten()  # row i goes from i to i + 1: all in one list
    forced = torch.full((B, V), -1, device=device).scatter(1, triggers, outputs)  # what must follow here; -1: free

    tokens = [torch.multinomial(pi_u, B, replacement=True, generator=generator)]
    for u in torch.rand(seq_len, B, generator=generator, device=device).double():
        last = tokens[-1]
        free = torch.searchsorted(ladder, last + u, right=True) - V * last
        output = forced.gather(1, last[:, None]).squeeze(1)
        tokens.append(torch.where(output >= 0, output, free))
    return torch.stack(tokens, dim=1)
    # end solution


def occurrence_counts(x: Int[Tensor, "B T"], triggers: Int[Tensor, "B k"]) -> Int[Tensor, "B T"]:
    """At each trigger, count how often it has occurred so far in its row, this time included; 0 at all other tokens.

    Shapes: x (B, T), triggers (B, k), where each row has its own and k may be 0 -> (B, T).
    """
    # solution
    hits = (x[:, :, None] == triggers[:, None, :]).long()  # (B, T, k)
    return (hits.cumsum(dim=1) * hits).sum(dim=2)
    # end solution


def in_context_mask(counts: Int[Tensor, "B T"]) -> Bool[Tensor, "B T"]:
    """Mark where the next token can be read off the context: at a trigger that has been seen before.

    Shapes: counts (B, T) -> bool (B, T).
    """
    # solution
    return counts >= 2
    # end solution


def has_absorbing_cycle(triggers: Int[Tensor, "B k"], outputs: Int[Tensor, "B k"]) -> Bool[Tensor, "B"]:
    """Whether the outputs of a row lead from trigger to trigger back to the start, so that it would repeat for ever.

    Shapes: (B, k), (B, k) -> bool (B,). The triggers of a row are distinct; k may be 0.
    """
    # solution
    leads_to = outputs[:, :, None] == triggers[:, None, :]  # [b, i, j]: after trigger i comes trigger j
    goes_on = torch.ones_like(triggers, dtype=torch.bool)
    for _ in range(triggers.shape[1]):  # whoever can still walk k steps among k triggers walks in a cycle
        goes_on = (leads_to & goes_on[:, None, :]).any(dim=2)
    return goes_on.any(dim=1)
    # end solution


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
        _check(args, table.vocab_size, half, bigram_outs)
        self.args, self.table, self.device = args, table, torch.device(device)
        self.pi_u, self.pi_b = table.pi_u.to(self.device), table.pi_b.to(self.device)
        self.weights = self.pi_u.clone()  # which tokens may be triggers
        if args.fixed_special_toks:
            self.weights[self.pi_u.topk(args.special_toks_offset).indices] = 0
        self.output_rows = self._output_rows(half) if half is not None or bigram_outs else None

    def _output_rows(self, half: str | None) -> Tensor:
        """Row i: the distribution of trigger i's output, where it is not the uniform one."""
        rows, edge = self.pi_b.clone(), int(TRAIN_SHARE * len(self.pi_u))
        if half is not None:
            rows.fill_(1)
            rows[:, slice(edge, None) if half == "train" else slice(edge)] = 0
        if self.args.no_repeat:
            rows.fill_diagonal_(0)
            rows[rows.sum(dim=1) == 0] = 1.0  # a token that only ever follows itself
            rows.fill_diagonal_(0)
        return rows

    @property
    def fixed_triggers(self) -> Int[Tensor, "k"] | None:
        """The triggers of all sequences, the most frequent first; None where each sequence has its own."""
        return self.weights.topk(self.args.k).indices if self.args.fixed_special_toks else None

    @property
    def probe_tokens(self) -> Int[Tensor, "n"]:
        """The tokens whose memory W_K^2 is asked for: the fixed triggers, or all where they change."""
        fixed = self.fixed_triggers
        return torch.arange(self.table.vocab_size, device=self.device) if fixed is None else fixed

    def draw(self, size: int, draws: torch.Generator) -> Batch:
        """A batch of `size` sequences."""
        args = self.args
        if draws.device.type != self.device.type:  # draw where the tables are
            seed = torch.randint(2**62, (), generator=draws, device=draws.device)
            draws = torch.Generator(self.device).manual_seed(int(seed))
        fixed, no_repeat = args.fixed_special_toks, args.no_repeat
        triggers, outputs = sample_triggers(self.weights, args.k, size, fixed, no_repeat, draws)
        if self.output_rows is not None and args.k:
            rows = self.output_rows[triggers].flatten(0, 1)
            outputs = torch.multinomial(rows, 1, generator=draws).view_as(triggers)
        prefix = triggers if args.show_latents else triggers[:, :0]
        free_length = max(args.seq_length - prefix.shape[1], 0)
        tokens = sample_sequences(self.pi_u, self.pi_b, triggers, outputs, free_length, draws)
        tokens = torch.cat([prefix, tokens], dim=1)[:, : args.seq_length + 1]

        x, y = tokens[:, :-1], tokens[:, 1:]
        start = min(prefix.shape[1], args.seq_length)
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
