"""Wrong answers to exercise 1.4 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


@wrong("nothing is hidden: the scores come back as they were")
def no_mask(scores):
    return scores.clone()


@wrong("the mask lets each query see one key ahead: it starts one diagonal too far to the right")
def peeks_ahead(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2] + 1)
    return scores.masked_fill(~visible, -torch.inf)


@wrong("each query is hidden from itself: it may see its own position, so leave the diagonal visible")
def hides_itself(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2] - 1)
    return scores.masked_fill(~visible, -torch.inf)


@wrong("each query is hidden from itself: it may see its own position, so leave the diagonal visible")
def hides_itself_softly(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2] - 1)
    return scores.masked_fill(~visible, -1e9)


@wrong("the mask is upside down: the past is hidden and the future is seen")
def upside_down(scores):
    hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2] - 1)
    return scores.masked_fill(hidden, -torch.inf)


@wrong("the mask marks what may be seen, and exactly that is overwritten: hide the rest instead")
def hides_the_visible(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill(visible, -1e9)


@wrong("hidden scores are set to 0, but a score of 0 still gets probability: it must be far below all others")
def fills_with_zero(scores):
    return scores.tril(scores.shape[-1] - scores.shape[-2])


@wrong("hidden scores are huge but have the wrong sign, so they take all the probability")
def wrong_sign(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill(~visible, 1e9)


@wrong("the fill is too weak: where the scores themselves are far below zero, the hidden ones win")
def weak_fill(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill(~visible, -30.0)


@wrong("a fixed number is subtracted from the hidden scores: where one is large, that is not enough, so replace it")
def subtracts_a_little(scores):
    hidden = torch.ones(scores.shape[-2:]).triu(scores.shape[-1] - scores.shape[-2] + 1)
    return scores - 100.0 * hidden


@wrong("0 times infinity is nan: a mask that is multiplied by infinity spoils the visible scores too")
def zero_times_infinity(scores):
    hidden = torch.ones(scores.shape[-2:]).triu(scores.shape[-1] - scores.shape[-2] + 1)
    return scores + hidden * -torch.inf


@wrong(
    "the mask starts at the first key although there are fewer queries than keys: the queries are the last positions"
)
def aligned_left(scores):
    return scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1) == 1, -torch.inf)


@wrong(
    "the mask starts at the first key although there are fewer queries than keys: the queries are the last positions"
)
def aligned_left_by_range(scores):
    queries, keys = torch.arange(scores.shape[-2]), torch.arange(scores.shape[-1])
    return torch.where(queries[:, None] >= keys, scores, -1e9)


@wrong("the mask is made square, so it does not fit when there are fewer queries than keys")
def square_only(scores):
    size = scores.shape[-2]
    return scores.masked_fill(torch.ones(size, size).triu(1) == 1, -torch.inf)


@wrong("softmax is already applied here: return scores, because softmax comes later")
def already_softmax(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill(~visible, -torch.inf).softmax(-1)


@wrong(
    "the softmax comes before the mask: hidden keys have already received weight, and what is left no longer sums to 1"
)
def softmax_first(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.softmax(-1).masked_fill(~visible, 0.0)


@wrong("the scores were changed in place: the caller still needs them, so make a new tensor")
def in_place(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill_(~visible, -torch.inf)


@wrong("the scores are cut off from the gradient (detach or no_grad), so queries and keys would never be trained")
def detached(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.detach().masked_fill(~visible, -torch.inf)


@wrong("the mask marks what may be seen, and exactly that is overwritten: hide the rest instead")
def hides_the_visible_fully(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill(visible, -torch.inf)


@wrong("hidden scores are set to plus infinity: minus infinity is what gives them probability 0")
def plus_infinity(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill(~visible, torch.inf)


@wrong("the mask is made square, so it does not fit when there are fewer queries than keys")
def square_by_keys(scores):
    keys = scores.shape[-1]
    return scores.masked_fill(torch.ones(keys, keys, dtype=torch.bool).triu(1), -torch.inf)


@wrong(
    "the staircase is shifted the wrong way: with more keys than queries, a query sees T_K - T_Q keys more, not fewer"
)
def shifted_the_wrong_way(scores):
    queries, keys = scores.shape[-2:]
    return scores.masked_fill(torch.ones(queries, keys, dtype=torch.bool).triu(queries - keys + 1), -torch.inf)


@wrong("the mask alone is returned: the scores that stay visible must be in the result")
def mask_alone(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return torch.zeros_like(scores).masked_fill(~visible, -torch.inf)


@wrong("only the first text of the batch is masked: all of them need the same mask")
def first_text_only(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    result = scores.clone()
    result[0] = scores[0].masked_fill(~visible, -torch.inf)
    return result


@wrong("only the first head is masked: all of them need the same mask")
def first_head_only(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    result = scores.clone()
    result[:, 0] = scores[:, 0].masked_fill(~visible, -torch.inf)
    return result


@wrong("the fill is too weak: scores can be as low as -100 themselves, so take minus infinity or about -1e9")
def fills_with_minus_hundred(scores):
    visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return scores.masked_fill(~visible, -100.0)


@right
def additive(scores):
    queries, keys = scores.shape[-2:]
    return scores + torch.full((queries, keys), -1e9).triu(keys - queries + 1)


@right
def by_comparison(scores):
    last_seen = torch.arange(scores.shape[-2])[:, None] + scores.shape[-1] - scores.shape[-2]
    return torch.where(torch.arange(scores.shape[-1]) > last_seen, float("-inf"), scores)


@right
def row_by_row(scores):
    queries, keys = scores.shape[-2:]
    rows = []
    for i in range(queries):
        seen = i + keys - queries + 1
        hidden = scores.new_full((*scores.shape[:-2], keys - seen), -1e4)
        rows.append(torch.cat([scores[..., i, :seen], hidden], dim=-1))
    return torch.stack(rows, dim=-2)


@right
def copy_then_fill(scores):
    scores = scores.clone()
    queries, keys = scores.shape[-2:]
    i, j = torch.triu_indices(queries, keys, offset=keys - queries + 1)
    scores[..., i, j] = torch.finfo(scores.dtype).min
    return scores
