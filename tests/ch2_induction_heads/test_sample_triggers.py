"""Hidden tests of exercise 2.2: which triggers and outputs are drawn, counted in batches of a thousand.

What must never happen is judged exactly, shares against the chance that a right answer gives such a count: below 4e-9
for each one.
"""

import math

import torch

from utils.grade import RARE, equal, rarity, require

B, LARGE_B = 900, 2400


def probe_form(sample_triggers, pi_u, k, batch, fixed, no_repeat, seed):
    """One call; returns what came back and pi_u afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        got = sample_triggers(pi_u, k, batch, fixed, no_repeat, torch.Generator().manual_seed(seed))
    told = {"kind": type(got).__name__, "length": len(got) if isinstance(got, (tuple, list)) else 0, "pi_u": pi_u}
    if told["length"] == 2 and all(torch.is_tensor(part) for part in got):
        told["shapes"], told["dtypes"] = [list(part.shape) for part in got], [str(part.dtype) for part in got]
        told["floating"] = any(part.is_floating_point() for part in got)
        told["inside"] = all(bool(((part >= 0) & (part < len(pi_u))).all()) for part in got)
    return told


def probe_shares(sample_triggers, pi_u, k, batch, fixed, no_repeat, seed):
    """asin(sqrt(share)) of everything that is counted in one batch; V stands for len(pi_u)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        q, o = sample_triggers(pi_u, k, batch, fixed, no_repeat, torch.Generator().manual_seed(seed))
    V = len(pi_u)
    q, o = q.long(), o.long()
    ordered = q.sort(1).values
    sets = (2 ** torch.arange(V))[q].sum(1)
    counts = {
        "sets": torch.bincount(sets.clamp(0, 2**V - 1), minlength=2**V) / batch,  # which tokens, as a binary number
        "taking part": (q[:, :, None] == torch.arange(V)).any(1).double().mean(0),
        "both": torch.bincount((q * V + o).flatten().clamp(0, V * V - 1), minlength=V * V) / o.numel(),
        "twice": (ordered[:, 1:] == ordered[:, :-1]).any(1).double().mean(),
        "own": (q == o).double().mean(),
        "steps": torch.bincount((o - q).flatten() % V, minlength=V) / q.numel(),
        "outputs": torch.bincount(o.flatten().clamp(0, V - 1), minlength=V) / o.numel(),
        "same trigger below": (q[0::2] == q[1::2]).all(1).double().mean(),
        "same output below": (o[0::2] == o[1::2])[:, 0].double().mean(),
        "same output beside": (o[:, 0] == o[:, 1]).double().mean(),
        "another trigger": (o[:, 0] == q[:, 1]).double().mean(),
    }
    return {name: share.double().sqrt().asin() for name, share in counts.items()}


def probe_repeats(sample_triggers, pi_u, k, fixed, no_repeat, seeds):
    """Whether equal seeds give equal draws and others do not, for triggers and outputs."""
    runs = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(1000 + number)
            generator = torch.Generator().manual_seed(seed)
            runs.append([sample_triggers(pi_u, k, 40, fixed, no_repeat, generator) for _ in range(2)])
    first, again, other = runs
    return {
        "same triggers": all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True)),
        "same outputs": all(torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True)),
        "other": not torch.equal(first[0][1], other[0][1]),
        "moves": not torch.equal(first[0][1], first[1][1]),
    }


def frequencies(draw, *steps):
    """The given shares in a random order."""
    return torch.tensor(steps)[draw.permutation(len(steps))]


def formed(sample_triggers, draw, pi_u, k, batch, fixed, no_repeat):
    """A call whose result must be two int64 tensors (batch, k) of token ids."""
    got = sample_triggers.run(probe_form, pi_u, k, batch, fixed, no_repeat, draw.seed)
    require(got["kind"] != "NoneType", "nothing is returned: the line with return is missing")
    require(got["length"] == 2, "the result must be a pair of tensors: (triggers, outputs)")
    require("shapes" in got, "triggers and outputs must both be tensors")
    for shape, dtype, name in zip(got["shapes"], got["dtypes"], ("triggers", "outputs"), strict=True):
        says = f"{name} has shape {tuple(shape)}, but for {batch} sequences with k = {k} it should be {(batch, k)}"
        require(shape == [batch, k], says)
        require(dtype == "torch.int64", f"{name} holds token ids (int64), but its dtype is {dtype}")
    require(got["inside"], f"a trigger or output lies outside the vocabulary, which ends at {len(pi_u) - 1}")
    equal(got["pi_u"], pi_u, "the caller's pi_u is different after the call: work on a copy")


def counted(sample_triggers, draw, pi_u, k, fixed, no_repeat, batch=B):
    got = sample_triggers.run(probe_shares, pi_u, k, batch, fixed, no_repeat, draw.seed, tolerance=4 / batch**0.5)
    return {name: angle.sin() ** 2 for name, angle in got.items()}


def sets_by_chance(pi_u, k):
    """Probability of each set of k tokens, drawn one after the other without replacement."""
    found = torch.zeros(2 ** len(pi_u), dtype=torch.float64)

    def go_on(chosen, chance, left):
        if len(chosen) == k:
            found[sum(2**token for token in chosen)] += chance
            return
        for token, p in enumerate(pi_u.double().tolist()):
            if token not in chosen and p > 0:
                go_on([*chosen, token], chance * p / left, left - p)

    go_on([], 1.0, float(pi_u.double().sum()))
    return found


def test_form(sample_triggers, draw):
    pi_u = frequencies(draw, 0.3, 0.25, 0.15, 0.12, 0.1, 0.05, 0.03)
    for fixed, no_repeat in ((False, False), (True, True)):
        formed(sample_triggers, draw, pi_u, 3 - draw.index, 5 - 4 * draw.index, fixed, no_repeat)


def test_fixed_are_the_most_frequent(sample_triggers, draw):
    k = 2 + draw.index
    for _ in range(3):  # nearly equal shares, and several calls: a set by chance is not the right one each time
        pi_u = frequencies(draw, *(0.125 + 0.005 * place for place in range(-3, 5)))
        got = counted(sample_triggers, draw, pi_u, k, True, False)["sets"]
        best = sum(2 ** int(token) for token in pi_u.argsort(descending=True)[:k])
        says = "with fixed=True the triggers of every sequence must be the k most frequent tokens"
        require(got[best] > 1 - 1e-9, says, inputs={"pi_u": pi_u})


def test_random_triggers(sample_triggers, draw):
    pi_u = frequencies(draw, 0.5, 0.24, 0.16, 0.1, 0.0) if draw.index else frequencies(draw, 0.85, 0.07, 0.05, 0.03)
    batch = B if draw.index else LARGE_B
    got = counted(sample_triggers, draw, pi_u, 2 + draw.index, False, False, batch)
    require(got["twice"] < 1e-9, "a sequence has the same trigger twice: draw without replacement", got=got["twice"])
    expected = sets_by_chance(pi_u, 2 + draw.index)
    same = float(expected.square().sum())
    says = "neighbouring sequences have the same triggers far too often: each sequence draws its own"
    require(got["same trigger below"] < (same + 1) / 2, says, got=got["same trigger below"])
    sets = torch.arange(len(expected))
    part = torch.stack([expected[(sets >> token) % 2 == 1].sum() for token in range(len(pi_u))])
    says = "the triggers are not drawn from pi_u, one after the other without replacement, in each sequence"
    odd = max(rarity(got["sets"], expected, batch), rarity(got["taking part"], part.clamp(max=1), batch))
    require(odd < RARE, says, expected=part, got=got["taking part"], inputs={"pi_u": pi_u})


def check_outputs(got, V, k, no_repeat):
    """Outputs are uniform, apart from each other and from one sequence to the next."""
    if no_repeat:
        require(got["own"] < 1e-9, "with no_repeat=True an output is its own trigger", got=got["own"])
    below = rarity(got["same output below"], 1 / V, B // 2) < RARE
    steps = torch.full((V,), 1 / V, dtype=torch.float64)
    if no_repeat:
        steps = torch.full((V,), 1 / (V - 1), dtype=torch.float64)
        steps[0] = 0
        below = rarity(got["same output below"], 1 / (V - 1), B // 2) < RARE
    require(below, "neighbouring sequences have the same output too often or too seldom: each draws its own outputs")
    says = "the outputs are not uniform over the tokens that are allowed"
    # the k outputs of one batch are as many independent draws
    require(rarity(got["steps"], steps, B * k) < RARE, says, expected=steps, got=got["steps"])


def test_outputs(sample_triggers, draw):
    pi_u, k, V = frequencies(draw, 0.35, 0.25, 0.2, 0.12, 0.08), 3, 5
    fixed = draw.index == 1
    got = counted(sample_triggers, draw, pi_u, k, fixed, False)
    check_outputs(got, V, k, False)
    says = "the outputs are not uniform over all V tokens"
    require(rarity(got["outputs"], 1 / V, B * k) < RARE, says, got=got["outputs"])
    says = "two outputs of a sequence are equal too often or too seldom: they are drawn independently"
    require(rarity(got["same output beside"], 1 / V, B) < RARE, says, got=got["same output beside"])
    says = "an output is another trigger of its sequence too often or too seldom: it may be any token"
    require(rarity(got["another trigger"], 1 / V, B) < RARE, says, got=got["another trigger"])


def test_no_repeat(sample_triggers, draw):
    pi_u, k, V = frequencies(draw, 0.4, 0.28, 0.2, 0.12), 2, 4
    fixed = draw.index == 1
    got = counted(sample_triggers, draw, pi_u, k, fixed, True)
    # fixed triggers differ from row to row in no way, so neighbours agree as often as two draws from V - 1 tokens do
    if fixed:
        check_outputs(got, V, k, True)
        best = pi_u.argsort(descending=True)[:k]
        table = torch.zeros(V, V, dtype=torch.float64)
        table[best] = 1 / (k * (V - 1))
        table[best, best] = 0
        says = "with no_repeat=True the outputs are not uniform over the V - 1 tokens that are not their trigger"
        require(rarity(got["both"], table.flatten(), B * k) < RARE, says, expected=table, got=got["both"].view(V, V))
    else:
        require(got["own"] < 1e-9, "with no_repeat=True an output is its own trigger", got=got["own"])
        steps = torch.tensor([0.0] + [1 / (V - 1)] * (V - 1), dtype=torch.float64)
        says = "with no_repeat=True the outputs are not uniform over the V - 1 tokens that are not their trigger"
        require(rarity(got["steps"], steps, B * k) < RARE, says, expected=steps, got=got["steps"])
    says = "with no_repeat=True an output may still be another trigger of its sequence"
    require(rarity(got["another trigger"], 1 / (V - 1), B) < RARE, says, got=got["another trigger"])
    both = (V - 2) / (V - 1) ** 2  # two outputs meet on one of the V - 2 tokens that both may take
    says = "with no_repeat=True two outputs of a sequence are equal too often or too seldom"
    require(rarity(got["same output beside"], both, B) < RARE, says, got=got["same output beside"])


def test_generator(sample_triggers, draw):
    pi_u, seed = frequencies(draw, 0.3, 0.25, 0.15, 0.12, 0.1, 0.05, 0.03), draw.seed % 1000
    fixed = draw.index == 1
    got = sample_triggers.run(probe_repeats, pi_u, 3, fixed, not fixed, [seed, seed, seed + 1])
    require(got["same triggers"], "two generators with the same seed give different triggers: hand the generator on")
    require(got["same outputs"], "two generators with the same seed give different outputs: hand the generator on")
    require(got["other"], "generators with different seeds give the same outputs: draw from the given generator")
    require(got["moves"], "two calls with one generator give the same outputs: do not seed it anew")


def test_smallest_and_largest(sample_triggers, draw):
    pi_u = frequencies(draw, 0.4, 0.3, 0.2, 0.1)
    for fixed in (False, True):
        formed(sample_triggers, draw, pi_u, 4, 3, fixed, draw.index == 0)
        formed(sample_triggers, draw, pi_u, 0, 3, fixed, draw.index == 1)
    got = counted(sample_triggers, draw, pi_u, 4, False, True)
    require(math.isclose(float(got["sets"][15]), 1.0), "with k = V every token is a trigger of every sequence")
