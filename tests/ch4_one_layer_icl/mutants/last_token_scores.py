"""Wrong answers to exercise 4.3 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


@wrong("the sides are exchanged: this is x_h . W x_last, and W is not symmetric")
def transposed(x, W):
    return torch.einsum("bhi,ij,bj->bh", x, W, x[:, -1])


@wrong("the query is the first position: it is the last")
def first_is_query(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, 0], W, x)


@wrong("the query is the last but one position: it is the last")
def last_but_one(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, max(x.shape[1] - 2, 0)], W, x)


@wrong("the query is taken from the last sentence of the batch: each sentence has its own")
def last_sentence(x, W):
    return torch.einsum("hi,ij,bhj->bh", x[-1], W, x)


@wrong("each position asks itself, x_h . W x_h: only the last position asks")
def asks_itself(x, W):
    return torch.einsum("bhi,ij,bhj->bh", x, W, x)


@wrong("the scores are divided by the square root of the width: here there is no scaling")
def scaled(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, -1], W, x) / x.shape[-1] ** 0.5


@wrong("the scores are divided by the width: here there is no scaling")
def divided_by_width(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, -1], W, x) / x.shape[-1]


@wrong("the query's own score is masked: there is no mask here, the last position sees itself as well")
def masks_itself(x, W):
    s = torch.einsum("bi,ij,bhj->bh", x[:, -1], W, x)
    return torch.cat([s[:, :-1], torch.full_like(s[:, :1], -torch.inf)], 1)


@wrong("W acts on both sides: it belongs between x_last and x_h, once")
def w_twice(x, W):
    return torch.einsum("bi,bhi->bh", x[:, -1] @ W, x @ W.T)


@wrong("the scores went through a softmax: that comes later")
def softmaxed(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, -1], W, x).softmax(-1)


@wrong("all positions ask: (B, T, T) comes out, and only the row of the last one is wanted")
def all_positions(x, W):
    return x @ W @ x.transpose(1, 2)


@wrong("an axis of size 1 stays: the query's own must go")
def one_axis_too_many(x, W):
    return x[:, -1:] @ W @ x.transpose(1, 2)


@wrong("the axes come out as (T, B): sentences first, positions second")
def axes_exchanged(x, W):
    return torch.einsum("bi,ij,bhj->hb", x[:, -1], W, x)


@wrong("the query does not attend to itself here: it must, there is no mask")
def without_itself(x, W):
    s = torch.einsum("bi,ij,bhj->bh", x[:, -1], W, x)
    return torch.cat([s[:, :-1], torch.zeros_like(s[:, :1])], 1)


@wrong("the query's own position is missing: every position gets a score, the last one too")
def last_position_missing(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, -1], W, x[:, :-1])


@wrong("W is not used: this is x_last . x_h")
def without_w(x, W):
    return torch.einsum("bi,bhi->bh", x[:, -1], x) + 0 * W.sum()


@wrong("no gradient reaches W: do not detach it, and do not work under no_grad")
def detached(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, -1], W.detach(), x)


@wrong("no gradient reaches W: do not detach it, and do not work under no_grad")
def without_gradient(x, W):
    with torch.no_grad():
        return torch.einsum("bi,ij,bhj->bh", x[:, -1], W, x)


@wrong("the scores are summed over the batch")
def summed(x, W):
    return torch.einsum("bi,ij,bhj->h", x[:, -1], W, x).expand(len(x), -1)


@wrong("W is made symmetric: it acts as it is")
def symmetric(x, W):
    return torch.einsum("bi,ij,bhj->bh", x[:, -1], (W + W.T) / 2, x)


@wrong("the mean of all positions asks: only the last position does")
def mean_asks(x, W):
    return torch.einsum("bi,ij,bhj->bh", x.mean(1), W, x)


@wrong("squeeze drops every axis of size 1, also that of a single sentence or position: name the axis")
def squeezes(x, W):
    return (x @ (x[:, -1] @ W).unsqueeze(-1)).squeeze()


@right
def row_by_row(x, W):
    return torch.stack([(sentence @ W.T) @ sentence[-1] for sentence in x])


@right
def query_first(x, W):
    return (x @ (x[:, -1] @ W).unsqueeze(-1)).squeeze(-1)


@right
def by_linear(x, W):
    keys = torch.nn.functional.linear(x, W)
    return (keys * x[:, -1:, :]).sum(dim=-1)


@right
def all_and_the_last(x, W):
    return torch.matmul(torch.matmul(x, W), x.mT)[:, -1, :]


@right
def by_bmm(x, W):
    return torch.bmm(x @ W.t(), x[:, -1, :, None])[..., 0]
