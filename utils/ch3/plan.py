"""Where each step of a program lies in the residual stream, when it is ready, and by which matrices (chapter 3).

The residual stream is a row of blocks: the constant 1, the BOS flag, one-hot tokens and indices, and a block for each
step that attention or an MLP computes. BOS comes before the input, outside the program, and its blocks are 0.
Source: Lindner et al. 2023 (Tracr); differences are told in the docstrings.
"""

import itertools
import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from utils.ch3.blocks import BOS, Block, CompileError, Head, Units, inside, layer_after
from utils.ch3.heads import sum_of_counts, written_by_attention
from utils.ch3.mlps import computed
from utils.ch3.output import result_of


class Plan:
    """All that has to be written into a transformer's weights for a program to run in it.

    `pieces`: the chapter's selector_to_head, aggregate_to_ov, lookup_mlp and step_mlp. Afterwards `width`, `layers`,
    `most_heads`, `head_width` and `mlp_width` tell the sizes; `W_E`, `W_P`, `W_U` and `b_U` are whole matrices, and
    `heads_of` and `units_of` give those of each layer. `values` are what the logits stand for; None: the logit is the
    result. Raises CompileError, naming the step, for what cannot become weights.
    """

    def __init__(self, sop, vocab: list, max_len: int, pieces: Sequence[Callable], causal: bool = False):
        _check_arguments(sop, vocab, max_len)
        self.selector_to_head, self.aggregate_to_ov, self.lookup_mlp, self.step_mlp = pieces
        self.sop, self.vocab, self.n, self.c = sop, list(vocab), max_len, 80.0
        self.width = 2
        self.one, self.bos = 0, 1
        self.tokens = self.block(self.vocab, 0)
        self.indices = self.block(list(range(max_len)), 0)
        self.raw: dict[int, Block] = {}  # what attention writes, by the step's id
        self.blocks: dict[object, Block] = {}  # one-hot vectors of steps, 0 at BOS
        self.heads: list[Head] = []
        self.shared: dict[tuple, Head] = {}
        self.units: list[Units] = []
        self.embedded: list[tuple[Block, Block, list]] = []  # (tokens or indices, new block, place of each value)
        self.counts: dict[int, list | None] = {}  # counts that are sums of other counts
        self.kept: list = [sop]  # keeps ids in use
        self.samples = self._samples()
        if causal:
            self._refuse_looking_right()
        self._plan_output()

    def block(self, values: list | None, time: int) -> Block:
        """A new block at the end of the residual stream."""
        block = Block(self.width, values, time)
        self.width += block.size
        return block

    def _samples(self) -> list[dict]:
        """Values of every step on some inputs, to see what a selector really chooses."""
        generator = random.Random(0)
        words = [
            w for k in (1, 2, 3) for w in itertools.islice(itertools.product(self.vocab, repeat=k), 60) if k <= self.n
        ]
        words += [generator.choices(self.vocab, k=generator.randint(1, self.n)) for _ in range(60)]
        found = []
        for word in words:
            memo: dict = {}
            try:
                self.sop.value(list(word), memo)
            except Exception:  # the program has no value for this input
                continue
            found.append(memo | {"n": len(word)})
        if not found:
            raise CompileError(f"{self.sop} fails on every input over this vocabulary")
        return found

    def _refuse_looking_right(self) -> None:
        """Raises CompileError for a selector that was seen to choose a later position."""
        for step in inside(self.sop):
            if step.kind == "selector":
                for memo in self.samples:
                    if torch.as_tensor(memo[id(step)]).triu(1).any():
                        raise CompileError(f"{step} looks to the right, which a causal model cannot")

    def refuse(self, step, why: str) -> None:
        """Raises CompileError: what is wrong with this step."""
        raise CompileError(f"{step}: {why}.")

    # ---- the weights

    @property
    def layers(self) -> int:
        """How many layers the program takes."""
        return (self.time + 1) // 2

    @property
    def most_heads(self) -> int:
        """Heads in the layer that has most of them, at least 1."""
        return max([1, *(len(self._of(self.heads, layer)) for layer in range(self.layers))])

    @property
    def head_width(self) -> int:
        """Coordinates of the widest head."""
        return max([1, *(head.width for head in self.heads), *(self._read_width(head) for head in self.heads)])

    @property
    def mlp_width(self) -> int:
        """Hidden units in the layer that has most of them, at least 1."""
        sizes = [sum(len(u.W_out) for u in self._of(self.units, layer)) for layer in range(self.layers)]
        return max([1, *sizes])

    @staticmethod
    def _read_width(head: Head) -> int:
        return sum(W.shape[1] for W, _, _ in head.reads)

    @staticmethod
    def _of(parts: list, layer: int) -> list:
        return [part for part in parts if part.layer == layer + 1]

    def heads_of(self, layer: int) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """(W_Q, W_K, W_V, W_O) of each head of a layer, counted from 0, each as wide as it needs to be.

        Shapes: (E, D), (E, D), (E, D_V), (D_V, E); scores are meant to be divided by the root of D.
        """
        return [head.in_the_stream(self) for head in self._of(self.heads, layer)]

    def units_of(self, layer: int) -> list[tuple[Tensor, Tensor]]:
        """(W_in, W_out) of each function that the MLP of a layer, counted from 0, computes: (E, M), (M, E)."""
        return [units.in_the_stream(self) for units in self._of(self.units, layer)]

    @property
    def W_E(self) -> Tensor:
        """The token embedding (V + 1, E), BOS first: its flag, the constant 1, and what depends on the token alone."""
        W = self._embedding(self.tokens)
        W[:, self.one] = 1
        W[0, self.bos] = 1
        return W

    @property
    def W_P(self) -> Tensor:
        """The position embedding (n + 1, E): nothing for BOS, then what depends on the index alone."""
        return self._embedding(self.indices)

    def _embedding(self, source: Block) -> Tensor:
        W, places = torch.zeros(source.size + 1, self.width), torch.arange(source.size)
        W[1 + places, source.start + places] = 1
        for origin, block, columns in self.embedded:
            if origin is source:
                W[1 + places, block.start + torch.tensor(columns)] = 1
        return W

    def _plan_output(self) -> None:
        """Plan the program's last step, and with it all others; where in the stream the result is read."""
        rows, W, constant, self.values, self.time = result_of(self, self.sop)
        self.W_U = torch.zeros(self.width, W.shape[1])
        self.W_U[torch.tensor(rows)] = W
        self.b_U = torch.full((W.shape[1],), constant)

    # ---- elementwise expressions: what they are computed from

    def elementwise(self, node) -> tuple[Sequence, Callable] | None:
        """A step's parts and its function, if it is computed position by position; None for all others, the leaves."""
        if getattr(node, "width_of", None):
            counts = self.counts_of(node)
            return (counts, lambda *widths: sum(widths)) if counts else None
        return (node.parts, node.setting) if node.op == "map" else None

    def is_leaf(self, node) -> bool:
        return hasattr(node, "parts") and self.elementwise(node) is None

    def leaves(self, step) -> list:
        """The steps that attention or the embedding makes, of which an expression is a function."""
        found: dict[int, object] = {}

        def visit(node) -> None:
            if not hasattr(node, "parts") or id(node) in found:
                return
            inner = self.elementwise(node)
            if inner is None:
                found[id(node)] = node
            else:
                for part in inner[0]:
                    visit(part)

        visit(step)
        return list(found.values())

    def function(self, step, sources: list) -> Callable:
        """The expression as a Python function of its sources' values."""
        places = {id(source): i for i, source in enumerate(sources)}

        def evaluate(node, given):
            if not hasattr(node, "parts"):
                return node
            if id(node) in places:
                return given[places[id(node)]]
            parts, function = self.elementwise(node)
            return function(*(evaluate(part, given) for part in parts))

        return lambda *given: evaluate(step, given)

    def leaf(self, step) -> Block:
        """The block of a leaf as attention or the embedding writes it."""
        if step.op == "tokens":
            if step.name != "tokens" and not (
                step.name == "tokens_str" and all(isinstance(v, str) for v in self.vocab)
            ):
                self.refuse(step, "tokens are read as they are here, not as another type")
            return self.tokens
        if step.op == "indices":
            return self.indices
        if id(step) not in self.raw:
            self.raw[id(step)] = written_by_attention(self, step)
        return self.raw[id(step)]

    def sources(self, step) -> list:
        """What the MLP that computes an expression reads: leaves of its layer, and what earlier layers can prepare."""
        layer = layer_after(self.leaf(leaf).time for leaf in self.leaves(step))
        found: dict[int, object] = {}

        def visit(node) -> None:
            inner = self.leaves(node) if hasattr(node, "parts") else []
            if not inner or id(node) in found:
                return
            blocks = [self.leaf(leaf) for leaf in inner]
            early = layer_after(block.time for block in blocks) < layer
            prepared = early and (len(inner) > 1 or blocks[0].values is None)
            of_token = len(inner) == 1 and inner[0].op == "tokens"
            if inner[0] is node or ((prepared or of_token) and node is not step):
                found[id(node)] = node
            else:
                for part in self.elementwise(node)[0]:
                    visit(part)

        visit(step)
        of_token = [key for key, node in found.items() if [leaf.op for leaf in self.leaves(node)] == ["tokens"]]
        if len(of_token) > 1:  # different functions of the token: read the token itself
            token = self.leaves(found[of_token[0]])[0]
            found = {key: node for key, node in found.items() if key not in of_token} | {id(token): token}
        return list(found.values())

    # ---- elementwise expressions: how they are computed

    def readable(self, step) -> Block:
        """A one-hot block of the step's value, as early as it is there; at BOS it may hold anything."""
        if self.is_leaf(step) and self.leaf(step).values is not None:
            return self.leaf(step)
        return self.clean(step)

    def clean(self, step) -> Block:
        """A one-hot block of the step's value that is 0 at BOS: what heads compare and move."""
        if not hasattr(step, "parts"):
            return Block(-1, [step], 0)
        if id(step) not in self.blocks:
            leaves = self.leaves(step)
            if not leaves:
                self.blocks[id(step)] = Block(-1, [self.function(step, [])()], 0)
            elif len(leaves) == 1 and leaves[0].op in ("tokens", "indices"):
                self.blocks[id(step)] = self._embedded(step, leaves[0])
            else:
                self.blocks[id(step)] = computed(self, step, self.sources(step))
        return self.blocks[id(step)]

    def _embedded(self, step, leaf) -> Block:
        """A function of the token alone, or of the position alone: the embedding holds it, at no cost."""
        source = self.leaf(leaf)
        if step is leaf:
            return source
        f, results = self.function(step, [leaf]), []
        for value in source.values:
            try:
                results.append(f(value))
            except Exception as error:
                self.refuse(step, f"it fails for {value!r} ({error})")
        keys = list(dict.fromkeys((type(r), r) for r in results))
        block = self.block([value for _, value in keys], 0)
        self.embedded.append((source, block, [keys.index((type(r), r)) for r in results]))
        return block

    def counts_of(self, step) -> list | None:
        """The counts whose sum a count is, where that saves a layer."""
        if id(step) not in self.counts:
            self.counts[id(step)] = None
            self.counts[id(step)] = sum_of_counts(self, step)
        return self.counts[id(step)]


def _check_arguments(sop, vocab: list, max_len: int) -> None:
    """Raises CompileError for a vocabulary or a length that makes no sense, and for what isn't an s-op."""
    if getattr(sop, "kind", "") != "s-op":
        selector = getattr(sop, "kind", "") == "selector"
        is_this = "selectors have no value of their own" if selector else f"{sop!r} is none"
        raise CompileError(f"only an s-op can be compiled: {is_this}")
    if not vocab or len({(type(v), v) for v in vocab}) != len(vocab):
        raise CompileError("the vocabulary must be a list of different tokens")
    if BOS in vocab:
        raise CompileError(f"the vocabulary must not hold {BOS!r}: the model puts it in front of every input")
    if not isinstance(max_len, int) or max_len < 1:
        raise CompileError(f"max_len must be a whole number above zero, but it is {max_len!r}")
