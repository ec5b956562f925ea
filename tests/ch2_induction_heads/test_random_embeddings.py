"""Hidden tests of exercise 2.7: normal numbers of mean 0 and variance 1/d, from the given generator.

Everything is judged by counting (how many entries are positive, small, large), against the chance that a right answer
gives such a count: below 4e-9 for each one.
"""

import math

import torch

from utils.grade import RARE, rarity, require


def probe_counts(random_embeddings, n, d, seed):
    """Form of one draw, and asin(sqrt(share)) of its entries, rows and columns that lie in some range."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        E = random_embeddings(n, d, torch.Generator().manual_seed(seed))
    if not torch.is_tensor(E):
        return {"kind": type(E).__name__}
    told = {"kind": "tensor", "dtype": str(E.dtype), "floating": E.is_floating_point(), "shape": list(E.shape)}
    told["asks"] = E.requires_grad
    if E.shape != (n, d) or not E.is_floating_point():
        return told
    E = E.detach().double()
    z = E * d**0.5
    lengths, widths = E.square().sum(1), E.square().sum(0) * d / n
    pairs = (z[: n // 2] * z[n // 2 : n // 2 * 2]).sum(1)
    shares = {
        "finite": E.isfinite().double().mean(),
        "small": (z.abs() < 0.6744897501960817).double().mean(),
        "large": (z.abs() > 1.959963984540054).double().mean(),
        "positive": (z > 0).double().mean(),
        "one length": ((lengths - 1).abs() < 0.05).double().mean(),
        "one width": ((widths - 1).abs() < 0.05).double().mean(),
        "pairs": (pairs > 0).double().mean(),
    }
    return told | {"angles": {name: float(share.sqrt().asin()) for name, share in shares.items()}}


def probe_repeats(random_embeddings, n, d, seeds):
    """What equal and unequal seeds of the generator give, with torch's global one in another state each time."""
    runs = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(1000 + number)
            generator = torch.Generator().manual_seed(seed)
            runs.append([random_embeddings(n, d, generator), random_embeddings(n, d, generator)])
    same = all(torch.equal(a, b) for a, b in zip(runs[0], runs[1], strict=True))
    return {"same": same, "other": not torch.equal(runs[0][0], runs[2][0]), "moves": not torch.equal(*runs[0])}


def near_one(freedom):
    """P(|x / freedom - 1| < 0.05) for a chi-squared x of that many degrees of freedom."""
    below = [torch.special.gammainc(torch.tensor(freedom / 2).double(), torch.tensor(freedom / 2 * q).double())
             for q in (0.95, 1.05)]  # fmt: skip
    return float(below[1] - below[0])


def share(random_embeddings, draw, n, d):
    """Shares of one draw of (n, d), after its form was looked at."""
    got = random_embeddings.run(probe_counts, n, d, draw.seed, tolerance=0.08)
    none = "None (the line with return is missing)"
    kind = none if got["kind"] == "NoneType" else f"a {got['kind']}"
    require(got["kind"] == "tensor", f"the result must be a tensor, but it is {kind}")
    shape = tuple(got["shape"])
    require(shape == (n, d), f"the result has shape {shape}, but n vectors of d numbers are {(n, d)}")
    require(got["floating"], f"the entries are normal numbers, but the result is a tensor of {got['dtype']}")
    says = f"the vectors must be float32, as the matrices are that they meet later, but they are {got['dtype']}"
    require(got["dtype"] == "torch.float32", says)
    require(not got["asks"], "the vectors ask for gradients (nn.Parameter, requires_grad): a plain tensor is wanted")
    shares = {name: math.sin(angle) ** 2 for name, angle in got["angles"].items()}
    require(shares["finite"] > 1 - 1e-9, "some entries are nan or infinite")
    return shares


def odd(shares, name, p, count):
    return rarity(shares[name], p, count) > RARE


def test_shape_and_variance(random_embeddings, draw):
    n, d = (150 + draw.integer(0, 90), 40) if draw.index else (60 + draw.integer(0, 40), 90)
    shares = share(random_embeddings, draw, n, d)
    says = "of n d entries half should be below 0.67 / sqrt(d) in size: the variance of an entry is not 1/d"
    require(not odd(shares, "small", 0.5, n * d), says, expected=0.5, got=shares["small"])


def test_normal(random_embeddings, draw):
    n, d = (3000, 8) if draw.index else (400, 60)
    shares = share(random_embeddings, draw, n, d)
    says = "as many entries should be above zero as below"
    require(not odd(shares, "positive", 0.5, n * d), says, expected=0.5, got=shares["positive"])
    says = "of n d entries half should be below 0.67 / sqrt(d) in size: the variance of an entry is not 1/d"
    require(not odd(shares, "small", 0.5, n * d), says, expected=0.5, got=shares["small"])
    says = "one entry in twenty should be above 1.96 / sqrt(d) in size: the numbers are not normal"
    require(not odd(shares, "large", 0.05, n * d), says, expected=0.05, got=shares["large"])


def test_entries_are_independent(random_embeddings, draw):
    n, d = (150, 40) if draw.index else (80, 90)
    shares = share(random_embeddings, draw, n, d)
    says = "rows have all the same length: lengths of 1 come out on the average, they are not enforced"
    require(not odd(shares, "one length", near_one(d), n), says, expected=near_one(d), got=shares["one length"])
    says = "columns have all the same size: entries are drawn independently, nothing is divided afterwards"
    require(not odd(shares, "one width", near_one(n), d), says, expected=near_one(n), got=shares["one width"])
    says = "different rows do not point in independent directions"
    require(not odd(shares, "pairs", 0.5, n // 2), says, expected=0.5, got=shares["pairs"])


def test_generator(random_embeddings, draw):
    seed = draw.seed % 1000
    got = random_embeddings.run(probe_repeats, 4 + draw.index, 6, [seed, seed, seed + 1])
    require(got["same"], "two generators with the same seed give different vectors: hand the generator on")
    require(got["other"], "generators with different seeds give the same vectors: draw from the given generator")
    says = "two calls with one generator give the same vectors: draw from it as it comes, without seeding anew"
    require(got["moves"], says)
