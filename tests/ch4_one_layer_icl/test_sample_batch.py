"""Hidden tests of exercise 4.1: every share of the drawn sentences against its exact probability.

Places, pairs, labels and outputs are counted; `rarity` says how surprising a count is. A right answer exceeds RARE with
probability below 3e-11 for each of some thousand counts.
"""

import math
from functools import cache

import torch

from utils.grade import equal, rarity, require
from utils.grade.judge import a_thing

RARE = 25.0
BATCH = 2000


def probe_batch(sample_batch, cfg, batch, noisy, alpha, ood, seed):
    """What one call returns, as it is."""
    generator = torch.Generator().manual_seed(seed)
    return sample_batch(SimpleNamespace(**cfg), batch, noisy, alpha, ood=ood, generator=generator)


def probe_shares(sample_batch, cfg, batch, noisy, alpha, ood, seed):
    """asin(sqrt(share)) of everything that can be counted, in `calls` batches after one another.

    "all alike": the share of batches in which all labels are noise or none is: one flip for a whole batch shows there.
    """
    generator = torch.Generator().manual_seed(seed)
    given, calls = SimpleNamespace(**cfg), 20
    size, N, H, Q = batch // calls, given.vocab_size, given.H, given.Q
    drawn = [sample_batch(given, size, noisy, alpha, ood=ood, generator=generator) for _ in range(calls)]
    tokens, labels, outputs = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    stray = bool(((tokens < 0) | (tokens >= N)).any() or ((outputs < 0) | (outputs >= N)).any())
    tokens, outputs = tokens.clamp(0, N - 1), outputs.clamp(0, N - 1)

    def joint(a, b, sizes):
        return torch.bincount(a * sizes[1] + b, minlength=sizes[0] * sizes[1]).reshape(sizes) / len(a)

    def place(found):  # index of the only place; H where there is none or more than one
        return torch.where(found.sum(1) == 1, found.float().argmax(1), H)

    before, after = tokens[:, :-1] == tokens[:, -1:], tokens[:, 1:]
    p, p_tau = place(before & (after == outputs[:, None])), place(before & (after == N - 1))
    is_tau = (labels == N - 1).long()
    noise_in_batch = is_tau.float().reshape(calls, size).mean(1)
    shares = {
        "all alike": ((noise_in_batch == 0) | (noise_in_batch == 1)).float().mean(),
        "triggers": torch.bincount((tokens < Q).sum(1), minlength=H + 1) / len(tokens),
        "taus": torch.bincount((tokens == N - 1).sum(1), minlength=H + 1) / len(tokens),
        "query": joint(tokens[:, -1], outputs, (N, N)),
        "pair": joint(p, p_tau, (H + 1, H + 1)),
        "place and output": joint(p, outputs, (H + 1, N)),
        "tokens": torch.nn.functional.one_hot(tokens, N).float().mean(0),
        "count of y": torch.bincount((tokens == outputs[:, None]).sum(1), minlength=H + 1) / len(tokens),
        "equal": (tokens[:, :, None] == tokens[:, None, :]).float().mean(0),
        "labels": torch.stack([(labels == N - 1).float().mean(), (labels == outputs).float().mean()]),
        "noise and output": joint(outputs, is_tau, (N, 2)),
        "noise and place": joint(p, is_tau, (H + 1, 2)),
        "next": torch.stack([(x[::2] == x[1::2]).float().mean() for x in (tokens[:, -1], outputs, p, is_tau)]),
    }
    return {"stray": stray, **{name: share.clamp(0, 1).sqrt().asin() for name, share in shares.items()}}


def probe_repeats(sample_batch, cfg, batch, noisy, alpha, seeds):
    """Whether calls agree: the same seed twice, another seed, one generator used twice, and no generator twice."""
    given = SimpleNamespace(**cfg)

    def flat(generator):
        return torch.cat([part.flatten() for part in sample_batch(given, batch, noisy, alpha, generator=generator)])

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds[0])
        one = torch.Generator().manual_seed(seeds[0])
        first, second = flat(one), flat(one)
        torch.manual_seed(seeds[1])
        again = flat(torch.Generator().manual_seed(seeds[0]))
        other = flat(torch.Generator().manual_seed(seeds[1]))
        without = [torch.cat([part.flatten() for part in sample_batch(given, batch, noisy, alpha)]) for _ in range(2)]
    return {
        "again": torch.equal(first, again),
        "goes_on": not torch.equal(first, second),
        "other": not torch.equal(first, other),
        "without": not torch.equal(*without),
    }


def probe_pairs(sample_batch, cfg, calls, noisy, alpha, seed):
    """asin(sqrt(share)) of calls for two sentences whose queries, outputs, or noise in the labels, are equal."""
    generator, given, equal = torch.Generator().manual_seed(seed), SimpleNamespace(**cfg), torch.zeros(3)
    for _ in range(calls):
        tokens, labels, outputs = sample_batch(given, 2, noisy, alpha, generator=generator)
        noise = labels == given.vocab_size - 1
        equal += torch.stack([x[0] == x[1] for x in (tokens[:, -1], outputs, noise)]).float()
    return {"equal": (equal / calls).sqrt().asin()}


def sizes(draw, H=None, spare=3):
    """Sizes that all differ: some triggers, some outputs, more fillers."""
    Q, Y = 3 - draw.index % 2, 2 + draw.index % 2
    return {"vocab_size": Q + Y + spare + 1, "H": H or 8 + draw.index, "Q": Q, "Y": Y}


@cache
def expected(N, H, Q, Y, noisy, alpha, ood):
    """The oracle: the sum over all places of the pairs, with the probability of each."""
    triggers = [0] if noisy else list(range(Q))
    ys = list(range(Q + Y, N - 1)) if ood else list(range(Q, Q + Y))
    fillers = list(range(Q, N - 1))
    cases = []  # (probability, place of the pair, place of the noise pair or H)
    for p in range(H - 2):
        free = [x for x in range(H - 2) if abs(x - p) >= 2] if noisy else [H]
        cases += [(1 / (H - 2) / len(free), p, x) for x in free]

    uniform = {"trigger": torch.zeros(N), "y": torch.zeros(N), "tau": torch.zeros(N), "filler": torch.zeros(N)}
    for kind, members in (("trigger", triggers), ("y", ys), ("tau", [N - 1]), ("filler", fillers)):
        uniform[kind][members] = 1 / len(members)
    uniform = {kind: value.double() for kind, value in uniform.items()}

    def role(h, p, p_tau):
        if h in (p, p_tau, H - 1):
            return "trigger"
        return "y" if h == p + 1 else "tau" if h == p_tau + 1 else "filler"

    def same(a, b):  # one trigger a sentence, so two of them are equal
        return 1.0 if a == b == "trigger" else (uniform[a] * uniform[b]).sum().item()

    alike = {(a, b): same(a, b) for a in uniform for b in uniform}
    zeros = {"dtype": torch.float64}
    shares = {
        "triggers": torch.zeros(H + 1, **zeros),
        "taus": torch.zeros(H + 1, **zeros),
        "query": uniform["trigger"][:, None] * uniform["y"],
        "pair": torch.zeros(H + 1, H + 1, **zeros),
        "tokens": torch.zeros(H, N, **zeros),
        "equal": torch.zeros(H, H, **zeros),
        "labels": torch.tensor([alpha, 1 - alpha] if noisy else [0.0, 1.0], **zeros),
        "count of y": torch.zeros(H + 1, **zeros),
    }
    shares["triggers"][3 if noisy else 2] = 1
    shares["taus"][1 if noisy else 0] = 1
    free = H - 5 if noisy else H - 3
    for k in range(free + 1):
        shares["count of y"][1 + k] = (
            math.comb(free, k) * (1 / len(fillers)) ** k * (1 - 1 / len(fillers)) ** (free - k)
        )
    for weight, p, p_tau in cases:
        shares["pair"][p, p_tau] += weight
        for i in range(H):
            shares["tokens"][i] += weight * uniform[role(i, p, p_tau)]
            for j in range(H):
                a, b = role(i, p, p_tau), role(j, p, p_tau)
                shares["equal"][i, j] += weight * (1.0 if i == j else alike[a, b])
    place = shares["pair"].sum(1)
    noise = torch.tensor([1 - alpha, alpha] if noisy else [1.0, 0.0], **zeros)
    shares["place and output"] = place[:, None] * uniform["y"]
    shares["noise and output"] = uniform["y"][:, None] * noise
    shares["noise and place"] = place[:, None] * noise
    same_row = [uniform["trigger"], uniform["y"], place, noise]
    size = BATCH // 20
    shares["all alike"] = torch.tensor(alpha**size + (1 - alpha) ** size if noisy else 1.0, **zeros)
    shares["next"] = torch.stack([(x**2).sum() for x in same_row])
    return shares


SAYS = {
    "all alike": "one flip decides the labels of a whole batch: each label is noise on its own",
    "triggers": "the number of triggers in a sentence is off: one at the end, one in each pair, and p is at most H-3",
    "taus": "the number of noise tokens in a sentence is off: one in every noisy sentence, none without noise",
    "query": "the query at the end, or the output y, is not drawn uniformly from its own set of tokens",
    "pair": "the places of the pairs (q, y) and (q, tau) are not distributed as they should be",
    "place and output": "the place of the output depends on which output it is",
    "tokens": "at some position some tokens come too often or too rarely",
    "count of y": "the number of times that y occurs in a sentence is off: fillers are drawn without looking at y",
    "equal": "two positions of a sentence hold the same token too often or too rarely: draw each filler on its own",
    "labels": "the share of labels that are the noise token, or that are y, is off",
    "noise and output": "whether a label is noise depends on the output: draw the two independently",
    "noise and place": "whether a label is noise depends on the sentence: draw the two independently",
    "next": "a sentence depends on the one before it in the batch: draw each on its own",
}
SHOWS = {  # what a card's two tables hold; where nothing is said, they are not drawn
    "triggers": "the share of sentences with 0, 1, 2, ... trigger tokens",
    "taus": "the share of sentences with 0, 1, 2, ... noise tokens",
    "query": "the share of each query (row) with each output (column)",
    "pair": "the share of each place p (row) with each place p' (column); the last is 'missing, or more than one'",
    "place and output": "the share of each place p (row) with each output (column)",
    "tokens": "the share of each token (column) at each position (row)",
    "count of y": "the share of sentences that hold y 0, 1, 2, ... times",
    "equal": "how often two positions (row, column) hold the same token",
    "labels": "the shares of labels that are the noise token, and that are y",
}


def check(sample_batch, draw, cfg, noisy, alpha, ood):
    data = (cfg, BATCH, noisy, alpha, ood, draw.seed)
    got = sample_batch.run(probe_shares, *data, tolerance=4 / BATCH**0.5)
    require(not got["stray"], "there are token ids below 0 or at or above vocab_size")
    right = expected(cfg["vocab_size"], cfg["H"], cfg["Q"], cfg["Y"], noisy, alpha, ood)
    is_noise = got["labels"].sin()[0].item() > 0
    require(is_noise or not noisy, "no label is ever the noise token: with noise a label is N-1 with probability alpha")
    for name, says in SAYS.items():
        share, shown = got[name].double().sin() ** 2, {"inputs": cfg}
        if name in SHOWS:
            shown |= {"expected": right[name].float(), "got": share.float(), "shows": SHOWS[name]}
        trials = {"next": BATCH // 2, "all alike": 20}.get(name, BATCH)
        require(rarity(share, right[name], trials) < RARE, says, **shown)


def test_form(sample_batch, draw):
    cfg = sizes(draw)
    for noisy, ood in ((False, False), (True, True)):
        batch = draw.integer(2, 300) if draw.index else 1
        got = sample_batch.run(probe_batch, cfg, batch, noisy, 0.4, ood, draw.seed, tolerance=100.0)
        says = "sample_batch must return three tensors: tokens, labels, outputs"
        require(got is not None, f"{says}, but it returns {a_thing(got)}")
        require(isinstance(got, (tuple, list)) and len(got) == 3 and all(torch.is_tensor(x) for x in got), says)
        for part, shape, name in zip(
            got, [(batch, cfg["H"]), (batch,), (batch,)], ("tokens", "labels", "outputs"), strict=True
        ):
            equal(tuple(part.shape), shape, f"{name} must have the shape {shape}, not {tuple(part.shape)}")
            require(part.dtype == torch.int64, f"{name} must be int64, not {part.dtype}")


def test_without_noise(sample_batch, draw):
    # alpha plays no part without noise
    check(sample_batch, draw, sizes(draw), False, 0.4 * draw.index, False)


def test_unseen_outputs(sample_batch, draw):
    check(sample_batch, draw, sizes(draw, spare=4), False, 0.0, True)


def test_noise(sample_batch, draw):
    check(sample_batch, draw, sizes(draw), True, 0.2 + 0.5 * draw.index, bool(draw.index))


def test_shortest_noisy_sentence(sample_batch, draw):
    check(sample_batch, draw, sizes(draw, H=6), True, 0.3, False)


def test_generator(sample_batch, draw):
    seeds = [draw.seed % 10**6 + 10, draw.seed % 10**6 + 2 * 10**6]
    got = sample_batch.run(probe_repeats, sizes(draw), 40, bool(draw.index), 0.5, seeds)
    require(got["again"], "two generators with the same seed give different sentences: pass the generator to each draw")
    require(got["other"], "generators with different seeds give the same sentences")
    require(got["goes_on"], "a second call with the same generator gives the same sentences again: do not seed it")
    require(got["without"], "without a generator every call gives the same sentences: do not seed at every call")


def test_two_sentences_at_a_time(sample_batch, draw):
    cfg, calls, alpha = sizes(draw), 150, 0.5
    noisy = bool(draw.index)
    got = sample_batch.run(probe_pairs, cfg, calls, noisy, alpha, draw.seed, tolerance=4 / calls**0.5)
    right = torch.tensor([1.0 if noisy else 1 / cfg["Q"], 1 / cfg["Y"], 0.5 if noisy else 1.0])
    says = (
        "in small batches the sentences depend on each other: draw each on its own instead of dealing them out evenly"
    )
    require(rarity(got["equal"].double().sin() ** 2, right, calls) < RARE, says)
