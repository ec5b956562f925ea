"""Hidden tests of exercise 1.19: no draw outside the k most likely tokens, and the right shares inside.

Shares are judged at 6.5 standard deviations of a right sampler (a false alarm in 10^9 checks); the set is judged exactly.
"""

import torch

from utils.grade import equal, require

DRAWS = 2000  # a token with 1 % of the mass is missed with probability 2e-9


def drawn(sample_top_k, logits, k, count, seed, pass_generator):
    """Shares of the tokens in `count` draws from one generator (or from torch's global one), and the logits afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        more = {"generator": torch.Generator().manual_seed(seed)} if pass_generator else {}
        first = sample_top_k(logits, k, **more)
        kind = type(first).__name__
        if torch.is_tensor(first):
            kind = "tensor of shape " + str(tuple(first.shape)) + " of " + str(first.dtype)
        tokens = [int(sample_top_k(logits, k, **more)) for _ in range(count)]
    strays = sum(not 0 <= token < len(logits) for token in tokens)
    inside = torch.tensor([token for token in tokens if 0 <= token < len(logits)], dtype=torch.int64)
    shares = torch.bincount(inside, minlength=len(logits)) / count
    return {"kind": kind, "strays": strays / count, "shares": shares, "logits": logits}


def repeats(sample_top_k, logits, k, seeds):
    """Whether equal seeds of the generator give equal draws, whatever the state of torch's global one."""
    runs = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(1000 + number)
            generator = torch.Generator().manual_seed(seed)
            runs.append([int(sample_top_k(logits, k, generator=generator)) for _ in range(60)])
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


STEPS = [0.35, 0.22, 0.15, 0.08, 0.07, 0.06, 0.05, 0.02]  # the first three are kept, with shares .49, .31, .21


def test_only_the_best(sample_top_k, draw):
    logits, places = ladder(draw, STEPS)
    got = sample_top_k.run(drawn, logits, 1, DRAWS, draw.seed, False, tolerance=0.1)
    check_shares(got, shares_of(places, 1, STEPS), "with k = 1 the most likely token must be drawn every time", logits)


def test_shares_of_the_k_best(sample_top_k, draw):
    logits, places = ladder(draw, STEPS)
    got = sample_top_k.run(drawn, logits, 3, DRAWS, draw.seed, draw.index == 1, tolerance=0.1)
    says = "the k most likely tokens are not drawn in proportion to their probabilities"
    check_shares(got, shares_of(places, 3, STEPS), says, logits)


def test_k_up_to_and_above_the_vocabulary(sample_top_k, draw):
    steps = [0.4, 0.3, 0.18, 0.12]
    logits, places = ladder(draw, steps)
    for k in (4, 9):
        got = sample_top_k.run(drawn, logits, k, DRAWS, draw.seed, False, tolerance=0.1)
        says = "with k at or above V every token takes part, with its own probability"
        check_shares(got, shares_of(places, 4, steps), says, logits)


def test_generator(sample_top_k, draw):
    logits, _ = ladder(draw, STEPS)
    got = sample_top_k.run(repeats, logits, 4, [draw.seed % 1000 + 5] * 2 + [3])
    require(got["same"], "two generators with the same seed give different draws: hand the generator on")
    require(got["different"], "generators with different seeds give the same draws")


def test_logits_are_left_alone(sample_top_k, draw):
    logits, _ = ladder(draw, STEPS)
    got = sample_top_k.run(drawn, logits, 3, 1, draw.seed, False, tolerance=2.0)
    equal(got["logits"], logits, "the caller's logits are different after the call")
