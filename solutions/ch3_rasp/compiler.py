"""A RASP program as the weights of a transformer, and the check that it is the same program (chapter 3).

Source: Lindner et al. 2023 (Tracr); differences are told in the docstrings.
"""

import itertools
import operator
import random

import torch

from .analysis import steps
from .compiled import CompiledModel
from .language import SOp
from .plan import BOS, CompileError, Plan
from .values import Atom, RaspError

LINEAR = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def linear(step, plan: Plan) -> tuple[dict[int, float], float] | None:
    """A step as a weighted sum of coordinates of the residual stream and a constant; None where it is not one."""
    if not hasattr(step, "parts"):
        return ({}, float(step)) if isinstance(step, (int, float)) else None
    if step.op != "map":
        if step.op != "aggregate" or getattr(step, "width_of", None):
            return None
        block = plan.leaf(step)
        return ({block.start: 1.0}, 0.0) if block.values is None else None
    if getattr(step, "width_of", None) or step.name not in LINEAR:
        return None
    found = [linear(part, plan) for part in step.parts]
    if None in found:
        return None
    if len(found) == 1:
        return {row: -weight for row, weight in found[0][0].items()}, -found[0][1]
    (a, p), (b, q) = found
    if step.name in "+-":
        sign = 1.0 if step.name == "+" else -1.0
        rows = {row: a.get(row, 0.0) + sign * b.get(row, 0.0) for row in {*a, *b}}
        return rows, p + sign * q
    if step.name == "*" and (not a or not b):
        rows, factor = (b, p) if not a else (a, q)
        return {row: weight * factor for row, weight in rows.items()}, p * q
    if step.name == "/" and not b and q:
        return {row: weight / q for row, weight in a.items()}, p / q
    return None


def compile_rasp(sop: SOp, vocab: list, max_len: int, causal: bool = False) -> CompiledModel:
    """The program as a transformer that is right on every input of 1 to max_len tokens of the vocabulary.

    The model reads BOS first, so that a row that chooses nothing has something to look at. It has as many layers as
    `report` counts, or one more where tokens and positions are mixed before any attention, by a function or by an `or`
    of selectors that can't be counted apart, or where float32 has too few digits to tell several numbers apart in one
    layer. Hidden width grows like max_len squared: keep it below about 30.
    Raises CompileError, naming the step, for means of other values than 0 and 1, tables that are too large, tokens read
    as another type, and, with `causal`, selectors that look to the right.
    """
    check_arguments(sop, vocab, max_len)
    plan = Plan(sop, vocab, max_len)
    if causal:
        refuse_looking_right(sop, plan)
    # solution
    found = linear(sop, plan)
    if found is not None and found[0]:
        rows, values, constant = list(found[0]), None, found[1]
        W_U, time = torch.tensor([[weight] for weight in found[0].values()]), max(b.time for b in plan.raw.values())
    else:
        block = plan.readable(sop)
        if block.start < 0:
            raise CompileError(f"{sop} is a constant: there is nothing to compile")
        rows, values, constant = list(range(block.start, block.start + block.size)), block.values, 0.0
        W_U, time = torch.eye(block.size), block.time
    model = CompiledModel.empty(plan, (time + 1) // 2, len(values) if values else 1, causal)
    model.write_embedding(plan)
    for layer in range(model.layers):
        model.write_attention(layer, [head for head in plan.heads if head.layer == layer + 1], plan)
        model.write_mlp(layer, [units for units in plan.units if units.layer == layer + 1])
    model.write_output(rows, W_U, constant, values)
    return model
    # end solution


def check_arguments(sop, vocab: list, max_len: int) -> None:
    """Raises CompileError for a vocabulary or a length that makes no sense, and for what isn't an s-op."""
    if getattr(sop, "kind", "") != "s-op":
        raise CompileError("only an s-op can be compiled: selectors have no value of their own")
    if not vocab or len({(type(v), v) for v in vocab}) != len(vocab):
        raise CompileError("the vocabulary must be a list of different tokens")
    if BOS in vocab:
        raise CompileError(f"the vocabulary must not hold {BOS!r}: the model puts it in front of every input")
    if not isinstance(max_len, int) or max_len < 1:
        raise CompileError(f"max_len must be a whole number above zero, but it is {max_len!r}")


def refuse_looking_right(sop: SOp, plan: Plan) -> None:
    """Raises CompileError for a selector that was seen to choose a later position."""
    for step in steps(sop):
        if step.kind == "selector" and any(torch.as_tensor(memo[id(step)]).triu(1).any() for memo in plan.samples):
            raise CompileError(f"{step} looks to the right, which a causal model cannot")


def verify(model: CompiledModel, sop: SOp, tries: int = 200, seed: int = 0) -> dict | None:
    """Compare model and program on all inputs of up to three tokens, and on random ones; the first difference, or None.

    The difference is {"input", "model", "program"}. Inputs on which the program itself fails are left out.
    """
    generator = random.Random(seed)
    words = [list(w) for k in range(1, min(3, model.max_len) + 1) for w in itertools.product(model.vocab, repeat=k)]
    words += [generator.choices(model.vocab, k=generator.randint(1, model.max_len)) for _ in range(tries)]
    for word in words:
        try:
            expected = sop(word)
        except RaspError:
            continue
        got = model(word)
        if not all(map(same_value, got, expected)):
            return {"input": word, "model": got, "program": expected}
    return None


def same_value(a: Atom, b: Atom) -> bool:
    """Equal, numbers to four digits."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) < 1e-4
    return type(a) is type(b) and a == b
