"""Selectors as attention heads: what they compare, which heads several steps share, what a head writes (chapter 3)."""

import contextlib
import functools
import itertools
import math
from collections.abc import Callable

import numpy as np
import torch

from utils.ch3.blocks import LARGEST, Block, Head, inside, layer_after, name_of


def written_by_attention(plan, step) -> Block:
    """The block that the head of an aggregate or of a count writes into."""
    width_of = getattr(step, "width_of", None)
    return _width(plan, step, *width_of) if width_of else _aggregate(plan, step)


def _width(plan, step, selector, bos: bool) -> Block:
    """1 / (width + 1): BOS is always chosen too, and the head takes the mean of its flag."""
    extra = []
    if bos:  # the program's own BOS, at index 0, is never counted
        indices = next(node for node in inside(step) if node.op == "indices")
        extra = [([indices], [1], lambda key, query: key != 0)]
    head = _head(plan, selector, extra, True, 0)
    block = plan.block(None, 2 * head.layer - 1)
    head.reads.append((torch.tensor([[1.0]]), [plan.bos], block.start))
    return block


def _aggregate(plan, step) -> Block:
    """What an aggregate's head writes: the one-hot vector of the value it chose, or the mean of zeros and ones."""
    selector, values = step.parts
    several = _chooses_several(plan, step)
    block = plan.clean(values)
    ones = {(type(v), v) for v in block.values} <= {(int, 0), (int, 1)}
    if several and not ones:
        plan.refuse(step, "it takes a mean of values other than 0 and 1, which one-hot vectors cannot show")
    if several and not isinstance(step.setting, (int, float)):
        plan.refuse(step, "a mean of numbers has a default that isn't a number")
    head = _head(plan, selector, [], False, block.time)
    W, out = plan.aggregate_to_ov(block.values, step.setting, numeric=several)
    raw = plan.block(None if several else out, 2 * head.layer - 1)
    rows = [plan.one] if block.start < 0 else list(block.rows)
    if block.start < 0:  # the constant 1 is there at BOS too: take it off again
        W = torch.stack([W[0], W[-1] - W[0]])
    head.reads.append((W, [*rows, plan.bos], raw.start))
    return raw


def _chooses_several(plan, step) -> bool:
    """Whether a row was seen to choose several values that differ."""
    selector, values = step.parts
    for memo in plan.samples:
        column = memo[id(values)] if hasattr(values, "parts") else [values] * memo["n"]
        for row in memo[id(selector)]:
            if len({(type(v), v) for v, on in zip(column, row, strict=True) if on}) > 1:
                return True
    return False


def _head(plan, selector, extra: list, whole_bos: bool, late: int) -> Head:
    """The head of a selector, in a layer after `late`; `whole_bos`: BOS is always among the chosen."""
    terms = [*_conjunction(selector), *extra]
    blocks = [(_joint(plan, keys), _joint(plan, queries)) for keys, queries, _ in terms]
    layer = layer_after([late, *(block.time for pair in blocks for block in pair)])
    key = (id(selector), bool(extra), whole_bos, layer)
    if key in plan.shared:
        return plan.shared[key]
    made = []
    d_head = sum(key_block.size + 1 for key_block, _ in blocks)
    for number, ((keys, queries, members), (key_block, query_block)) in enumerate(zip(terms, blocks, strict=True)):
        key_values, query_values = key_block.values, query_block.values
        holds = members if callable(members) else predicate(members, keys, queries, key_values, query_values)
        bos = 0.0 if number else len(terms) - (0.0 if whole_bos else 0.5)
        W_Q, W_K = plan.selector_to_head(holds, key_values, query_values, plan.c, bos, d_head)
        made.append((W_Q, query_block, W_K, key_block))
    head = plan.shared[key] = Head(layer, made)
    plan.heads.append(head)
    return head


def _conjunction(selector) -> list[tuple[list, list, list]]:
    """The terms of a selector that must all hold: (key nodes, query nodes, selectors), one per pair of nodes.

    Terms on the same nodes are one. Any other term, such as an `or`, compares all of its keys, joined to one block,
    with all of its queries.
    """
    groups: dict[tuple, tuple] = {}
    for part in flatten(selector, "and"):
        keys, queries = compared(part)
        name = (tuple(map(name_of, keys)), tuple(map(name_of, queries)))
        groups.setdefault(name, (keys, queries, []))[2].append(part)
    return list(groups.values())


def _joint(plan, nodes: list) -> Block:
    """One block for the values of several nodes, tuples if there is more than one."""
    if len(nodes) == 1:
        return plan.clean(nodes[0])
    name = ("joint", *map(name_of, nodes))
    if name not in plan.blocks:
        size = math.prod(plan.clean(node).size for node in nodes)
        if size > LARGEST // 20:
            why = f"an `or` of selectors needs {size} values at once, more than {LARGEST // 20}"
            plan.refuse(nodes[0], why)
        step = type(plan.sop).pointwise(lambda *values: values, *nodes)
        plan.kept.append(step)
        plan.blocks[name] = plan.clean(step)
    return plan.blocks[name]


def sum_of_counts(plan, step) -> list | None:
    """The counts whose sum is the width of an `or`: where its parts exclude each other, and it saves a layer."""
    selector, bos = step.width_of
    parts = flatten(selector, "or")
    if len(parts) < 2 or not _joins_late(plan, selector) or not _exclusive(plan, parts):
        return None
    counts = [step.count_again(part, bos) for part in parts]
    for count in counts:
        count.summand_of = id(step)
    return counts


def _joins_late(plan, selector) -> bool:
    """Whether joining all that a selector compares takes a layer more than comparing each alone."""
    sides = compared(selector)
    apart = max(plan.clean(node).time for nodes in sides for node in nodes)
    for nodes in sides:
        leaves = {id(leaf): leaf for node in nodes if hasattr(node, "parts") for leaf in plan.leaves(node)}
        times = [plan.leaf(leaf).time for leaf in leaves.values()]
        if len(nodes) > 1 and len(leaves) > 1 and 2 * layer_after(times) > apart:
            return True
    return False


def _exclusive(plan, parts: list) -> bool:
    """Whether no two of the selectors choose the same key: seen from terms that compare the same two steps."""

    def apart(one, other) -> bool:
        for a, b in itertools.product(flatten(one, "and"), flatten(other, "and")):
            if a.op == b.op == "select" and list(map(name_of, a.parts)) == list(map(name_of, b.parts)):
                keys, queries = (plan.clean(node).values for node in a.parts)
                holds = [predicate([term], *([node] for node in term.parts), keys, queries) for term in (a, b)]
                if not any(all(h(k, q) for h in holds) for k in keys for q in queries):
                    return True
        return False

    return all(apart(one, other) for one, other in itertools.combinations(parts, 2))


def predicate(members: list, keys: list, queries: list, key_values: list, query_values: list) -> Callable:
    """Do all selectors of a term hold for these values of its keys and queries (of several nodes: tuples)?

    All pairs are decided at once, and then looked up. Values are told apart as objects: 1, True and 1.0 are equal.
    """
    key_columns = dict(zip(map(name_of, keys), _columns(keys, key_values), strict=True))
    query_columns = dict(zip(map(name_of, queries), _columns(queries, query_values), strict=True))

    def table(node) -> np.ndarray:
        if node.op == "select":
            return _decide(node, key_columns[name_of(node.parts[0])], query_columns[name_of(node.parts[1])])
        inner = [table(part) for part in node.parts]
        join = np.logical_and if node.op == "and" else np.logical_or
        return ~inner[0] if node.op == "not" else functools.reduce(join, inner)

    rows = functools.reduce(np.logical_and, map(table, members)).tolist()
    key_places = {id(value): place for place, value in enumerate(key_values)}
    query_places = {id(value): place for place, value in enumerate(query_values)}
    return lambda key, query: rows[query_places[id(query)]][key_places[id(key)]]


def _columns(nodes: list, values: list) -> list[tuple]:
    """For each node the values that it has in the block's values."""
    return list(zip(*values, strict=True)) if len(nodes) > 1 else [tuple(values)]


def _decide(select, keys: tuple, queries: tuple) -> np.ndarray:
    """What a selector says of every query and key, computed once for those that are alike; False where it fails."""
    sides = []
    for column in (keys, queries):
        different = list(dict.fromkeys((type(value), value) for value in column))
        place = {name: i for i, name in enumerate(different)}
        sides.append(([value for _, value in different], [place[type(value), value] for value in column]))
    (key_values, key_at), (query_values, query_at) = sides
    try:
        small = np.array(select.function(key_values, query_values), dtype=bool)
    except Exception:  # values that never meet, such as "a" < 1, are among them
        small = np.zeros((len(query_values), len(key_values)), dtype=bool)
        for (i, query), (j, key) in itertools.product(enumerate(query_values), enumerate(key_values)):
            with contextlib.suppress(Exception):
                small[i, j] = bool(select.function([key], [query])[0][0])
    return small[np.ix_(query_at, key_at)]


def flatten(selector, op: str) -> list:
    """The parts of a chain of `and`, or of `or`."""
    if selector.op == op:
        return [term for part in selector.parts for term in flatten(part, op)]
    return [selector]


def compared(selector) -> tuple[list, list]:
    """All keys and all queries that a selector compares, each once."""
    keys: dict = {}
    queries: dict = {}

    def visit(node) -> None:
        if node.op == "select":
            keys.setdefault(name_of(node.parts[0]), node.parts[0])
            queries.setdefault(name_of(node.parts[1]), node.parts[1])
        else:
            for part in node.parts:
                visit(part)

    visit(selector)
    return list(keys.values()), list(queries.values())
