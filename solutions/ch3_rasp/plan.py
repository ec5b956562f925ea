"""Where each step of a program lies in the residual stream, when it is ready, and by which matrices (chapter 3).

The residual stream is a row of blocks: the constant 1, the BOS flag, one-hot tokens and indices, and a block for each
step that attention or an MLP computes. BOS stands before the input, outside the program, and its blocks are 0.
Source: Lindner et al. 2023 (Tracr); differences are told in the docstrings.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .analysis import steps
from .language import SOp
from .values import COMPARISONS, RaspError
from .weights import aggregate_to_ov, lookup_mlp, selector_to_head, step_mlp

BOS = "<bos>"
LARGEST = 20_000  # hidden units, or cells of a table
GATE = 4.0  # how much above the largest step a closed gate lies


class CompileError(RaspError):
    """A program that cannot become weights; the sentence names the step."""


@dataclass
class Block:
    """A step in the residual stream: where it lies, its values (None: a number), and when it is ready.

    Times count half layers: 0 is the embedding, 2l - 1 the attention and 2l the MLP of layer l. `numbers`: the values
    that the coordinate can have, `decode` makes the program's value of one.
    """

    start: int
    values: list | None
    time: int
    numbers: list[float] = field(default_factory=list)
    decode: Callable = float

    @property
    def rows(self) -> range:
        return range(self.start, self.start + self.size)

    @property
    def size(self) -> int:
        return 1 if self.values is None else len(self.values)


@dataclass
class Head:
    """One attention head: terms (W_Q, query rows, W_K, key rows), and what it writes (W_OV, value rows, out start)."""

    layer: int
    terms: list
    reads: list = field(default_factory=list)


@dataclass
class Units:
    """Hidden units of one layer's MLP: input rows and W_in, W_out and where it writes."""

    layer: int
    rows: list[int]
    W_in: Tensor
    W_out: Tensor
    start: int


class Plan:
    """Decides which blocks there are and when each is ready; collects heads and hidden units."""

    def __init__(self, sop: SOp, vocab: list, max_len: int, c: float = 80.0):
        self.vocab, self.n, self.c = list(vocab), max_len, c
        self.sharpness = 4.0 * (max_len + 1) * (max_len + 2)
        self.width = 2
        self.one, self.bos = 0, 1
        self.tokens = self._block(self.vocab, 0)
        self.indices = self._block(list(range(max_len)), 0)
        self.blocks: dict[int, Block] = {}
        self.raw: dict[int, Block] = {}
        self.heads: list[Head] = []
        self.units: list[Units] = []
        self.embedded: list[tuple[Block, Block, list]] = []  # (tokens or indices, new block, place of each value)
        self.shared: dict[tuple, Head] = {}
        self.samples = self._samples(sop)
        self.kept = [sop]

    def _block(self, values: list | None, time: int, numbers: list | None = None) -> Block:
        block = Block(self.width, values, time, numbers or [])
        self.width += block.size
        return block

    def _samples(self, sop: SOp) -> list[dict]:
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
                sop.value(list(word), memo)
            except RaspError:
                continue
            found.append(memo | {"n": len(word)})
        if not found:
            raise CompileError(f"{sop} fails on every input over this vocabulary")
        return found

    # ---- leaves: what an elementwise expression is computed from

    def leaves(self, step) -> list[SOp]:
        """The steps that aren't elementwise functions, in order of appearance."""
        found: dict[int, SOp] = {}

        def visit(node) -> None:
            if not hasattr(node, "parts") or id(node) in found:
                return
            if node.op == "map" and not getattr(node, "width_of", None):
                for part in node.parts:
                    visit(part)
            else:
                found[id(node)] = node

        visit(step)
        return list(found.values())

    def function(self, step, leaves: list[SOp]):
        """The elementwise expression as a Python function of its leaves' values."""
        places = {id(leaf): i for i, leaf in enumerate(leaves)}

        def evaluate(node, given):
            if not hasattr(node, "parts"):
                return node
            if id(node) in places:
                return given[places[id(node)]]
            return node.setting(*(evaluate(part, given) for part in node.parts))

        return lambda *given: evaluate(step, given)

    def leaf(self, step: SOp) -> Block:
        """The block of a leaf as attention or the embedding writes it."""
        if step.op == "tokens":
            if step.name != "tokens":
                self._refuse(step, "tokens are read as they are here, not as another type")
            return self.tokens
        if step.op == "indices":
            return self.indices
        if id(step) not in self.raw:
            width_of = getattr(step, "width_of", None)
            self.raw[id(step)] = self._width(step, *width_of) if width_of else self._aggregate(step)
        return self.raw[id(step)]

    def _refuse(self, step, why: str) -> None:
        raise CompileError(f"{step}: {why}.")

    def readable(self, step) -> Block:
        """A one-hot block of the step's value, as early as it is there; at BOS it may hold anything."""
        alone = self.leaves(step)[:1]
        if alone and alone[0] is step and self.leaf(step).values is not None:
            return self.leaf(step)
        return self.clean(step)

    # ---- elementwise steps

    def clean(self, step) -> Block:
        """A one-hot block of the step's value that is 0 at BOS: what heads compare and move."""
        if not hasattr(step, "parts"):
            return Block(-1, [step], 0)
        if id(step) in self.blocks:
            return self.blocks[id(step)]
        leaves = self.leaves(step)
        f = self.function(step, leaves)
        if not leaves:
            return Block(-1, [f()], 0)
        if len(leaves) == 1 and leaves[0].op in ("tokens", "indices"):
            block = self._embedded(step, leaves[0], f)
        else:
            block = self._computed(step, leaves, f)
        self.blocks[id(step)] = block
        return block

    def _embedded(self, step, leaf: SOp, f) -> Block:
        """A function of the token alone, or of the position alone: the embedding holds it, at no cost."""
        source = self.leaf(leaf)
        if step is leaf:
            return source
        results = []
        for value in source.values:
            try:
                results.append(f(value))
            except Exception as error:
                self._refuse(step, f"it fails for {value!r} ({error})")
        keys = list(dict.fromkeys((type(r), r) for r in results))
        block = self._block([value for _, value in keys], 0)
        self.embedded.append((source, block, [keys.index((type(r), r)) for r in results]))
        return block

    def _computed(self, step, leaves: list[SOp], f) -> Block:
        """A function of several blocks, by the MLP of the layer in which the last of them is ready."""
        sources = [self.leaf(leaf) for leaf in leaves]
        numeric = [i for i, source in enumerate(sources) if source.values is None]
        if len(numeric) > 1:
            return self._in_two_steps(step)
        layer = max(source.time for source in sources) // 2 + 1
        others = [i for i in range(len(sources)) if i not in numeric]
        tuples = 1
        for i in others:
            tuples *= len(sources[i].values)
        if tuples > LARGEST:
            self._refuse(step, f"its table would have {tuples} rows, more than {LARGEST}")
        if not numeric:
            return self._table(layer, sources, f)
        number = sources[numeric[0]]
        rows = [
            number.start,
            self.one,
            *(r for i in others for r in range(sources[i].start, sources[i].start + sources[i].size)),
            self.bos,
        ]
        parts, values = [], {}
        for places in itertools.product(*(range(len(sources[i].values)) for i in others)):
            fixed = {i: sources[i].values[place] for i, place in zip(others, places, strict=True)}

            def at(z, fixed=fixed):
                return f(*(number.decode(z) if i == numeric[0] else fixed[i] for i in range(len(sources))))

            try:
                W_in, W_out, out = step_mlp(number.numbers, at, self.sharpness)
            except IndexError:  # it fails for every number: no input leads here
                continue
            parts.append((places, W_in, W_out, [(type(v), v) for v in out]))
            values.update(dict.fromkeys((type(v), v) for v in out))
        keys = list(values)
        high = GATE + self.sharpness * (max(map(abs, number.numbers)) + 1)
        columns, results = [], []
        starts = [0, *itertools.accumulate(sources[i].size for i in others)]
        for places, W_in, W_out, out in parts:
            gate = torch.zeros(len(rows), W_in.shape[1], dtype=torch.float64)
            gate[:2] = W_in.double()
            gate[1] -= high * len(others)
            for start, place in zip(starts, places, strict=False):
                gate[2 + start + place] += high
            gate[-1] -= high * (1 + len(others))
            columns.append(gate)
            spread = torch.zeros(W_out.shape[0], len(keys), dtype=torch.float64)
            for j, key in enumerate(out):
                spread[:, keys.index(key)] = W_out[:, j].double()
            results.append(spread)
        if sum(part.shape[1] for part in columns) > LARGEST:
            self._refuse(step, f"its MLP would have more than {LARGEST} units")
        block = self._block([value for _, value in keys], 2 * layer)
        self.units.append(Units(layer, rows, torch.cat(columns, 1), torch.cat(results), block.start))
        return block

    def _table(self, layer: int, sources: list[Block], f) -> Block:
        W_in, W_out, out = lookup_mlp(f, *(source.values for source in sources))
        rows = [r for source in sources for r in source.rows] + [self.one, self.bos]
        closed = torch.full((1, W_in.shape[1]), -1.0 - len(sources))
        block = self._block(out, 2 * layer)
        self.units.append(Units(layer, rows, torch.cat([W_in, closed]), W_out, block.start))
        return block

    def _in_two_steps(self, step) -> Block:
        """Several numbers in one expression: the parts with one number each come first, one layer before the rest."""
        ready: dict[int, SOp] = {}

        def cut(node):
            if not hasattr(node, "parts"):
                return
            numbers = [leaf for leaf in self.leaves(node) if self.leaf(leaf).values is None]
            if len(numbers) <= 1:
                ready[id(node)] = node
                return
            for part in node.parts:
                cut(part)

        for part in step.parts:
            cut(part)
        nodes = list(ready.values())
        return self._table(
            max(self.clean(node).time for node in nodes) // 2 + 1,
            [self.clean(node) for node in nodes],
            self.function(step, nodes),
        )

    # ---- heads

    def _conjunction(self, selector) -> list:
        """The terms of a selector that must all hold: [(key nodes, query nodes, selectors)].

        Terms on the same nodes are one. Any other term, such as an `or`, compares all of its keys,
        joined to one block, with all of its queries.
        """
        parts = self._flatten(selector)
        groups: dict[tuple, list] = {}
        for part in parts:
            keys, queries = self._compared(part)
            groups.setdefault((tuple(map(_name, keys)), tuple(map(_name, queries))), []).append((keys, queries, part))
        found = []
        for members in groups.values():
            keys, queries, _ = members[0]
            found.append((keys, queries, [part for _, _, part in members]))
        return found

    def _flatten(self, selector) -> list:
        if selector.op == "and":
            return [term for part in selector.parts for term in self._flatten(part)]
        return [selector]

    def _compared(self, selector) -> tuple[list, list]:
        keys: dict = {}
        queries: dict = {}

        def visit(node) -> None:
            if node.op == "select":
                keys.setdefault(_name(node.parts[0]), node.parts[0])
                queries.setdefault(_name(node.parts[1]), node.parts[1])
            else:
                for part in node.parts:
                    visit(part)

        visit(selector)
        return list(keys.values()), list(queries.values())

    def _joint(self, nodes: list) -> Block:
        """One block for the values of several nodes, tuples if there is more than one."""
        if len(nodes) == 1:
            return self.clean(nodes[0])
        blocks = [self.clean(node) for node in nodes]
        name = ("joint", *map(_name, nodes))
        if name not in self.blocks:
            real = [block for block in blocks if block.start >= 0]
            size = 1
            for block in real:
                size *= block.size
            if size > LARGEST // 20:
                self._refuse(
                    nodes[0], f"a selector joined by `or` needs {size} values at once, more than {LARGEST // 20}"
                )

            def together(*given):
                rest = iter(given)
                return tuple(next(rest) if block.start >= 0 else block.values[0] for block in blocks)

            if real:
                self.blocks[name] = self._table(max(block.time for block in real) // 2 + 1, real, together)
            else:
                self.blocks[name] = Block(-1, [together()], 0)
        return self.blocks[name]

    def _holds(self, members: list, keys: list, queries: list):
        """The predicate of a term: do all of its selectors hold for these values of its keys and queries?"""

        def predicate(key, query) -> bool:
            k = dict(zip(map(_name, keys), key if len(keys) > 1 else (key,), strict=True))
            q = dict(zip(map(_name, queries), query if len(queries) > 1 else (query,), strict=True))

            def holds(node) -> bool:
                if node.op == "select":
                    compare = node.setting if callable(node.setting) else COMPARISONS[node.setting]
                    return bool(compare(k[_name(node.parts[0])], q[_name(node.parts[1])]))
                inner = [holds(part) for part in node.parts]
                return not inner[0] if node.op == "not" else all(inner) if node.op == "and" else any(inner)

            try:
                return all(holds(member) for member in members)
            except Exception:  # values that never meet, such as "a" < 1
                return False

        return predicate

    def head(self, selector, extra: list, whole_bos: bool, late: int) -> Head:
        """The head of a selector, in a layer after `late`; `whole_bos`: BOS is always among the chosen."""
        terms = [*self._conjunction(selector), *extra]
        blocks = [(self._joint(keys), self._joint(queries)) for keys, queries, _ in terms]
        layer = max([late, *(block.time for pair in blocks for block in pair)]) // 2 + 1
        key = (id(selector), bool(extra), whole_bos, layer)
        if key in self.shared:
            return self.shared[key]
        made = []
        d_head = sum(key_block.size + 1 for key_block, _ in blocks)
        for number, ((keys, queries, members), (key_block, query_block)) in enumerate(zip(terms, blocks, strict=True)):
            predicate = members if callable(members) else self._holds(members, keys, queries)
            bos = 0.0 if number else len(terms) - (0.0 if whole_bos else 0.5)
            W_Q, W_K = selector_to_head(predicate, key_block.values, query_block.values, self.c, bos, d_head)
            made.append((W_Q, query_block, W_K, key_block))
        head = self.shared[key] = Head(layer, made)
        self.heads.append(head)
        return head

    def _width(self, step, selector, bos: bool) -> Block:
        """1 / (width + 1): BOS is always chosen too, and the head takes the mean of its flag."""
        extra = []
        if bos:  # the program's own BOS, at index 0, is never counted
            indices = next(node for node in steps(step) if node.op == "indices")
            extra = [([indices], [1], lambda key, query: key != 0)]
        head = self.head(selector, extra, True, 0)
        block = self._block(None, 2 * head.layer - 1, [1 / (w + 1) for w in range(self.n + 1)])
        head.reads.append((torch.tensor([[1.0]]), [self.bos], block.start))
        block.decode = lambda z: round(1 / z) - 1
        return block

    def _aggregate(self, step) -> Block:
        """What an aggregate's head writes: the one-hot vector of the value it chose, or the mean of zeros and ones."""
        selector, values = step.parts
        several = self._chooses_several(step)
        block = self.clean(values)
        ones = {(type(v), v) for v in block.values} <= {(int, 0), (int, 1)}
        if several and not ones:
            self._refuse(step, "it takes a mean of values other than 0 and 1, which one-hot vectors cannot show")
        if several and not isinstance(step.setting, (int, float)):
            self._refuse(step, "a mean of numbers has a default that isn't a number")
        head = self.head(selector, [], False, block.time)
        W, out = aggregate_to_ov(block.values, step.setting, numeric=several)
        fractions = (
            [a / b for b in range(1, self.n + 1) for a in range(b + 1)] + [float(step.setting)] if several else []
        )
        raw = self._block(None if several else out, 2 * head.layer - 1, fractions)
        rows = [self.one] if block.start < 0 else list(block.rows)
        if block.start < 0:  # the constant 1 is there at BOS too: take it off again
            W = torch.stack([W[0], W[-1] - W[0]])
        head.reads.append((W, [*rows, self.bos], raw.start))
        return raw

    def _chooses_several(self, step) -> bool:
        """Whether a row was seen to choose several values that differ."""
        selector, values = step.parts
        for memo in self.samples:
            column = memo[id(values)] if hasattr(values, "parts") else [values] * memo["n"]
            matrix = memo[id(selector)]
            for row in matrix:
                chosen = {(type(v), v) for v, on in zip(column, row, strict=True) if on}
                if len(chosen) > 1:
                    return True
        return False


def _name(node) -> object:
    return id(node) if hasattr(node, "parts") else (type(node).__name__, node)
