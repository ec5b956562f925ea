"""Wrong answers to exercise 1.18 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def counts(tokens, logits):
    return torch.bincount(tokens, minlength=len(logits))


@wrong("the penalty is added, which makes repeated tokens more likely: subtract it")
def added(tokens, logits, penalty):
    return logits + penalty * counts(tokens, logits)


ONCE = "each token loses the penalty once, however often it occurs (an indexed subtraction does that): count them"


@wrong(ONCE)
def once(tokens, logits, penalty):
    return logits - penalty * (counts(tokens, logits) > 0)


@wrong(ONCE)
def indexed(tokens, logits, penalty):
    result = logits.clone()
    result[tokens] -= penalty
    return result


@wrong("tokens that were never seen are penalised as well")
def unseen_too(tokens, logits, penalty):
    return logits - penalty * counts(tokens, logits).clamp(min=1)


@wrong("every count is one too large, so the logits of unseen tokens fall, too")
def one_too_many(tokens, logits, penalty):
    return logits - penalty * (counts(tokens, logits) + 1)


@wrong("every count is one too small: the first occurrence counts as well")
def one_too_few(tokens, logits, penalty):
    return logits - penalty * (counts(tokens, logits) - 1).clamp(min=0)


@wrong(
    "the tokens that have not occurred are penalised, and those that have occurred are not: do it the other way round"
)
def the_others(tokens, logits, penalty):
    return logits - penalty * (counts(tokens, logits) == 0)


@wrong("the count is divided by the length of the text: use the count itself")
def relative(tokens, logits, penalty):
    return logits - penalty * counts(tokens, logits) / max(len(tokens), 1)


@wrong("the logits are divided by penalty and count: that is a repetition penalty; this one is subtracted")
def divided(tokens, logits, penalty):
    return logits / (1 + penalty * counts(tokens, logits))


@wrong("the penalty grows with the square of the count: multiply by the count")
def square(tokens, logits, penalty):
    return logits - penalty * counts(tokens, logits) ** 2


@wrong("the penalty is raised to the power of the count: multiply the two")
def power(tokens, logits, penalty):
    n = counts(tokens, logits)
    return logits - torch.where(n > 0, penalty ** n.float(), 0.0)


@wrong("the penalty is raised to the power of the count: multiply the two")
def power_of_all(tokens, logits, penalty):
    return logits - penalty ** counts(tokens, logits)


@wrong("the logits of seen tokens are divided or multiplied: this penalty is subtracted")
def divided_one_by_one(tokens, logits, penalty):
    result = logits.clone()
    for token in tokens:
        result[token] /= penalty
    return result


@wrong("the logits of seen tokens are divided or multiplied: this penalty is subtracted")
def multiplied(tokens, logits, penalty):
    return logits * (1 - penalty * counts(tokens, logits))


@wrong("the counts are subtracted without the penalty: multiply them by it")
def ignores_the_penalty(tokens, logits, penalty):
    return logits - counts(tokens, logits)


@wrong("probabilities are returned: the penalty is subtracted from the logits themselves, without a softmax")
def from_probabilities(tokens, logits, penalty):
    return logits.softmax(-1) - penalty * counts(tokens, logits)


@wrong("the last token of the text is not counted")
def without_the_last(tokens, logits, penalty):
    return logits - penalty * counts(tokens[:-1], logits)


@wrong(
    "unique lists only the tokens that occur: subtract each count from its own token's logit, not from the first logits"
)
def counts_at_the_front(tokens, logits, penalty):
    result = logits.clone()
    _, found = tokens.unique(return_counts=True)
    result[: len(found)] -= penalty * found
    return result


@wrong("only the last token of the text is penalised")
def last_only(tokens, logits, penalty):
    result = logits.clone()
    if len(tokens):
        result[tokens[-1]] -= penalty * (tokens == tokens[-1]).sum()
    return result


@wrong("the counts end at the largest id in the text: give bincount a minlength of V")
def no_minlength(tokens, logits, penalty):
    return logits - penalty * torch.bincount(tokens)


@wrong("an empty text is not handled: it must leave the logits as they are")
def empty_fails(tokens, logits, penalty):
    listed = tokens.tolist()
    most = max(listed.count(token) for token in listed)
    assert most > 0
    return logits - penalty * counts(tokens, logits)


@wrong("the subtraction is done in place, in the caller's logits")
def in_place(tokens, logits, penalty):
    logits -= penalty * counts(tokens, logits)
    return logits


NEVER_RETURNED = "the penalty is applied to a copy, but the unchanged logits are returned: return the copy"


@wrong(NEVER_RETURNED)
def returns_the_original(tokens, logits, penalty):
    changed = logits.clone()
    changed -= penalty * counts(tokens, logits)
    return logits


def once_for_each(tokens, logits, change):
    """Every token that occurs has its logit changed, once."""
    changed = logits.clone()
    for token in set(tokens.tolist()):
        changed[token] = change(changed[token])
    return changed


REPETITION = (
    "this is a repetition penalty (logits above zero are divided, those below multiplied): this one subtracts penalty "
    "times the count"
)


@wrong(REPETITION)
def repetition_penalty(tokens, logits, penalty):
    return once_for_each(tokens, logits, lambda x: x / penalty if x > 0 else x * penalty)


@wrong(REPETITION)
def repetition_penalty_by_count(tokens, logits, penalty):
    factor = float(penalty) ** counts(tokens, logits)
    return torch.where(logits > 0, logits / factor, logits * factor)


@wrong("the logits of seen tokens are divided or multiplied: this penalty is subtracted")
def divided_once(tokens, logits, penalty):
    return once_for_each(tokens, logits, lambda x: x / penalty)


@wrong("the logits of seen tokens are set to minus infinity: each falls by penalty times its count")
def banned(tokens, logits, penalty):
    return once_for_each(tokens, logits, lambda x: x * 0 - torch.inf)


@right
def by_loop(tokens, logits, penalty):
    result = logits.clone()
    for token in tokens:
        result[token] = result[token] - penalty
    return result


@right
def by_one_hot(tokens, logits, penalty):
    return logits - penalty * F.one_hot(tokens, len(logits)).sum(0)


@right
def by_scatter(tokens, logits, penalty):
    return logits.scatter_add(0, tokens, torch.full(tokens.shape, -float(penalty)))
