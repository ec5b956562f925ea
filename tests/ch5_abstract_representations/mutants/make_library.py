"""Wrong answers to exercise 5.1 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade import load_file, right, slips, wrong
from utils.grade.limit import OutOfTime

Library = load_file(Path(__file__).with_name("_pieces.py")).Library
TOO_ALIKE = (
    "it never ends, because objects that differ are taken for equal: compare all their cells, in their order, before "
    "you draw again"
)


def patiently():
    """The numbers of the draws, and no more of them than a right answer ever needs: this one would never end."""
    yield from range(20_000)
    raise OutOfTime


PATIENTLY = "for _ in patiently():\n            if len(found) == count:\n                break"
FOR_EVER = ("while len(found) < count:", PATIENTLY)

slip = slips("""
    def make_library(n_roots, d, n_bg, n_obj, n_comps, generator, side=8):
        def different(count, size, choices):
            if count > choices ** (size * size):
                raise ValueError("too many")
            found = {}
            while len(found) < count:
                drawn = torch.randint(choices, (size, size), generator=generator)
                found.setdefault(tuple(drawn.flatten().tolist()), drawn)
            return torch.stack(list(found.values())) if count else torch.empty(0, size, size, dtype=torch.int64)
        roots = n_bg + different(n_roots, d, n_obj)
        comps = different(n_comps, 2, n_roots)
        return Library(roots, comps, n_bg, n_obj, side)
""")

NoOffset = slip(
    "object tokens start at 0, where the background tokens are: they follow the n_bg background tokens",
    "n_bg + different", "different",
)  # fmt: skip
OneTokenShort = slip(
    "the last object token is never drawn: the upper end of randint is left out already",
    "different(n_roots, d, n_obj)", "different(n_roots, d, n_obj - 1 if n_obj > 2 else n_obj)",
)  # fmt: skip
NotDifferent = slip(
    "the same object can come twice: draw again until all are different",
    "found.setdefault(tuple(drawn.flatten().tolist()), drawn)", "found[len(found)] = drawn",
)  # fmt: skip
OnlyRootsDifferent = slip(
    "the same composite can come twice: composites must all be different, as the roots are",
    "different(n_comps, 2, n_roots)", "torch.randint(n_roots, (n_comps, 2, 2), generator=generator)",
)  # fmt: skip
NoRefusal = slip(
    "a wish that cannot be met returns fewer objects: raise a ValueError",
    'raise ValueError("too many")', "count = choices ** (size * size)",
)  # fmt: skip
OtherRefusal = slip(
    "it refuses with an AssertionError: a ValueError is wanted",
    'raise ValueError("too many")', 'raise AssertionError("too many")',
)  # fmt: skip
GlobalGenerator = slip(
    "the draws come from torch's global generator: hand the given one on",
    "torch.randint(choices, (size, size), generator=generator)", "torch.randint(choices, (size, size))",
)  # fmt: skip
FixedSeed = slip(
    "a generator of its own with a fixed seed is used: every library is the same",
    "def different(", "generator = torch.Generator().manual_seed(0)\n    def different(",
)  # fmt: skip
CompositesOfTokens = slip(
    "composites hold tokens: each slot holds the number of a root, below n_roots",
    "different(n_comps, 2, n_roots)", "n_bg + different(n_comps, 2, n_roots)",
)  # fmt: skip
SideForgotten = slip("the board's side is not passed on to the Library", "n_obj, side)", "n_obj, 8)")
ObjectsInOrder = slip(
    "the objects are counted through instead of drawn: a different generator must give different ones",
    "drawn = torch.randint(choices, (size, size), generator=generator)",
    "drawn = (len(found) // choices ** torch.arange(size * size) % choices).view(size, size)",
)  # fmt: skip
Unsorted = slip(
    "the tokens of a root are sorted: the order of the cells is part of the object",
    "torch.stack(list(found.values())) if",
    "torch.stack(list(found.values())).flatten(1).sort(1).values.view(-1, size, size) if",
)  # fmt: skip


EmptyCrash = slip(
    "with no composites at all it fails: the library then holds a table of none, of shape (0, 2, 2)",
    " if count else torch.empty(0, size, size, dtype=torch.int64)", "",
)  # fmt: skip
AllRefused = slip(
    "all the objects that there are may be asked for: refuse only when more are wanted",
    "count > choices **", "count >= choices **",
)  # fmt: skip
CountedWrong = slip(
    "the number of different objects is wrong: each of the size * size cells has so many choices, so it is a power",
    "count > choices ** (size * size)", "count > choices * size * size",
)  # fmt: skip
CompositesOfSizeD = slip(
    "composites have d x d slots: they always have 2 x 2", "different(n_comps, 2,", "different(n_comps, d,"
)
RootsOfComposites = slip(
    "the slots of a composite are drawn below n_obj: they hold root numbers, below n_roots",
    "different(n_comps, 2, n_roots)", "different(n_comps, 2, n_obj)",
)  # fmt: skip
FourDifferentRoots = slip(
    "the roots of a composite are all different: each slot is drawn on its own, with replacement",
    "comps = different(n_comps, 2, n_roots)",
    "comps = different(n_comps, 2, n_roots)\n"
    "    if n_roots >= 4:\n"
    "        comps = torch.stack([torch.randperm(n_roots, generator=generator)[:4].view(2, 2) for _ in comps])",
)  # fmt: skip
MarginOfD = slip("the margin is set to d: it keeps its default", "n_obj, side)", "n_obj, side, d)")
FirstRootFixed = slip(
    "the first object is not drawn: it is always the same",
    "found = {}", "found = {(0,) * (size * size): torch.zeros(size, size, dtype=torch.int64)} if count else {}",
)  # fmt: skip
NeverRefused = slip(
    "with more objects asked for than there are different ones it draws for ever: raise a ValueError first",
    'raise ValueError("too many")', "raise OutOfTime  # what a loop that never ends comes to, without the wait",
)  # fmt: skip
OneTokenShortEverywhere = slip(
    "the last object token is never drawn: the upper end of randint is left out already",
    "drawn = torch.randint(choices,", "drawn = torch.randint(choices - 1,", "while len(found) < count:", PATIENTLY,
)  # fmt: skip
OneTokenTooFar = slip(
    "the tokens of a root start at n_bg + 1: the first object token is n_bg", "n_bg + different", "n_bg + 1 + different"
)
OneTokenTooMany = slip(
    "a token above the last object token is drawn: they end at n_bg + n_obj - 1",
    "drawn = torch.randint(choices,", "drawn = torch.randint(choices + 1,",
)  # fmt: skip
SortedKeys = slip(TOO_ALIKE, "tuple(drawn", "tuple(sorted(drawn", ".tolist())", ".tolist()))", *FOR_EVER)
SetsAsKeys = slip(TOO_ALIKE, "tuple(drawn", "frozenset(drawn", *FOR_EVER)
SumsAsKeys = slip(TOO_ALIKE, "tuple(drawn.flatten().tolist())", "int(drawn.sum())", *FOR_EVER)
FirstRowsAsKeys = slip(TOO_ALIKE, "drawn.flatten().tolist()", "drawn[0].tolist()", *FOR_EVER)

NeverRefusedForComposites = slip(
    "with more objects asked for than there are different ones it draws for ever: raise a ValueError first",
    "count > choices ** (size * size):", "count > choices ** (size * size) and count == n_roots:", *FOR_EVER,
)  # fmt: skip


@wrong("objects that begin with a large token come too seldom: cutting off a sorted list leaves them out")
def sorted_and_cut(n_roots, d, n_bg, n_obj, n_comps, generator, side=8):
    def different(count, size, choices):
        if count > choices ** (size * size):
            raise ValueError("too many")
        found = torch.empty(0, size, size, dtype=torch.int64)
        while len(found) < count:
            more = torch.randint(choices, (2 * count, size, size), generator=generator)
            found = torch.cat([found, more]).unique(dim=0)
        return found[:count]

    return Library(n_bg + different(n_roots, d, n_obj), different(n_comps, 2, n_roots), n_bg, n_obj, side)


@wrong("no root holds a token twice: the token of each cell is drawn on its own, with replacement")
def without_replacement(n_roots, d, n_bg, n_obj, n_comps, generator, side=8):
    def different(count, size, choices):
        if count > choices ** (size * size):
            raise ValueError("too many")
        found = {}
        while len(found) < count:
            many = -(-size * size // choices)
            order = torch.cat([torch.randperm(choices, generator=generator) for _ in range(many)])[: size * size]
            if choices < size * size:
                order = torch.randint(choices, (size * size,), generator=generator)
            found.setdefault(tuple(order.tolist()), order.view(size, size))
        return torch.stack(list(found.values())) if count else torch.empty(0, size, size, dtype=torch.int64)

    roots = n_bg + different(n_roots, d, n_obj)
    return Library(roots, different(n_comps, 2, n_roots), n_bg, n_obj, side)


@right
def by_numbers(n_roots, d, n_bg, n_obj, n_comps, generator, side=8):
    """A root is a number in base n_obj: digits of different random numbers."""

    def draw(count, size, base):
        most = base ** (size * size)
        if count > most:
            raise ValueError("not so many")
        numbers = set()
        while len(numbers) < count:
            numbers.add(int(torch.randint(min(most, 2**60), (), generator=generator)))
        digits = [[number // base**i % base for i in range(size * size)] for number in sorted(numbers)]
        digits = torch.tensor(digits)[torch.randperm(count, generator=generator)]
        return digits.view(count, size, size)

    return Library(draw(n_roots, d, n_obj) + n_bg, draw(n_comps, 2, n_roots), n_bg, n_obj, side)


@right
def all_again(n_roots, d, n_bg, n_obj, n_comps, generator, side=8):
    """Draw one more, drop the doubles, until there are enough."""
    if n_roots > n_obj ** (d * d) or n_comps > n_roots**4:
        raise ValueError("they cannot all be different")
    roots = torch.empty(0, d * d, dtype=torch.int64)
    while len(roots) < n_roots:
        roots = torch.cat([roots, torch.randint(n_bg, n_bg + n_obj, (1, d * d), generator=generator)]).unique(dim=0)
    comps = torch.empty(0, 4, dtype=torch.int64)
    while len(comps) < n_comps:
        comps = torch.cat([comps, torch.randint(0, n_roots, (1, 4), generator=generator)]).unique(dim=0)
    return Library(roots.view(-1, d, d), comps.view(-1, 2, 2), n_bg, n_obj, side)
