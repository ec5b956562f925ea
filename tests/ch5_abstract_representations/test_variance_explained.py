"""Hidden tests of exercise 5.12: eta squared, from its definition, class by class."""

import torch

from utils.grade import close, equal, plain_number, require
from utils.grade.probes import call


def by_hand(X, y):
    X = X.double()
    mean = X.mean(0)
    total = sum(float((x - mean).square().sum()) for x in X)
    between = 0.0
    for label in set(y.tolist()):
        members = X[y == label]
        between += len(members) * float((members.mean(0) - mean).square().sum())
    return between / total


def run(variance_explained, X, y, tolerance=None):
    got = variance_explained.run(call, (X, y), {}, tolerance=tolerance)
    equal(got["args"][0], X, "the caller's X is different after the call")
    plain_number(got["result"], float)
    return got["result"]


def test_definition(variance_explained, draw):
    y = torch.tensor([0, 11, 0, 1, 0, 0, 1, 0, 0])  # classes of unequal size in any order, numbers with gaps
    X = draw.normal(9, 5) + 3 * draw.normal(12, 5)[y] + 4
    got, share = run(variance_explained, X, y), by_hand(X, y)
    says = "the sum between the classes is divided by that within them: divide by the whole"
    require(not abs(got - share / (1 - share)) < 1e-4 * share, says, expected=share, got=got)  # nan passes on
    says = "the share of variance between the classes is off (classes may differ in size)"
    close(got, share, says, atol=1e-4)


def test_far_from_the_origin(variance_explained, draw):
    y = draw.permutation(12) % 3
    X = draw.normal(12, 5) + draw.normal(3, 5)[y] + 3000
    says = "the share is off where the vectors are long and lie close together: subtract the mean before you square"
    close(run(variance_explained, X, y), by_hand(X, y), says, atol=5e-3)


def test_ends(variance_explained, draw):
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    points = draw.normal(3, 4)
    share = run(variance_explained, points[y], y, tolerance=1e-5)  # of 1 minus the share, rounding alone is left
    close(share, 1.0, "when all members of a class are equal, the share is 1")
    close(
        run(variance_explained, draw.normal(6, 4), torch.zeros(6, dtype=torch.int64)), 0.0, "one class explains nothing"
    )
    small = (draw.normal(6, 4) + 2 * draw.normal(3, 4)[y]) * 1e-3
    says = "small vectors vary as well: the share is 0 only where all of them are equal"
    close(run(variance_explained, small, y), by_hand(small, y), says, atol=1e-3)
    same = torch.full((6, 4), 2.0)
    close(run(variance_explained, same, y), 0.0, "where X does not vary at all, the share must be 0")
