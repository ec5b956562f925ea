"""Where each step of a program lies in the residual stream, when it is ready, and by which matrices (chapter 3).

The residual stream is a row of blocks: the constant 1, the BOS flag, one-hot tokens and indices, and a block for each
step that attention or an MLP computes. BOS comes before the input, outside the program, and its blocks are 0.
Source: Lindner et al. 2023 (Tracr); differences are told in the docstrings.
"""

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .analysis import steps
from .language import SOp, selector_width
from .reach import table_of, tell_apart, together
from .values import COMPARISONS, RaspError
from .weights import aggregate_to_ov, lookup_mlp, selector_to_head, step_mlp

BOS = "<bos>"
LARGEST = 20_000  # hidden units, or cells of a table
GATE = 4.0  # how much above the largest step a closed gate lies


class CompileError(RaspError):
    """A program that cannot become weights; the sentence names the step."""


@dataclass
class Block:
    """A step in the residual stream: where it lies, its values (None: it is one number), and when it is ready.

    Times count half layers: 0 is the embedding, 2l - 1 the attention and 2l the MLP of layer l. Constants start at -1.
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


@dataclass
class Units:
    """Hidden units of one layer's MLP: input rows and W_in, W_out and where it writes."""

    layer: int
    rows: list[int]
    W_in: Tensor
    W_out: Tensor
    start: int


def layer_after(times) -> int:
    """The layer whose MLP can use what is ready at these times."""
    return max(times, default=0) // 2 + 1


def _name(node) -> object:
    return id(node) if hasattr(node, "parts") else (type(node).__name__, node)


class Plan:
    """Decides which blocks there are and when each is ready; collects heads and hidden units."""

    def __init__(self, sop: SOp, vocab: list, max_len: int, c: float = 80.0):
        self.vocab, self.n, self.c = list(vocab), max_len, c
        self.width = 2
        self.one, self.bos = 0, 1
        self.tokens = self._block(self.vocab, 0)
        self.indices = self._block(list(range(max_len)), 0)
        self.raw: dict[int, Block] = {}  # what attention writes, by the step's id
        self.blocks: dict[object, Block] = {}  # one-hot vectors of steps, 0 at BOS
        self.heads: list[Head] = []
        self.shared: dict[tuple, Head] = {}
        self.units: list[Units] = []
        self.embedded: list[tuple[Block, Block, list]] = []  # (tokens or indices, new block, place of each value)
        self.counts: dict[int, list[SOp] | None] = {}  # counts that are sums of other counts
        self.kept: list[SOp] = [sop]  # keeps ids in use
        self.samples = self._samples(sop)

    def _block(self, values: list | None, time: int) -> Block:
        block = Block(self.width, values, time)
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

    def _refuse(self, step, why: str) -> None:
        raise CompileError(f"{step}: {why}.")

    # ---- elementwise expressions: what they are computed from

    def elementwise(self, node) -> tuple[Sequence, Callable] | None:
        """A step's parts and its function, if it is computed position by position; None for all others, the leaves."""
        if getattr(node, "width_of", None):
            counts = self._sum_of_counts(node)
            return (counts, lambda *widths: sum(widths)) if counts else None
        return (node.parts, node.setting) if node.op == "map" else None

    def is_leaf(self, node) -> bool:
        return hasattr(node, "parts") and self.elementwise(node) is None

    def leaves(self, step) -> list[SOp]:
        """The steps that attention or the embedding makes, of which an expression is a function."""
        found: dict[int, SOp] = {}

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

    def leaf(self, step: SOp) -> Block:
        """The block of a leaf as attention or the embedding writes it."""
        if step.op == "tokens":
            if step.name != "tokens" and not (
                step.name == "tokens_str" and all(isinstance(v, str) for v in self.vocab)
            ):
                self._refuse(step, "tokens are read as they are here, not as another type")
            return self.tokens
        if step.op == "indices":
            return self.indices
        if id(step) not in self.raw:
            width_of = getattr(step, "width_of", None)
            self.raw[id(step)] = self._width(step, *width_of) if width_of else self._aggregate(step)
        return self.raw[id(step)]

    def sources(self, step) -> list:
        """What the MLP that computes an expression reads: leaves of its layer, and what earlier layers can prepare."""
        layer = layer_after(self.leaf(leaf).time for leaf in self.leaves(step))
        found: dict[int, SOp] = {}

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
                self.blocks[id(step)] = self._computed(step, self.sources(step))
        return self.blocks[id(step)]

    def _embedded(self, step, leaf: SOp) -> Block:
        """A function of the token alone, or of the position alone: the embedding holds it, at no cost."""
        source = self.leaf(leaf)
        if step is leaf:
            return source
        f, results = self.function(step, [leaf]), []
        for value in source.values:
            try:
                results.append(f(value))
            except Exception as error:
                self._refuse(step, f"it fails for {value!r} ({error})")
        keys = list(dict.fromkeys((type(r), r) for r in results))
        block = self._block([value for _, value in keys], 0)
        self.embedded.append((source, block, [keys.index((type(r), r)) for r in results]))
        return block

    def _computed(self, step, sources: list) -> Block:
        """A function of several blocks, by the MLP of the layer in which the last of them is ready."""
        latest = layer_after(self.leaf(leaf).time for leaf in self.leaves(step))
        late = [self.is_leaf(source) and layer_after([self.leaf(source).time]) == latest for source in sources]
        numbers = [s for s, now in zip(sources, late, strict=True) if now and self.leaf(s).values is None]
        others = [s for s in sources if s not in set(numbers)]
        blocks = [self.readable(s) for s in others]
        layer = max(latest, layer_after(block.time for block in blocks))
        size = math.prod(block.size for block in blocks)
        if size > LARGEST:
            self._refuse(step, f"its table would have {size} rows, more than {LARGEST}")
        if not numbers:
            return self._table(layer, blocks, self.function(step, others))
        parts = self._gated(step, others, blocks, numbers)
        if parts is None:
            return self._in_two_steps(step, numbers)
        return self._gates(step, layer, blocks, [self.leaf(s) for s in numbers], parts)

    def _table(self, layer: int, blocks: list[Block], f) -> Block:
        W_in, W_out, out = lookup_mlp(f, *(block.values for block in blocks))
        rows = [r for block in blocks for r in block.rows] + [self.one, self.bos]
        closed = torch.full((1, W_in.shape[1]), -1.0 - len(blocks))
        block = self._block(out, 2 * layer)
        self.units.append(Units(layer, rows, torch.cat([W_in, closed]), W_out, block.start))
        return block

    def _gated(self, step, others: list, blocks: list[Block], numbers: list) -> list | None:
        """For each tuple of one-hot values: (their places, weights of the numbers, W_in, W_out, values).

        None where one layer cannot tell the numbers apart, or would be too large.
        """
        f = self.function(step, [*others, *numbers])
        indices = next((i for i, source in enumerate(others) if source.op == "indices"), None)
        parts: list = []
        reachable: dict = {}
        known: dict = {}  # tables that several tuples share
        for places in itertools.product(*(range(block.size) for block in blocks)):
            fixed = tuple(block.values[place] for block, place in zip(blocks, places, strict=True))
            here = None if indices is None else fixed[indices]
            if here not in reachable:
                reachable[here] = together(numbers, self.n, here)
            if reachable[here] is None:
                return None
            table = table_of(lambda point, values, fixed=fixed: f(*fixed, *values), reachable[here])
            points, results = [point for (point, _), _ in table], tuple((type(r), r) for _, r in table)
            key = hash((tuple(points), results))
            if key not in known:
                known[key] = tell_apart(points, results) if table else ()
            if known[key] is None:
                return None
            if table:
                weights, sums, sharpness = known[key]
                W_in, W_out, out = step_mlp(list(sums), lambda z, sums=sums: sums[z][1], sharpness)
                parts.append((places, weights, sharpness * (1 + max(map(abs, sums))), W_in, W_out, out))
        return parts if sum(part[3].shape[1] for part in parts) <= LARGEST else None

    def _gates(self, step, layer: int, blocks: list[Block], numbers: list[Block], parts: list) -> Block:
        """The hidden units of a function of numbers: each belongs to a tuple of one-hot values, and is 0 for others."""
        rows = [number.start for number in numbers] + [self.one, *(r for b in blocks for r in b.rows), self.bos]
        starts = list(itertools.accumulate((b.size for b in blocks), initial=len(numbers) + 1))
        keys = list(dict.fromkeys((type(v), v) for part in parts for v in part[-1]))
        columns, results = [], []
        for places, weights, highest, W_in, W_out, out in parts:
            high = GATE + highest
            gate = torch.zeros(len(rows), W_in.shape[1], dtype=torch.float64)
            gate[: len(numbers)] = torch.outer(torch.from_numpy(weights), W_in[0].double())
            gate[len(numbers)] = W_in[1].double() - high * len(blocks)
            for start, place in zip(starts, places, strict=False):
                gate[start + place] += high
            gate[-1] -= high * (1 + len(blocks))
            spread = torch.zeros(W_out.shape[0], len(keys), dtype=torch.float64)
            for j, v in enumerate(out):
                spread[:, keys.index((type(v), v))] = W_out[:, j].double()
            columns.append(gate)
            results.append(spread)
        block = self._block([value for _, value in keys], 2 * layer)
        self.units.append(Units(layer, rows, torch.cat(columns, 1), torch.cat(results), block.start))
        return block

    def _in_two_steps(self, step, numbers: list) -> Block:
        """Too many numbers for one layer: first the largest parts with fewer of them, and the rest a layer later."""
        ready: dict[int, SOp] = {}

        def visit(node) -> None:
            if not hasattr(node, "parts"):
                return
            if sum(leaf in set(numbers) for leaf in self.leaves(node)) < len(numbers):
                ready[id(node)] = node
                return
            for part in self.elementwise(node)[0]:
                visit(part)

        if len(numbers) == 1:
            self._refuse(step, f"its MLP would have more than {LARGEST} units, or need more digits than float32 has")
        visit(step)
        blocks = [self.readable(node) if self.is_leaf(node) else self.clean(node) for node in ready.values()]
        size = math.prod(block.size for block in blocks)
        if size > LARGEST:
            self._refuse(step, f"its table would have {size} rows, more than {LARGEST}")
        return self._table(layer_after(b.time for b in blocks), blocks, self.function(step, list(ready.values())))

    # ---- selectors

    def conjunction(self, selector) -> list[tuple[list, list, list]]:
        """The terms of a selector that must all hold: (key nodes, query nodes, selectors), one per pair of nodes.

        Terms on the same nodes are one. Any other term, such as an `or`, compares all of its keys,
        joined to one block, with all of its queries.
        """
        groups: dict[tuple, tuple] = {}
        for part in _flatten(selector, "and"):
            keys, queries = _compared(part)
            name = (tuple(map(_name, keys)), tuple(map(_name, queries)))
            groups.setdefault(name, (keys, queries, []))[2].append(part)
        return list(groups.values())

    def joint(self, nodes: list) -> Block:
        """One block for the values of several nodes, tuples if there is more than one."""
        if len(nodes) == 1:
            return self.clean(nodes[0])
        name = ("joint", *map(_name, nodes))
        if name not in self.blocks:
            size = math.prod(self.clean(node).size for node in nodes)
            if size > LARGEST // 20:
                self._refuse(nodes[0], f"an `or` of selectors needs {size} values at once, more than {LARGEST // 20}")
            step = SOp.pointwise(lambda *values: values, *nodes)
            self.kept.append(step)
            self.blocks[name] = self.clean(step)
        return self.blocks[name]

    def _sum_of_counts(self, step) -> list[SOp] | None:
        """The counts whose sum is the width of an `or`: where its parts exclude each other, and it saves a layer."""
        if id(step) not in self.counts:
            self.counts[id(step)] = None
            selector, bos = step.width_of
            parts = _flatten(selector, "or")
            if len(parts) > 1 and self._joins_late(selector) and self._exclusive(parts):
                self.counts[id(step)] = counts = [selector_width(part, bos) for part in parts]
                for count in counts:
                    count.summand_of = id(step)
        return self.counts[id(step)]

    def _joins_late(self, selector) -> bool:
        """Whether joining all that a selector compares takes a layer more than comparing each alone."""
        sides = _compared(selector)
        apart = max(self.clean(node).time for nodes in sides for node in nodes)
        for nodes in sides:
            leaves = {id(leaf): leaf for node in nodes if hasattr(node, "parts") for leaf in self.leaves(node)}
            times = [self.leaf(leaf).time for leaf in leaves.values()]
            if len(nodes) > 1 and len(leaves) > 1 and 2 * layer_after(times) > apart:
                return True
        return False

    def _exclusive(self, parts: list) -> bool:
        """Whether no two of the selectors choose the same key: seen from terms that compare the same two steps."""

        def apart(one, other) -> bool:
            for a, b in itertools.product(_flatten(one, "and"), _flatten(other, "and")):
                if a.op == b.op == "select" and list(map(_name, a.parts)) == list(map(_name, b.parts)):
                    keys, queries = (self.clean(node).values for node in a.parts)
                    holds = [self.predicate([term], *([node] for node in term.parts)) for term in (a, b)]
                    if not any(all(h(k, q) for h in holds) for k in keys for q in queries):
                        return True
            return False

        return all(apart(one, other) for one, other in itertools.combinations(parts, 2))

    def predicate(self, members: list, keys: list, queries: list) -> Callable:
        """Do all selectors of a term hold for these values of its keys and queries?"""

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

    # ---- heads

    def head(self, selector, extra: list, whole_bos: bool, late: int) -> Head:
        """The head of a selector, in a layer after `late`; `whole_bos`: BOS is always among the chosen."""
        terms = [*self.conjunction(selector), *extra]
        blocks = [(self.joint(keys), self.joint(queries)) for keys, queries, _ in terms]
        layer = layer_after([late, *(block.time for pair in blocks for block in pair)])
        key = (id(selector), bool(extra), whole_bos, layer)
        if key in self.shared:
            return self.shared[key]
        made = []
        d_head = sum(key_block.size + 1 for key_block, _ in blocks)
        for number, ((keys, queries, members), (key_block, query_block)) in enumerate(zip(terms, blocks, strict=True)):
            predicate = members if callable(members) else self.predicate(members, keys, queries)
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
        block = self._block(None, 2 * head.layer - 1)
        head.reads.append((torch.tensor([[1.0]]), [self.bos], block.start))
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
        raw = self._block(None if several else out, 2 * head.layer - 1)
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
            for row in memo[id(selector)]:
                if len({(type(v), v) for v, on in zip(column, row, strict=True) if on}) > 1:
                    return True
        return False


def _flatten(selector, op: str) -> list:
    """The parts of a chain of `and`, or of `or`."""
    if selector.op == op:
        return [term for part in selector.parts for term in _flatten(part, op)]
    return [selector]


def _compared(selector) -> tuple[list, list]:
    """All keys and all queries that a selector compares, each once."""
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
