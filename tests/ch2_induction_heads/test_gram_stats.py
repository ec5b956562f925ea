"""Hidden tests of exercise 2.8: three numbers about the inner products of rows, each pair multiplied out by itself."""

import torch

from utils.grade import close, equal, require
from utils.grade.judge import a_thing

N, D = 7, 4  # different, so that inner products of columns show
NAMES = "diag_mean", "off_std", "off_max"


def products(E):
    """The oracle's inner products in float64: of each row with itself, and of each pair of different rows."""
    rows = E.double().tolist()
    inner = [[sum(x * y for x, y in zip(a, b, strict=True)) for b in rows] for a in rows]
    diagonal = torch.tensor([inner[i][i] for i in range(len(rows))])
    return diagonal, torch.tensor([inner[i][j] for i in range(len(rows)) for j in range(len(rows)) if i != j])


def three(gram_stats, E):
    got = gram_stats(E)
    require(got is not None, "nothing is returned: the line with return is missing")
    several = isinstance(got, (tuple, list)) and len(got) == 3
    require(several, "the result must be three numbers: (diag_mean, off_std, off_max)", got=got)
    for value, name in zip(got, NAMES, strict=True):
        says = f"{name} must be one plain number, but it is {a_thing(value)}: .item() makes a number of a tensor"
        require(isinstance(value, (int, float)), says, got=value)
    return [float(value) for value in got]


def embeddings(draw, sign):
    """Rows of unequal length whose inner products do not average to zero; the largest is positive or negative."""
    E = 0.5 * draw.normal(N, D) + 0.3 * draw.normal(D) + sign * 0.2
    longest = int(E[1:].norm(dim=1).argmax()) + 1
    E[0] = sign * (1.1 + 1.5 / E[longest].norm()) * E[longest]  # no other product is as large as that of these two
    return E[draw.permutation(N)]


def test_diag_mean(gram_stats, draw):
    E = embeddings(draw, 1)
    got = three(gram_stats, E)[0]
    close(got, products(E)[0].mean().item(), "diag_mean is not the mean squared length of the rows", inputs={"E": E})


def test_off_max(gram_stats, draw):
    E = embeddings(draw, 1 - 2 * draw.index)
    got, off = three(gram_stats, E)[2], products(E)[1]
    says = "off_max is not the largest absolute inner product of two different rows"
    close(got, off.abs().max().item(), says, inputs={"E": E})


def test_off_std(gram_stats, draw):
    E = embeddings(draw, 1 - 2 * draw.index)
    got, off = three(gram_stats, E)[1], products(E)[1]
    half = off.view(N, N - 1)  # each pair once has the same spread, but for the n - 1
    once = torch.stack([half[i, j - 1] for i in range(N) for j in range(i + 1, N)])
    accepted = [values.std(correction=n).item() for values in (off, once) for n in (0, 1)]
    expected = min(accepted, key=lambda value: abs(value - got))
    says = "off_std is not the standard deviation of the inner products of different rows"
    close(got, expected, says, inputs={"E": E})


def test_embeddings_are_left_alone(gram_stats, draw):
    E = draw.normal(N, D)
    equal(gram_stats.call(E)["args"][0], E, "the caller's embeddings are different after the call")
