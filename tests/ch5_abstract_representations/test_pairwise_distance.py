"""Hidden tests of exercise 5.14: every pair, by a loop; no nan from rounding."""

import torch

from utils.grade import close, draws, equal, raises, require


def by_hand(X, unit):
    X = X.double()
    rows = [x / x.norm() if unit and x.norm() > 0 else x for x in X]
    return torch.tensor([[float((a - b).norm()) for b in rows] for a in rows])


def probe_distance(pairwise_distance, X, metric):
    D = pairwise_distance(X, *metric)
    return {"result": D, "kind": type(D).__name__, "X": X}


def run(pairwise_distance, X, *metric):
    got = pairwise_distance.run(probe_distance, X, metric)
    equal(got["X"], X, "the caller's X is different after the call")
    require(got["kind"] == "Tensor", f"pairwise_distance must return a tensor, but it returns a {got['kind']}")
    D = got["result"]
    require(torch.is_tensor(D) and tuple(D.shape) == (len(X), len(X)), f"the result must have shape {(len(X), len(X))}")
    require(not D.isnan().any(), "there is nan among the distances: rounding has made a square negative")
    return D


def test_diagonal(pairwise_distance, draw):
    D = run(pairwise_distance, draw.normal(40, 16) + 30)
    says = "the distance of a row to itself must be 0, also for long vectors that lie close together"
    close(D.diagonal(), torch.zeros(40), says)


def test_euclidean(pairwise_distance, draw):
    X = draw.normal(5 + draw.index, 3, std=2.0)
    says = "the euclidean distances are off"
    close(run(pairwise_distance, X, "euclidean"), by_hand(X, False), says)
    close(run(pairwise_distance, X), by_hand(X, False), "without a metric the distances must be euclidean")
    X = 1000 + draw.normal(6, 4, std=0.1)
    says = "for long vectors that lie close together the distances are off: subtract the vectors first, then square"
    close(run(pairwise_distance, X), by_hand(X, False), says, atol=1e-3)


def test_unit(pairwise_distance, draw):
    X = draw.normal(5, 4) * torch.tensor([[0.01], [1.0], [5.0], [100.0], [0.0]])
    says = 'with "unit", rows must be scaled to length 1 first (a row of zeros stays zero)'
    close(run(pairwise_distance, X, "unit"), by_hand(X, True), says)


@draws(1)
def test_unknown(pairwise_distance, draw):
    for metric in ("cosine-ish", "Unit", ""):
        with raises(f"the metric {metric!r} must be refused with a ValueError: it is neither of the two", "ValueError"):
            pairwise_distance(draw.normal(3, 2), metric)
