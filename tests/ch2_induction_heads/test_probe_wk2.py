"""Hidden tests of exercise 2.16. The fixture probe_wk2 is the function under test.

The oracle scores every pair in float64. Weights are drawn until no two candidates come so close that rounding could
decide between them, and until the shares are none that other ways of counting give.
"""

from pathlib import Path

import torch

from utils.grade import close
from utils.grade.suite import draws, load_file

recall = load_file(Path(__file__).with_name("_recall_share.py"))
share, unit = recall.share, recall.unit

SIZES = ((8, 17, 40), (7, 15, 32))  # T, V, d by draw


def matrices(weights):
    return weights["tok_embeddings.weight"], weights["layers.1.attention.wk.weight"]


def keys_of(weights):
    """Rows of what the first layer writes of each token (w_1), and of what other ways to it give."""
    E = weights["tok_embeddings.weight"]
    wv, wo, wv2, wo2 = (weights[f"layers.{i}.attention.{name}.weight"] for i in (0, 1) for name in ("wv", "wo"))
    w_1 = torch.stack([wo @ (wv @ e) for e in E])
    return [w_1, E, E @ wv.T, E @ wo.T, E @ wo.T @ wv.T, E @ wv @ wo, E @ wv2.T @ wo2.T, E + w_1]


def scores_of(weights, tokens):
    """The probe's definition: queries and candidates are the given tokens; row i, column i is right."""
    E, W, w_1 = (x.double() for x in (*matrices(weights), keys_of(weights)[0]))
    return torch.stack([torch.stack([E[i] @ (W @ w_1[j]) for j in tokens]) for i in tokens])


def others(weights, tokens):
    """Shares that other ways of counting give."""
    (E, W), (w_1, *keys) = matrices(weights), keys_of(weights)
    full = E @ W @ w_1.T
    right = full[tokens][:, tokens]
    shares = [share(E[tokens] @ W @ key[tokens].T) for key in keys]
    shares += [share(right, tokens), share(full[tokens], tokens), share(full[tokens]), share(full), share(right.T)]
    shares += [share(right.abs()), share(right) * len(tokens) / len(full), share(full[: len(tokens), : len(tokens)])]
    return [*shares, share(E[tokens] @ W.T @ w_1[tokens].T), share(E[tokens] @ unit(w_1[tokens] @ W.T).T)]


def whole(draw):
    """Every pair w_1(q) -> w_E(q) is stored with the same score; all tokens are asked, in another order."""
    weights = recall.tables(draw, SIZES[draw.index])
    w_1 = keys_of(weights)[0]
    W = torch.linalg.pinv(weights["tok_embeddings.weight"]) @ torch.linalg.pinv(w_1).T
    weights["layers.1.attention.wk.weight"] = W * 0.01
    return weights, draw.permutation(len(w_1))


def part(draw):
    """The pairs are stored with random strength, among pairs of other kinds; a subset of the tokens is asked."""
    weights = recall.tables(draw, SIZES[draw.index])
    E = unit(weights["tok_embeddings.weight"])
    keys = [unit(kind) for kind in keys_of(weights)]
    W = (E * draw.uniform(len(E), 1, low=0.5, high=2.5)).T @ keys[0]
    for kind in [*keys[1:], keys[0][draw.permutation(len(E))]]:
        W += (E * draw.uniform(len(E), 1, high=1.2)).T @ kind
    W -= (E * draw.uniform(len(E), 1, high=2.0)).T @ keys[0][draw.permutation(len(E))]
    weights["layers.1.attention.wk.weight"] = W + (keys[0] * draw.uniform(len(E), 1, high=2.0)).T @ E
    return weights, draw.permutation(len(E))[: 7 + draw.index]


def in_part(draw):
    return recall.told_apart(draw, part, scores_of, others)


@draws(1)
def test_whole_memory(probe_wk2, draw):
    given = [draw.once(whole) for _ in range(recall.MODELS)]
    says = "a matrix that stores every pair w_1(q) -> w_E(q), and nothing else, has recall 1, whatever its scale"
    close(recall.run(probe_wk2, given), torch.ones(len(given)), says, name="the share", inputs={"tokens": given[0][1]})


def test_part_of_the_memory(probe_wk2, draw):
    several, values = draw.once(in_part)
    says = (
        "where W_K^2 holds some of the pairs only, the share is off: look at what a query is, what a candidate has "
        "been through, and that both run over the given tokens alone"
    )
    close(recall.run(probe_wk2, several), values, says, name="the share")
