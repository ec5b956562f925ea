"""Wrong answers to exercise 5.2 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade import load_file, right, slips

pieces = load_file(Path(__file__).with_name("_pieces.py"))
paint = pieces.paint_fast


def apart(P, d):
    line = torch.arange(P)
    pairs = torch.cartesian_prod(line, line, line, line)
    gap = (pairs[:, :2] - pairs[:, 2:]).abs()
    return pairs[(gap >= d).any(dim=1)]


def x_and_y(P, d):
    pairs = torch.cartesian_prod(*[torch.arange(P)] * 4)
    return pairs[((pairs[:, :2] - pairs[:, 2:]).abs() >= d).all(dim=1)]


def different(P, d):
    pairs = torch.cartesian_prod(*[torch.arange(P)] * 4)
    return pairs[(pairs[:, :2] != pairs[:, 2:]).all(dim=1)]


def signed(P, d):
    pairs = torch.cartesian_prod(*[torch.arange(P)] * 4)
    return pairs[(pairs[:, :2] - pairs[:, 2:] >= d).any(dim=1)]


def in_order(P, d):
    pairs = apart(P, d)
    return pairs[pairs[:, 0] <= pairs[:, 2]]


slip = slips("""
    def sample_boards(lib, n, kind_probs, generator, pairs=None):
        def pick(high, *shape):
            return torch.randint(high, shape, generator=generator)

        kind = torch.multinomial(torch.tensor(kind_probs), n, replacement=True, generator=generator)
        P = lib.side - lib.d + 1
        pairs = apart(P, lib.d) if pairs is None else pairs
        roots = pick(len(lib.roots), n, 2)
        places = pairs[pick(len(pairs), n)].view(n, 2, 2)
        places[:, 0] = torch.where((kind == 0)[:, None], pick(P, n, 2), places[:, 0])
        objects = torch.full((n, 4, 3), -1)
        objects[:, :2] = torch.cat([roots[..., None], places], dim=-1)
        objects[kind == 0, 1, 0] = -1
        stride = lib.d + lib.margin
        slot = torch.arange(4)
        bg = pick(lib.n_bg, n)
        if len(lib.comps) == 0:
            return paint(lib, objects, bg) | {"kind": kind, "comp": torch.full((n,), -1)}
        comp = torch.where(kind == 2, pick(len(lib.comps), n), -1)
        corner = pick(lib.side - (2 * lib.d + lib.margin) + 1, n, 2)
        row = corner[:, :1] + stride * (slot // 2)
        column = corner[:, 1:] + stride * (slot % 2)
        whole = torch.stack([lib.comps.flatten(1)[comp], row, column], dim=-1)
        objects = torch.where((kind == 2)[:, None, None], whole, objects)
        return paint(lib, objects, bg) | {"kind": kind, "comp": comp}
""")

SPAN = "corner = pick(lib.side - (2 * lib.d + lib.margin) + 1, n, 2)"
AnotherBackground = slip(
    "the board is not what its objects and background give: hand to paint what you return",
    '{"kind": kind, "comp": comp}', '{"kind": kind, "comp": comp, "bg": bg.roll(1)}',
)  # fmt: skip
Overlap = slip(
    "two roots may overlap: rows or columns must be at least d apart, it is not enough that both differ",
    "apart(P, lib.d) if", "different(P, lib.d) if",
)  # fmt: skip
BothApart = slip(
    "rows and columns are both kept apart: one of them is enough, so legal pairs are missing",
    "apart(P, lib.d) if", "x_and_y(P, lib.d) if",
)  # fmt: skip
Ordered = slip(
    "the first root is never below the second: both orders of a pair are legal",
    "apart(P, lib.d) if", "in_order(P, lib.d) if",
)  # fmt: skip
PairsIgnored = slip(
    "the argument `pairs` is ignored: where it is given, positions come from its rows",
    " if pairs is None else pairs", "",
)  # fmt: skip
OneShort = slip(
    "the last row and column are never used: there are side - d + 1 positions along an axis",
    "pick(P, n, 2)", "pick(P - 1, n, 2)",
)  # fmt: skip
LikeAPair = slip(
    "a single root gets its position from the list of pairs, where the border comes too often: draw one of its own",
    "places[:, 0] = torch.where((kind == 0)[:, None], pick(P, n, 2), places[:, 0])", "pass",
)  # fmt: skip
CompositeOneShort = slip(
    "the last position of a composite is never used: its own side is 2 d + margin",
    "+ lib.margin) + 1, n, 2)", "+ lib.margin), n, 2)",
)  # fmt: skip
OneCorner = slip(
    "composites always lie in the upper left corner: draw their position",
    SPAN,
    "corner = torch.zeros(n, 2, dtype=torch.int64)",
)
NoMargin = slip(
    "the roots of a composite touch: the margin between them is missing",
    "stride = lib.d + lib.margin",
    "stride = lib.d",
)
SlotsTransposed = slip(
    "the composite is mirrored: the slots go row by row, so the row of slot s is s // 2 and its column s % 2",
    "(slot // 2)", "(slot % 2)", "corner[:, 1:] + stride * (slot % 2)", "corner[:, 1:] + stride * (slot // 2)",
)  # fmt: skip
SameRootTwice = slip(
    "both roots of a double are the same one: draw each on its own",
    "roots = pick(len(lib.roots), n, 2)", "roots = pick(len(lib.roots), n, 1).expand(n, 2)",
)  # fmt: skip
NeverTwice = slip(
    "a root never comes twice on a board: the two roots are drawn independently",
    "roots = pick(len(lib.roots), n, 2)",
    "roots = torch.rand(n, len(lib.roots), generator=generator).topk(2).indices",
)  # fmt: skip
SecondKept = slip(
    "single boards hold two roots: the second slot must be empty, root -1", "objects[kind == 0, 1, 0] = -1", "pass"
)
OneBackground = slip(
    "all boards of a batch have the same background: draw one for each",
    "bg = pick(lib.n_bg, n)",
    "bg = pick(lib.n_bg, 1).expand(n)",
)
BackgroundShort = slip(
    "the last background token is never drawn: the upper end of randint is left out already",
    "bg = pick(lib.n_bg, n)", "bg = pick(lib.n_bg - 1, n)",
)  # fmt: skip
KindsEven = slip(
    "all kinds come equally often: kind_probs is not used",
    "kind = torch.multinomial(torch.tensor(kind_probs), n, replacement=True, generator=generator)",
    "kind = torch.where(torch.tensor(kind_probs).max() == 1, torch.tensor(kind_probs).argmax(), pick(3, n))",
)  # fmt: skip
CompAlways = slip(
    "comp is a number on every board: it must be -1 where there is no composite",
    "torch.where(kind == 2, pick(len(lib.comps), n), -1)", "pick(len(lib.comps), n)",
)  # fmt: skip
NoKind = slip(
    "the result lacks kind: return what paint returns, with kind and comp",
    '{"kind": kind, "comp": comp}',
    '{"comp": comp}',
)
NoComposites = slip(
    "in a world without composites it fails, though none is wanted: draw one only where there are any",
    "if len(lib.comps) == 0:", "if False:",
)  # fmt: skip
CompZero = slip(
    "comp must be -1 on boards without a composite, and 0 or more on the others",
    "n), -1)\n    corner", "n), -(kind == 1).long())\n    corner",
)  # fmt: skip
Blocks = slip(
    "the kinds come in blocks, in exact shares: draw the kind of each board on its own",
    "kind = torch.multinomial(torch.tensor(kind_probs), n, replacement=True, generator=generator)",
    "kind = (torch.arange(n) / n >= torch.tensor(kind_probs).cumsum(0)[:2, None]).sum(0)",
)  # fmt: skip
Touching = slip(
    "two roots never touch: they must have no cell in common, and that is enough",
    "apart(P, lib.d) if", "apart(P, lib.d + 1) if",
)  # fmt: skip
SinglesInGivenPairs = slip(
    "where `pairs` is given, single roots come from it as well: it is meant for two roots",
    "pairs = apart(P, lib.d) if pairs is None else pairs",
    "given = pairs is not None\n    pairs = pairs if given else apart(P, lib.d)",
    "(kind == 0)[:, None], pick", "(kind == 0)[:, None] & (not given), pick",
)  # fmt: skip
FirstThenSecond = slip(
    "a first position is drawn, and then one of those left: draw a pair, so that each pair is as likely",
    "places = pairs[pick(len(pairs), n)].view(n, 2, 2)",
    "first = pairs[:, :2].unique(dim=0)\n    first = first[pick(len(first), n)]\n"
    "    fits = (pairs[None, :, :2] == first[:, None]).all(-1).float()\n"
    "    places = pairs[torch.multinomial(fits, 1, generator=generator)[:, 0]].view(n, 2, 2)",
)  # fmt: skip
KeptInOrder = slip(
    "a pair is read as (row, row, column, column): it is (row, column, row, column)",
    ".view(n, 2, 2)\n", ".view(n, 2, 2).transpose(1, 2).contiguous()\n",
)  # fmt: skip
FixedMargin = slip(
    "the margin is taken to be 1: it is lib.margin",
    "stride = lib.d + lib.margin",
    "stride = lib.d + 1",
    "2 * lib.d + lib.margin",
    "2 * lib.d + 1",
)
OneDiagonal = slip(
    "row and column of a composite are always equal: draw both",
    "+ lib.margin) + 1, n, 2)", "+ lib.margin) + 1, n, 1).expand(n, 2)",
)  # fmt: skip
EmptyFilled = slip(
    "an empty slot of a composite is filled with root 0: it stays empty, root -1",
    "lib.comps.flatten(1)[comp], row", "lib.comps.flatten(1)[comp].clamp(min=0), row",
)  # fmt: skip
SecondIsRootZero = slip(
    "an empty slot holds root 0: a slot without a root has root -1",
    "objects[kind == 0, 1, 0] = -1",
    "objects[kind == 0, 1, 0] = 0",
)
FlatBoards = slip(
    "the boards come as rows of cells: they are squares, (B, S, S)",
    "objects, bg) | {\"kind\": kind, \"comp\": comp}",
    "objects, bg) | {\"kind\": kind, \"comp\": comp, \"board\": paint(lib, objects, bg)[\"board\"].flatten(1)}",
)  # fmt: skip
GlobalGenerator = slip(
    "with equal seeds the boards differ: every draw must use the given generator",
    "bg = pick(lib.n_bg, n)", "bg = torch.randint(lib.n_bg, (n,))",
)  # fmt: skip
SameEveryTime = slip(
    "generators with different seeds give the same boards: draw from the given generator",
    "kind = torch.multinomial", "generator = torch.Generator().manual_seed(0)\n    kind = torch.multinomial",
)  # fmt: skip

OneShortInPairs = slip(
    "the last row and column are never used: there are side - d + 1 positions along an axis",
    "apart(P, lib.d) if", "apart(P - 1, lib.d) if",
)  # fmt: skip
NearEnough = slip(
    "two roots of a double overlap: they must have no cell in common", "apart(P, lib.d) if", "apart(P, lib.d - 1) if"
)
Signed = slip(
    "the first root always lies below the second one or to the right of it: a distance counts either way",
    "apart(P, lib.d) if", "signed(P, lib.d) if",
)  # fmt: skip
TwoSlots = slip(
    "objects has shape (20, 2, 3), but (20, 4, 3) is wanted: K is a composite's slots",
    "objects = torch.full((n, 4, 3), -1)", "objects = torch.full((n, 4 if kind_probs[2] > 0 else 2, 3), -1)",
    "if len(lib.comps) == 0:", "if len(lib.comps) == 0 or kind_probs[2] == 0:",
)  # fmt: skip
OneKindForAll = slip(
    "all boards of a batch are of one kind: draw the kind of each board on its own",
    "n, replacement=True, generator=generator)", "1, generator=generator).expand(n)",
)  # fmt: skip
KindsByIndex = slip(
    "kind_probs is not used: with probability 1 for kind 0, all boards must be of that kind",
    "torch.multinomial(torch.tensor(kind_probs), n, replacement=True, generator=generator)", "pick(3, n)",
)  # fmt: skip
EmptySlotsHoldRootZero = slip(
    "an empty slot holds root 0: a slot without a root has root -1",
    "torch.full((n, 4, 3), -1)", "torch.zeros(n, 4, 3, dtype=torch.int64)", "objects[kind == 0, 1, 0] = -1",
    "objects[kind == 0, 1, 0] = 0",
)  # fmt: skip
AnyTokenAsBackground = slip(
    "a background is no background token: they are 0 .. n_bg - 1",
    "bg = pick(lib.n_bg, n)", "bg = pick(lib.n_bg + lib.n_obj, n)",
)  # fmt: skip
SingleOnTheDiagonal = slip(
    "row and column of a single root are always equal: draw both",
    "[:, None], pick(P, n, 2)", "[:, None], pick(P, n, 1).expand(n, 2)",
)  # fmt: skip
LastComposite = slip(
    "the last composite is never drawn: the upper end of randint is left out already",
    "pick(len(lib.comps), n)", "pick(len(lib.comps) - 1, n)",
)  # fmt: skip
SlotsByColumns = slip(
    "the four roots of a composite are not those of its slots, row by row (-1 for an empty slot)",
    "lib.comps.flatten(1)[comp]", "lib.comps.transpose(1, 2).flatten(1)[comp]",
)  # fmt: skip
ExactShares = slip(
    "each kind has its exact share of the boards, in a random order: draw the kind of each board on its own",
    "kind = torch.multinomial(torch.tensor(kind_probs), n, replacement=True, generator=generator)",
    "kind = ((torch.arange(n) + 0.5) / n >= torch.tensor(kind_probs).cumsum(0)[:2, None]).sum(0)\n"
    "    kind = kind[torch.randperm(n, generator=generator)]",
)


@right
def one_by_one(lib, n, kind_probs, generator, pairs=None):
    def pick(high):
        return int(torch.randint(high, (), generator=generator))

    P, R = lib.side - lib.d + 1, len(lib.roots)
    kinds = torch.multinomial(torch.as_tensor(kind_probs), n, True, generator=generator)
    objects, comp = torch.full((n, 4, 3), -1), torch.full((n,), -1)
    if pairs is None:
        pairs = apart(P, lib.d)
    for b, kind in enumerate(kinds.tolist()):
        if kind == 0:
            objects[b, 0] = torch.tensor([pick(R), pick(P), pick(P)])
        elif kind == 1:
            place = pairs[pick(len(pairs))].tolist()
            objects[b, 0] = torch.tensor([pick(R), *place[:2]])
            objects[b, 1] = torch.tensor([pick(R), *place[2:]])
        else:
            comp[b] = pick(len(lib.comps))
            top, left = (pick(lib.side - 2 * lib.d - lib.margin + 1) for _ in range(2))
            for s, root in enumerate(lib.comps[comp[b]].flatten().tolist()):
                step = lib.d + lib.margin
                objects[b, s] = torch.tensor([root, top + step * (s // 2), left + step * (s % 2)])
    return paint(lib, objects, torch.randint(lib.n_bg, (n,), generator=generator)) | {"kind": kinds, "comp": comp}


@right
def by_rejection(lib, n, kind_probs, generator, pairs=None):
    edges = torch.tensor(kind_probs).cumsum(0)
    kind = (torch.rand(n, 1, generator=generator) * edges[-1] >= edges[:2]).sum(1)
    P, d = lib.side - lib.d + 1, lib.d
    place = torch.randint(P, (n, 4), generator=generator)
    if pairs is not None:
        place = pairs[torch.randint(len(pairs), (n,), generator=generator)]
    while pairs is None:
        bad = (kind == 1) & ((place[:, :2] - place[:, 2:]).abs() < d).all(1)
        if not bad.any():
            break
        place[bad] = torch.randint(P, (int(bad.sum()), 4), generator=generator)
    if pairs is not None:
        place = torch.where((kind == 0)[:, None], torch.randint(P, (n, 4), generator=generator), place)
    roots = torch.randint(len(lib.roots), (n, 2), generator=generator)
    roots[:, 1][kind == 0] = -1
    objects = torch.full((n, 4, 3), -1)
    objects[:, :2, 0], objects[:, 0, 1:], objects[:, 1, 1:] = roots, place[:, :2], place[:, 2:]
    comp = torch.full((n,), -1)
    for b in (kind == 2).nonzero()[:, 0].tolist():
        comp[b] = torch.randint(len(lib.comps), (), generator=generator)
        corner = torch.randint(lib.side - 2 * d - lib.margin + 1, (2,), generator=generator)
        objects[b, :, 0] = lib.comps[comp[b]].reshape(4)
        objects[b, :, 1:] = corner + (d + lib.margin) * torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    bg = torch.randint(0, lib.n_bg, (n,), generator=generator)
    return {**paint(lib, objects, bg), "kind": kind, "comp": comp}
