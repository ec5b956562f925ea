"""Wrong answers to exercise 1.19 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def draw(probabilities, generator=None):
    return int(torch.multinomial(probabilities, 1, generator=generator))


def top(logits, k):
    return logits.topk(min(max(k, 1), len(logits)))


@wrong("the most likely token is always returned: draw among the k, without seeding anew at every call")
def always_the_best(logits, k, generator=None):
    return int(logits.argmax())


@wrong("k is not used: tokens beyond the k most likely are drawn too")
def ignores_k(logits, k, generator=None):
    return draw(logits.softmax(-1), generator)


@wrong("the index among the k is returned, not the token id at that index")
def place(logits, k, generator=None):
    return draw(top(logits, k).values.softmax(-1), generator)


@wrong("the index among the k is returned, not the token id at that index; and k above V must mean all tokens")
def place_and_too_large_k_fails(logits, k, generator=None):
    return draw(logits.topk(k).values.softmax(-1), generator)


@wrong("one token too many is kept")
def one_too_many(logits, k, generator=None):
    best = top(logits, k + 1)
    return int(best.indices[draw(best.values.softmax(-1), generator)])


@wrong("one token too few is kept")
def one_too_few(logits, k, generator=None):
    best = top(logits, k - 1)
    return int(best.indices[draw(best.values.softmax(-1), generator)])


# Closer to equal than a few hundred draws can tell apart, so the two share a sentence.
FLAT = "the kept tokens get nearly equal chances (a second softmax does so): divide their probabilities by the sum"


@wrong(FLAT)
def uniform(logits, k, generator=None):
    best = top(logits, k)
    return int(best.indices[draw(torch.ones(len(best.values)), generator)])


@wrong(FLAT)
def double_softmax(logits, k, generator=None):
    best = top(logits.softmax(-1), k)
    return int(best.indices[draw(best.values.softmax(-1), generator)])


@wrong("the k least likely tokens are kept")
def smallest(logits, k, generator=None):
    best = logits.topk(min(k, len(logits)), largest=False)
    return int(best.indices[draw(best.values.softmax(-1), generator)])


@wrong("the logits of all other tokens are set to zero, which leaves them a probability: set them to -inf")
def zero_for_the_others(logits, k, generator=None):
    masked = torch.zeros_like(logits)
    best = top(logits, k)
    masked[best.indices] = best.values
    return draw(masked.softmax(-1), generator)


@wrong("a little probability is left to tokens beyond the k most likely")
def leaks(logits, k, generator=None):
    masked = torch.zeros_like(logits)
    best = top(logits, k)
    masked[best.indices] = best.values.softmax(-1)
    return draw(0.99 * masked + 0.01 / len(logits), generator)


@wrong("all the probability of the other tokens goes to the most likely one: divide by the sum instead")
def rest_to_the_best(logits, k, generator=None):
    probabilities = logits.softmax(-1)
    best = top(probabilities, k)
    kept = torch.zeros_like(logits)
    kept[best.indices] = best.values
    kept[best.indices[0]] += 1 - kept.sum()
    return draw(kept, generator)


@wrong("the least likely of the k is drawn far too rarely")
def thin_tail(logits, k, generator=None):
    best = top(logits, k)
    probabilities = best.values.softmax(-1)
    if len(probabilities) > 1:
        probabilities[-1] /= 3
    return int(best.indices[draw(probabilities, generator)])


@wrong("k above V is not handled: it means all tokens")
def too_large_k_fails(logits, k, generator=None):
    best = logits.topk(k)
    return int(best.indices[draw(best.values.softmax(-1), generator)])


@wrong("k above V is lowered to V - 1: the least likely token is never drawn")
def lowered_too_far(logits, k, generator=None):
    best = logits.topk(min(k, len(logits) - 1))
    return int(best.indices[draw(best.values.softmax(-1), generator)])


@wrong("every call draws the same token, though not the most likely: do not seed anew (manual_seed) at every call")
def reseeds(logits, k, generator=None):
    best = top(logits, k)
    fresh = torch.Generator().manual_seed(42)
    return int(best.indices[draw(best.values.softmax(-1), fresh)])


@wrong("the given generator is reset at every call, so it never moves on")
def resets_the_generator(logits, k, generator=None):
    best = top(logits, k)
    if generator is not None:
        generator.manual_seed(generator.initial_seed())
    return int(best.indices[draw(best.values.softmax(-1), generator)])


@wrong("the generator is not passed on to the draw")
def ignores_the_generator(logits, k, generator=None):
    best = top(logits, k)
    return int(best.indices[draw(best.values.softmax(-1))])


@wrong("the result is a tensor of shape (1,): return one number")
def one_element_tensor(logits, k, generator=None):
    best = top(logits, k)
    return best.indices[torch.multinomial(best.values.softmax(-1), 1, generator=generator)]


@wrong("the caller's logits are overwritten with -inf: mask a copy")
def masks_in_place(logits, k, generator=None):
    logits[logits < top(logits, k).values[-1]] = -torch.inf
    return draw(logits.softmax(-1), generator)


RULES_OUT = (
    "the k-th most likely token itself is left out, as > does where >= is needed: keep every token from it upwards"
)


@wrong(RULES_OUT)
def keeps_above_only(logits, k, generator=None):
    threshold = top(logits, k).values[-1]
    kept = (logits > threshold).nonzero().flatten()
    return int(kept[draw(logits[kept].softmax(-1), generator)])


@wrong(RULES_OUT)
def zeroes_the_last(logits, k, generator=None):
    probabilities = logits.softmax(-1)
    kept = torch.where(probabilities > top(probabilities, k).values[-1], probabilities, 0.0)
    return draw(kept, generator)


@wrong("the logits of all other tokens are set to zero, which leaves them a probability: set them to -inf")
def times_zero(logits, k, generator=None):
    return draw((logits * (logits >= top(logits, k).values[-1])).softmax(-1), generator)


@wrong("after a second softmax the probabilities of 0 are no longer 0: draw from what is left after the first one")
def softmax_after_the_zeros(logits, k, generator=None):
    kept, best = torch.zeros_like(logits), top(logits.softmax(-1), k)
    kept[best.indices] = best.values
    return draw(kept.softmax(-1), generator)


@wrong("the result is a tensor that holds the token: int(...) or .item() turns it into a Python int")
def a_tensor(logits, k, generator=None):
    best = top(logits, k)
    return best.indices[draw(best.values.softmax(-1), generator)]


@wrong(RULES_OUT)
def rules_out_the_last(logits, k, generator=None):
    return draw(logits.masked_fill(logits <= top(logits, k).values[-1], -torch.inf).softmax(-1), generator)


@wrong(RULES_OUT)
def rules_out_the_last_softly(logits, k, generator=None):
    return draw(logits.masked_fill(logits <= top(logits, k).values[-1], -1e9).softmax(-1), generator)


@wrong("multinomial was given logits, but it takes probabilities, which are never negative: apply softmax first")
def draws_from_logits(logits, k, generator=None):
    best = top(logits, k)
    return int(best.indices[draw(best.values, generator)])


@wrong("every call draws the same token, though not the most likely: do not seed anew (manual_seed) at every call")
def seeds_the_generator(logits, k, generator=None):
    if generator is not None:
        generator.manual_seed(42)
    best = top(logits, k)
    return int(best.indices[draw(best.values.softmax(-1), generator)])


@right
def by_mask(logits, k, generator=None):
    threshold = logits.sort(descending=True).values[min(k, len(logits)) - 1]
    return draw(logits.masked_fill(logits < threshold, -1e9).softmax(-1), generator)


@right
def by_gumbel(logits, k, generator=None):
    noise = -torch.log(-torch.log(torch.rand(len(logits), generator=generator).clamp(min=1e-20)))
    order = logits.argsort(descending=True)[:k]
    return int(order[(logits + noise)[order].argmax()])


@right
def by_inverse(logits, k, generator=None):
    ranked = sorted(range(len(logits)), key=lambda token: -logits[token].item())[:k]
    mass = logits[ranked].double().softmax(-1).cumsum(-1)
    at = torch.searchsorted(mass, torch.rand(1, generator=generator).double())
    return ranked[min(int(at), len(ranked) - 1)]


@right
def by_exponential_race(logits, k, generator=None):
    best = top(logits, k)
    clocks = torch.empty_like(best.values).exponential_(generator=generator)
    return best.indices[(best.values.softmax(-1) / clocks).argmax()].item()
