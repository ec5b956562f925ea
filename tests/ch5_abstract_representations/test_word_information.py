"""Hidden tests of exercise 5.27. The fixture word_information is the function under test."""

import math
from collections import Counter

import torch

from utils.grade import close, require, shaped


def probe_information(function, words, features, shuffles, seed):
    """The table and the arguments afterwards; the generator is left out where nothing is shuffled."""
    if shuffles:
        generator = torch.Generator().manual_seed(seed)
        table = function(words, features, shuffles=shuffles, generator=generator)
        again, other = (
            function(words, features, shuffles=shuffles, generator=torch.Generator().manual_seed(one))
            for one in (seed, seed + 1)
        )
        single = function(words, features, shuffles=1, generator=torch.Generator().manual_seed(seed))
    else:
        table = again = other = single = function(words, features)
    return {"table": table, "again": again, "other": other, "single": single, "args": (words, features)}


def bits(labels):
    n = len(labels)
    return -sum(c / n * math.log2(c / n) for c in Counter(labels).values())


def oracle(words, features):
    """Mutual information by its definition: H(w) + H(f) - H(w, f)."""
    columns = [[c.tolist() for c in table.T] for table in (words, features)]
    rows = [[bits(w) + bits(f) - bits(list(zip(w, f, strict=True))) for f in columns[1]] for w in columns[0]]
    return torch.tensor(rows, dtype=torch.float64)


def case(draw, n=60):
    f = torch.stack([draw.integers(0, 5, n), draw.integers(0, 3, n)], 1)
    noise = draw.integers(0, 4, n)
    words = torch.stack([7 * f[:, 0] + 2, torch.where(noise == 0, noise + 40, f[:, 1]), noise], 1)
    return words, f * torch.tensor([1, 10])  # labels may be any numbers: sums and products of them coincide


def test_shape_and_bits(word_information, draw):
    words, features = case(draw)
    got = word_information.run(probe_information, words, features, 0, 0)
    says = "word_information must return one number for each place of a sentence and each feature"
    kind = getattr(got["table"], "dtype", torch.float64)
    shaped(got["table"], (3, 2), says, dtype=kind)
    require(kind == torch.float64, f"the result has dtype {kind}, but the bits must be float64")
    says = "a word that names a feature exactly must tell its whole entropy, in bits"
    close(got["table"][0, 0], bits(features[:, 0].tolist()), says, inputs={"words": words, "features": features})


def test_values(word_information, draw):
    words, features = case(draw)
    got = word_information.run(probe_information, words, features, 0, 0)
    says = "some mutual information is off: it is H(word) + H(feature) - H(both together), in bits"
    close(got["table"], oracle(words, features), says, inputs={"words": words, "features": features})
    for before, after in zip((words, features), got["args"], strict=True):
        close(after.double(), before.double(), "the caller's words or features were changed")


def test_shuffled_baseline(word_information, draw):
    words, features = case(draw, n=45)
    words[:, 2] = draw.permutation(45) // 2  # 23 words for 45 boards: much chance information
    plain = oracle(words, features)
    got = word_information.run(probe_information, words, features, 12, draw.seed)
    for before, after in zip((words, features), got["args"], strict=True):
        close(after.double(), before.double(), "the caller's words or features were changed: shuffle a copy")
    close(got["again"], got["table"], "the same generator must give the same table")
    says = "another generator gives the same table: draw the orders from the one that is given"
    require(not torch.allclose(got["other"], got["table"], rtol=0, atol=1e-9), says)
    says = "12 shuffles give the same table as a single one: take the mean over as many orders as `shuffles` says"
    require(not torch.allclose(got["single"], got["table"], rtol=0, atol=1e-9), says)
    removed = plain - got["table"]
    chance = torch.stack([oracle(words, features[draw.permutation(45)]) for _ in range(40)])
    wanted, spread = chance.mean(0), chance.std(0)
    says = "with shuffles the mean information that shuffled features give must be subtracted"
    require(
        bool((removed - wanted).abs().max() <= 2 * spread.max() + 1e-9),
        says,
        expected=plain - wanted,
        got=got["table"],
    )


def test_what_chance_takes_away(word_information, draw):
    """Of unrelated labels more than all is taken away; of a label that differs on every board, exactly all."""
    n = 45
    order = draw.permutation(n)
    words = torch.stack([torch.arange(n) % 9, torch.arange(n) // 9], 1)[order]
    features = torch.stack([(torch.arange(n) // 9)[order], draw.permutation(n)], 1)
    got = word_information.run(probe_information, words, features, 6, draw.seed)["table"]
    says = "labels that have nothing to do with each other must end below zero once chance is subtracted"
    require(float(got[0, 0]) < -0.1, says, got=got)
    says = "a feature that differs on every board tells the same in any order: shuffle it, and draw nothing twice"
    close(got[:, 1], torch.zeros(2, dtype=torch.float64), says, atol=1e-9)
