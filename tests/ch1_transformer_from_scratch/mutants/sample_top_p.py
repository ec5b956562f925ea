"""Wrong answers to exercise 1.20 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def pick(order, weights, generator=None):
    return int(order[int(torch.multinomial(weights, 1, generator=generator))])


def ranked(logits):
    """Probabilities, largest first, and their tokens."""
    return logits.softmax(-1).sort(descending=True, stable=True)


def size(probabilities, p, least=1):
    return min(max(int((probabilities.cumsum(-1) < p).sum()) + 1, least), len(probabilities))


@wrong("the most likely token is always returned: draw among those that are kept, without seeding anew at every call")
def always_the_best(logits, p, generator=None, min_tokens_to_keep=1):
    return int(logits.argmax())


@wrong("p is not used: tokens outside the set are drawn too")
def ignores_p(logits, p, generator=None, min_tokens_to_keep=1):
    return pick(torch.arange(len(logits)), logits.softmax(-1), generator)


@wrong("the set ends before the token that brings its mass to p: that token belongs to it")
def one_too_few(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = max(int((probabilities.cumsum(-1) < p).sum()), min_tokens_to_keep)
    return pick(order, probabilities[:kept], generator)


@wrong("one token too many is kept: the set ends with the token that brings its mass to p")
def one_too_many(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: size(probabilities, p, min_tokens_to_keep) + 1], generator)


@wrong("at least two tokens are always kept: one is enough if its probability reaches p")
def at_least_two(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: size(probabilities, p, max(2, min_tokens_to_keep))], generator)


@wrong("two tokens are kept whatever p is")
def always_two(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: max(2, min_tokens_to_keep)], generator)


@wrong("the probabilities are summed in the order of the vocabulary: sort them first, largest first")
def unsorted(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities = logits.softmax(-1)
    return pick(torch.arange(len(logits)), probabilities[: size(probabilities, p, min_tokens_to_keep)], generator)


@wrong("the probabilities are sorted smallest first, so that unlikely tokens are kept")
def ascending(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = logits.softmax(-1).sort()
    return pick(order, probabilities[: size(probabilities, p, min_tokens_to_keep)], generator)


@wrong("the place in the sorted list is returned, not the token id that stands there")
def place(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = probabilities[: size(probabilities, p, min_tokens_to_keep)]
    return pick(torch.arange(len(order)), kept, generator)


@wrong("p is taken as a threshold for single probabilities: it is the mass of the whole set")
def threshold(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = min(max(int((probabilities > 1 - p).sum()), min_tokens_to_keep), len(order))
    return pick(order, probabilities[:kept], generator)


# Closer to equal than a few hundred draws can tell apart, so the two share a sentence.
FLAT = "the kept tokens get nearly equal chances (a second softmax does so): divide their probabilities by the sum"


@wrong(FLAT)
def uniform(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = size(probabilities, p, min_tokens_to_keep)
    return pick(order, torch.ones(kept), generator)


@wrong(FLAT)
def double_softmax(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = size(probabilities, p, min_tokens_to_keep)
    return pick(order, probabilities[:kept].softmax(-1), generator)


@wrong("a little probability is left to tokens outside the set")
def leaks(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    weights = probabilities.clone()
    weights[size(probabilities, p, min_tokens_to_keep) :] = 0
    return pick(order, 0.99 * weights / weights.sum() + 0.01 / len(weights), generator)


@wrong("the probability lost with the other tokens all goes to the most likely one: divide by the sum instead")
def rest_to_the_best(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    weights = probabilities[: size(probabilities, p, min_tokens_to_keep)].clone()
    weights[0] += 1 - weights.sum()
    return pick(order, weights.clamp(min=0), generator)


@wrong("a set whose mass is exactly p is taken to fall short: it reaches p, so no further token is needed")
def tie_takes_one_more(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = min(max(int((probabilities.cumsum(-1) <= p).sum()) + 1, min_tokens_to_keep), len(order))
    return pick(order, probabilities[:kept], generator)


@wrong("p = 1 is not provided for: all tokens are kept then")
def p_one_fails(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    reached = probabilities.cumsum(-1) > p - 1e-9 if p < 1 else torch.zeros(len(order), dtype=torch.bool)
    kept = max(int(reached.nonzero()[0]) + 1, min_tokens_to_keep)
    return pick(order, probabilities[:kept], generator)


@wrong("the last token is never kept, not even with p = 1")
def never_the_last(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: min(size(probabilities, p, min_tokens_to_keep), len(order) - 1)], generator)


@wrong("min_tokens_to_keep is not used")
def ignores_min_tokens(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: size(probabilities, p)], generator)


@wrong("min_tokens_to_keep is added to the size of the set: it is a lower limit only")
def adds_min_tokens(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: size(probabilities, p) + min_tokens_to_keep - 1], generator)


@wrong("min_tokens_to_keep limits the set from above: it is a lower limit")
def min_tokens_as_maximum(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = size(probabilities, p)
    return pick(order, probabilities[: min_tokens_to_keep if min_tokens_to_keep > 1 else kept], generator)


@wrong("min_tokens_to_keep lets tokens in with less weight than they have: they take part with their probability")
def min_tokens_without_weight(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    weights = probabilities[: size(probabilities, p, min_tokens_to_keep)].clone()
    weights[size(probabilities, p) :] /= 3
    return pick(order, weights, generator)


@wrong("every call draws the same token, though not the most likely: do not seed anew (manual_seed) at every call")
def reseeds(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = probabilities[: size(probabilities, p, min_tokens_to_keep)]
    return pick(order, kept, torch.Generator().manual_seed(42))


@wrong("the given generator is set back at every call, so that it never gets on")
def resets_the_generator(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    if generator is not None:
        generator.manual_seed(generator.initial_seed())
    return pick(order, probabilities[: size(probabilities, p, min_tokens_to_keep)], generator)


@wrong("the generator is not handed on to the draw")
def ignores_the_generator(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: size(probabilities, p, min_tokens_to_keep)])


@wrong("the caller's logits are overwritten with -inf: mask a copy")
def masks_in_place(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    logits[order[size(probabilities, p, min_tokens_to_keep) :]] = -torch.inf
    return pick(torch.arange(len(logits)), logits.softmax(-1), generator)


@wrong("the maximum is subtracted from the caller's logits in place")
def shifts_in_place(logits, p, generator=None, min_tokens_to_keep=1):
    logits -= logits.max().clone()
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: size(probabilities, p, min_tokens_to_keep)], generator)


@wrong("a set whose mass only comes close to p is taken to reach it")
def close_enough(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: size(probabilities, p - 0.01, min_tokens_to_keep)], generator)


@wrong("one token too many is kept: the set ends with the token that brings its mass to p")
def one_too_many_at_least(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    kept = max(int((probabilities.cumsum(-1) < p).sum()) + 2, min_tokens_to_keep)
    return pick(order, probabilities[:kept], generator)


@wrong("p is taken as a threshold for single probabilities: it is the mass of the whole set")
def each_above_p(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities[: max(int((probabilities >= p).sum()), min_tokens_to_keep)], generator)


@wrong("tokens are kept by their ratio to the most likely one (min-p): here the mass of the set has to reach p")
def ratio_to_the_best(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities = logits.softmax(-1)
    return pick(
        torch.arange(len(logits)), torch.where(probabilities < p * probabilities.max(), 0, probabilities), generator
    )


@wrong("the mask of the sorted tokens is laid on the logits in vocabulary order: bring it back with the sort's indices")
def mask_in_sorted_order(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, _ = ranked(logits)
    out = torch.arange(len(logits)) >= size(probabilities, p, min_tokens_to_keep)
    return pick(torch.arange(len(logits)), logits.masked_fill(out, -torch.inf).softmax(-1), generator)


@wrong("the mask is brought back the wrong way round: out[order] = sorted_out (scatter), not out = sorted_out[order]")
def mask_gathered(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    out = torch.arange(len(logits)) >= size(probabilities, p, min_tokens_to_keep)
    return pick(torch.arange(len(logits)), logits.masked_fill(out[order], -torch.inf).softmax(-1), generator)


@wrong("logits are summed up until they reach p: sum probabilities, after the softmax")
def sums_logits(logits, p, generator=None, min_tokens_to_keep=1):
    ordered, order = logits.sort(descending=True)
    kept = max(int((ordered.cumsum(-1) < p).sum()) + 1, min_tokens_to_keep)
    return pick(order, ordered[:kept].softmax(-1), generator)


@wrong("the running sums are used as weights of the draw: they only tell where the set ends")
def draws_by_sums(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return pick(order, probabilities.cumsum(-1)[: size(probabilities, p, min_tokens_to_keep)], generator)


@wrong("the logits of all other tokens are set to zero, which leaves them a probability: set them to -inf")
def zero_for_the_others(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    masked, kept = torch.zeros_like(logits), order[: size(probabilities, p, min_tokens_to_keep)]
    masked[kept] = logits[kept]
    return pick(torch.arange(len(logits)), masked.softmax(-1), generator)


@wrong("after a second softmax the probabilities of 0 are no longer 0: draw from what is left after the first one")
def softmax_after_the_zeros(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    probabilities[size(probabilities, p, min_tokens_to_keep) :] = 0
    return pick(order, probabilities.softmax(-1), generator)


@wrong("the result is a tensor that holds the token: int(...) or .item() makes a Python int of it")
def a_tensor(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = ranked(logits)
    return order[
        torch.multinomial(probabilities[: size(probabilities, p, min_tokens_to_keep)], 1, generator=generator)
    ][0]


@right
def by_mask(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities, order = torch.sort(torch.softmax(logits, -1), descending=True)
    before = probabilities.cumsum(-1) - probabilities
    out = before >= p - 1e-7
    out[:min_tokens_to_keep] = False
    masked = logits.clone()
    masked[order[out]] = -1e9
    return torch.multinomial(masked.softmax(-1), 1, generator=generator)[0].item()


@right
def by_loop(logits, p, generator=None, min_tokens_to_keep=1):
    probabilities = logits.double().softmax(-1).tolist()
    tokens = sorted(range(len(probabilities)), key=lambda token: -probabilities[token])
    kept, mass = [], 0.0
    for token in tokens:
        if mass >= p and len(kept) >= min_tokens_to_keep:
            break
        kept.append(token)
        mass += probabilities[token]
    target = torch.rand((), generator=generator).item() * mass
    for token in kept:
        target -= probabilities[token]
        if target <= 0:
            return token
    return kept[-1]


@right
def by_search(logits, p, generator=None, min_tokens_to_keep=1):
    ordered, order = logits.sort(descending=True)
    mass = ordered.log_softmax(-1).exp().cumsum(-1)
    kept = max(int(torch.searchsorted(mass, p)) + 1, min_tokens_to_keep)
    noise = -torch.log(-torch.log(torch.rand(len(logits), generator=generator).clamp(min=1e-20)))
    return int(order[(ordered + noise)[:kept].argmax()])
