"""Where a compiled program's result is read from the residual stream, and by which weights (chapter 3)."""

import operator

import torch
from torch import Tensor

from utils.ch3.blocks import CompileError

SIGNS = {operator.add: 1.0, operator.sub: -1.0}


def result_of(plan, sop) -> tuple[list[int], Tensor, float, list | None, int]:
    """(rows of the stream, weights, a constant, what the logits stand for, when it is ready) of the program's result.

    A weighted sum of means is one number, and stands for itself: None. Anything else is one-hot.
    """
    found = _linear(plan, sop)
    if found is not None and found[0]:
        W = torch.tensor([[weight] for weight in found[0].values()])
        return list(found[0]), W, found[1], None, max(block.time for block in plan.raw.values())
    block = plan.readable(sop)
    if block.start < 0:
        raise CompileError(f"{sop} is a constant: there is nothing to compile")
    return list(block.rows), torch.eye(block.size), 0.0, block.values, block.time


def _linear(plan, step) -> tuple[dict[int, float], float] | None:
    """A step as a weighted sum of coordinates of the stream and a constant; None where it is not one."""
    if not hasattr(step, "parts"):
        return ({}, float(step)) if isinstance(step, (int, float)) else None
    if getattr(step, "width_of", None) or step.op not in ("map", "aggregate"):
        return None
    if step.op == "aggregate":
        block = plan.leaf(step)
        return ({block.start: 1.0}, 0.0) if block.values is None else None
    kind = step.setting
    if kind not in (*SIGNS, operator.mul, operator.truediv, operator.neg):
        return None
    found = [_linear(plan, part) for part in step.parts]
    if None in found:
        return None
    (a, p), (b, q) = found if len(found) == 2 else (({}, 0.0), found[0])
    if kind in SIGNS or kind is operator.neg:
        sign = SIGNS.get(kind, -1.0)
        return {row: a.get(row, 0.0) + sign * b.get(row, 0.0) for row in {**a, **b}}, p + sign * q
    if kind is operator.mul and not (a and b):
        rows, factor = (a, q) if a else (b, p)
        return {row: weight * factor for row, weight in rows.items()}, p * q
    if kind is operator.truediv and not b and q:
        return {row: weight / q for row, weight in a.items()}, p / q
    return None
