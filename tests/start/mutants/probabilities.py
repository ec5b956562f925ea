"""Wrong answers to the start page's exercise that learners write, and right ones written differently."""

import torch
from einops import reduce

from utils.grade import right, slips

slip = slips(
    """
    def probabilities(counts):
        return counts / counts.sum(-1, keepdim=True)
    """,
)

SumOfAll = slip(
    "the whole table adds up to 1, but each row should: divide every row by its own sum, not by the sum of all counts",
    "counts.sum(-1, keepdim=True)", "counts.sum()",
)  # fmt: skip
ByTheLargest = slip(
    "the largest number of each row is 1: divide by the sum of the row, not by its largest count",
    ".sum(-1", ".amax(-1",
)  # fmt: skip
ByTheLength = slip(
    "each row adds up to the number of columns: you divided by the mean of the row where its sum is needed",
    ".sum(-1", ".mean(-1",
)  # fmt: skip
Columns = slip(
    "the columns of a table add up to 1, but the rows should: sum over the last axis", "sum(-1", "sum(0",
)  # fmt: skip
Softmax = slip(
    "softmax treats the counts as logits, so a count of 0 gets a probability above 0: divide by the sum instead",
    "counts / counts.sum(-1, keepdim=True)", "counts.softmax(-1)",
)  # fmt: skip
NoKeepdim = slip(
    "the sum of row i ends up under column i of a square table: keep the summed axis (keepdim=True)",
    ", keepdim=True", "",
)  # fmt: skip
InPlace = slip(
    "the caller's counts are overwritten: return a new tensor", "counts / counts.sum(-1, keepdim=True)",
    "counts.div_(counts.sum(-1, keepdim=True))",
)  # fmt: skip


@right
def by_einops(counts):
    return counts / reduce(counts, "... V -> ... 1", "sum")


@right
def by_a_loop(counts):
    rows = counts.reshape(-1, counts.shape[-1])
    return torch.stack([row / row.sum() for row in rows]).reshape(counts.shape)
