"""Hidden tests of exercise 1.20: the smallest set of most likely tokens whose mass reaches p, and the right shares inside.

Shares are judged at 6.5 standard deviations of a right sampler (a false alarm in 10^9 checks); the set is judged exactly.
"""

import torch

from utils.grade import equal, require

DRAWS = 2000  # a token with 1 % of the mass is missed with probability 2e-9


def drawn(sample_top_p, logits, p, count, seed, more):
    """Shares of the tokens in `count` draws, and the logits afterwards; `more`: further named arguments."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if more.pop("pass_generator", False):
            more["generator"] = torch.Generator().manual_seed(seed)
        first = sample_top_p(logits, p, **more)
        kind = type(first).__name__
        if torch.is_tensor(first):
            kind = "tensor of shape " + str(tuple(first.shape)) + " of " + str(first.dtype)
        tokens = [int(sample_top_p(logits, p, **more)) for _ in range(count)]
    strays = sum(not 0 <= token < len(logits) for token in tokens)
    inside = torch.tensor([token for token in tokens if 0 <= token < len(logits)], dtype=torch.int64)
    shares = torch.bincount(inside, minlength=len(logits)) / count
    return {"kind": kind, "strays": strays / count, "shares": shares, "logits": logits}


def repeats(sample_top_p, logits, p, seeds):
    """Whether equal seeds of the generator give equal draws, whatever the state of torch's global one."""
    runs = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(1000 + number)
            generator = torch.Generator().manual_seed(seed)
            runs.append([int(sample_top_p(logits, p, generator=generator)) for _ in range(60)])
    return {"same": runs[0] == runs[1], "different": runs[0] != runs[2]}


def ladder(draw, probabilities):
    """Logits of the given probabilities, in a random order and at a random height, with the places of each."""
    places = draw.permutation(len(probabilities))
    logits = torch.empty(len(probabilities))
    logits[places] = torch.tensor(probabilities).log() + draw.normal(1, std=2)
    return logits, places


def check_shares(got, expected, says, logits):
    kind = got["kind"]
    require("float" not in kind and kind != "bool", f"the result must be a token id (an int), but it is a {kind}")
    require("tensor" not in kind or "()" in kind, f"the result must be one number, but it is a {kind}")
    require(got["strays"] == 0, "a returned token id lies outside the vocabulary")
    outside = got["shares"][expected == 0].sum().item()
    shown = {"expected": expected, "got": got["shares"], "inputs": {"logits": logits}}
    require(outside == 0, f"{outside:.1%} of the draws lie outside the tokens that may be drawn", **shown)
    deviation = (got["shares"] - expected).abs() / (expected * (1 - expected) / DRAWS).sqrt().clamp(min=1e-9)
    require((deviation[expected > 0] < 6.5).all(), says, **shown)


def shares_of(places, kept, probabilities):
    """The oracle: the kept probabilities divided by their sum, at their places."""
    expected = torch.zeros(len(places))
    expected[places[:kept]] = torch.tensor(probabilities[:kept])
    return expected / expected.sum()


STEPS = [0.36, 0.24, 0.18, 0.07, 0.06, 0.05, 0.03, 0.01]  # masses: .36 .60 .78 .85 .91 .96 .99 1


def run(sample_top_p, draw, steps, p, kept, says, **more):
    logits, places = ladder(draw, steps)
    got = sample_top_p.run(drawn, logits, p, DRAWS, draw.seed, more, tolerance=0.1)
    check_shares(got, shares_of(places, kept, steps), says, logits)


def test_small_p_keeps_the_best(sample_top_p, draw):
    says = "a p below the largest probability must leave exactly one token"
    run(sample_top_p, draw, STEPS, 0.1 + 0.2 * draw.index, 1, says)


def test_smallest_set_that_reaches_p(sample_top_p, draw):
    p, kept = [(0.7, 3), (0.65, 3)][draw.index]
    says = "the tokens of the smallest set that reaches p are not drawn in proportion to their probabilities"
    run(sample_top_p, draw, STEPS, p, kept, says, pass_generator=draw.index == 1)


def test_just_above_and_below_a_sum(sample_top_p, draw):
    steps = [0.45, 0.3, 0.2, 0.05]
    run(sample_top_p, draw, steps, 0.745, 2, "p is just reached by two tokens: two are to be kept")
    run(sample_top_p, draw, steps, 0.755, 3, "p is just not reached by two tokens: three are to be kept")


def test_p_reached_exactly(sample_top_p, draw):
    for p, kept in [(0.5, 2), (0.75, 3)]:
        got = sample_top_p.run(drawn, torch.zeros(4), p, DRAWS, draw.seed, {}, tolerance=2.0)
        count = int((got["shares"] > 0).sum())
        says = f"{kept} of four equally likely tokens reach p = {p} exactly, but {count} are drawn"
        require(count == kept, says, got=got["shares"], inputs={"logits": torch.zeros(4)})


def test_p_one_keeps_all(sample_top_p, draw):
    steps = [0.4, 0.3, 0.18, 0.12]
    run(sample_top_p, draw, steps, 1.0, 4, "with p = 1 every token takes part, with its own probability")


def test_min_tokens_to_keep(sample_top_p, draw):
    steps = [0.5, 0.25, 0.15, 0.06, 0.04]
    run(sample_top_p, draw, steps, 0.3, 3, "at least min_tokens_to_keep tokens must take part", min_tokens_to_keep=3)
    says = "min_tokens_to_keep is a lower limit: where p needs more tokens, those take part"
    run(sample_top_p, draw, steps, 0.85, 3, says, min_tokens_to_keep=2)


def test_generator(sample_top_p, draw):
    logits, _ = ladder(draw, STEPS)
    got = sample_top_p.run(repeats, logits, 0.9, [draw.seed % 1000 + 5] * 2 + [3])
    require(got["same"], "two generators with the same seed give different draws: hand the generator on")
    require(got["different"], "generators with different seeds give the same draws")


def test_logits_are_left_alone(sample_top_p, draw):
    logits, _ = ladder(draw, STEPS)
    got = sample_top_p.run(drawn, logits, 0.7, 1, draw.seed, {}, tolerance=2.0)
    equal(got["logits"], logits, "the caller's logits are different after the call")
