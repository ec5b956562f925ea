"""Hidden tests of exercise 2.5: true where the trigger has been seen before, that is where the count is 2 or more."""

import torch

from utils.grade import equal, require
from utils.grade.judge import a_thing


def check(in_context_mask, counts, says):
    got = in_context_mask(counts)
    require(torch.is_tensor(got), f"the mask must be a tensor, but it is {a_thing(got)}")
    wanted = (
        f"the mask has shape {tuple(got.shape)}, but the counts have {tuple(counts.shape)}: one value for each count"
    )
    require(got.shape == counts.shape, wanted, got=got)
    require(got.dtype == torch.bool, f"the mask must be a bool tensor, but its dtype is {got.dtype}", got=got)
    seen = [[count in range(2, 1000) for count in row] for row in counts.reshape(-1, counts.shape[-1]).tolist()]
    equal(got, torch.tensor(seen).view(counts.shape), says, inputs={"counts": counts})


def test_zero_one_two(in_context_mask, draw):
    counts = torch.cat([torch.arange(3), draw.integers(0, 3, 7)])[draw.permutation(10)]
    says = "among counts of 0, 1 and 2, the mask is not true exactly where the output was seen before"
    check(in_context_mask, counts.view(1, 10), says)


def test_larger_counts(in_context_mask, draw):
    counts = torch.cat([draw.integers(0, 9, 32), torch.tensor([3, 4, 40, 300])])[draw.permutation(36)].view(6, 6)
    check(in_context_mask, counts, "counts above 2 are masked wrongly")
    counts[draw.index] = draw.integers(0, 2, 6)
    counts[draw.index + 2] = draw.integers(2, 9, 6)
    check(in_context_mask, counts, "a row in which nothing, or everything, was seen before comes out wrong")


def test_nothing_seen(in_context_mask, draw):
    counts = draw.integers(0, 2, 3, 1 + 5 * draw.index)
    check(in_context_mask, counts, "in a batch without any count above 1 the mask must be false everywhere")


def test_counts_are_left_alone(in_context_mask, draw):
    counts = draw.integers(0, 5, 3, 6).to(torch.int32 if draw.index else torch.int64)
    after = in_context_mask.call(counts)["args"][0]
    equal(after, counts, "the caller's counts are different after the call")
