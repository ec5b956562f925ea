"""Wrong answers to exercise 1.20 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips("""
    def sample_top_p(logits, p, generator=None, min_tokens_to_keep=1):
        probabilities, order = logits.softmax(-1).sort(descending=True, stable=True)
        size = min(max(int((probabilities.cumsum(-1) < p).sum()) + 1, min_tokens_to_keep), len(order))
        weights = probabilities[:size]
        place = int(torch.multinomial(weights, 1, generator=generator))
        return int(order[place])
""")
SORT = "logits.softmax(-1).sort(descending=True, stable=True)"
SUMMED = "int((probabilities.cumsum(-1) < p).sum()) + 1"
SIZE = f"min(max({SUMMED}, min_tokens_to_keep), len(order))"
DRAW, RETURN = "int(torch.multinomial(weights, 1, generator=generator))", "return int(order[place])"
OUT = "torch.arange(len(logits)) >= size"  # of the places in the sorted order


def masked(fill: str) -> tuple[str, str, str, str]:
    """Draw from all logits, some of them replaced."""
    return "probabilities[:size]", f"{fill}.softmax(-1)", RETURN, "return place"


always_the_best = slip(
    "the most likely token is always returned: draw among those that are kept, without seeding anew at every call",
    RETURN, "return int(logits.argmax())",
)  # fmt: skip
ignores_p = slip("p is not used: tokens outside the set are drawn too", SIZE, "len(order)")
TOO_FEW = "the set ends before the token that brings its mass to p: keep that token, too"
one_too_few = slip(TOO_FEW, "sum()) + 1", "sum())")
all_below_p = slip(TOO_FEW, SUMMED, "int((probabilities.cumsum(-1) <= p).sum())")
TOO_MANY = "one token too many is kept: the set ends with the token that brings its mass to p"
one_too_many = slip(TOO_MANY, SIZE, f"max({SUMMED}, min_tokens_to_keep) + 1")
one_too_many_at_least = slip(TOO_MANY, SIZE, f"max({SUMMED} + 1, min_tokens_to_keep)")
at_least_two = slip(
    "at least two tokens are always kept: one is enough if its probability reaches p",
    "min_tokens_to_keep), len", "2, min_tokens_to_keep), len",
)  # fmt: skip
always_two = slip("two tokens are kept whatever p is", SIZE, "max(2, min_tokens_to_keep)")
unsorted = slip(
    "the probabilities are summed in the order of the vocabulary: sort them first, largest first",
    SORT, "logits.softmax(-1), torch.arange(len(logits))",
)  # fmt: skip
ascending = slip(
    "the probabilities are sorted smallest first, so unlikely tokens are kept",
    "descending=True, stable=True", "",
)  # fmt: skip
place = slip("the index in the sorted list is returned, not the token id at that index", RETURN, "return place")
THRESHOLD = "p is used as a threshold for single probabilities: it is the mass of the whole set"
threshold = slip(THRESHOLD, SUMMED, "int((probabilities > 1 - p).sum())")
each_above_p = slip(THRESHOLD, SUMMED, "int((probabilities >= p).sum())")
# Closer to equal than a few hundred draws can tell apart, so the two share a sentence.
FLAT = "the kept tokens get nearly equal chances (a second softmax does so): divide their probabilities by the sum"
uniform = slip(FLAT, "probabilities[:size]", "torch.ones(size)")
double_softmax = slip(FLAT, "probabilities[:size]", "probabilities[:size].softmax(-1)")
leaks = slip(
    "a little probability is left to tokens outside the set",
    "weights = probabilities[:size]",
    "weights = torch.where(torch.arange(len(order)) < size, probabilities, 0.0)\n"
    "    weights = 0.99 * weights / weights.sum() + 0.01 / len(weights)",
)  # fmt: skip
rest_to_the_best = slip(
    "all the probability of the other tokens goes to the most likely one: divide by the sum instead",
    "probabilities[:size]",
    "probabilities[:size].clone()\n    weights[0] = (weights[0] + 1 - weights.sum()).clamp(min=0)",
)  # fmt: skip
tie_takes_one_more = slip(
    "a set whose mass is exactly p is treated as too small: it reaches p, so no further token is needed", "< p", "<= p"
)
p_one_fails = slip(
    "p = 1 is not handled: it keeps all tokens",
    SIZE,
    "max(int((probabilities.cumsum(-1) > p - 1e-9 if p < 1 else order < 0).nonzero()[0]) + 1, min_tokens_to_keep)",
)  # fmt: skip
never_the_last = slip("the last token is never kept, not even with p = 1", "len(order))", "len(order) - 1)")
ignores_min_tokens = slip("min_tokens_to_keep is not used", "min_tokens_to_keep), len", "1), len")
adds_min_tokens = slip(
    "min_tokens_to_keep is added to the size of the set: it is a lower limit only",
    SIZE, f"{SUMMED} + min_tokens_to_keep - 1",
)  # fmt: skip
min_tokens_as_maximum = slip(
    "min_tokens_to_keep limits the set from above: it is a lower limit",
    SIZE, f"min_tokens_to_keep if min_tokens_to_keep > 1 else {SUMMED}",
)  # fmt: skip
min_tokens_without_weight = slip(
    "min_tokens_to_keep adds tokens with too little weight: they take part with their own probability",
    "probabilities[:size]", f"probabilities[:size].clone()\n    weights[{SUMMED} :] /= 3",
)  # fmt: skip
reseeds = slip(
    "every call draws the same token, though not the most likely: do not seed anew (manual_seed) at every call",
    "generator=generator", "generator=torch.Generator().manual_seed(42)",
)  # fmt: skip
resets_the_generator = slip(
    "the given generator is reset at every call, so it never moves on",
    "place =", "if generator is not None:\n        generator.manual_seed(generator.initial_seed())\n    place =",
)  # fmt: skip
ignores_the_generator = slip("the generator is not passed on to the draw", ", generator=generator)", ")")
masks_in_place = slip(
    "the caller's logits are overwritten with -inf: mask a copy",
    "weights = probabilities[:size]", "logits[order[size:]] = -torch.inf\n    weights = logits.softmax(-1)",
    RETURN, "return place",
)  # fmt: skip
shifts_in_place = slip(
    "the maximum is subtracted in place, from the caller's logits",
    "probabilities, order", "logits -= logits.max().clone()\n    probabilities, order",
)  # fmt: skip
close_enough = slip("a set whose mass only comes close to p is treated as if it reached p", "< p", "< p - 0.01")
ratio_to_the_best = slip(
    "tokens are kept by their ratio to the most likely one (min-p): here the mass of the set has to reach p",
    "probabilities[:size]", "torch.where(probabilities < p * probabilities[0], 0.0, probabilities)",
)  # fmt: skip
mask_in_sorted_order = slip(
    "the mask of the sorted tokens is applied to the logits in vocabulary order: reorder it with the sort's indices",
    *masked(f"logits.masked_fill({OUT}, -torch.inf)"),
)
mask_gathered = slip(
    "the mask is reordered the wrong way round: out[order] = sorted_out (scatter), not out = sorted_out[order]",
    *masked(f"logits.masked_fill(({OUT})[order], -torch.inf)"),
)
sums_logits = slip(
    "logits are summed up until they reach p: sum probabilities, after the softmax",
    SORT, "logits.sort(descending=True, stable=True)", "probabilities[:size]", "probabilities[:size].softmax(-1)",
)  # fmt: skip
draws_by_sums = slip(
    "the running sums are used as weights of the draw: they only show where the set ends",
    "probabilities[:size]", "probabilities.cumsum(-1)[:size]",
)  # fmt: skip
zero_for_the_others = slip(
    "the logits of all other tokens are set to zero, which leaves them a probability: set them to -inf",
    *masked(f"logits.masked_fill(({OUT})[order.argsort()], 0.0)"),
)
softmax_after_the_zeros = slip(
    "after a second softmax the probabilities of 0 are no longer 0: draw from what is left after the first one",
    "probabilities[:size]", f"probabilities.masked_fill({OUT}, 0.0).softmax(-1)",
)  # fmt: skip
a_tensor = slip(
    "the result is a tensor that holds the token: int(...) or .item() turns it into a Python int",
    RETURN, "return order[place]",
)  # fmt: skip


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
