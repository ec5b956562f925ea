"""Hidden tests of exercise 2.11: the share of pairs that come back, for each n of ns, averaged over the seeds.

What is expected was measured over 20,000 seeds; the mean over fewer may lie 6.5 of its own standard deviations away.
"""

import torch

from utils.grade import close, draws, require, takes_along
from utils.grade.judge import a_thing
from utils.grade.probes import names_of

# d: {n: (mean share recalled, standard deviation from seed to seed)}
MEASURED = {
    16: {6: (0.921, 0.110), 16: (0.723, 0.106), 40: (0.393, 0.065)},
    32: {32: (0.894, 0.054), 65: (0.681, 0.054)},
}


def probe_curve(capacity_curve, d, ns, seeds, kind):
    """The curve, with the seeds handed over as a list, a tuple, a range or something to be walked through once."""
    kinds = {"list": list, "tuple": tuple, "once": iter, "range": lambda s: range(s[0], s[-1] + 1)}
    return capacity_curve(d, ns, kinds[kind](seeds))


@takes_along(names_of)
def probe_draws(capacity_curve, d, n, seed):
    """The share for one n and one seed, and the vectors that the notebook's random_embeddings gave for it.

    `more`: whether other numbers were drawn from the same generator.
    """
    names = names_of(capacity_curve, "random_embeddings")
    notebooks, drawn, ends = names.get("random_embeddings"), [], []

    def noted(n, d, generator):
        drawn.append(torch.randn(n, d, generator=generator) / d**0.5)
        ends.append((generator, generator.get_state()))
        return drawn[-1].clone()

    if notebooks is not None:
        names["random_embeddings"] = noted
    try:
        result = capacity_curve(d, [n], [seed])
    finally:
        if notebooks is not None:
            names["random_embeddings"] = notebooks
    more = any(not torch.equal(generator.get_state(), state) for generator, state in ends[-1:])
    return {"result": result, "drawn": drawn, "more": more}


def curve(capacity_curve, d, ns, seeds, kind="list", tolerance=0.06):
    """One number for each n, after the form of the result was looked at."""
    got = capacity_curve.run(probe_curve, d, ns, seeds, kind, tolerance=tolerance)
    says = f"the result must be a list of one number for each n, but it is {a_thing(got)}"
    require(isinstance(got, (list, tuple)), says)
    says = f"ns has {len(ns)} entries, so the result must hold {len(ns)} numbers, but it holds {len(got)}"
    require(len(got) == len(ns), says, got=got, inputs={"ns": ns})
    for value in got:
        says = "each entry of the list must be one plain number, the mean over the seeds: .item() makes one of a tensor"
        require(isinstance(value, (int, float)), says)
    return torch.tensor([float(value) for value in got], dtype=torch.float64)


def some_seeds(draw, count):
    return (draw.integer(0, 1000) + 7 * draw.permutation(10 * count)[:count]).tolist()


def check_means(got, d, ns, seeds, says):
    for value, n in zip(got.tolist(), ns, strict=True):
        mean, std = MEASURED[d][n]
        near = abs(value - mean) <= 6.5 * std / len(seeds) ** 0.5 + 0.002
        require(near, says, expected=[MEASURED[d][n][0] for n in ns], got=got, inputs={"d": d, "ns": ns})


def test_one_number_for_each_n(capacity_curve, draw):
    ns, seeds = draw.integers(2, 8, draw.integer(2, 12)).tolist(), [3, 8] if draw.index else [5, 1, 9]
    if draw.index:
        ns.insert(draw.integer(0, len(ns)), 1)
    ns.append(ns[0])  # one that comes twice
    got = curve(capacity_curve, 8, ns, seeds)
    says = "each number is a share of recalled pairs, so it lies between 0 and 1"
    require(bool(((got >= 0) & (got <= 1)).all()), says, got=got)
    if 1 in ns:
        close(got[ns.index(1)], 1.0, "a memory with a single pair (n = 1) always gives it back", name="its share")


def test_shares(capacity_curve, draw):
    d, ns, count = (32, [65, 32], 15) if draw.index else (16, [40, 6, 16], 40)
    seeds, ns = some_seeds(draw, count), [ns[i] for i in draw.permutation(len(ns))]
    if ns == sorted(ns):  # the order has to tell
        ns.reverse()
    says = "the shares differ from those of independent random keys and values, in the order of ns"
    check_means(curve(capacity_curve, d, ns, seeds), d, ns, seeds, says)
    seed = (42, 0)[draw.index]  # where one of the two tables has a seed of its own, this one makes both the same
    got = curve(capacity_curve, 16, [40], [seed])
    says = f"with seed {seed} keys and values are the same vectors: each seed draws both, one after the other"
    require(got[0] < 0.75, says, expected=[MEASURED[16][40][0]], got=got)


@draws(1)
def test_draws_of_one_seed(capacity_curve, draw):
    """Where the notebook's random_embeddings is used, the vectors are known, and with them the share."""
    d, n = 32, 130
    for _ in range(12):  # another way of counting gives the same share by chance now and then, but not every time
        got = capacity_curve.run(probe_draws, d, n, draw.seed % 1000)
        drawn = got["drawn"]
        independent = not drawn or got["more"] or sum(len(vectors) for vectors in drawn) >= 2 * n
        require(
            independent, "the values are made of the very vectors that are the keys: draw both, one after the other"
        )
        if [vectors.shape for vectors in drawn] == [(n, d)] * 2:
            shares = []
            for U, V in (drawn, drawn[::-1]):
                scores = U.double() @ (V.T.double() @ U.double()).T @ V.T.double()
                shares.append((scores.argmax(1) == torch.arange(n)).double().mean().item())
            near = min(abs(got["result"][0] - share) for share in shares) < 0.5 / n
            says = "for known keys and values the share is another: all n keys ask, and all n values are candidates"
            require(near, says, expected=shares[:1], got=got["result"])


def test_mean_over_seeds(capacity_curve, draw):
    seeds, ns = some_seeds(draw, 3), [20, 28, 36, 44]
    alone = [curve(capacity_curve, 12, ns, [seed]) for seed in seeds]
    differ = any(not torch.equal(alone[0], other) for other in alone[1:])
    require(differ, "different seeds give the same shares: seed a generator with each", got=alone[0])
    again = curve(capacity_curve, 12, ns, seeds[:1])
    close(again, alone[0], "the same seed gives other shares at the second call: draw with a generator of that seed")
    got = curve(capacity_curve, 12, ns, seeds, "tuple")
    says = "with several seeds the shares are not the mean of those with each seed alone"
    close(got, sum(alone) / 3, says, atol=1e-5, inputs={"seeds": seeds})


def test_any_iterable_of_seeds(capacity_curve, draw):
    start, ns = draw.integer(0, 500), [12, 30, 21]
    seeds = list(range(start, start + 3))
    listed = curve(capacity_curve, 10, ns, seeds)
    for kind in ("range", "once"):
        says = "seeds may be any iterable, also one that can be walked through only once: keep them in a list"
        close(curve(capacity_curve, 10, ns, seeds, kind), listed, says, atol=1e-5)
