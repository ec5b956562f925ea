"""What the hidden tests of top-k and top-p sampling share: draws from known shares, and how they are judged.

The set of tokens is judged exactly, shares inside it at 6 standard deviations of a right sampler (a false alarm in
10^7 gradings); compared on the scale asin(sqrt(share)), where the spread is the same for every share.
"""

import torch

from utils.grade import equal, require

# two kept: shares .77 .23; three: .63 .19 .18; masses: .30 .39 .475 .55 ...
STEPS = [0.30, 0.09, 0.085, 0.075, 0.07, 0.065, 0.06, 0.06, 0.055, 0.05, 0.05, 0.04]


def probe_draws(sampler, logits, limit, count, seed, more):
    """asin(sqrt(share)) of each token in `count` draws, and the logits afterwards; `more`: further named arguments."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if more.pop("pass_generator", False):
            more["generator"] = torch.Generator().manual_seed(seed)
        tokens = [sampler(logits, limit, **more) for _ in range(count)]
    kind = type(tokens[0]).__name__
    if torch.is_tensor(tokens[0]):
        kind = f"tensor of shape {tuple(tokens[0].shape)} and dtype {tokens[0].dtype}"
    elif not isinstance(tokens[0], (int, float)):
        return {"kind": kind, "strays": False, "angles": torch.zeros(len(logits)), "logits": logits}
    tokens = [token.flatten()[0] if torch.is_tensor(token) else token for token in tokens]
    tokens = torch.tensor([int(token) for token in tokens])
    inside = tokens[(tokens >= 0) & (tokens < len(logits))]
    shares = torch.bincount(inside, minlength=len(logits)) / count
    return {"kind": kind, "strays": len(inside) < count, "angles": shares.sqrt().asin(), "logits": logits}


def probe_repeats(sampler, logits, limit, seeds):
    """Whether equal seeds of the generator give equal draws, whatever the state of torch's global one."""
    runs = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(1000 + number)
            generator = torch.Generator().manual_seed(seed)
            runs.append([int(sampler(logits, limit, generator=generator)) for _ in range(60)])
    return {"same": runs[0] == runs[1], "different": runs[0] != runs[2]}


def ladder(draw, probabilities):
    """Logits of the given probabilities, in a random order, with the places of each.

    First all of them are below zero, then all above: a logit of 0 put in for the tokens that are left out, or a sum of
    logits, shows in one of the two at every seed.
    """
    places = draw.permutation(len(probabilities))
    logits = torch.empty(len(probabilities))
    logits[places] = torch.tensor(probabilities).log() + (4, -2)[draw.index == 0] * (1 + draw.normal(1).abs())
    return logits, places


def one_token(kind: str) -> None:
    """The result must be a Python int; `kind` is what the probe calls it."""
    require(kind != "NoneType", "nothing is returned: the line with return is missing")
    says = f"the result must be a token id as a Python int, but it is a {kind}"
    says += ": int(...) or .item() turns it into one" * kind.startswith("tensor")
    require(kind == "int", says)


def shares_of(sampler, draw, logits, limit, count, **more):
    """Shares in `count` draws, after the form of the result was looked at. `limit`: k or p."""
    got = sampler.run(probe_draws, logits, limit, count, draw.seed, more, tolerance=4 / count**0.5)
    one_token(got["kind"])
    require(not got["strays"], "a returned token id is outside the vocabulary")
    return got["angles"].sin() ** 2


def check(sampler, draw, steps, limit, kept, count, says, **more):
    """Draw from the distribution `steps`, largest first, of which the first `kept` may appear."""
    logits, places = ladder(draw, steps)
    got = shares_of(sampler, draw, logits, limit, count, **more)
    expected = torch.zeros(len(steps))
    expected[places[:kept]] = torch.tensor(steps[:kept]) / sum(steps[:kept])
    shown = {"expected": expected, "got": got, "inputs": {"logits": logits}}
    shown["shows"] = f"how often each token came up in {count} draws"
    outside = got[expected == 0].sum().item()
    require(outside < 1e-6, f"{outside:.1%} of the draws are tokens that may not be drawn", **shown)
    deviation = 2 * count**0.5 * (got.clamp(0, 1).sqrt().asin() - expected.clamp(0, 1).sqrt().asin()).abs()
    require((deviation < 6).all(), says, **shown)


def draws_differ(sampler, draw, limit):
    """Draw among 60 almost equally likely tokens, with a limit that keeps all of them."""
    logits = draw.normal(60, std=0.1)
    got = shares_of(sampler, draw, logits, limit, 60, pass_generator=draw.index == 1)
    says = "among 60 almost equally likely tokens, 60 draws all give the same one: nothing is random"
    if got.argmax() != logits.argmax():
        says = (
            "every call draws the same token, though not the most likely: do not seed anew (manual_seed) at every call"
        )
    require(got.max() < 0.5, says, got=got, inputs={"logits": logits}, shows="how often each token came up in 60 draws")


def follows_the_generator(sampler, draw, limit):
    """The given generator decides, and nothing else does."""
    logits, _ = ladder(draw, STEPS)
    got = sampler.run(probe_repeats, logits, limit, [draw.seed % 1000 + 5] * 2 + [3])
    require(got["same"], "two generators with the same seed give different draws: pass the generator on to the draw")
    require(got["different"], "generators with different seeds give the same draws")


def leaves_logits_alone(sampler, draw, limit):
    """The caller's tensor is as it was."""
    logits, _ = ladder(draw, STEPS)
    got = sampler.run(probe_draws, logits, limit, 1, draw.seed, {}, tolerance=2.0)
    equal(got["logits"], logits, "the caller's logits are different after the call")
