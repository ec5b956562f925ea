"""Wrong answers to exercise 3.19 that learners write, and right ones written differently."""

from collections import Counter

import torch

from utils.grade import right, slips

slip = slips(
    None,
    """
    def make_batch(task, n, max_len, vocabulary=10, generator=None, min_len=1):
        lengths = torch.randint(min_len, max_len + 1, (n, 1), generator=generator)
        place = torch.arange(max_len)
        mask = place < lengths
        tokens = torch.randint(0, vocabulary, (n, max_len), generator=generator)
        tokens = torch.where(mask, tokens, vocabulary)
        same = (tokens[:, :, None] == tokens[:, None, :]) & mask[:, None, :] & mask[:, :, None]
        earlier = place < place[:, None]
        first = mask & ~(same & earlier).any(-1)
        count = same.sum(-1)
        if task == "reverse":
            targets = tokens.gather(1, (lengths - 1 - place).clamp(0, max_len - 1))
        elif task == "sort":
            targets = tokens.sort(1).values
        elif task == "hist":
            targets = count.clamp(max=10)
        elif task == "hist2":
            alike = count[:, :, None] == count[:, None, :]
            targets = (alike & first[:, None, :]).sum(-1).clamp(max=10)
        else:
            score = torch.where(first, count * (max_len + 1) - place, -1)
            order = score.argsort(1, descending=True)
            different = first.sum(1, keepdim=True)
            targets = torch.where(place < different, tokens.gather(1, order), vocabulary)
        targets = torch.where(mask, targets, -100)
        return tokens, targets, mask
    """,
)

NeverTheLongest = slip(
    "no string is max_len long: torch.randint leaves its upper end out", "max_len + 1, (n", "max_len, (n"
)
IgnoresMinLen = slip("min_len is never used: no string may be shorter", "randint(min_len,", "randint(1,")
EmptyStrings = slip(
    "strings of length 0 occur: the shortest has min_len symbols", "randint(min_len,", "randint(min_len - 1,"
)
OneLength = slip(
    "all strings of a batch have the same length: draw one for each row",
    "(n, 1), generator=generator)",
    "(1, 1), generator=generator).expand(n, 1)",
)
PaddingInFront = slip(
    "padding comes before the symbols: it belongs behind them", "mask = place <", "mask = max_len - 1 - place <"
)
PaddingIsZero = slip(
    "padding holds 0, which is a symbol: it must hold the number `vocabulary`",
    "torch.where(mask, tokens, vocabulary)",
    "tokens * mask",
)
NoPadding = slip(
    "tokens behind the end of a string are left as they were drawn: they must hold the number `vocabulary`",
    "torch.where(mask, tokens, vocabulary)",
    "tokens",
)
FloatMask = slip(
    "the mask holds numbers: it must hold True and False",
    "return tokens, targets, mask",
    "return tokens, targets, mask.float()",
)
NoMask = slip("the mask is missing from what is returned", "return tokens, targets, mask", "return tokens, targets")
PaddedTargets = slip(
    "targets at padding aren't -100, so that padding would be trained and scored",
    "torch.where(mask, targets, -100)",
    "targets",
)
OtherTargets = slip(
    "targets at padding aren't -100, so that padding would be trained and scored",
    "torch.where(mask, targets, -100)",
    "torch.where(mask, targets, vocabulary)",
)
VocabularyToo = slip(
    "the number `vocabulary` is drawn as a symbol: symbols go from 0 to vocabulary - 1",
    "randint(0, vocabulary",
    "randint(0, vocabulary + 1",
)
FixedPadding = slip(
    "padding is always 10: it must hold the number `vocabulary`",
    "torch.where(mask, tokens, vocabulary)",
    "torch.where(mask, tokens, 10)",
)
CutToLongest = slip(
    "the tensors are cut to the longest string of the batch: they have max_len columns, however short the strings are",
    "return tokens, targets, mask",
    "T = int(lengths.max())\n    return tokens[:, :T], targets[:, :T], mask[:, :T]",
)
SortedLengths = slip(
    "the strings come in the order of their lengths: leave them as they are drawn",
    "(n, 1), generator=generator)",
    "(n, 1), generator=generator).sort(0).values",
)
SortsTokens = slip(
    "sort sorts the tokens as well: only the targets are sorted",
    "targets = tokens.sort(1).values",
    "targets = tokens = tokens.sort(1).values",
)
Reseeds = slip(
    "every call starts the generator anew, so that all batches are the same: draw from it as it is",
    "    lengths = torch",
    "    if generator is not None:\n        generator.manual_seed(0)\n    lengths = torch",
)
CapsTheCounts = slip(
    "hist2 compares counts that are already stopped at 10: compare the counts, and stop the result at 10",
    "alike = count[:, :, None] == count[:, None, :]",
    "count = count.clamp(max=10)\n        alike = count[:, :, None] == count[:, None, :]",
)
FilledWithNothing = slip(
    "in sort_by_freq, the places behind the different symbols hold -100: they are real positions and hold §",
    "tokens.gather(1, order), vocabulary)",
    "tokens.gather(1, order), -100)",
)
SymbolsFromOne = slip("the symbol 0 never occurs", "randint(0, vocabulary", "randint(1, vocabulary")
LastSymbolMissing = slip(
    "the last symbol never occurs: torch.randint leaves its upper end out by itself",
    "randint(0, vocabulary",
    "randint(0, vocabulary - 1",
    "lengths = torch",
    "vocabulary, last = max(vocabulary, 2), vocabulary\n    lengths = torch",
    "tokens, vocabulary)\n",
    "tokens, last)\n    vocabulary = last\n",
)
LastSymbolNeverDrawn = slip(
    "the last symbol never occurs: torch.randint leaves its upper end out by itself",
    "randint(0, vocabulary",
    "randint(0, vocabulary - 1",
)
OnePlaceTooFar = slip(
    "the mask is True one place too far: a string of length l has the positions 0 to l - 1",
    "place < lengths",
    "place <= lengths",
)
SeedsTorch = slip(
    "torch's own random numbers are seeded, so that without a generator every batch is the same",
    "    lengths = torch",
    "    torch.manual_seed(0)\n    lengths = torch",
)
OneStringForAll = slip(
    "all rows hold the same symbols: draw a string for each row",
    "(n, max_len), generator=generator)",
    "(1, max_len), generator=generator).repeat(n, 1)",
)
OneSymbolForAll = slip(
    "each row holds one symbol over and over: draw one for each position",
    "(n, max_len), generator=generator)",
    "(n, 1), generator=generator).repeat(1, max_len)",
)
LengthsByThemselves = slip("the lengths don't follow the generator", "(n, 1), generator=generator)", "(n, 1))")
SymbolsByThemselves = slip(
    "the symbols don't follow the generator", "(n, max_len), generator=generator)", "(n, max_len))"
)
FlipsThePadding = slip(
    "reverse flips the whole padded row, so that its padding comes first: start at the last real symbol",
    "(lengths - 1 - place)",
    "(max_len - 1 - place).expand(n, -1)",
)
OffByOne = slip(
    "reverse is off by one: the last symbol of a string of length l is at position l - 1",
    "(lengths - 1 - place)",
    "(lengths - place)",
)
Copies = slip("reverse returns the string as it is", "(lengths - 1 - place)", "place.expand(n, -1)")
Descending = slip(
    "sort starts with the largest symbol: the smallest comes first",
    "tokens.sort(1).values",
    "torch.where(mask, tokens, -1).sort(1, descending=True).values",
)
DescendingWithPadding = slip(
    "sort starts with the largest symbol: the smallest comes first",
    "tokens.sort(1).values",
    "tokens.sort(1, descending=True).values",
)
PaddingSorted = slip(
    "sort puts padding in front of the symbols", "tokens.sort(1).values", "torch.where(mask, tokens, -1).sort(1).values"
)
SortsColumns = slip("sort runs along the batch: each string is sorted by itself", "tokens.sort(1)", "tokens.sort(0)")
NoCap = slip("hist counts further than 10", "targets = count.clamp(max=10)", "targets = count")
CapsAtNine = slip(
    "hist stops counting at 9: 10 is the most", "targets = count.clamp(max=10)", "targets = count.clamp(max=9)"
)
CountsEarlier = slip(
    "hist counts only up to the position itself: all of the string counts",
    "targets = count.clamp(max=10)",
    "targets = (same & ~earlier.T).sum(-1).clamp(max=10)",
)
CountsOthers = slip(
    "hist leaves the position itself out: it counts too",
    "targets = count.clamp(max=10)",
    "targets = (count - 1).clamp(max=10)",
)
EveryRepeat = slip(
    "hist2 counts positions, so that a symbol counts as often as it occurs: count each symbol once",
    " & first[:, None, :]).sum(-1)",
    " & mask[:, None, :]).sum(-1)",
)
NoCapInHist2 = slip("hist2 counts further than 10", ".sum(-1).clamp(max=10)", ".sum(-1)")
DifferentSymbols = slip(
    "hist2 counts all different symbols: only those that occur as often as this one count",
    "(alike & first[:, None, :])",
    "(first[:, None, :] & mask[:, :, None])",
)
TiesBySymbol = slip(
    "sort_by_freq breaks ties by the number of the symbol: the one that appears first comes first",
    "count * (max_len + 1) - place",
    "count * (vocabulary + 1) - tokens",
)
LastFirst = slip(
    "sort_by_freq breaks ties the wrong way round: the symbol that appears first comes first",
    "count * (max_len + 1) - place",
    "count * (max_len + 1) + place",
)
RareFirst = slip(
    "sort_by_freq starts with the rarest symbol: the most frequent comes first",
    "count * (max_len + 1) - place",
    "(max_len + 1 - count) * (max_len + 1) - place",
)
NotFilled = slip(
    "sort_by_freq leaves other symbols behind the different ones: § fills up the rest",
    "torch.where(place < different, tokens.gather(1, order), vocabulary)",
    "tokens.gather(1, order)",
)
KeepsRepeats = slip(
    "sort_by_freq lists a symbol as often as it occurs: list each once",
    "torch.where(first, count",
    "torch.where(mask, count",
    "different = first",
    "different = mask",
)
FixedScale = slip(
    "the count weighs a fixed number of positions, fewer than a long string has: it must outweigh any position",
    "count * (max_len + 1) - place",
    "count * 10 - place",
)
CopyOfGenerator = slip(
    "each call starts the generator's numbers again, so that its batches are equal: draw with the generator itself",
    "lengths = torch.randint",
    "generator = generator and torch.Generator().manual_seed(generator.initial_seed())\n    lengths = torch.randint",
)
WithoutReplacement = slip(
    "symbols are drawn without replacement, so that two of a string are hardly ever equal",
    "torch.randint(0, vocabulary, (n, max_len), generator=generator)",
    "torch.rand(n, max(max_len, vocabulary), generator=generator).argsort(1)[:, :max_len] % vocabulary",
)


@right
def row_by_row(task, n, max_len, vocabulary=10, generator=None, min_len=1):
    tokens = torch.full((n, max_len), vocabulary)
    targets, mask = torch.full((n, max_len), -100), torch.zeros(n, max_len, dtype=torch.bool)
    for i in range(n):
        length = int(torch.randint(min_len, max_len + 1, (), generator=generator))
        row = torch.randint(vocabulary, (length,), generator=generator).tolist()
        counts = Counter(row)
        levels = Counter(counts.values())
        ranked = sorted(counts, key=lambda s: (-counts[s], row.index(s)))  # noqa: B023
        wanted = {
            "reverse": list(reversed(row)),
            "sort": sorted(row),
            "hist": [min(10, counts[s]) for s in row],
            "hist2": [min(10, levels[counts[s]]) for s in row],
            "sort_by_freq": ranked + [vocabulary] * (length - len(ranked)),
        }[task]
        tokens[i, :length], targets[i, :length], mask[i, :length] = torch.tensor(row), torch.tensor(wanted), True
    return tokens, targets, mask


@right
def by_tables(task, n, max_len, vocabulary=10, generator=None, min_len=1):
    drawn = torch.rand(n, max_len, generator=generator).mul(vocabulary).long()
    lengths = torch.randint(min_len, max_len + 1, (n,), generator=generator)
    mask = torch.arange(max_len).expand(n, -1) < lengths[:, None]
    tokens = drawn.masked_fill(~mask, vocabulary)
    counts = torch.nn.functional.one_hot(tokens, vocabulary + 1).sum(1)
    counts[:, vocabulary] = 0
    if task == "reverse":
        targets = torch.stack([torch.cat([row[:l].flip(0), row[l:]]) for row, l in zip(tokens, lengths, strict=True)])
    elif task == "sort":
        targets = torch.sort(tokens, dim=-1)[0]
    elif task == "hist":
        targets = torch.minimum(counts.gather(1, tokens), torch.tensor(10))
    elif task == "hist2":
        levels = torch.nn.functional.one_hot(counts, max_len + 1).sum(1)
        levels[:, 0] = 0
        targets = torch.minimum(levels.gather(1, counts.gather(1, tokens)), torch.tensor(10))
    else:
        rows = []
        for row, count in zip(tokens.tolist(), counts.tolist(), strict=True):
            there = [s for s in dict.fromkeys(row) if s < vocabulary]
            there.sort(key=lambda s: -count[s])  # noqa: B023
            rows.append(there + [vocabulary] * (max_len - len(there)))
        targets = torch.tensor(rows)
    return tokens, targets.masked_fill(~mask, -100), mask
