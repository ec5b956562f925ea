"""Hidden tests of exercise 2.15. The fixture probe_wk1 is the function under test.

The oracle scores every pair in float64. Weights are drawn until no two candidates come so close that rounding could
decide between them, and until the shares are none that other ways of counting give.
"""

from pathlib import Path

import torch

from utils.grade import close
from utils.grade.suite import draws, load_file

recall = load_file(Path(__file__).with_name("_recall_share.py"))
share, unit = recall.share, recall.unit

SIZES = ((13, 11, 32), (15, 12, 40))  # T, V, d by draw


def scores_of(weights):
    """The probe's definition: t = 1 .. T-1 asks, s = 0 .. T-2 are the candidates; row i, column i is right."""
    P, W = weights["pe"].double(), weights["layers.0.attention.wk.weight"].double()
    keys = torch.stack([W @ p for p in P[:-1]])
    return torch.stack([torch.stack([q @ key for key in keys]) for q in P[1:]])


def others(weights):
    """Shares that other ways of counting give."""
    P, W = weights["pe"].double(), weights["layers.0.attention.wk.weight"].double()
    full, places = P @ W @ P.T, torch.arange(len(P))
    upper = torch.ones_like(full, dtype=torch.bool).triu()
    past, before = full.masked_fill(upper.triu(1), -torch.inf), full.masked_fill(upper, -torch.inf)
    rows = [share(table[1:], places[:-1]) for table in (full, past, before, full.T)]
    square = full[1:, :-1]
    rows += [
        share(full, places - 1),
        share(full),
        share(full[:-1], places[1:]),
        share(square) * len(square) / len(full),
    ]
    return [
        *rows,
        share(square.T),
        share(full.T[1:, :-1]),
        share((unit(P @ W.T) @ P.T).T[1:, :-1]),
        share(square.abs()),
    ]


def whole(draw):
    """Every pair p_{t-1} -> p_t is stored with the same score, and nothing else."""
    weights = recall.tables(draw, SIZES[draw.index])
    P = weights["pe"]
    W = torch.linalg.pinv(P[1:]) @ torch.linalg.pinv(P[:-1]).T
    weights["layers.0.attention.wk.weight"] = W * 0.01
    return (weights,)


def part(draw):
    """The pairs are stored with random strength, among pairs of other kinds."""
    weights = recall.tables(draw, SIZES[draw.index])
    P = unit(weights["pe"])
    T = len(P)
    pairs = [torch.outer(P[t], P[t - 1]) * draw.uniform(1, low=0.5, high=2.5) for t in range(1, T)]
    for asks, answers in ((range(T), range(T)), (range(T - 1), range(1, T)), (range(T), draw.permutation(T))):
        pairs += [torch.outer(P[t], P[s]) * draw.uniform(1, high=1.2) for t, s in zip(asks, answers, strict=True)]
    pairs += [torch.outer(p, P[-1]) * draw.uniform(1, high=1.6) for p in P]
    pairs += [-torch.outer(P[t], P[s]) * draw.uniform(1, high=1.6) for t, s in enumerate(draw.permutation(T))]
    weights["layers.0.attention.wk.weight"] = sum(pairs)
    return (weights,)


def in_part(draw):
    return recall.told_apart(draw, part, scores_of, others)


@draws(1)
def test_whole_memory(probe_wk1, draw):
    given = [draw.once(whole) for _ in range(recall.MODELS)]
    says = "a matrix that stores every pair p_{t-1} -> p_t, and nothing else, has recall 1, whatever its scale"
    close(recall.run(probe_wk1, given), torch.ones(len(given)), says, name="the share")


def test_part_of_the_memory(probe_wk1, draw):
    several, values = draw.once(in_part)
    says = (
        "where W_K^1 holds some of the pairs only, the share is off: look at which positions ask, which are "
        "candidates, and which candidate counts as right"
    )
    close(recall.run(probe_wk1, several), values, says, name="the share")
