"""Hidden tests of exercise 2.1: counts become probabilities, along the right axis, and an empty row a uniform one."""

import torch

from utils.grade import close, equal, require
from utils.grade.judge import a_thing

V = 6
LOOSE = {"rtol": 5e-3, "atol": 1e-6}  # any floating-point type may come out, so half precision too


def counts(draw, dtype=torch.int64):
    """Counts of every size, some of them zero, no row empty; row sums, column sums and unigrams all differ."""
    unigrams = draw.integers(1, 90_000, V)
    bigrams = draw.integers(1, 400, V, V) * torch.tensor([1, 3, 17, 40, 90, 260])[draw.permutation(V)].view(V, 1)
    holes = torch.zeros(V, V, dtype=torch.bool)
    for row, column in enumerate(draw.permutation(V)):
        holes[row, column] = True
    return unigrams.to(dtype), bigrams.masked_fill(holes, 0).to(dtype)


def pair(normalise_counts, unigrams, bigrams):
    """The two tables, after their form was looked at."""
    got = normalise_counts(unigrams, bigrams)
    require(got is not None, "nothing is returned: the line with return is missing")
    both = isinstance(got, (tuple, list)) and len(got) == 2
    require(both, "the result must be a pair (pi_u, pi_b): one table of V and one of V times V probabilities")
    for table, name, shape in zip(got, ("pi_u", "pi_b"), ((V,), (V, V)), strict=True):
        require(torch.is_tensor(table), f"{name} must be a tensor, but it is {a_thing(table)}")
        says = f"{name} has shape {tuple(table.shape)}, but {shape} was expected"
        require(tuple(table.shape) == shape, says, got=table)
        require(
            table.is_floating_point(), f"{name} holds probabilities, but it is a tensor of {table.dtype}", got=table
        )
    return got


def rows_of(bigrams):
    """The oracle, one number at a time."""
    table = torch.full((V, V), 1 / V, dtype=torch.float64)
    for i, row in enumerate(bigrams.tolist()):
        for j, count in enumerate(row):
            if sum(row) > 0:
                table[i, j] = count / sum(row)
    return table


def test_unigrams(normalise_counts, draw):
    unigrams, bigrams = counts(draw)
    got = pair(normalise_counts, unigrams, bigrams)[0]
    expected = torch.tensor([count / sum(unigrams.tolist()) for count in unigrams.tolist()], dtype=torch.float64)
    says = "pi_u is not each token's share of all unigram counts"
    close(got, expected, says, **LOOSE, name="pi_u", inputs={"unigrams": unigrams})


def test_rows_of_bigrams(normalise_counts, draw):
    unigrams, bigrams = counts(draw)
    got = pair(normalise_counts, unigrams, bigrams)[1]
    says = "row i of pi_b is not the share of each token among those that follow token i"
    close(got, rows_of(bigrams), says, **LOOSE, name="pi_b", inputs={"bigrams": bigrams})


def test_few_counts(normalise_counts, draw):
    unigrams, bigrams = counts(draw)
    bigrams[draw.index] = 0
    bigrams[draw.index, V - 1] = 1  # a token seen once
    bigrams[draw.index + 2] = torch.arange(V) % 2
    bigrams[:, draw.index + 3] = 0  # and one that never follows another
    unigrams[draw.index + 1] = 0
    got_u, got_b = pair(normalise_counts, unigrams, bigrams)
    says = "a token with one or two counts is treated differently: its row too is its counts divided by their sum"
    close(got_b, rows_of(bigrams), says, **LOOSE, name="pi_b", inputs={"bigrams": bigrams})
    says = "a token that was never counted must have probability 0 in pi_u"
    close(got_u[draw.index + 1], 0.0, says, atol=1e-6, name="pi_u")


def test_empty_rows(normalise_counts, draw):
    unigrams, bigrams = counts(draw)
    bigrams[draw.permutation(V)[: 1 + draw.index]] = 0
    unigrams[1] = 0  # a row may be empty or full whatever the unigram counts are
    got = pair(normalise_counts, unigrams, bigrams)[1]
    says = "a row without any count must become uniform, 1/V everywhere, and the other rows stay as they are"
    close(got, rows_of(bigrams), says, **LOOSE, name="pi_b", inputs={"bigrams": bigrams})


def test_counts_are_left_alone(normalise_counts, draw):
    unigrams, bigrams = counts(draw, torch.int64 if draw.index else torch.float32)
    bigrams[2] = 0
    after = normalise_counts.call(unigrams, bigrams)["args"]
    equal(after[0], unigrams, "the caller's unigram counts are different after the call")
    equal(after[1], bigrams, "the caller's bigram counts are different after the call")


def test_weighted_counts(normalise_counts, draw):
    unigrams, bigrams = draw.integers(1, 9, V) / 4, draw.integers(2, 15, V, V) / 4  # a text may count for a part
    bigrams[draw.index] = 0
    bigrams[2 + draw.index] = torch.tensor([0.0, 0.25, 0.0, 0.25, 0.125, 0.0])  # a row may add up to less than 1
    got = pair(normalise_counts, unigrams, bigrams)
    says = "with counts given as floating-point numbers such as 1.75, pi_b is off"
    close(got[1], rows_of(bigrams), says, **LOOSE, name="pi_b", inputs={"bigrams": bigrams})
    says = "with counts given as floating-point numbers such as 1.75, pi_u is off"
    close(got[0], unigrams / unigrams.sum(), says, **LOOSE, name="pi_u", inputs={"unigrams": unigrams})
