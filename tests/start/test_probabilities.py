"""Hidden tests of the start page's exercise: every row of counts is divided by its own sum."""

import torch

from utils.grade import close, equal, shaped

SAYS = "probabilities must return a tensor with the shape of the counts"


def some_counts(draw, *shape):
    """Counts without an empty row, whose rows have very different sums."""
    scale = torch.tensor([1.0, 5.0, 40.0, 300.0, 7.0])[: shape[-2]].view(-1, 1) if len(shape) > 1 else 3.0
    counts = draw.integers(0, 9, *shape).float()
    counts[..., 0] += 1
    counts[..., 1] = 0
    return counts * scale


def expected(counts):
    """The oracle: number by number."""
    if counts.ndim > 1:
        return torch.stack([expected(row) for row in counts])
    whole = sum(counts.tolist())
    return torch.tensor([count / whole for count in counts.tolist()])


def judge(probabilities, counts, says):
    found = probabilities(counts)
    shaped(found, counts.shape, SAYS, inputs={"counts": counts})
    close(found, expected(counts), says, name="probabilities", inputs={"counts": counts})


def test_one_row(probabilities, draw):
    judge(probabilities, some_counts(draw, 6), "each probability should be its count divided by the sum of the row")


def test_tables(probabilities, draw):
    judge(probabilities, some_counts(draw, 4, 6), "each row of the table should be divided by its own sum")
    judge(probabilities, some_counts(draw, 5, 5), "each row of a square table should be divided by its own sum")
    judge(probabilities, some_counts(draw, 2, 3, 6), "each row along the last axis should be divided by its own sum")


def test_the_counts_are_left_alone(probabilities, draw):
    counts = some_counts(draw, 4, 6)
    equal(probabilities.call(counts)["args"][0], counts, "the caller's counts are different after the call")
