"""The parts of a plan: blocks of the residual stream, heads and hidden units, before they are weights (chapter 3).

A step is anything with `parts`, `op`, `setting`, `function` and `value`, as the chapter's SOp and Selector have them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from utils.course import CourseError

BOS = "<bos>"
LARGEST = 20_000  # hidden units, or cells of a table


class CompileError(CourseError):
    """A program that cannot become weights; the sentence names the step."""


@dataclass
class Block:
    """A step in the residual stream: where it lies, its values (None: it is one number), and when it is ready.

    Times count half layers: 0 is the embedding, 2l - 1 the attention and 2l the MLP of layer l. A constant, which is
    no part of the stream, starts at -1.
    """

    start: int
    values: list | None
    time: int

    @property
    def rows(self) -> range:
        return range(self.start, self.start + self.size)

    @property
    def size(self) -> int:
        return 1 if self.values is None else len(self.values)


@dataclass
class Head:
    """One attention head: terms (W_Q, query block, W_K, key block), and what it writes (W_OV, rows, out start)."""

    layer: int
    terms: list
    reads: list = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many coordinates its queries and keys take."""
        return sum(W_K.shape[1] for _, _, W_K, _ in self.terms)

    def in_the_stream(self, plan) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(W_Q, W_K, W_V, W_O) from and to the whole residual stream, its terms and its reads side by side."""
        E, D = plan.width, sum(W.shape[1] for W, _, _ in self.reads)
        W_Q, W_K = torch.zeros(E, self.width), torch.zeros(E, self.width)
        W_V, W_O = torch.zeros(E, D), torch.zeros(D, E)
        at = 0
        for Q, query, K, key in self.terms:
            columns = slice(at, at + K.shape[1])
            _add(W_Q, query, Q[:-1], columns, plan, everywhere=True)
            W_Q[plan.one, columns] += Q[-1]
            _add(W_K, key, K[:-1], columns, plan)
            W_K[plan.bos, columns] += K[-1]
            at += K.shape[1]
        at = 0
        for W, rows, start in self.reads:
            columns = torch.arange(at, at + W.shape[1])
            W_V[torch.tensor(rows)[:, None], columns] = W
            W_O[columns, start + torch.arange(W.shape[1])] = 1
            at += W.shape[1]
        return W_Q, W_K, W_V, W_O


def _add(W: Tensor, block: Block, part: Tensor, columns: slice, plan, everywhere: bool = False) -> None:
    """Write the rows of a block; a constant is the 1 that every position has, but BOS only `everywhere`."""
    if block.start >= 0:
        W[block.start : block.start + block.size, columns] += part
        return
    W[plan.one, columns] += part[0]
    if not everywhere:
        W[plan.bos, columns] -= part[0]


@dataclass
class Units:
    """Hidden units of one layer's MLP: input rows and W_in, W_out and where it writes."""

    layer: int
    rows: list[int]
    W_in: Tensor
    W_out: Tensor
    start: int

    def in_the_stream(self, plan) -> tuple[Tensor, Tensor]:
        """(W_in, W_out) from and to the whole residual stream."""
        M, D = self.W_out.shape
        W_in, W_out = torch.zeros(plan.width, M), torch.zeros(M, plan.width)
        W_in[torch.tensor(self.rows)] = self.W_in.float()
        W_out[:, self.start : self.start + D] = self.W_out.float()
        return W_in, W_out


def layer_after(times) -> int:
    """The layer whose MLP can use what is ready at these times."""
    return max(times, default=0) // 2 + 1


def name_of(node) -> object:
    """What tells two parts apart: steps as objects, atoms by type and value."""
    return id(node) if hasattr(node, "parts") else (type(node).__name__, node)


def inside(step) -> Iterator:
    """A step and every step that it is made of, each once."""
    waiting, seen = [step], set()
    while waiting:
        node = waiting.pop()
        if hasattr(node, "parts") and id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting += node.parts
