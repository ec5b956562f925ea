"""Hidden tests of exercise 5.2: what is placed where, how often, and labels that agree with the pixels."""

from pathlib import Path

import torch

from utils.grade import RARE, close, draws, equal, load_file, rarity, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_library = stand_in.a_library


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
    """Boards; how the draws fall is nobody's mistake, so diagnosis compares them loosely."""
    found = sample_boards.run(probe_boards, library, n, kinds, seeds or [draw.seed], pairs)
    require(not isinstance(found, str), f"sample_boards must return the dict of paint with kind and comp, not {found}")
    if pairs is not None:
        equal(found.pop(), pairs, "the caller's pairs are different after the call")
    for scenes in found:
        missing = {"board", "root_id", "offset", "bg", "objects", "kind", "comp"} - set(scenes)
        require(not missing, f"the result lacks {sorted(missing)}: return what paint returns, with kind and comp")
        for name in ("kind", "comp", "bg"):
            whole = torch.is_tensor(scenes[name]) and scenes[name].dtype == torch.int64
            require(whole and tuple(scenes[name].shape) == (n,), f"{name} must be an int64 tensor of shape {(n,)}")
        side = library["side"]
        shape = tuple(scenes["board"].shape)
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


def test_kinds(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    for kind in range(3):
        shares = [float(kind == one) for one in range(3)]
        got = sampled(sample_boards, draw, library, 20, shares)
        equal(
            got["kind"], torch.full((20,), kind), f"with probability 1 for kind {kind}, all boards must be of that kind"
        )
        number = (got["objects"][..., 0] >= 0).sum(1)
        wanted = (1, 2, 4)[kind]
        says = f"boards of kind {kind} must hold {wanted} root{'s' * (kind > 0)} each (slots without one have root -1)"
        require(bool((number == wanted).all()), says, got=got["objects"])
    shares = torch.tensor([0.2, 0.5, 0.3])[draw.permutation(3)]
    got = sampled(sample_boards, draw, library, 1500, shares.tolist())
    says = "the kinds of boards do not come with the probabilities kind_probs"
    require(rarity(torch.bincount(got["kind"], minlength=3) / 1500, shares, 1500) < RARE, says, expected=shares)
    same = float((got["kind"][::2] == got["kind"][1::2]).float().mean())
    says = "neighbouring boards are of one kind too often or too seldom: draw the kind of each board on its own"
    require(rarity(same, float(shares.square().sum()), 750) < RARE, says)


def test_pixels(sample_boards, draw):
    """The judge paints the objects itself, later ones on top."""
    library = stand_in.make_library_data(draw, margin=2 - draw.index, empty=True)
    got = sampled(sample_boards, draw, library, 60, [0.3, 0.3, 0.4])
    board = got["bg"][:, None, None].repeat(1, 6, 6)
    root_id = torch.full_like(board, -1)
    for b, objects in enumerate(got["objects"].tolist()):
        for root, row, column in objects:
            if root >= 0:
                board[b, row : row + 2, column : column + 2] = library["roots"][root]
                root_id[b, row : row + 2, column : column + 2] = root
    says = "the board is not what its objects and background give: hand to paint what you return"
    equal(got["board"], board, says)
    equal(got["root_id"], root_id, says)


def test_backgrounds_and_roots(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    got = sampled(sample_boards, draw, library, 1200, [0.5, 0.5, 0.0])
    even(got["bg"], 3, "the background tokens 0 .. n_bg - 1 are not equally likely")
    two = got["objects"][got["kind"] == 1][:, :2, 0]
    both = two[:, 0] * 4 + two[:, 1]
    says = "the two roots of a double are not drawn independently from all roots (the same one may come twice)"
    even(both, 16, says)
    even(got["objects"][got["kind"] == 0][:, 0, 0], 4, "the roots of single boards are not equally likely")


def test_single_positions(sample_boards, draw):
    P = 4 - draw.index  # with 3 x 3 places, the one in the middle leaves no room for a second root
    library = stand_in.make_library_data(draw, side=P + 1, margin=0, C=0)
    got = sampled(sample_boards, draw, library, 1500, [1.0, 0.0, 0.0])
    place = got["objects"][:, 0, 1:]
    says = "the position of a single root is not uniform over all that fit: rows and columns go from 0 to side - d"
    require(int(place.min()) >= 0 and int(place.max()) < P, says)
    if P == 3 and not (place == 1).all(1).any() and len(place.unique(dim=0)) == 8:
        says = "a single root never lies in the middle: it has a position of its own, none from the list of pairs"
    even(place[:, 0] * P + place[:, 1], P * P, says)


def test_doubles_apart(sample_boards, draw):
    library = stand_in.make_library_data(draw, side=5 + draw.index)
    P = library["side"] - 1
    got = sampled(sample_boards, draw, library, 2500, [0.0, 1.0, 0.0])
    place = got["objects"][:, :2, 1:]
    require(int(place.min()) >= 0 and int(place.max()) < P, "a root of a double does not lie on the board")
    gap = (place[:, 0] - place[:, 1]).abs()
    require(bool((gap >= 2).any(1).all()), "two roots of a double overlap: they must have no cell in common", got=place)
    same = float((gap == 0).any(1).float().mean())
    line = torch.arange(P)
    every = torch.cartesian_prod(line, line, line, line)
    wide = (every[:, :2] - every[:, 2:]).abs()
    wide = wide[(wide >= 2).any(1)]
    wanted = float((wide == 0).any(1).float().mean())
    says = (
        "two roots in the same row or column come too often or too seldom: all pairs that keep them apart are equally "
        "likely"
    )
    require(rarity(same, wanted, 2500) < RARE, says, expected=wanted, got=same)
    swapped = float((place[:, 0, 0] < place[:, 1, 0]).float().mean())
    says = "the first root lies above the second too often or too seldom: all ordered pairs are equally likely"
    require(rarity(swapped, (1 - float((wide[:, 0] == 0).float().mean())) / 2, 2500) < RARE, says)
    touching = float((gap.amax(1) == 2).float().mean())
    says = "two roots that touch come too often or too seldom: they have no cell in common, so they are allowed"
    require(rarity(touching, float((wide.amax(1) == 2).float().mean()), 2500) < RARE, says)
    # with 3 x 3 places, a root in a corner leaves 5 for the other one, a root at an edge 3: 20 pairs of 32
    got = sampled(sample_boards, draw, stand_in.make_library_data(draw, side=4, margin=0), 2500, [0.0, 1.0, 0.0])
    corner = float((got["objects"][:, 0, 1:] != 1).all(1).float().mean())
    says = "the first root lies in a corner too often or too seldom: draw one of all pairs of positions"
    require(rarity(corner, 20 / 32, 2500) < RARE, says, expected=20 / 32, got=corner)


def test_given_pairs(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    pairs = torch.tensor([[0, 3, 1, 4], [2, 2, 4, 0]])[[draw.index]]
    got = sampled(sample_boards, draw, library, 8, [0.0, 1.0, 0.0], pairs=pairs)
    says = "with `pairs`, the positions of the two roots must be one of its rows (row, column, row, column), as it is"
    equal(got["objects"][:, :2, 1:].flatten(1), pairs.expand(8, 4), says)
    got = sampled(sample_boards, draw, library, 60, [1.0, 0.0, 0.0], pairs=pairs)
    says = "`pairs` is meant for two roots: a single root lies anywhere that fits"
    require(len(got["objects"][:, 0, 1:].unique(dim=0)) > 5, says)


def test_composites(sample_boards, draw):
    margin = 1 + draw.index
    library = stand_in.make_library_data(draw, side=8, margin=margin, empty=True)
    got = sampled(sample_boards, draw, library, 1200, [0.0, 0.0, 1.0])
    comp, objects = got["comp"], got["objects"]
    even(comp, 3, "the composites 0 .. C - 1 are not equally likely")
    says = "the four roots of a composite are not those of its slots, row by row (-1 for an empty slot)"
    equal(objects[..., 0], library["comps"].flatten(1)[comp], says)
    corner = objects[:, 0, 1:]
    step = 2 + margin
    wanted = corner[:, None] + step * torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    says = "the roots of a composite must lie margin cells apart, in the order of its slots"
    wrong = ((objects[..., 1:] != wanted).any(-1) & (objects[..., 0] >= 0)).any(1)
    b = int(wrong.long().argmax())
    require(not wrong.any(), says, expected=torch.cat([objects[b, :, :1], wanted[b]], 1), got=objects[b])
    Q = 8 - (2 * 2 + margin) + 1
    says = "the position of a composite is not uniform over all that fit"
    require(int(corner.min()) >= 0 and int(corner.max()) < Q, says)
    even(corner[:, 0] * Q + corner[:, 1], Q * Q, says)


def test_composite_number(sample_boards, draw):
    library = stand_in.make_library_data(draw)
    got = sampled(sample_boards, draw, library, 60, [0.4, 0.3, 0.3])
    says = "comp must be -1 on boards without a composite, and 0 or more on the others"
    equal(got["comp"] >= 0, got["kind"] == 2, says)
    got = sampled(sample_boards, draw, library, 20, [0.5, 0.5, 0.0])
    equal(got["comp"], torch.full((20,), -1), says)


@draws(1)
def test_generator(sample_boards, draw):
    library, seed = stand_in.make_library_data(draw, R=9), draw.integer(0, 1000)
    got = sampled(sample_boards, draw, library, 30, [0.4, 0.3, 0.3], seeds=[seed, seed, seed + 1])
    close(
        got[0]["board"], got[1]["board"], "with equal seeds the boards differ: every draw must use the given generator"
    )
    says = "generators with different seeds give the same boards: draw from the given generator"
    require(not torch.equal(got[0]["board"], got[2]["board"]), says)
