"""Wrong answers to exercise 2.12 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def scores(W, U_in, U_out):
    return U_in @ W.T @ U_out.T


def written(alpha, U_in, U_out):
    """The sum over z and k of alpha[z, k] u_k u_z^T."""
    return U_out.T @ alpha.T @ U_in


def excess(W, U_in, U_out, p_k_given_z):
    return scores(W, U_in, U_out).softmax(1) - p_k_given_z


@wrong("the sign is wrong: the gradient itself is asked for, predicted minus true, not the direction of descent")
def descent(W, U_in, U_out, p_z, p_k_given_z):
    return -written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out)


LEFT_OVER = (
    "autograd leaves its mark on the caller's W (requires_grad, .grad): write the formula down, or work on a copy"
)


@wrong(LEFT_OVER)
def through_the_callers_grad(W, U_in, U_out, p_z, p_k_given_z):
    W.requires_grad_(True)
    loss = -(p_z[:, None] * p_k_given_z * scores(W, U_in, U_out).log_softmax(1)).sum()
    loss.backward()
    return W.grad


@wrong(LEFT_OVER)
def asks_for_gradients(W, U_in, U_out, p_z, p_k_given_z):
    W.requires_grad_(True)
    loss = -(p_z[:, None] * p_k_given_z * scores(W, U_in, U_out).log_softmax(1)).sum()
    return torch.autograd.grad(loss, W)[0]


@wrong("tokens with the same vector are merged, and the last one stays: each adds its own part")
def keyed(W, U_in, U_out, p_z, p_k_given_z):
    alpha = p_z[:, None] * excess(W, U_in, U_out, p_k_given_z)
    last = list({tuple(u.tolist()): z for z, u in enumerate(U_in)}.values())
    return written(alpha[last], U_in[last], U_out)


@wrong("p(z) is divided by its largest entry: it is a probability as it is")
def p_z_over_largest(W, U_in, U_out, p_z, p_k_given_z):
    return written((p_z / p_z.max())[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out)


@wrong("p(z) is missing: what a token writes is weighted by how often it occurs")
def without_p_z(W, U_in, U_out, p_z, p_k_given_z):
    return written(excess(W, U_in, U_out, p_k_given_z), U_in, U_out)


@wrong("every token counts alike (a mean over z): weigh each by p(z)")
def mean_over_z(W, U_in, U_out, p_z, p_k_given_z):
    return written(excess(W, U_in, U_out, p_k_given_z), U_in, U_out) / len(p_z)


@wrong("p(z) weighs the true part only: it weighs the difference of predicted and true")
def p_z_on_the_truth(W, U_in, U_out, p_z, p_k_given_z):
    return written(scores(W, U_in, U_out).softmax(1) - p_z[:, None] * p_k_given_z, U_in, U_out)


@wrong("p(z) weighs the predicted part only: it weighs the difference of predicted and true")
def p_z_on_the_prediction(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * scores(W, U_in, U_out).softmax(1) - p_k_given_z, U_in, U_out)


@wrong("p(z) comes in twice")
def p_z_twice(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None].square() * excess(W, U_in, U_out, p_k_given_z), U_in, U_out)


@wrong("the average over z is divided by n as well: the p(z) already add up to 1")
def averaged_again(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out) / len(p_z)


@wrong("the sum over k is taken before each u_k is weighed: predicted minus true adds up to 0 there")
def sums_over_k_first(W, U_in, U_out, p_z, p_k_given_z):
    total = (p_z[:, None] * excess(W, U_in, U_out, p_k_given_z)).sum(1)
    return torch.outer(U_out.sum(0), total @ U_in)


@wrong("the softmax runs over z: for each input z, the probabilities of the outputs k add up to 1")
def softmax_over_z(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * (scores(W, U_in, U_out).softmax(0) - p_k_given_z), U_in, U_out)


@wrong("the softmax is missing: the scores themselves are compared with probabilities")
def without_softmax(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * (scores(W, U_in, U_out) - p_k_given_z), U_in, U_out)


@wrong("log_softmax is compared with probabilities: the predicted probabilities themselves belong there")
def log_softmax(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * (scores(W, U_in, U_out).log_softmax(1) - p_k_given_z), U_in, U_out)


@wrong("the sigmoid of each score is taken: the outputs compete, so softmax over k")
def sigmoid(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * (scores(W, U_in, U_out).sigmoid() - p_k_given_z), U_in, U_out)


@wrong("W plays no part: away from W = 0 the predictions are not uniform")
def always_uniform(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * (1 / len(U_out) - p_k_given_z), U_in, U_out)


@wrong("the predicted part is missing: the gradient weighs predicted minus true")
def truth_only(W, U_in, U_out, p_z, p_k_given_z):
    return written(-p_z[:, None] * p_k_given_z, U_in, U_out)


@wrong("the true part is missing: the gradient weighs predicted minus true")
def prediction_only(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * scores(W, U_in, U_out).softmax(1), U_in, U_out)


# With U_in and U_out exchanged in the outer products the result is transposed, so the two share a sentence.
TRANSPOSED = "the result is transposed: W is (d_out, d_in), u_k is on the left and u_z on the right"


@wrong(TRANSPOSED)
def transposed(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out).T


@wrong("W is used the wrong way round in the scores: u_k . W u_z")
def W_transposed(W, U_in, U_out, p_z, p_k_given_z):
    if W.shape[0] != W.shape[1]:
        return written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out)
    return written(p_z[:, None] * excess(W.T, U_in, U_out, p_k_given_z), U_in, U_out)


@wrong(TRANSPOSED)
def exchanged(W, U_in, U_out, p_z, p_k_given_z):
    return U_in.T @ (p_z[:, None] * excess(W, U_in, U_out, p_k_given_z)) @ U_out


@wrong("the table of differences is used with its axes exchanged: rows are inputs z, columns are outputs k")
def table_transposed(W, U_in, U_out, p_z, p_k_given_z):
    table = p_z[:, None] * excess(W, U_in, U_out, p_k_given_z)
    return U_out.T @ (table if table.shape[0] == table.shape[1] else table.T) @ U_in


@wrong("p(z) weighs the outputs, the columns: it belongs to the inputs, the rows")
def p_z_along_k(W, U_in, U_out, p_z, p_k_given_z):
    difference = excess(W, U_in, U_out, p_k_given_z)
    weighed = p_z * difference if len(p_z) == difference.shape[1] else p_z[:, None] * difference
    return written(weighed, U_in, U_out)


@wrong("p(z) has to be a column, p_z[:, None], to weigh the rows of the table")
def p_z_as_a_row(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z * excess(W, U_in, U_out, p_k_given_z), U_in, U_out)


@wrong("only the likeliest follower of each token counts: all k do, with their probability")
def likeliest_only(W, U_in, U_out, p_z, p_k_given_z):
    target = F.one_hot(p_k_given_z.argmax(1), len(U_out)).to(W.dtype)
    return written(p_z[:, None] * excess(W, U_in, U_out, target), U_in, U_out)


@wrong("the prediction is rounded to its likeliest output: the probabilities themselves belong there")
def rounded_prediction(W, U_in, U_out, p_z, p_k_given_z):
    guess = F.one_hot(scores(W, U_in, U_out).argmax(1), len(U_out)).to(W.dtype)
    return written(p_z[:, None] * (guess - p_k_given_z), U_in, U_out)


@wrong("all inputs are compared with the same average of followers: p(k|z) differs from z to z")
def average_follower(W, U_in, U_out, p_z, p_k_given_z):
    average = (p_z @ p_k_given_z).expand_as(p_k_given_z)
    return written(p_z[:, None] * excess(W, U_in, U_out, average), U_in, U_out)


@wrong("the inputs are averaged before the softmax: each z has its own prediction")
def average_input(W, U_in, U_out, p_z, p_k_given_z):
    phat = (U_out @ W @ (p_z @ U_in)).softmax(0).expand_as(p_k_given_z)
    return written(p_z[:, None] * (phat - p_k_given_z), U_in, U_out)


@wrong("the scores are divided by the square root of the dimension: there is no such scale in this loss")
def scaled_scores(W, U_in, U_out, p_z, p_k_given_z):
    phat = (scores(W, U_in, U_out) / W.shape[1] ** 0.5).softmax(1)
    return written(p_z[:, None] * (phat - p_k_given_z), U_in, U_out)


@wrong("the difference is squared, as for a squared error: the gradient is linear in it")
def squared(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z).square(), U_in, U_out)


@wrong("phat (1 - phat) is multiplied in, as for a squared error: with the cross-entropy it cancels")
def with_the_slope(W, U_in, U_out, p_z, p_k_given_z):
    phat = scores(W, U_in, U_out).softmax(1)
    return written(p_z[:, None] * (phat - p_k_given_z) * phat * (1 - phat), U_in, U_out)


@wrong("the gradient with respect to the scores is returned: multiply by u_k and u_z, and sum")
def of_the_scores(W, U_in, U_out, p_z, p_k_given_z):
    return p_z[:, None] * excess(W, U_in, U_out, p_k_given_z)


@wrong("the loss is returned: its gradient was asked for")
def the_loss(W, U_in, U_out, p_z, p_k_given_z):
    return -(p_z[:, None] * p_k_given_z * scores(W, U_in, U_out).log_softmax(1)).sum()


@wrong("the exponential overflows where scores are large: softmax subtracts the largest score first")
def overflows(W, U_in, U_out, p_z, p_k_given_z):
    weights = scores(W, U_in, U_out).exp()
    return written(p_z[:, None] * (weights / weights.sum(1, keepdim=True) - p_k_given_z), U_in, U_out)


# All that can be seen of these is that only about six digits are right.
DIGITS = (
    "only about six digits are right: work in the dtype of W (float64 in, float64 out), with nothing added for safety"
)


@wrong(DIGITS)
def with_epsilon(W, U_in, U_out, p_z, p_k_given_z):
    top = scores(W, U_in, U_out)
    weights = (top - top.max(1, keepdim=True).values).exp()
    return written(p_z[:, None] * (weights / (weights.sum(1, keepdim=True) + 1e-6) - p_k_given_z), U_in, U_out)


@wrong("the probabilities are kept away from 0: no logarithm of them is taken, so use them as they are")
def clamped(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z.clamp(min=1e-6)), U_in, U_out)


@wrong(DIGITS)
def always_float32(W, U_in, U_out, p_z, p_k_given_z):
    difference = excess(W.float(), U_in.float(), U_out.float(), p_k_given_z.float())
    return written(p_z.float()[:, None] * difference, U_in.float(), U_out.float())


@wrong("everything is turned into float64: the gradient has the dtype of W")
def always_float64(W, U_in, U_out, p_z, p_k_given_z):
    difference = excess(W.double(), U_in.double(), U_out.double(), p_k_given_z.double())
    return written(p_z.double()[:, None] * difference, U_in.double(), U_out.double())


@wrong(DIGITS)
def through_float32(W, U_in, U_out, p_z, p_k_given_z):
    phat = scores(W.float(), U_in.float(), U_out.float()).softmax(1).to(W.dtype)
    return written(p_z[:, None] * (phat - p_k_given_z), U_in, U_out)


@wrong("squeeze() takes away the axis of a single input")
def squeezed(W, U_in, U_out, p_z, p_k_given_z):
    difference = scores(W, U_in, U_out).squeeze().softmax(-1) - p_k_given_z
    return torch.einsum("z,zk,kj,zi->ji", p_z, difference, U_out, U_in.squeeze())


@wrong("the caller's p_k_given_z is overwritten: make a new tensor")
def in_place(W, U_in, U_out, p_z, p_k_given_z):
    p_k_given_z -= scores(W, U_in, U_out).softmax(1)
    return written(-p_z[:, None] * p_k_given_z, U_in, U_out)


@wrong("a step is taken on the caller's W: return the gradient and leave W as it is")
def takes_the_step(W, U_in, U_out, p_z, p_k_given_z):
    gradient = written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out)
    W -= gradient
    return gradient


@wrong("a multiple of W is added (weight decay): the loss has no such term")
def with_weight_decay(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out) + 1e-2 * W


@wrong("the result is halved: there is no factor of 1/2 in the cross-entropy")
def halved(W, U_in, U_out, p_z, p_k_given_z):
    return written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out) / 2


@wrong("outputs that never follow are left out: their predicted probability must be pushed down as well")
def skips_impossible(W, U_in, U_out, p_z, p_k_given_z):
    difference = excess(W, U_in, U_out, p_k_given_z)
    return written(p_z[:, None] * torch.where(p_k_given_z > 0, difference, 0), U_in, U_out)


@wrong("the softmax runs over the whole table: for each input z the probabilities add up to 1")
def softmax_over_all(W, U_in, U_out, p_z, p_k_given_z):
    table = scores(W, U_in, U_out)
    phat = table.flatten().softmax(0).view_as(table)
    return written(p_z[:, None] * (phat - p_k_given_z), U_in, U_out)


@wrong("the difference of logarithms is taken: it is the difference of the probabilities themselves")
def difference_of_logarithms(W, U_in, U_out, p_z, p_k_given_z):
    log_phat = scores(W, U_in, U_out).log_softmax(1)
    return written(p_z[:, None] * (log_phat - p_k_given_z.clamp(min=1e-9).log()), U_in, U_out)


@wrong("the true probabilities are multiplied in twice: predicted minus true, weighted by p(z), is all")
def weighed_by_the_truth(W, U_in, U_out, p_z, p_k_given_z):
    phat = scores(W, U_in, U_out).softmax(1)
    return written(p_z[:, None] * p_k_given_z * (phat - 1), U_in, U_out)


@wrong("the gradient is scaled to length 1: return it as it is")
def unit_length(W, U_in, U_out, p_z, p_k_given_z):
    gradient = written(p_z[:, None] * excess(W, U_in, U_out, p_k_given_z), U_in, U_out)
    return gradient / gradient.norm()


@right
def by_loop(W, U_in, U_out, p_z, p_k_given_z):
    gradient = torch.zeros_like(W)
    for z, u in enumerate(U_in):
        phat = F.softmax(U_out @ W @ u, dim=0)
        for k, weight in enumerate(phat - p_k_given_z[z]):
            gradient += p_z[z] * weight * torch.outer(U_out[k], u)
    return gradient


@right
def by_autograd(W, U_in, U_out, p_z, p_k_given_z):
    leaf = W.detach().clone().requires_grad_(True)
    logits = torch.einsum("kj,ji,zi->zk", U_out, leaf, U_in)
    loss = (p_z * F.cross_entropy(logits, p_k_given_z, reduction="none")).sum()
    return torch.autograd.grad(loss, leaf)[0]


@right
def by_two_averages(W, U_in, U_out, p_z, p_k_given_z):
    phat = scores(W, U_in, U_out).softmax(dim=-1)
    weighed = U_in * p_z.unsqueeze(1)
    return (weighed.T @ phat @ U_out - weighed.T @ p_k_given_z @ U_out).T


@right
def by_log_softmax(W, U_in, U_out, p_z, p_k_given_z):
    phat = F.log_softmax(U_out @ (W @ U_in.T), dim=0).exp()
    return torch.einsum("kz,kj,zi->ji", (phat - p_k_given_z.T) * p_z, U_out, U_in)
