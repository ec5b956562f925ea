"""Hidden tests of exercise 1.16: the first of the largest logits."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file

sampling = load_file(Path(__file__).with_name("_draws.py"))

V = 23
CALLS = 200  # a random choice cannot be right every time


def probe_choices(greedy, logits, calls, seed):
    """How often each token is returned, what kind of thing a result is, and the logits afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        results = [greedy(logits) for _ in range(calls)]
    kind = type(results[0]).__name__
    if torch.is_tensor(results[0]):
        kind = f"tensor of shape {tuple(results[0].shape)} and dtype {results[0].dtype}"
    elif not isinstance(results[0], (int, float)):
        return {"kind": kind, "shares": torch.zeros(len(logits)), "logits": logits}
    results = [result.flatten()[0].item() if torch.is_tensor(result) else result for result in results]
    shares = torch.zeros(len(logits))
    for token in results:
        if 0 <= int(token) < len(logits):
            shares[int(token)] += 1 / calls
    return {"kind": kind, "shares": shares, "logits": logits}


def check(greedy, draw, logits, expected, says):
    got = greedy.run(probe_choices, logits, CALLS, draw.seed, tolerance=0.25)
    sampling.one_token(got["kind"])
    one_hot = torch.nn.functional.one_hot(torch.tensor(expected), len(logits)).float()
    close(got["shares"], one_hot, says, inputs={"logits": logits}, card=(expected, int(got["shares"].argmax())))


def test_largest(greedy, draw):
    logits = draw.normal(V, std=2)
    logits[draw.integer(0, V)] = -9.0  # the largest in size is not the largest
    best = max(range(V), key=logits.tolist().__getitem__)
    check(greedy, draw, logits, best, "the token with the largest logit must be returned, every time")


def test_first_of_several_largest(greedy, draw):
    for size in (8, V + 40 * draw.index):  # a sort that is not stable keeps the order of few, and not of many
        logits = draw.normal(size, std=2)
        places = sorted(draw.permutation(len(logits))[:3].tolist())
        logits[places] = 9.0
        check(greedy, draw, logits, places[0], "of several equally large logits the first one counts")


def test_hundreds(greedy, draw):
    logits = 300.0 + draw.normal(V, std=2)
    logits[0] = 290.0  # so it is not the first of them
    best = max(range(V), key=logits.tolist().__getitem__)
    says = "logits may be in the hundreds: the largest must be found there, too"
    check(greedy, draw, logits, best, says)


def test_all_below_zero(greedy, draw):
    logits = draw.normal(V).abs() * -1 - 3
    logits[0] = -torch.inf  # a token that a sampler has ruled out
    best = max(range(V), key=logits.tolist().__getitem__)
    check(greedy, draw, logits, best, "the largest logit must be found when all are below zero, too")


def test_logits_are_left_alone(greedy, draw):
    logits = draw.normal(V)
    equal(greedy.call(logits)["args"][0], logits, "the caller's logits are different after the call")
