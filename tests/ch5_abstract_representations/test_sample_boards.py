"""Hidden tests of exercise 5.2: what is placed where, how often, and labels that agree with the pixels."""

from pathlib import Path

import torch

from utils.grade import RARE, LearnerError, Mismatch, draws, equal, load_file, rarity, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_library = stand_in.a_library

LAST_LINE = "the last row and column are never used: there are side - d + 1 positions along an axis"
GENERATOR = "with equal seeds the boards differ: every draw must use the given generator"


@takes_along(a_library)
def probe_boards(sample_boards, library, n, kinds, seeds, pairs):
    """Boards for each seed; the global generator differs from run to run."""
    found = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(100 + number)
            generator = torch.Generator().manual_seed(seed)
            more = {} if pairs is None else {"pairs": pairs}
            scenes = sample_boards(a_library(library), n, kinds, generator, **more)
            if not isinstance(scenes, dict):
                return "nothing" if scenes is None else type(scenes).__name__
            found.append(dict(scenes))
    return found if pairs is None else [*found, pairs]


def sampled(sample_boards, draw, library, n, kinds, seeds=None, pairs=None):
    found = sample_boards.run(probe_boards, library, n, kinds, seeds or [draw.seed], pairs)
    require(not isinstance(found, str), f"sample_boards must return the dict of paint with kind and comp, not {found}")
    if pairs is not None:
        equal(found.pop(), pairs, "the caller's pairs are different after the call")
    for scenes in found:
        missing = {"board", "root_id", "offset", "bg", "objects", "kind", "comp"} - set(scenes)
        says = f"the result lacks {', '.join(sorted(missing))}: return what paint returns, with kind and comp"
        require(not missing, says)
        for name in ("kind", "comp", "bg"):
            whole = torch.is_tensor(scenes[name]) and scenes[name].dtype == torch.int64
            require(whole and tuple(scenes[name].shape) == (n,), f"{name} must be an int64 tensor of shape {(n,)}")
        side = library["side"]
        shape = tuple(scenes["board"].shape)
        require(shape != (n, side * side), "the boards come as rows of cells: they are squares, (B, S, S)")
        require(shape == (n, side, side), f"board has shape {shape}, but {(n, side, side)} is wanted")
        shape = tuple(scenes["objects"].shape)
        require(shape == (n, 4, 3), f"objects has shape {shape}, but {(n, 4, 3)} is wanted: K is a composite's slots")
    return found if seeds else found[0]


def even(values, size, says):
    """`values` must be spread evenly over 0 .. size - 1."""
    require(int(values.min()) >= 0 and int(values.max()) < size, says)
    shares = torch.bincount(values, minlength=size) / len(values)
    wanted = torch.full((size,), 1 / size)
    require(rarity(shares, wanted, len(values)) < RARE, says, expected=wanted, got=shares)


def on_both_axes(place, P, what):
    """Places (n, 2) must lie on the board, each with a row and a column of its own."""
    require(int(place.min()) >= 0 and int(place.max()) < P, f"{what} does not lie on the board")
    equal_lines = bool((place[:, 0] == place[:, 1]).all())
    require(not equal_lines, f"row and column of {what} are always equal: draw both")


def of_one_kind(sample_boards, draw, library, shares):
    """20 boards of one kind; where paint finds a composite beside the board, that is told."""
    try:
        return sampled(sample_boards, draw, library, 20, shares)
    except LearnerError as error:
        if not shares[2] or "out of bounds" not in str(error):
            raise
        says = (
            "a composite sticks out of the board: its own side is 2 d + margin, which leaves fewer rows for its corner "
            "than a root has, and neighbouring roots start d + margin apart"
        )
        raise Mismatch(says) from None


def test_kinds(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    for kind in range(3):
        shares = [float(kind == one) for one in range(3)]
        got = of_one_kind(sample_boards, draw, library, shares)
        says = f"kind_probs is not used: with probability 1 for kind {kind}, all boards must be of that kind"
        equal(got["kind"], torch.full((20,), kind), says)
        number = (got["objects"][..., 0] >= 0).sum(1)
        wanted = (1, 2, 4)[kind]
        more = number > wanted
        zero = bool(more.any()) and bool((got["objects"][more, wanted:, 0] <= 0).all())
        require(not zero, "an empty slot holds root 0: a slot without a root has root -1", got=got["objects"])
        says = "single boards hold two roots: the second slot must be empty, root -1"
        require(kind > 0 or not bool((number == 2).all()), says, got=got["objects"])
        says = f"boards of kind {kind} must hold {wanted} root{'s' * (kind > 0)} each (slots without one have root -1)"
        require(bool((number == wanted).all()), says, got=got["objects"])
    shares = torch.tensor([0.2, 0.5, 0.3])[draw.permutation(3)]
    got = sampled(sample_boards, draw, library, 1500, shares.tolist())["kind"]
    found = torch.bincount(got, minlength=3) / 1500
    require(len(got.unique()) > 1, "all boards of a batch are of one kind: draw the kind of each board on its own")
    says = "all kinds come equally often: kind_probs is not used"
    right, alike = rarity(found, shares, 1500) < RARE, rarity(found, torch.full((3,), 1 / 3), 1500) < RARE
    require(right or not alike, says, expected=shares, got=found)
    says = "the kinds of boards do not come with the probabilities kind_probs"
    require(right, says, expected=shares, got=found)
    says = "the kinds come in blocks, in exact shares: draw the kind of each board on its own"
    require(int((got[1:] != got[:-1]).sum()) > 2, says)
    same = float((got[::2] == got[1::2]).float().mean())
    says = "neighbouring boards are of one kind too often or too seldom: draw the kind of each board on its own"
    require(rarity(same, float(shares.square().sum()), 750) < RARE, says)
    seeds = [draw.seed + number for number in range(40)]
    single = sampled(sample_boards, draw, library, 1, [0.5, 0.5, 0.0], seeds=seeds)
    says = "the kinds come in exact shares, so that a single board is always of one kind: draw the kind of each board"
    require(len({int(one["kind"]) for one in single}) == 2, says)


def test_composite_number(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    got = sampled(sample_boards, draw, library, 60, [0.4, 0.3, 0.3])
    says = "comp is a number on every board: it must be -1 where there is no composite"
    require(not bool((got["comp"] >= 0).all()), says)
    says = "comp must be -1 on boards without a composite, and 0 or more on the others"
    equal(got["comp"] >= 0, got["kind"] == 2, says)
    got = sampled(sample_boards, draw, library, 20, [0.5, 0.5, 0.0])
    equal(got["comp"], torch.full((20,), -1), says)


def test_no_composites(sample_boards, draw):
    kinds = [0.5, 0.5, 0.0]
    sampled(sample_boards, draw, stand_in.make_library_data(draw), 20, kinds)
    try:
        got = sampled(sample_boards, draw, stand_in.make_library_data(draw, C=0), 20, kinds)
    except LearnerError as error:
        if error.kind in ("NotImplementedError", "TimedOut", "Crashed", "Interrupted"):
            raise
        says = "in a world without composites it fails, though none is wanted: draw one only where there are any"
        raise Mismatch(says) from None
    equal(got["comp"], torch.full((20,), -1), "in a world without composites, comp must be -1 on every board")


def test_pixels(sample_boards, draw):
    """The judge paints the objects itself, later ones on top."""
    d, margin = 2 + draw.index, 2 - draw.index
    side = 2 * d + margin + 1
    library = stand_in.make_library_data(draw, d=d, side=side, margin=margin, empty=True)
    got = sampled(sample_boards, draw, library, 60, [0.3, 0.3, 0.4])
    board = got["bg"][:, None, None].repeat(1, side, side)
    root_id = torch.full_like(board, -1)
    for b, objects in enumerate(got["objects"].tolist()):
        for root, row, column in objects:
            if root >= 0:
                inside = 0 <= row <= side - d and 0 <= column <= side - d
                require(inside, f"a root at row {row}, column {column} does not lie on a board of side {side}")
                board[b, row : row + d, column : column + d] = library["roots"][root]
                root_id[b, row : row + d, column : column + d] = root
    says = "the board is not what its objects and background give: hand to paint what you return"
    equal(got["board"], board, says)
    equal(got["root_id"], root_id, says)


def test_backgrounds_and_roots(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    got = sampled(sample_boards, draw, library, 1200, [0.5, 0.5, 0.0])
    bg = got["bg"]
    says = "all boards of a batch have the same background: draw one for each"
    require(len(bg.unique()) > 1, says)
    says = "a background is no background token: they are 0 .. n_bg - 1"
    require(int(bg.min()) >= 0 and int(bg.max()) < 3, says)
    says = "the last background token is never drawn: the upper end of randint is left out already"
    require(int(bg.max()) == 2, says)
    even(bg, 3, "the background tokens 0 .. n_bg - 1 are not equally likely")
    two = got["objects"][got["kind"] == 1][:, :2, 0]
    same = two[:, 0] == two[:, 1]
    require(not bool(same.all()), "both roots of a double are the same one: draw each on its own")
    says = "a root never comes twice on a board: the two roots are drawn independently"
    require(bool(same.any()), says)
    says = "the two roots of a double are not drawn independently from all roots (the same one may come twice)"
    even(two[:, 0] * 4 + two[:, 1], 16, says)
    even(got["objects"][got["kind"] == 0][:, 0, 0], 4, "the roots of single boards are not equally likely")


def test_doubles_apart(sample_boards, draw):
    d, n = 2 + draw.index, 5000
    P = 4 + draw.index
    library = stand_in.make_library_data(draw, d=d, side=P + d - 1, C=0)
    place = sampled(sample_boards, draw, library, n, [0.0, 1.0, 0.0])["objects"][:, :2, 1:]
    require(int(place.min()) >= 0 and int(place.max()) < P, "a root of a double does not lie on the board")
    gap = (place[:, 0] - place[:, 1]).abs()
    apart, differ = bool((gap >= d).any(1).all()), bool((gap > 0).all())
    crossed = place.transpose(1, 2)
    crossed = not apart and bool(((crossed[:, 0] - crossed[:, 1]).abs() >= d).any(1).all())
    require(not crossed, "a pair is read as (row, row, column, column): it is (row, column, row, column)", got=place)
    says = "two roots may overlap: rows or columns must be at least d apart, it is not enough that both differ"
    require(apart or not differ, says, got=place)
    require(apart, "two roots of a double overlap: they must have no cell in common", got=place)
    says = "rows and columns are both kept apart: one of them is enough, so legal pairs are missing"
    require(not bool((gap >= d).all()), says)
    require(int(place.max()) == P - 1, LAST_LINE)
    signed = bool((place[:, 0] - place[:, 1] >= d).any(1).all())
    says = "the first root always lies below the second one or to the right of it: a distance counts either way"
    require(not signed, says)
    says = "two roots never touch: they must have no cell in common, and that is enough"
    require(int(gap.amax(1).min()) == d, says)
    says = "the first root is never below the second: both orders of a pair are legal"
    require(bool((place[:, 0, 0] > place[:, 1, 0]).any()), says)
    same = float((gap == 0).any(1).float().mean())
    line = torch.arange(P)
    every = torch.cartesian_prod(line, line, line, line)
    every = every[((every[:, :2] - every[:, 2:]).abs() >= d).any(1)]
    wide = (every[:, :2] - every[:, 2:]).abs()
    wanted = float((wide == 0).any(1).float().mean())
    first = ((place[:, 0] > 0) & (place[:, 0] < P - 1)).all(1).float().mean()  # neither at an edge nor in a corner
    pairs = ((every[:, :2] > 0) & (every[:, :2] < P - 1)).all(1).float().mean()
    alone = every[:, :2].unique(dim=0)
    alone = ((alone > 0) & (alone < P - 1)).all(1).float().mean()
    says = "a first position is drawn, and then one of those left: draw a pair, so that each pair is as likely"
    require(rarity(first, alone, n) > RARE or rarity(first, pairs, n) < RARE, says, expected=pairs, got=first)
    says = (
        "two roots in the same row or column come too often or too seldom: all pairs that keep them apart are equally "
        "likely"
    )
    require(rarity(same, wanted, n) < RARE, says, expected=wanted, got=same)
    swapped = float((place[:, 0, 0] < place[:, 1, 0]).float().mean())
    says = "the first root lies above the second too often or too seldom: all ordered pairs are equally likely"
    require(rarity(swapped, (1 - float((wide[:, 0] == 0).float().mean())) / 2, n) < RARE, says)
    touching = float((gap.amax(1) == d).float().mean())
    says = "two roots that touch come too often or too seldom: they have no cell in common, so they are allowed"
    require(rarity(touching, float((wide.amax(1) == d).float().mean()), n) < RARE, says)
    says = "the first root lies in the middle too often or too seldom: draw one of all pairs of positions"
    require(rarity(first, pairs, n) < RARE, says, expected=pairs, got=first)


def test_single_positions(sample_boards, draw):
    P = 4 - draw.index  # with 3 x 3 places, the one in the middle leaves no room for a second root
    library = stand_in.make_library_data(draw, side=P + 1, C=0)
    place = sampled(sample_boards, draw, library, 1500, [1.0, 0.0, 0.0])["objects"][:, 0, 1:]
    on_both_axes(place, P, "a single root")
    require(int(place.max()) == P - 1, LAST_LINE)
    if P == 3 and not (place == 1).all(1).any() and len(place.unique(dim=0)) == 8:
        says = (
            "a single root gets its position from the list of pairs, where the border comes too often: draw one of its "
            "own"
        )
    else:
        says = "the position of a single root is not uniform over all that fit: rows and columns go from 0 to side - d"
    even(place[:, 0] * P + place[:, 1], P * P, says)


def test_given_pairs(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    pairs = torch.tensor([[0, 3, 1, 0], [4, 2, 1, 0]])[[draw.index]]
    got = sampled(sample_boards, draw, library, 8, [0.0, 1.0, 0.0], pairs=pairs)
    found = got["objects"][:, :2, 1:].flatten(1)
    crossed = torch.equal(found, pairs[:, [0, 2, 1, 3]].expand(8, 4))
    require(not crossed, "a pair is read as (row, row, column, column): it is (row, column, row, column)")
    says = "the argument `pairs` is ignored: where it is given, positions come from its rows"
    require(len(found.unique(dim=0)) < 4, says)
    says = "with `pairs`, the positions of the two roots must be one of its rows (row, column, row, column), as it is"
    equal(found, pairs.expand(8, 4), says)
    got = sampled(sample_boards, draw, library, 60, [1.0, 0.0, 0.0], pairs=pairs)
    says = "where `pairs` is given, single roots come from it as well: it is meant for two roots"
    require(len(got["objects"][:, 0, 1:].unique(dim=0)) > 5, says)


def test_composites(sample_boards, draw):
    d, margin = 2 + draw.index, 1 + draw.index
    side = 2 * d + margin + 3
    library = stand_in.make_library_data(draw, d=d, side=side, margin=margin, empty=True)
    got = sampled(sample_boards, draw, library, 1200, [0.0, 0.0, 1.0])
    comp, objects = got["comp"], got["objects"]
    says = "the last composite is never drawn: the upper end of randint is left out already"
    require(int(comp.max()) != 1, says)
    even(comp, 3, "the composites 0 .. C - 1 are not equally likely")
    slots = library["comps"].flatten(1)[comp]
    says = "an empty slot of a composite is filled with root 0: it stays empty, root -1"
    filled = torch.equal(objects[..., 0], slots.clamp(min=0))
    require(not filled, says, expected=slots[:1], got=objects[:1, :, 0])
    says = "the four roots of a composite are not those of its slots, row by row (-1 for an empty slot)"
    equal(objects[..., 0], slots, says)
    corner, place = objects[:, 0, 1:], objects[..., 1:]
    grid = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])

    def off(step, grid):
        return ((place != corner[:, None] + step * grid).any(-1) & (slots >= 0)).any(1)

    says = "the composite is mirrored: the slots go row by row, so the row of slot s is s // 2 and its column s % 2"
    require(bool(off(d + margin, grid.flip(1)).any()), says)
    require(bool(off(d, grid).any()), "the roots of a composite touch: the margin between them is missing")
    fixed = margin != 1 and not bool(off(d + 1, grid).any())
    require(not fixed, "the margin is taken to be 1: it is lib.margin")
    says = "the roots of a composite must lie margin cells apart, in the order of its slots"
    wrong = off(d + margin, grid)
    b = int(wrong.long().argmax())
    wanted = torch.cat([objects[b, :, :1], corner[b] + (d + margin) * grid], 1)
    require(not wrong.any(), says, expected=wanted, got=objects[b])
    Q = side - (2 * d + margin) + 1
    says = "composites always lie in the upper left corner: draw their position"
    require(bool((corner != 0).any()), says)
    on_both_axes(corner, Q, "a composite")
    says = "the last position of a composite is never used: its own side is 2 d + margin"
    require(int(corner.max()) == Q - 1, says)
    says = "the position of a composite is not uniform over all that fit"
    even(corner[:, 0] * Q + corner[:, 1], Q * Q, says)


@draws(1)
def test_generator(sample_boards, draw):
    library, seed = stand_in.make_library_data(draw, R=9), draw.integer(0, 1000)
    got = sampled(sample_boards, draw, library, 30, [0.4, 0.3, 0.3], seeds=[seed, seed, seed + 1])
    equal(got[0]["board"], got[1]["board"], GENERATOR)
    says = "generators with different seeds give the same boards: draw from the given generator"
    require(not torch.equal(got[0]["board"], got[2]["board"]), says)
