"""Which numbers attention can hand to an MLP, and how one layer of ReLUs tells them apart (chapter 3, the compiler).

A head that takes a mean gives a fraction a / b: a of the b chosen keys hold a 1. What follows from it is a table over
all fractions that can occur. Several numbers at once are added up with weights, so that one sum tells them all apart.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from utils.ch3.blocks import inside

SHARPEST = 2e5  # slope of a step: beyond it, float32 has too few digits
TOGETHER = 2_000_000  # sums that are looked at together


def about_positions(step) -> bool:
    """Whether a step depends on positions and the length alone, and not on the tokens."""
    return all(part.op != "tokens" for part in inside(step)) if hasattr(step, "parts") else True


def fractions(b: int, default: object) -> list[tuple[float, object]]:
    """Means of b zeros and ones, as (number, value); the default for b = 0."""
    return [(a / b, a / b if b > 1 else a) for a in range(b + 1)] if b else [(float(default), default)]


def together(leaves: list, longest: int, place: int | None = None, most: int = 40_000) -> list[tuple] | None:
    """What several counts and means can be at the same time: (numbers in the stream, values in the program), each once.

    A count w is the number 1 / (w + 1). What depends on positions alone is computed for every length, only at `place`
    if that is given; of what the tokens decide, nothing is known but how many keys there are. None: more than `most`.
    """
    known = {id(leaf) for leaf in leaves if about_positions(leaf)}
    selectors = {id(leaf.parts[0]): leaf.parts[0] for leaf in leaves if leaf.op == "aggregate"}
    fixed = {key: selector for key, selector in selectors.items() if about_positions(selector)}
    free = [key for key in selectors if key not in fixed]
    by_place = bool(known or fixed)

    def choices(leaf, widths: dict, memo: dict, q: int) -> list[tuple[float, object]]:
        counts = getattr(leaf, "width_of", None)
        if id(leaf) in known:
            value = memo[id(leaf)][q]
            return [(1 / (value + 1) if counts else float(value), value)]
        if counts:
            return [(1 / (w + 1), w) for w in range(longest + 1)]
        return fractions(widths[id(leaf.parts[0])], leaf.setting)

    found: dict[tuple, None] = {}
    for n in range(1, longest + 1) if by_place else [longest]:
        memo: dict = {}
        for step in [*fixed.values(), *(leaf for leaf in leaves if id(leaf) in known)]:
            step.value([""] * n, memo)
        for q in range(n) if by_place else [0]:
            if by_place and place not in (None, q):
                continue
            here = {key: int(memo[key][q].sum()) for key in fixed}
            for rest in itertools.product(range(n + 1), repeat=len(free)):
                options = [choices(leaf, here | dict(zip(free, rest, strict=True)), memo, q) for leaf in leaves]
                if math.prod(map(len, options)) > most:
                    return None
                for row in itertools.product(*options):
                    numbers, values = zip(*row, strict=True)
                    if _few_enough(leaves, values, longest):
                        found[numbers, values] = None
            if len(found) > most:
                return None
    return list(found)


def _few_enough(leaves: list, values: tuple, longest: int) -> bool:
    """Counts of keys that no two selectors choose both add up to `longest` at most."""
    sums: dict[int, int] = {}
    for leaf, value in zip(leaves, values, strict=True):
        if getattr(leaf, "summand_of", None):
            sums[leaf.summand_of] = sums.get(leaf.summand_of, 0) + value
    return all(total <= longest for total in sums.values())


def finest(column: np.ndarray) -> float:
    """The smallest distance of two different numbers."""
    distances = np.diff(np.unique(column.round(12)))
    return float(distances.min()) if len(distances) else 1.0


def directions(points: np.ndarray) -> Iterator[np.ndarray]:
    """Weights to try: all alike up to signs, or some so small that they only decide where the others are equal."""
    k = points.shape[1]
    for cuts in itertools.product((False, True), repeat=k - 1):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut]
        blocks = list(itertools.pairwise([0, *ends, k]))
        for signs in itertools.product((1.0, -1.0), repeat=k - 1):
            weights = np.array([1.0, *signs])
            for start, end in reversed(blocks[:-1]):
                inner = points[:, end:] @ weights[end:]
                outer = points[:, start:end] @ weights[start:end]
                weights[end:] *= min(1.0, finest(outer) / (np.ptp(inner) + finest(inner)))
            yield weights


def tell_apart(points: Sequence[tuple], results: Sequence, sharpest: float = SHARPEST) -> tuple | None:
    """Weights for several numbers whose sum alone then decides the result: (weights, table, sharpness), or None.

    The table says what the result is for each sum. Taken are the weights with the fewest changes of the result; where
    none of the simple ones will do, two numbers are tried with all ratios.
    """
    places = {result: i for i, result in enumerate(dict.fromkeys(results))}
    codes = np.array([places[result] for result in results])
    matrix = np.array(points, dtype=float).reshape(len(points), -1)

    def best(candidates: np.ndarray) -> tuple | None:
        found = None
        for some in np.array_split(candidates, -(-candidates.size * len(matrix) // TOGETHER)):
            sums = matrix @ some.T
            order = sums.argsort(axis=0, kind="stable")
            changed = codes[order][1:] != codes[order][:-1]
            gaps = np.diff(np.take_along_axis(sums, order, axis=0), axis=0)
            gap = np.where(changed, gaps, np.inf).min(axis=0, initial=np.inf)
            gap[np.isinf(gap)] = 1.0  # nothing to tell apart
            for i in np.lexsort((-gap, changed.sum(axis=0))):
                row = (int(changed[:, i].sum()), -float(gap[i]), some[i], sums[:, i])
                if gap[i] * sharpest >= 4 and (found is None or row[:2] < found[:2]):
                    found = row
                    break
        return found

    k = matrix.shape[1]
    found = best(np.ones((1, 1)) if k == 1 else np.array(list(directions(matrix))))
    if found is None and k == 2:
        ratios = np.linspace(-1, 1, 2001)
        found = best(np.stack([np.ones_like(ratios), ratios], axis=1))
    if found is None:
        return None
    _, gap, weights, sums = found
    return weights, dict(zip(sums.tolist(), results, strict=True)), 4 / -gap


def table_of(function: Callable, rows: Sequence[tuple]) -> list[tuple]:
    """(row, result) for every row on which the function does not fail: no input leads to the others."""
    found = []
    for row in rows:
        try:
            found.append((row, function(*row)))
        except Exception:  # 1 / 0, say, at a place where the program never comes
            continue
    return found
