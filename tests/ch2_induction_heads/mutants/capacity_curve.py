"""Wrong answers to exercise 2.11 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips, wrong


def vectors(n, d, generator):
    return torch.randn(n, d, generator=generator) / d**0.5


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def pairs(n, d, seed):
    """Independent keys and values, one after the other from one generator."""
    generator = seeded(seed)
    return vectors(n, d, generator), vectors(n, d, generator)


def recalled(W, U, V):
    return (U @ W.T @ V.T).argmax(1)


def share(U, V):
    return (recalled(V.T @ U, U, V) == torch.arange(len(U))).float().mean().item()


def over_seeds(n, d, seeds):
    return [share(*pairs(n, d, seed)) for seed in seeds]


def mean(values):
    return sum(values) / len(values)


SAME = "keys and values are the same vectors (two generators of one seed): draw them one after the other from one"


@wrong(SAME)
def same_vectors(d, ns, seeds):
    seeds = list(seeds)
    return [mean([share(vectors(n, d, seeded(s)), vectors(n, d, seeded(s))) for s in seeds]) for n in ns]


ONE_SEED = "only one of the seeds counts: take the mean over all of them"


@wrong(ONE_SEED)
def first_seed(d, ns, seeds):
    seed = list(seeds)[0]
    return [share(*pairs(n, d, seed)) for n in ns]


@wrong(ONE_SEED)
def last_seed(d, ns, seeds):
    seed = list(seeds)[-1]
    return [share(*pairs(n, d, seed)) for n in ns]


@wrong("the same seed gives other shares at the second call: draw with a generator of that seed")
def unseeded(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        shares = [share(torch.randn(n, d) / d**0.5, torch.randn(n, d) / d**0.5) for _ in seeds]
        curve.append(mean(shares))
    return curve


SEED_ZERO = "every repetition has the same seed: seed a generator with each of the seeds"


@wrong(SEED_ZERO)
def always_seed_zero(d, ns, seeds):
    return [mean([share(*pairs(n, d, 0)) for _ in [*seeds, None]]) for n in ns]


@wrong("the numbers of the repetitions serve as seeds, not the seeds themselves")
def counts_repetitions(d, ns, seeds):
    seeds = list(seeds)
    return [mean(over_seeds(n, d, range(len(seeds)))) for n in ns]


@wrong("the largest share over the seeds is returned: take the mean")
def best_seed(d, ns, seeds):
    seeds = list(seeds)
    return [max(over_seeds(n, d, seeds)) for n in ns]


SUMMED = "the shares are added up over the seeds: divide by their number"


@wrong(SUMMED)
def summed(d, ns, seeds):
    seeds = list(seeds)
    return [sum(over_seeds(n, d, seeds)) for n in ns]


COUNTED = "the number of recalled pairs is returned: divide by n"


@wrong(COUNTED)
def counted(d, ns, seeds):
    seeds = list(seeds)
    return [n * mean(over_seeds(n, d, seeds)) for n in ns]


@wrong("the shares are given in percent: they lie between 0 and 1")
def percent(d, ns, seeds):
    seeds = list(seeds)
    return [100 * mean(over_seeds(n, d, seeds)) for n in ns]


FORGOTTEN = "the fraction of forgotten pairs is returned"


@wrong(FORGOTTEN)
def forgotten(d, ns, seeds):
    seeds = list(seeds)
    return [1 - mean(over_seeds(n, d, seeds)) for n in ns]


@wrong("a sequence counts only when all of its pairs come back: each pair counts by itself")
def all_or_nothing(d, ns, seeds):
    seeds = list(seeds)
    return [mean([float(share(*pairs(n, d, seed)) == 1) for seed in seeds]) for n in ns]


SORTED = "the curve is sorted: keep the order of ns"


@wrong(SORTED)
def sorted_ns(d, ns, seeds):
    seeds = list(seeds)
    return [mean(over_seeds(n, d, seeds)) for n in sorted(ns)]


@wrong("an n that comes twice is counted once (a dict or set): one number for each entry of ns")
def keyed_by_n(d, ns, seeds):
    seeds = list(seeds)
    return list({n: mean(over_seeds(n, d, seeds)) for n in ns}.values())


@wrong("one number is returned for all n: keep them apart")
def one_number(d, ns, seeds):
    seeds = list(seeds)
    return mean([mean(over_seeds(n, d, seeds)) for n in ns])


@wrong("the shares of each seed are returned: take the mean over the seeds")
def for_each_seed(d, ns, seeds):
    seeds = list(seeds)
    return [over_seeds(n, d, seeds) for n in ns]


@wrong("the table has one row for each seed: one mean for each n was asked for")
def table(d, ns, seeds):
    return torch.tensor([[share(*pairs(n, d, seed)) for n in ns] for seed in seeds])


@wrong("the cosine of answer and value is averaged: count how often the right value wins")
def cosine(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        drawn = [pairs(n, d, seed) for seed in seeds]
        curve.append(mean([F.cosine_similarity(U @ (V.T @ U).T, V).mean().item() for U, V in drawn]))
    return curve


@wrong("a pair counts as recalled when the score of its own value is above 1/2: it must be the largest score")
def above_a_half(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        drawn = [pairs(n, d, seed) for seed in seeds]
        curve.append(mean([((U @ (V.T @ U).T) * V).sum(1).gt(0.5).float().mean().item() for U, V in drawn]))
    return curve


@wrong("each pair is stored in a memory of its own, where nothing disturbs it: all n share one matrix")
def alone(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        shares = []
        for U, V in (pairs(n, d, seed) for seed in seeds):
            found = [(V @ torch.outer(v, u) @ u).argmax().item() for u, v in zip(U, V, strict=True)]
            shares.append(mean([float(j == i) for i, j in enumerate(found)]))
        curve.append(mean(shares))
    return curve


@wrong("the memory is looked up with keys that were drawn anew: ask with the keys that were stored")
def other_keys(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        shares = []
        for seed in seeds:
            generator = seeded(seed)
            U, V, other = (vectors(n, d, generator) for _ in range(3))
            shares.append((recalled(V.T @ U, other, V) == torch.arange(n)).float().mean().item())
        curve.append(mean(shares))
    return curve


# Both leave recall at chance.
CHANCE = "recall is at chance: ask W with the keys it was stored with, and compare its answers with the values"


@wrong(CHANCE)
def compared_with_keys(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        drawn = [pairs(n, d, seed) for seed in seeds]
        hits = [(recalled(V.T @ U, U, U) == torch.arange(n)).float().mean().item() for U, V in drawn]
        curve.append(mean(hits))
    return curve


@wrong(CHANCE)
def transposed_memory(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        drawn = [pairs(n, d, seed) for seed in seeds]
        curve.append(mean([(recalled(U.T @ V, U, V) == torch.arange(n)).float().mean().item() for U, V in drawn]))
    return curve


@wrong("the vectors are made orthogonal where possible: draw them at random")
def orthogonal(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        drawn = [pairs(max(n, d), d, seed) for seed in seeds]
        bases = [(torch.linalg.qr(U).Q[:n], torch.linalg.qr(V).Q[:n]) for U, V in drawn]
        curve.append(mean([share(U, V) for U, V in bases]))
    return curve


@wrong("the memory is the exact solution (pseudo-inverse), which holds more: use the plain sum of outer products")
def pseudo_inverse(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        drawn = [pairs(n, d, seed) for seed in seeds]
        hits = [recalled(V.T @ torch.linalg.pinv(U.T), U, V) == torch.arange(n) for U, V in drawn]
        curve.append(mean([hit.float().mean().item() for hit in hits]))
    return curve


@wrong("the width of the vectors is fixed: it is d")
def fixed_width(d, ns, seeds):
    seeds = list(seeds)
    return [mean(over_seeds(n, 32 if n > 1 else d, seeds)) for n in ns]


@wrong("n and d are exchanged: n pairs of vectors of width d")
def exchanged(d, ns, seeds):
    seeds = list(seeds)
    return [mean(over_seeds(d, n, seeds)) for n in ns]


USED_UP = "seeds can be walked through once only, and the first n used them up: keep them in a list"


@wrong(USED_UP)
def used_up(d, ns, seeds):
    curve = []
    for n in ns:
        shares = over_seeds(n, d, seeds)
        curve.append(mean(shares) if shares else float("nan"))
    return curve


@wrong("seeds need not be a list: a range or a generator cannot be counted with len() or added up")
def counts_the_seeds(d, ns, seeds):
    return [sum(over_seeds(n, d, seeds)) / len(seeds) for n in ns]


@wrong("a pair counts when it is among the three best: only the best value counts")
def best_three(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        shares = []
        for U, V in (pairs(n, d, seed) for seed in seeds):
            best = (U @ (V.T @ U).T @ V.T).topk(min(3, n)).indices
            shares.append((best == torch.arange(n)[:, None]).any(1).float().mean().item())
        curve.append(mean(shares))
    return curve


@wrong("one seed draws the keys once for all n, and every n keeps the pairs of the ones before")
def keeps_storing(d, ns, seeds):
    seeds = list(seeds)
    total = torch.zeros(len(ns))
    for seed in seeds:
        generator, W = seeded(seed), torch.zeros(d, d)
        for i, n in enumerate(ns):
            U, V = vectors(n, d, generator), vectors(n, d, generator)
            W = W + V.T @ U
            total[i] += (recalled(W, U, V) == torch.arange(n)).float().mean()
    return (total / len(seeds)).tolist()


@wrong("the median over the seeds is returned: take the mean")
def median(d, ns, seeds):
    seeds = list(seeds)
    return [torch.tensor(over_seeds(n, d, seeds)).median().item() for n in ns]


@wrong("the smallest share over the seeds is returned: take the mean")
def worst_seed(d, ns, seeds):
    seeds = list(seeds)
    return [min(over_seeds(n, d, seeds)) for n in ns]


@wrong("the sum over the seeds is divided by the number of entries of ns: divide by the number of seeds")
def divided_by_ns(d, ns, seeds):
    return [sum(over_seeds(n, d, list(seeds))) / len(ns) for n in ns] if isinstance(seeds, list) else [0.0] * len(ns)


@wrong("the largest absolute score is taken: the largest one wins, with its sign")
def absolute_scores(d, ns, seeds):
    seeds = list(seeds)
    curve = []
    for n in ns:
        drawn = [pairs(n, d, seed) for seed in seeds]
        found = [(U @ (V.T @ U).T @ V.T).abs().argmax(1) == torch.arange(n) for U, V in drawn]
        curve.append(mean([hit.float().mean().item() for hit in found]))
    return curve


@wrong("the values are drawn with a seed of their own, the same each time: each seed draws both, one after the other")
def values_of_one_seed(d, ns, seeds):
    seeds = list(seeds)
    return [mean([share(vectors(n, d, seeded(seed)), vectors(n, d, seeded(0))) for seed in seeds]) for n in ns]


@wrong("a dict from n to its share is returned: return a list in the order of ns")
def as_dict(d, ns, seeds):
    return dict(zip(ns, a_generator_a_seed(d, ns, seeds), strict=False))


random_embeddings = vectors  # the notebook's, which the hidden tests watch


def store(U, V):
    return V.T @ U


recall = recalled
slip = slips("""
    def capacity_curve(d, ns, seeds):
        seeds, curve = list(seeds), []
        for n in ns:
            total = 0.0
            for seed in seeds:
                generator = torch.Generator().manual_seed(seed)
                U = random_embeddings(n, d, generator)
                V = random_embeddings(n, d, generator)
                found = recall(store(U, V), U, V)
                total += (found == torch.arange(n)).float().mean().item()
            curve.append(total / len(seeds))
        return curve
""")

REUSED = "the values are made of the very vectors that are the keys: draw both, one after the other"
keys_in_reverse = slip(REUSED, "V = random_embeddings(n, d, generator)", "V = U.flip(0)")
keys_moved_on = slip(REUSED, "V = random_embeddings(n, d, generator)", "V = U.roll(1, 0)")
FEWER = "for known keys and values the share is another: all n keys ask, and all n values are candidates"
first_candidates = slip(FEWER, "U, V), U, V)", "U, V), U, V[:64])")
half_the_keys_ask = slip(
    FEWER, "U, V), U, V)", "U, V), U[: n // 2 + 1], V)", "torch.arange(n)", "torch.arange(n // 2 + 1)"
)
one_generator = slip(
    "one generator serves all seeds: seed a new one with each of them",
    "for n in ns:", "generator = torch.Generator().manual_seed(seeds[0])\n    for n in ns:",
    "            generator = torch.Generator().manual_seed(seed)\n", "",
)  # fmt: skip
width_n = slip(
    "the vectors are n wide: they are d wide, n is how many there are",
    "U = random_embeddings(n, d", "U = random_embeddings(n, n",
    "V = random_embeddings(n, d", "V = random_embeddings(n, n",
)  # fmt: skip
# the same mistakes with the notebook's random_embeddings, which the hidden tests watch
two_generators = slip(
    SAME, "V = random_embeddings(n, d, generator)",
    "V = random_embeddings(n, d, torch.Generator().manual_seed(seed))",
)  # fmt: skip
NO_LEN = "seeds may be any iterable, and one that can be walked through only once has no len(): keep them in a list"
no_len = slip(NO_LEN, "seeds, curve = list(seeds), []", "curve = []")
two_generators_and_no_len = slip(
    f"{SAME}; and {NO_LEN}", "V = random_embeddings(n, d, generator)",
    "V = random_embeddings(n, d, torch.Generator().manual_seed(seed))",
    "seeds, curve = list(seeds), []", "curve = []",
)  # fmt: skip
seed_zero = slip(SEED_ZERO, "manual_seed(seed)", "manual_seed(0)")
added_up = slip(SUMMED, "curve.append(total / len(seeds))", "curve.append(total)")
hits_counted = slip(COUNTED, ".float().mean().item()", ".sum().item()")
rest_counted = slip(FORGOTTEN, "found == torch", "found != torch")
in_order = slip(SORTED, "for n in ns", "for n in sorted(ns)")
walked_through_once = slip(
    USED_UP, "seeds, curve = list(seeds), []", "curve = []",
    "total = 0.0", "shares = []", "total += (found", "shares.append((found",
    ".mean().item()", ".mean().item())", "curve.append(total / len(seeds))", "curve.append(sum(shares) / len(shares))",
)  # fmt: skip
the_other_way = slip(CHANCE, "store(U, V)", "store(V, U)")
only_the_first = slip(ONE_SEED, "seeds, curve = list(seeds), []", "seeds, curve = list(seeds)[:1], []")
PLAIN = "a list of plain numbers is wanted, which later cells look up by their place: .item() and .tolist() make them"
returns_tensor = slip(PLAIN, "return curve", "return torch.tensor(curve)")
tensors_in_a_list = slip(PLAIN, ".mean().item()", ".mean()")


@right
def as_list(d, ns, seeds):
    table = torch.tensor([[share(*pairs(n, d, seed)) for n in ns] for seed in seeds], dtype=torch.float64)
    return table.mean(dim=0).tolist()


@right
def a_generator_a_seed(d, ns, seeds):
    total, count = [0.0] * len(ns), 0
    for seed in seeds:
        generator, count = seeded(seed), count + 1
        for i, n in enumerate(ns):
            U, V = vectors(n, d, generator), vectors(n, d, generator)
            total[i] += share(U, V)
    return [value / count for value in total]


@right
def first_of_many(d, ns, seeds):
    drawn = [pairs(max(ns), d, seed) for seed in seeds]
    return tuple(mean([share(U[:n], V[:n]) for U, V in drawn]) for n in ns)


@right
def with_the_global_generator(d, ns, seeds):
    curve = {i: [] for i, _ in enumerate(ns)}
    for seed in seeds:
        for i, n in enumerate(ns):
            torch.manual_seed(seed)
            U, V = torch.randn(n, d), torch.randn(n, d)
            scores = torch.einsum("mo,jo,ji,ni->nm", V, V, U, U)
            curve[i].append(sum(j == k for k, j in enumerate(scores.argmax(1).tolist())) / n)
    return [torch.tensor(values).mean().item() for values in curve.values()]


@right
def two_seeds(d, ns, seeds):
    return [torch.tensor(part).mean().item() for part in zip(*[
        [share(vectors(n, d, seeded(2 * seed)), vectors(n, d, seeded(2 * seed + 1))) for n in ns] for seed in seeds
    ], strict=True)]  # fmt: skip
