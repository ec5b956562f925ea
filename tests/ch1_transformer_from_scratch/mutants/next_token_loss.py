"""Wrong answers to exercise 1.12 that learners write, and right ones written differently."""

import math

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def mean_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@wrong("logits and targets are not shifted: the logits at t are compared with token t, which the model has seen")
def unshifted(logits, tokens):
    return mean_loss(logits, tokens)


@wrong("the shift goes the wrong way: the logits at t+1 are compared with token t")
def backwards(logits, tokens):
    return mean_loss(logits[:, 1:], tokens[:, :-1])


@wrong("the targets are two tokens ahead: shift by one only")
def two_ahead(logits, tokens):
    return mean_loss(logits[:, :-2], tokens[:, 2:])


@wrong("the targets wrap around: the last logits are compared with the first token (torch.roll does this)")
def rolled(logits, tokens):
    return mean_loss(logits, tokens.roll(-1, 1))


@wrong("batch and sequence are flattened before the shift, so a row's last logits predict the next row's first token")
def across_rows(logits, tokens):
    return F.cross_entropy(logits.flatten(0, 1)[:-1], tokens.flatten()[1:])


@wrong("the losses are summed: take their mean")
def summed(logits, tokens):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum")


@wrong("the losses are summed over the sequence and averaged over the batch only")
def mean_over_batch(logits, tokens):
    return summed(logits, tokens) / tokens.shape[0]


@wrong("the sum is divided by B times T: there are only T - 1 predictions in a row")
def divided_by_t(logits, tokens):
    return summed(logits, tokens) / tokens.numel()


@wrong("one loss per token is returned: the result is a single number")
def unreduced(logits, tokens):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


@wrong("the sign is missing: the log-probability is returned, which training would push down")
def no_sign(logits, tokens):
    return -mean_loss(logits[:, :-1], tokens[:, 1:])


@wrong("softmax is applied twice: cross_entropy expects logits, not probabilities")
def double_softmax(logits, tokens):
    return mean_loss(logits[:, :-1].softmax(-1), tokens[:, 1:])


@wrong("the probability is not turned into a logarithm: the loss is -log p")
def no_logarithm(logits, tokens):
    probabilities = logits[:, :-1].softmax(-1)
    return -probabilities.gather(-1, tokens[:, 1:, None]).mean()


@wrong("the logarithm is taken to base 2: the loss is measured in nats")
def in_bits(logits, tokens):
    return mean_loss(logits[:, :-1], tokens[:, 1:]) / math.log(2)


@wrong("the softmax runs over the sequence: it should run over the vocabulary, the last axis")
def over_the_sequence(logits, tokens):
    log_probabilities = logits[:, :-1].log_softmax(1)
    return -log_probabilities.gather(-1, tokens[:, 1:, None]).mean()


@wrong("the exponential of the loss (the perplexity) is returned, not the loss")
def perplexity(logits, tokens):
    return mean_loss(logits[:, :-1], tokens[:, 1:]).exp()


@wrong("only the last prediction of each row counts: every position predicts its next token")
def last_only(logits, tokens):
    return F.cross_entropy(logits[:, -2], tokens[:, -1])


@wrong("only the first row of the batch counts")
def first_row(logits, tokens):
    return F.cross_entropy(logits[0, :-1], tokens[0, 1:])


@wrong("the maximum is subtracted in place, from the caller's logits")
def in_place(logits, tokens):
    logits -= logits.amax(-1, keepdim=True)
    return mean_loss(logits[:, :-1], tokens[:, 1:])


CUT_OFF = "no gradient flows back through the loss: it was turned into a plain number or cut off by detach"


@wrong(CUT_OFF)
def plain_number(logits, tokens):
    return mean_loss(logits[:, :-1], tokens[:, 1:]).item()


@wrong(CUT_OFF)
def detached(logits, tokens):
    return mean_loss(logits.detach()[:, :-1], tokens[:, 1:])


@wrong("the last position is given token 0 as its target: it has none, so leave it out")
def padded_targets(logits, tokens):
    return mean_loss(logits, F.pad(tokens[:, 1:], (0, 1)))


@wrong("reshape or view does not swap axes: to bring V to the second place use transpose, or flatten B and T into one")
def scrambled(logits, tokens):
    return F.cross_entropy(logits[:, :-1].reshape(len(tokens), logits.shape[-1], -1), tokens[:, 1:])


@wrong(
    "cross_entropy takes the V classes on the second axis: flatten B and T into one axis, of logits and targets alike"
)
def not_flattened(logits, tokens):
    return F.cross_entropy(logits[:, :-1], tokens[:, 1:])


OFFSET = "something is added to the probabilities before the logarithm, so the loss of a sure mistake stays too small"


def with_offset(logits, tokens, offset):
    return -(logits[:, :-1].softmax(-1).gather(-1, tokens[:, 1:, None]) + offset).log().mean()


@wrong(OFFSET)
def offset_8(logits, tokens):
    return with_offset(logits, tokens, 1e-8)


@wrong(OFFSET)
def offset_9(logits, tokens):
    return with_offset(logits, tokens, 1e-9)


@wrong(OFFSET)
def offset_10(logits, tokens):
    return with_offset(logits, tokens, 1e-10)


@wrong(OFFSET)
def offset_12(logits, tokens):
    return with_offset(logits, tokens, 1e-12)


@wrong("exponentials of large logits overflow: log_softmax, logsumexp and cross_entropy avoid that")
def overflows(logits, tokens):
    weights = logits[:, :-1].exp()
    return -(weights / weights.sum(-1, keepdim=True)).gather(-1, tokens[:, 1:, None]).log().mean()


@wrong("the sum is divided by T - 1 only: there are B times T - 1 predictions")
def divided_by_the_length(logits, tokens):
    return summed(logits, tokens) / (tokens.shape[1] - 1)


@wrong("the shift is along the batch: it must be along the sequence, the second axis")
def along_the_batch(logits, tokens):
    return mean_loss(logits[:-1], tokens[1:])


@wrong("the probabilities are averaged before the logarithm: take the logarithm of each one, then the mean")
def log_of_the_mean(logits, tokens):
    return -logits[:, :-1].softmax(-1).gather(-1, tokens[:, 1:, None]).mean().log()


@wrong("targets with the number 0 are left out (ignore_index=0): token 0 is a token like any other here")
def ignores_token_zero(logits, tokens):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=0)


@right
def by_gather(logits, tokens):
    log_probabilities = logits[:, :-1].log_softmax(-1)
    return -log_probabilities.gather(-1, tokens[:, 1:].unsqueeze(-1)).squeeze(-1).mean()


@right
def by_logsumexp(logits, tokens):
    total = logits.new_zeros(())
    for t in range(tokens.shape[1] - 1):
        chosen = logits[torch.arange(len(tokens)), t, tokens[:, t + 1]]
        total = total + (torch.logsumexp(logits[:, t], -1) - chosen).sum()
    return total / (tokens.shape[0] * (tokens.shape[1] - 1))


@right
def class_axis_second(logits, tokens):
    return F.cross_entropy(logits.mT[..., :-1], tokens[:, 1:])


@right
def ignored_target(logits, tokens):
    targets = F.pad(tokens[:, 1:], (0, 1), value=-100)
    return F.cross_entropy(logits.transpose(1, 2), targets)
