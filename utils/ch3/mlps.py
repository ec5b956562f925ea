"""Elementwise expressions as hidden units: a table of one-hot values, or of numbers behind gates (chapter 3)."""

import itertools
import math

import torch

from utils.ch3.blocks import LARGEST, Block, Units, layer_after
from utils.ch3.reach import table_of, tell_apart, together

GATE = 4.0  # how much above the largest step a closed gate lies


def computed(plan, step, sources: list) -> Block:
    """A function of several blocks, by the MLP of the layer in which the last of them is ready."""
    latest = layer_after(plan.leaf(leaf).time for leaf in plan.leaves(step))
    late = [plan.is_leaf(source) and layer_after([plan.leaf(source).time]) == latest for source in sources]
    numbers = [s for s, now in zip(sources, late, strict=True) if now and plan.leaf(s).values is None]
    others = [s for s in sources if s not in set(numbers)]
    blocks = [plan.readable(s) for s in others]
    layer = max(latest, layer_after(block.time for block in blocks))
    _check_size(plan, step, blocks)
    if not numbers:
        return _table(plan, layer, blocks, plan.function(step, others))
    parts = _gated(plan, step, others, blocks, numbers)
    if parts is None:
        return _in_two_steps(plan, step, numbers)
    return _gates(plan, layer, blocks, [plan.leaf(s) for s in numbers], parts)


def _check_size(plan, step, blocks: list[Block]) -> None:
    size = math.prod(block.size for block in blocks)
    if size > LARGEST:
        plan.refuse(step, f"its table would have {size} rows, more than {LARGEST}")


def _table(plan, layer: int, blocks: list[Block], f) -> Block:
    W_in, W_out, out = plan.lookup_mlp(f, *(block.values for block in blocks))
    rows = [r for block in blocks for r in block.rows] + [plan.one, plan.bos]
    closed = torch.full((1, W_in.shape[1]), -1.0 - len(blocks))
    block = plan.block(out, 2 * layer)
    plan.units.append(Units(layer, rows, torch.cat([W_in, closed]), W_out, block.start))
    return block


def _gated(plan, step, others: list, blocks: list[Block], numbers: list) -> list | None:
    """For each tuple of one-hot values: (their places, weights of the numbers, W_in, W_out, values).

    None where one layer cannot tell the numbers apart, or would be too large.
    """
    f = plan.function(step, [*others, *numbers])
    indices = next((i for i, source in enumerate(others) if source.op == "indices"), None)
    parts: list = []
    reachable: dict = {}
    known: dict = {}  # tables that several tuples share
    for places in itertools.product(*(range(block.size) for block in blocks)):
        fixed = tuple(block.values[place] for block, place in zip(blocks, places, strict=True))
        here = None if indices is None else fixed[indices]
        if here not in reachable:
            reachable[here] = together(numbers, plan.n, here)
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
            W_in, W_out, out = plan.step_mlp(list(sums), lambda z, sums=sums: sums[z][1], sharpness)
            parts.append((places, weights, sharpness * (1 + max(map(abs, sums))), W_in, W_out, out))
    return parts if sum(part[3].shape[1] for part in parts) <= LARGEST else None


def _gates(plan, layer: int, blocks: list[Block], numbers: list[Block], parts: list) -> Block:
    """The hidden units of a function of numbers: each belongs to a tuple of one-hot values, and is 0 for others."""
    rows = [number.start for number in numbers] + [plan.one, *(r for b in blocks for r in b.rows), plan.bos]
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
    block = plan.block([value for _, value in keys], 2 * layer)
    plan.units.append(Units(layer, rows, torch.cat(columns, 1), torch.cat(results), block.start))
    return block


def _in_two_steps(plan, step, numbers: list) -> Block:
    """Too many numbers for one layer: first the largest parts with fewer of them, and the rest a layer later."""
    ready: dict[int, object] = {}

    def visit(node) -> None:
        if not hasattr(node, "parts"):
            return
        if sum(leaf in set(numbers) for leaf in plan.leaves(node)) < len(numbers):
            ready[id(node)] = node
            return
        for part in plan.elementwise(node)[0]:
            visit(part)

    if len(numbers) == 1:
        plan.refuse(step, f"its MLP would have more than {LARGEST} units, or need more digits than float32 has")
    visit(step)
    blocks = [plan.readable(node) for node in ready.values()]
    _check_size(plan, step, blocks)
    return _table(plan, layer_after(b.time for b in blocks), blocks, plan.function(step, list(ready.values())))
