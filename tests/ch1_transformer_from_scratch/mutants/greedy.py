"""Wrong answers to exercise 1.16 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


@wrong("the smallest logit is chosen, not the largest")
def smallest(logits):
    return int(logits.argmin())


@wrong("the largest in absolute value is chosen: a large negative logit means an unlikely token")
def largest_in_size(logits):
    return int(logits.abs().argmax())


@wrong("the largest logit itself is returned: return its index, the token id")
def value(logits):
    return float(logits.max())


@wrong("the token is drawn at random: greedy always takes the most likely one")
def drawn(logits):
    return int(torch.multinomial(logits.softmax(-1), 1))


@wrong("the result is a tensor of shape (1,): return one number")
def one_element_tensor(logits):
    return logits.argmax(-1, keepdim=True)


@wrong("the second largest is chosen")
def second(logits):
    return int(logits.topk(2).indices[1])


@wrong("the last of several largest is chosen: it must be the first")
def last_of_equals(logits):
    return len(logits) - 1 - int(logits.flip(0).argmax())


@wrong("one of several largest is chosen at random: it must be the first")
def any_of_equals(logits):
    places = (logits == logits.max()).nonzero().flatten()
    return int(places[torch.randint(len(places), ())])


@wrong("the search starts from zero, so token 0 comes out when all logits are negative")
def starts_at_zero(logits):
    best, best_token = 0.0, 0
    for token, logit in enumerate(logits.tolist()):
        if logit > best:
            best, best_token = logit, token
    return best_token


@wrong("the caller's logits are sorted or overwritten on the way: leave them as they are")
def overwrites(logits):
    token = int(logits.argmax())
    logits.sub_(logits.max().clone()).exp_()
    return token


@wrong("the index is counted from one: token ids start at zero")
def counts_from_one(logits):
    return int(logits.argmax()) + 1


@wrong("the caller's logits are sorted or overwritten on the way: leave them as they are")
def rules_out(logits):
    token = int(logits.argmax())
    logits[token] = -torch.inf
    return token


@wrong("the rank of a token is returned instead of its id: argsort already lists token ids, so take the right entry")
def rank_for_token(logits):
    return int(logits.argsort(descending=True).argmin())


@right
def by_loop(logits):
    values = logits.tolist()
    return values.index(max(values))


@wrong("the result is a tensor that holds the token: int(...) or .item() turns it into a Python int")
def a_tensor(logits):
    return logits.argmax()


@right
def by_comparison(logits):
    return (logits == logits.max()).nonzero()[0, 0].item()


@right
def by_stable_sort(logits):
    return int(torch.sort(logits, descending=True, stable=True).indices[0])


@wrong("exponentials overflow where logits are large: the largest logit is also the likeliest, so no softmax is needed")
def softmax_by_hand(logits):
    weights = torch.exp(logits)
    return int((weights / weights.sum()).argmax())


@wrong("the last of several largest is chosen: it must be the first")
def last_of_the_sorted(logits):
    return int(logits.argsort(stable=True)[-1])


@right
def by_softmax(logits):
    return int(logits.softmax(-1).argmax())
