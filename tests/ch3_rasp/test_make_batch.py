"""Hidden tests of exercise 3.19: lengths, padding and symbols first, then the targets of one task after the other.

What is expected is worked out from the symbols that the learner's function drew, row by row in plain Python.
"""

from collections import Counter

import torch

from utils.grade import draws, equal, require

FORM = "make_batch must return the three tensors tokens, targets and mask"


def probe_batch(make_batch, task, n, max_len, vocabulary, min_len, seeds):
    """One batch; `seeds`: the generator's (None: there is no generator), and that of torch's global numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds[1])
        more = {} if min_len is None else {"min_len": min_len}
        if seeds[0] is not None:
            more["generator"] = torch.Generator().manual_seed(seeds[0])
        found = make_batch(task, n, max_len, vocabulary, **more)
    if not isinstance(found, (tuple, list)) or not all(torch.is_tensor(part) for part in found):
        return {"kind": type(found).__name__, "parts": []}
    return {"kind": "", "parts": list(found)}


def batch(make_batch, draw, task, n, max_len, vocabulary, min_len=None, seeds=None):
    got = make_batch.run(probe_batch, task, n, max_len, vocabulary, min_len, seeds or [draw.seed, draw.seed])
    require(not got["kind"] and len(got["parts"]) == 3, FORM)
    tokens, targets, mask = got["parts"]
    for part, name in ((tokens, "tokens"), (targets, "targets"), (mask, "mask")):
        require(tuple(part.shape) == (n, max_len), f"{name} has shape {tuple(part.shape)}, not (n, max_len)")
    for part, name in ((tokens, "tokens"), (targets, "targets")):
        require(part.dtype == torch.int64, f"{name} must hold whole numbers (int64), not {part.dtype}")
    require(mask.dtype == torch.bool, f"the mask must hold True and False (bool), not {mask.dtype}")
    return tokens, targets, mask


def in_front(mask):
    return bool((mask.int().diff(dim=1) <= 0).all())


def test_mask_and_symbols(make_batch, draw):
    n, max_len, V = 40 + draw.integer(0, 200), 6 + draw.index, 3 + draw.index
    tokens, _, mask = batch(make_batch, draw, "reverse", n, max_len, V)
    require(in_front(mask), "real positions come first in each row: the mask is True in front and False behind")
    batch(make_batch, draw, "reverse", 1, 500, V)  # a single string, which hardly ever is the longest possible
    real = tokens[mask]
    require(((real >= 0) & (real < V)).all(), "a symbol at a real position isn't from 0 to vocabulary - 1", got=tokens)
    says = "at padding, tokens must hold the number `vocabulary`"
    require((tokens[~mask] == V).all(), says, got=tokens)


def test_padding_has_no_target(make_batch, draw):
    _, targets, mask = batch(make_batch, draw, "reverse", 40, 6 + draw.index, 3)
    padded(targets, mask, "reverse")


def padded(targets, mask, task):
    says = f"at padding, the targets of {task} must be -100, and at real positions they must not"
    require(bool(((targets == -100) == ~mask).all()), says, got=targets)


def test_lengths(make_batch, draw):
    n, low, high = 900, 2, 4
    _, _, mask = batch(make_batch, draw, "reverse", n, high, 5, low)
    lengths = mask.sum(1)
    found = f"lengths from {int(lengths.min())} to {int(lengths.max())} were drawn with min_len={low}, max_len={high}"
    require(lengths.min() == low and lengths.max() == high, f"{found}: both ends must occur, and nothing outside")
    for length in (2, 3, 4):
        share = (lengths == length).float().mean().item()
        require(abs(share - 1 / 3) < 0.1, f"the lengths aren't uniform: {length} has a share of {share:.2f}, not 1/3")
    says = "the strings come in the order of their lengths: draw each length by itself"
    require((lengths.diff() < 0).any() and (lengths.diff() > 0).any(), says)
    _, _, mask = batch(make_batch, draw, "reverse", n, 3, 5)
    require(mask.sum(1).min() == 1, "without min_len, strings of length 1 must occur, and none shorter")


def test_symbols_are_uniform(make_batch, draw):
    V = 4 + draw.index
    tokens, _, mask = batch(make_batch, draw, "sort", 500, 4, V, 4)
    shares = torch.bincount(tokens[mask].clamp(0, V), minlength=V)[:V] / 2000
    says = "the symbols aren't uniform from 0 to vocabulary - 1"
    require((shares - 1 / V).abs().max() < 0.065, says, expected=torch.full((V,), 1 / V), got=shares)
    require((tokens.diff(dim=1) < 0).any(), "with sort, the tokens are sorted as well: only the targets are")
    says = "symbols within a string, or across strings, depend on each other: draw every one by itself"
    require((tokens[:, 0] == tokens[:, 1]).float().mean() < 0.45, says)
    require((tokens[:-1] == tokens[1:]).float().mean() < 0.45, says)
    says = "two symbols of a string are hardly ever equal: draw every one by itself, with replacement"
    require((tokens[:, 0] == tokens[:, 1]).float().mean() > 0.08, says)


def probe_twice(make_batch, seed):
    """The tokens of two batches in a row with one generator."""
    generator = torch.Generator().manual_seed(seed)
    return [make_batch("reverse", 20, 9, 4, generator=generator)[0] for _ in range(2)]


@draws(1)
def test_generator(make_batch, draw):
    seed, sizes = draw.seed, (20, 9, 4)
    one, again, other = (
        batch(make_batch, draw, "reverse", *sizes, seeds=[seed + more, glob]) for more, glob in ((0, 1), (0, 2), (1, 1))
    )
    says = "two generators with the same seed give different batches: hand the generator on to every draw"
    require(all(map(torch.equal, one, again)), says)
    require(not torch.equal(one[0], other[0]), "generators with different seeds give the same batch")
    first, second = make_batch.run(probe_twice, seed)
    says = "two batches in a row from one generator are equal: draw with the generator itself, not with a copy"
    require(not torch.equal(first, second), says)
    one, other = (batch(make_batch, draw, "reverse", *sizes, seeds=[None, seed + more]) for more in (0, 1))
    says = "without a generator every batch is the same: don't seed torch's own random numbers"
    require(not torch.equal(one[0], other[0]), says)


def by_hand(task, symbols, V):
    """Targets of one string."""
    counts = Counter(symbols)
    if task == "reverse":
        return symbols[::-1]
    if task == "sort":
        return sorted(symbols)
    if task == "hist":
        return [min(counts[s], 10) for s in symbols]
    if task == "hist2":
        return [min(sum(c == counts[s] for c in counts.values()), 10) for s in symbols]
    ranked = sorted(counts, key=lambda s: (-counts[s], symbols.index(s)))
    return ranked + [V] * (len(symbols) - len(ranked))


def check(make_batch, draw, task, sizes, says):
    """`sizes`: max_len, vocabulary, min_len of several batches; the first string that is wrong is shown."""
    for max_len, V, low in sizes:
        tokens, targets, mask = batch(make_batch, draw, task, 60, max_len, V, low)
        padded(targets, mask, task)
        for row, found, real in zip(tokens, targets, mask, strict=True):
            symbols = row[real].tolist()
            if symbols and max(symbols) < V:
                wanted, shown = by_hand(task, symbols, V), found[real].tolist()
                equal(shown, wanted, f"{says}: {symbols} gives {shown}, not {wanted}", inputs={"tokens": row[real]})


def test_reverse(make_batch, draw):
    says = "in reverse, the first target isn't the last real symbol, and so on"
    check(make_batch, draw, "reverse", [(7, 5, 7), (7, 5, 1)], says)


def test_sort(make_batch, draw):
    check(make_batch, draw, "sort", [(7, 5, 7), (6, 4, 1)], "in sort, the targets aren't the symbols in rising order")


def test_hist(make_batch, draw):
    check(make_batch, draw, "hist", [(7, 3, 7), (7, 3, 1)], "in hist, a target isn't how often its symbol occurs")
    check(make_batch, draw, "hist", [(14, 1, 9)], "in hist, counts above 10 must be 10")


def test_hist2(make_batch, draw):
    says = "in hist2, a target isn't how many different symbols occur as often as this one"
    check(make_batch, draw, "hist2", [(8, 4, 8), (8, 4, 1), (4, 9, 1)], says)
    check(make_batch, draw, "hist2", [(30, 60, 30)], "in hist2, numbers above 10 must be 10")
    says = "in hist2, counts above 10 are still different: only the number of symbols stops at 10"
    check(make_batch, draw, "hist2", [(30, 2, 30)], says)


def test_sort_by_freq(make_batch, draw):
    says = (
        "in sort_by_freq, the targets aren't the different symbols by falling count, ties by first appearance, then §"
    )
    check(make_batch, draw, "sort_by_freq", [(8, 3, 8), (8, 4, 1), (4, 9, 1)], says)
    says = "in sort_by_freq, a later symbol that is more frequent must come first in long strings, too"
    check(make_batch, draw, "sort_by_freq", [(40, 12, 40)], says)
