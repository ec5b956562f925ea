"""Hidden tests of exercise 2.17. The fixture probe_wo2 is the function under test.

The oracle scores every pair in float64. Weights are drawn until no two candidates come so close that rounding could
decide between them, and until the shares are none that other ways of counting give.
"""

from pathlib import Path

import torch

from utils.grade import close
from utils.grade.suite import draws, load_file

recall = load_file(Path(__file__).with_name("_recall_share.py"))
share, unit = recall.share, recall.unit

SIZES = ((8, 15, 32), (7, 13, 40))  # T, V, d by draw


def maps_of(weights):
    return [weights[f"layers.{i}.attention.{name}.weight"].double() for i in (0, 1) for name in ("wv", "wo")]


def scores_of(weights):
    """The probe's definition: a row of logits for each attended token."""
    _, _, wv, wo = maps_of(weights)
    U = weights["output.weight"].double()
    return torch.stack([U @ (wo @ (wv @ e)) for e in weights["tok_embeddings.weight"].double()])


def others(weights):
    """Shares that other ways of counting give."""
    wv1, wo1, wv, wo = maps_of(weights)
    E, U = weights["tok_embeddings.weight"].double(), weights["output.weight"].double()
    right = E @ wv.T @ wo.T
    written = E @ wv1.T @ wo1.T
    streams = [right + E, E @ wo.T, E @ wv.T, E @ wo.T @ wv.T, E @ wv.T @ wo, E @ wv @ wo.T, E @ wv1.T @ wo.T]
    streams += [written, E @ wv @ wo, (E + written) @ wv.T @ wo.T, E]
    shares = [share(stream @ U.T) for stream in streams]
    logits = right @ U.T
    shares += [share(logits.T), share(right @ E.T), share(U @ wv.T @ wo.T @ U.T), share(logits.abs())]
    return [*shares, share(right @ unit(U).T), share(logits[:-1]), share(logits[1:, 1:])]


def whole(draw):
    """Every pair W_V^2 w_E(b) -> w_U(b) is stored with the same score, and nothing else."""
    weights = recall.tables(draw, SIZES[draw.index])
    values = weights["tok_embeddings.weight"] @ weights["layers.1.attention.wv.weight"].T
    W = torch.linalg.pinv(weights["output.weight"]) @ torch.linalg.pinv(values).T
    weights["layers.1.attention.wo.weight"] = W * 0.001
    return (weights,)


def part(draw):
    """The pairs are stored with random strength, among pairs of other kinds."""
    weights = recall.tables(draw, SIZES[draw.index])
    wv1, wo1, wv, wo = (matrix.float() for matrix in maps_of(weights))
    E, U = weights["tok_embeddings.weight"], unit(weights["output.weight"])
    kinds = [unit(E @ wv.T), unit(E), unit(E @ wv), unit(E @ wv1.T), unit(E @ wv.T)[draw.permutation(len(E))]]
    W = (U * draw.uniform(len(E), 1, low=0.5, high=2.0)).T @ kinds[0]
    for kind in kinds[1:]:
        W += (U * draw.uniform(len(E), 1, high=1.2)).T @ kind
    W -= (U * draw.uniform(len(E), 1, high=1.5)).T @ kinds[0][draw.permutation(len(E))]
    W += (kinds[0] * draw.uniform(len(E), 1, high=1.2)).T @ U + (unit(E) * draw.uniform(len(E), 1)).T @ kinds[0]
    weights["layers.1.attention.wo.weight"] = W
    return (weights,)


def in_part(draw):
    return recall.told_apart(draw, part, scores_of, others)


@draws(1)
def test_whole_memory(probe_wo2, draw):
    given = [draw.once(whole) for _ in range(recall.MODELS)]
    says = "a matrix that stores every pair W_V^2 w_E(b) -> w_U(b), and nothing else, has recall 1, whatever its scale"
    close(recall.run(probe_wo2, given), torch.ones(len(given)), says, name="the share")


def test_part_of_the_memory(probe_wo2, draw):
    several, values = draw.once(in_part)
    says = (
        "where W_O^2 holds some of the pairs only, the share is off: look at the way from the token's embedding to "
        "the logits, at what is added on it, and over what the largest is taken"
    )
    close(recall.run(probe_wo2, several), values, says, name="the share")
