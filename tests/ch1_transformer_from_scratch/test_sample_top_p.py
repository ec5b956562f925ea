"""Hidden tests of exercise 1.20: draws from the smallest set of most likely tokens whose mass reaches p.

The set of tokens is judged exactly, shares inside it at 6 standard deviations of a right sampler (a false alarm in
10^7 gradings); compared on the scale asin(sqrt(share)), where the spread is the same for every share.
"""

import torch

from utils.grade import equal, require


def probe_draws(sample_top_p, logits, p, count, seed, more):
    """asin(sqrt(share)) of each token in `count` draws, and the logits afterwards; `more`: further named arguments."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if more.pop("pass_generator", False):
            more["generator"] = torch.Generator().manual_seed(seed)
        tokens = [sample_top_p(logits, p, **more) for _ in range(count)]
    kind = type(tokens[0]).__name__
    if not isinstance(tokens[0], (int, float)) and not torch.is_tensor(tokens[0]):
        return {"kind": kind, "strays": False, "angles": torch.zeros(len(logits)), "logits": logits}
    if torch.is_tensor(tokens[0]):
        kind = "tensor of shape " + str(tuple(tokens[0].shape)) + " of " + str(tokens[0].dtype)
        tokens = [token.flatten()[0] for token in tokens]
    tokens = torch.tensor([int(token) for token in tokens])
    inside = tokens[(tokens >= 0) & (tokens < len(logits))]
    shares = torch.bincount(inside, minlength=len(logits)) / count
    return {"kind": kind, "strays": len(inside) < count, "angles": shares.sqrt().asin(), "logits": logits}


def probe_repeats(sample_top_p, logits, p, seeds):
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


def shares_of(sample_top_p, draw, logits, p, count, **more):
    """Shares in `count` draws, after the form of the result was looked at."""
    got = sample_top_p.run(probe_draws, logits, p, count, draw.seed, more, tolerance=4 / count**0.5)
    kind = got["kind"]
    require(kind != "NoneType", "nothing is returned: the line with return is missing")
    require("tensor" in kind or kind in ("int", "bool", "float"), f"the result must be one token id, not a {kind}")
    require("float" not in kind and kind != "bool", f"the result must be a token id (an int), but it is a {kind}")
    require("tensor" not in kind or "()" in kind, f"the result must be one number, but it is a {kind}")
    require(not got["strays"], "a returned token id lies outside the vocabulary")
    return got["angles"].sin() ** 2


def check(sample_top_p, draw, steps, p, kept, count, says, **more):
    """Draw from the distribution `steps`, largest first, of which the first `kept` may appear."""
    logits, places = ladder(draw, steps)
    got = shares_of(sample_top_p, draw, logits, p, count, **more)
    expected = torch.zeros(len(steps))
    expected[places[:kept]] = torch.tensor(steps[:kept]) / sum(steps[:kept])
    shown = {"expected": expected, "got": got, "inputs": {"logits": logits}}
    outside = got[expected == 0].sum().item()
    require(outside < 1e-6, f"{outside:.1%} of the draws lie outside the tokens that may be drawn", **shown)
    deviation = 2 * count**0.5 * (got.clamp(0, 1).sqrt().asin() - expected.clamp(0, 1).sqrt().asin()).abs()
    require((deviation < 6).all(), says, **shown)


def test_draws_differ(sample_top_p, draw):
    logits = draw.normal(60, std=0.1)
    got = shares_of(sample_top_p, draw, logits, 1.0, 60, pass_generator=draw.index == 1)
    says = "among 60 almost equally likely tokens, 60 draws all give the same one: nothing is left to chance"
    if got.argmax() != logits.argmax():
        says = (
            "every call draws the same token, though not the most likely: do not seed anew (manual_seed) at every call"
        )
    require(got.max() < 0.5, says, got=got, inputs={"logits": logits})


STEPS = [0.30, 0.09, 0.085, 0.075, 0.07, 0.065, 0.06, 0.06, 0.055, 0.05, 0.05, 0.04]  # masses: .30 .39 .475 .55 ...


def test_small_p_keeps_the_best(sample_top_p, draw):
    says = "a p below the largest probability must leave exactly one token"
    check(sample_top_p, draw, STEPS, 0.1 + 0.1 * draw.index, 1, 80, says)


def test_smallest_set_that_reaches_p(sample_top_p, draw):
    says = "the tokens of the smallest set that reaches p are not drawn in proportion to their probabilities"
    p, kept = [(0.35, 2), (0.43, 3)][draw.index]
    check(sample_top_p, draw, STEPS, p, kept, 800, says, pass_generator=draw.index == 1)


def test_just_above_and_below_a_sum(sample_top_p, draw):
    steps = [0.45, 0.3, 0.2, 0.05]
    p, kept = [(0.745, 2), (0.755, 3)][draw.index]
    says = f"with p = {p} the two most likely tokens, of mass 0.75, are {'enough' if kept == 2 else 'not enough'}"
    check(sample_top_p, draw, steps, p, kept, 150, says)


def test_p_reached_exactly(sample_top_p, draw):
    p, kept = [(0.5, 2), (0.75, 3)][draw.index]
    got = sample_top_p.run(probe_draws, torch.zeros(4), p, 80, draw.seed, {}, tolerance=2.0)
    count = int((got["angles"] > 0).sum())
    says = f"{kept} of four equally likely tokens reach p = {p} exactly, but {count} are drawn"
    require(count == kept, says, got=got["angles"].sin() ** 2)


def test_p_one_keeps_all(sample_top_p, draw):
    says = "with p = 1 every token takes part, with its own probability"
    check(sample_top_p, draw, [0.4, 0.3, 0.18, 0.12], 1.0, 4, 400, says)


def test_min_tokens_to_keep(sample_top_p, draw):
    steps = [0.45, 0.25, 0.2, 0.06, 0.04]
    says = "at least min_tokens_to_keep tokens must take part, with their probabilities"
    check(sample_top_p, draw, steps, 0.3, 3, 400, says, min_tokens_to_keep=3)
    says = "min_tokens_to_keep is a lower limit: where p needs more tokens, those take part"
    check(sample_top_p, draw, steps, 0.85, 3, 150, says, min_tokens_to_keep=2)


def test_generator(sample_top_p, draw):
    logits, _ = ladder(draw, STEPS)
    got = sample_top_p.run(probe_repeats, logits, 0.56, [draw.seed % 1000 + 5] * 2 + [3])
    require(got["same"], "two generators with the same seed give different draws: hand the generator on")
    require(got["different"], "generators with different seeds give the same draws")


def test_logits_are_left_alone(sample_top_p, draw):
    logits, _ = ladder(draw, STEPS)
    got = sample_top_p.run(probe_draws, logits, 0.56, 1, draw.seed, {}, tolerance=2.0)
    equal(got["logits"], logits, "the caller's logits are different after the call")
