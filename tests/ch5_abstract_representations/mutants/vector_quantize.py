"""Wrong answers to exercise 5.20 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips

slip = slips(
    """
    def vector_quantize(x, codebook, commitment=0.25):
        words = (x[..., None, :] - codebook).square().sum(-1).argmin(-1)
        chosen = codebook[words]
        loss = F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())
        return x + (chosen - x).detach(), words, loss
    """
)

farthest = slip("the farthest word is chosen: take the one with the smallest distance", "argmin", "argmax")
by_dot_product = slip(
    "words are compared by their dot product, so that long ones win: compare distances",
    "(x[..., None, :] - codebook).square().sum(-1).argmin(-1)", "(x @ codebook.T).argmax(-1)",
)  # fmt: skip
by_cosine = slip(
    "words are compared by direction only: a distance counts the length too",
    "(x[..., None, :] - codebook).square().sum(-1).argmin(-1)",
    "(F.normalize(x, dim=-1) @ F.normalize(codebook, dim=-1).T).argmax(-1)",
)  # fmt: skip
signed = slip(
    "differences are summed with their signs, so that they cancel: square them first", ".square().sum(-1)", ".sum(-1)"
)
no_straight_through = slip(
    "the quantised vectors hand their gradient to the word and not to x: use the straight-through estimator",
    "x + (chosen - x).detach()", "chosen",
)  # fmt: skip
detached = slip(
    "the quantised vectors are detached altogether: their gradient must reach x",
    "x + (chosen - x).detach()", "chosen.detach()",
)  # fmt: skip
wrong_side = slip(
    "the quantised vectors hand their gradient to the word and not to x: use the straight-through estimator",
    "x + (chosen - x).detach()", "x.detach() + (chosen - x.detach())",
)  # fmt: skip
no_detach = slip(
    "the quantised vectors hand their gradient to the word and not to x: use the straight-through estimator",
    "x + (chosen - x).detach()", "x + (chosen - x) * 1.0",
)  # fmt: skip
returns_x = slip(
    "the vectors come back as they went in: they must become the words' vectors", "x + (chosen - x).detach()", "x"
)
commitment_on_codebook = slip(
    "the two terms have exchanged weights: commitment belongs to the pull on x, 1 to the pull on the words",
    "F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())",
    "commitment * F.mse_loss(chosen, x.detach()) + F.mse_loss(x, chosen.detach())",
)  # fmt: skip
no_commitment = slip(
    "the commitment term is missing: x must be pulled towards its word too",
    " + commitment * F.mse_loss(x, chosen.detach())", "",
)  # fmt: skip
only_commitment = slip(
    "only the commitment term is there: the words must be pulled towards their vectors too",
    "F.mse_loss(chosen, x.detach()) + commitment", "commitment",
)  # fmt: skip
nothing_detached = slip(
    "nothing is detached in the loss, so that both terms pull on both: detach x in one, the word in the other",
    "F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())",
    "F.mse_loss(chosen, x) + commitment * F.mse_loss(x, chosen)",
)  # fmt: skip
everything_detached = slip(
    "the loss has no gradient at all: in each term one of the two is detached, not both",
    "F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())",
    "F.mse_loss(chosen.detach(), x.detach()) * (1 + commitment)",
)  # fmt: skip
summed = slip(
    "squared differences are summed: take their mean over all numbers",
    "F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())",
    "F.mse_loss(chosen, x.detach(), reduction='sum') + commitment * F.mse_loss(x, chosen.detach(), reduction='sum')",
)  # fmt: skip
fixed_commitment = slip("commitment is fixed at 0.25: use the argument", "+ commitment *", "+ 0.25 *")
one_hot_words = slip(
    "the words come back one-hot: return the number of each word",
    "words, loss", "F.one_hot(words, len(codebook)), loss",
)  # fmt: skip
flat_words = slip(
    "the words come back as one long list: they keep the leading axes of x", "words, loss", "words.flatten(), loss"
)
two_axes_only = slip(
    "x is taken to have exactly two leading axes: it may have any number of them",
    "x[..., None, :]", "x[:, :, None, :]",
)  # fmt: skip
codebook_in_place = slip(
    "the codebook was changed in place: only training moves it",
    "    return x +", "    codebook.data.mul_(1.1)\n    return x +",
)  # fmt: skip
wrong_order = slip(
    "loss and words are in each other's place: return the vectors, the words, the loss", "words, loss", "loss, words"
)
manhattan = slip(
    "absolute differences are summed: the distance is Euclidean, so square them", ".square().sum(-1)", ".abs().sum(-1)"
)
largest_difference = slip(
    "only the largest difference counts: the distance is Euclidean, so square them all and add up",
    ".square().sum(-1)", ".abs().amax(-1)",
)  # fmt: skip
summed_over_width = slip(
    "the squares are summed over the width of a vector: the mean runs over all numbers",
    "F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())",
    "x.shape[-1] * (F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach()))",
)  # fmt: skip
rooted = slip(
    "the root of the first mean is taken: the loss is made of mean squares",
    "F.mse_loss(chosen, x.detach()) +", "F.mse_loss(chosen, x.detach()).sqrt() +",
)  # fmt: skip
default_commitment = slip("without commitment it is 1: the default is 0.25", "commitment=0.25", "commitment=1.0")
normed_words = slip(
    "the words are scaled to length 1 first: compare with the words as they are",
    "words = (x", "codebook = F.normalize(codebook, dim=-1)\n    words = (x",
)  # fmt: skip
both_ways = slip(
    "the gradient of the quantised vectors goes to x and to the words as well: the difference must be detached whole",
    "x + (chosen - x).detach()", "x - x.detach() + chosen",
)  # fmt: skip
other_way_round = slip(
    "the straight-through line is turned round: its value must be the word, and its gradient that of x",
    "x + (chosen - x).detach()", "chosen + (x - chosen).detach()",
)  # fmt: skip
softly = slip(
    "words are mixed by softmax: each vector becomes one word",
    "chosen = codebook[words]", "chosen = (-(x[..., None, :] - codebook).square().sum(-1)).softmax(-1) @ codebook",
)  # fmt: skip
words_first = slip(
    "the words come first: return the quantised vectors, the words, the loss",
    "return x + (chosen - x).detach(), words, loss", "return words, x + (chosen - x).detach(), loss",
)  # fmt: skip
loss_on_the_result = slip(
    "the loss is taken between x and the straight-through result, which leads to no word: use the words' vectors",
    "loss = F.mse_loss(chosen", "chosen = x + (chosen - x).detach()\n    loss = F.mse_loss(chosen",
)  # fmt: skip
lengths = slip(
    "lengths of the differences are averaged: the loss is made of mean squares",
    "F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())",
    "(chosen - x.detach()).norm(dim=-1).mean() + commitment * (x - chosen.detach()).norm(dim=-1).mean()",
)  # fmt: skip
float_words = slip("the words come back as floats: their numbers are int64", "words, loss", "words.float(), loss")
subtracted = slip(
    "the difference is subtracted: x plus the detached difference is the word", "x + (chosen - x)", "x - (chosen - x)"
)
x_detached = slip(
    "x is detached and the difference is not: it must be the other way round",
    "x + (chosen - x).detach()",
    "x.detach() + chosen - x",
)
mixture = slip(
    "words are mixed by softmax: each vector becomes one word",
    "return x + (chosen - x).detach()",
    "return (-(x[..., None, :] - codebook).square().sum(-1).sqrt()).softmax(-1) @ codebook",
)  # fmt: skip
x_in_place = slip(
    "the caller's x is overwritten with the words: return new vectors",
    "loss = F.mse_loss(chosen", "x.data.copy_(chosen)\n    loss = F.mse_loss(chosen",
)  # fmt: skip


@right
def by_cdist(x, codebook, commitment=0.25):
    flat = x.reshape(-1, x.shape[-1])
    words = torch.cdist(flat, codebook).argmin(1)
    q = F.embedding(words, codebook).reshape(x.shape)
    codebook_loss, pull = ((q - x.detach()) ** 2).mean(), ((q.detach() - x) ** 2).mean()
    return x - x.detach() + q.detach(), words.reshape(x.shape[:-1]), codebook_loss + commitment * pull


@right
def by_one_hot(x, codebook, commitment=0.25):
    with torch.no_grad():
        distance = x.square().sum(-1, keepdim=True) - 2 * x @ codebook.T + codebook.square().sum(-1)
        words = distance.min(-1).indices
    chosen = F.one_hot(words, codebook.shape[0]).to(x.dtype) @ codebook
    difference = x - chosen.detach()
    loss = commitment * difference.pow(2).mean() + (chosen - x.detach()).pow(2).mean()
    return x - difference.detach(), words, loss
