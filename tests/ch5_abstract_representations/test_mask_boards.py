"""Hidden tests of exercise 5.3: which cells are hidden, how often, and that nothing else changes."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade import RARE, draws, equal, load_file, rarity, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_library = stand_in.a_library
UNK = 8

ALONE = "each cell is decided on its own, with probability p"
SQUARE = "with p = 0 and patch_p = 1 exactly one d x d square of each board must be hidden"
GENERATOR = "with equal seeds the masks differ: every draw must use the given generator"
FIXED_PATCHES = "a fixed number of boards has a patch: decide it for each board on its own, with probability patch_p"


def sizes(draw):
    """d, and a side that leaves a composite two places along each axis."""
    return (2, 6) if draw.index == 0 else (3, 8)


@takes_along(a_library)
def probe_masks(mask_boards, library, scenes, p, patch_p, seeds):
    """What mask_boards returns for each seed, and the boards as they are afterwards."""
    found = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(100 + number)
            generator = torch.Generator().manual_seed(seed)
            result = mask_boards(a_library(library), scenes, p, patch_p, generator)
            pair = isinstance(result, (tuple, list)) and len(result) == 2 and all(torch.is_tensor(x) for x in result)
            if not pair:
                return {"kind": type(result).__name__}
            found.append(result)
    return {"kind": "pair", "found": found, "after": scenes["board"]}


def scenes_of(draw, n, kind):
    """Boards of random tokens; composites at a random corner, with one empty slot, and not all roots number 0."""
    d, side = sizes(draw)
    board = draw.integers(0, UNK, n, side, side)
    objects = torch.full((n, 4, 3), -1)
    if kind == 2:
        corner = draw.integers(0, 2, n, 1, 2)
        objects[..., 0] = draw.integers(0, 4, n, 4)
        objects[(objects[..., 0] > 0).sum(1) < 2, :, 0] = torch.tensor([0, 1, 2, 0])
        objects[..., 1:] = corner + (d + 1) * torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
        objects[:, draw.integer(0, 4), 0] = -1
    else:
        objects[:, 0] = torch.cat([draw.integers(0, 4, n, 1), draw.integers(0, side - d + 1, n, 2)], dim=1)
    line, root_id, offset = torch.arange(side), torch.full((n, side, side), -1), torch.full((n, side, side), -1)
    for root, row, column in (one.T for one in objects.unbind(1)):
        down, across = (line - at[:, None] for at in (row, column))
        inside = ((down >= 0) & (down < d))[:, :, None] & ((across >= 0) & (across < d))[:, None]
        inside &= (root >= 0)[:, None, None]
        root_id = torch.where(inside, root[:, None, None], root_id)
        offset = torch.where(inside, d * down[:, :, None] + across[:, None], offset)
    scenes = {"board": board, "objects": objects, "kind": torch.full((n,), kind), "bg": draw.integers(0, 3, n)}
    return scenes | {"root_id": root_id, "offset": offset, "comp": torch.where(scenes["kind"] == 2, 0, -1)}


def masked(mask_boards, draw, scenes, p, patch_p, seeds=None):
    d, side = sizes(draw)
    library = stand_in.make_library_data(draw, d=d, side=side)
    got = mask_boards.run(probe_masks, library, scenes, p, patch_p, seeds or [draw.seed])
    require(got["kind"] == "pair", f"mask_boards must return two tensors, (masked, mask), not a {got['kind']}")
    for board, mask in got["found"]:
        shape = tuple(scenes["board"].shape)
        require(tuple(board.shape) == shape and tuple(mask.shape) == shape, f"both results must have shape {shape}")
        says = "mask and boards are exchanged: the masked boards come first"
        require(board.dtype != torch.bool or mask.dtype == torch.bool, says)
        require(mask.dtype == torch.bool, f"the mask must be bool, but it is {mask.dtype}")
        require(board.dtype == torch.int64, f"the masked boards are tokens, int64, but they are {board.dtype}")
    equal(got["after"], scenes["board"], "the caller's boards are changed: they are the targets, so work on a copy")
    return got["found"] if seeds else got["found"][0]


def patches_of(mask, d, says):
    """Rows and columns of the one d x d patch of each board, which must be all that is hidden."""
    require(bool(mask.any()), "there is never a patch: patch_p is not used")
    rows, columns = mask.any(2), mask.any(1)
    tall, wide = rows.sum(1), columns.sum(1)
    full = (mask == rows[:, :, None] & columns[:, None]).flatten(1).all(1)
    if not bool((full & (tall == d) & (wide == d)).all()):
        cross = mask == mask.all(2)[:, :, None] | mask.all(1)[:, None]
        b = int((~(full & (tall == d) & (wide == d))).long().argmax())
        seen = {"got": mask[b].long()}
        crossed = bool(cross.all()) and bool((tall + wide == 2 * mask.shape[1]).all()) and not bool(mask.all())
        require(not crossed, "the patch is a cross of d rows and d columns: a cell must lie in both", **seen)
        require(bool(full.all()), says, **seen)
        lines = bool((tall == mask.shape[1]).all()) or bool((wide == mask.shape[1]).all())
        require(not lines, "whole rows or columns are hidden: a cell of the patch lies in d rows and d columns", **seen)
        large = bool((tall > d).any()) or bool((wide > d).any())
        require(not large, "the patch is too large: it covers d rows, r .. r + d - 1, and d columns", **seen)
        small = bool((tall < d).all()) or bool((wide < d).all())
        require(not small, "the patch is too small: it covers d rows, r .. r + d - 1, and d columns", **seen)
        inside = full & ~rows[:, -1] & ~columns[:, -1]
        sticks = bool(((tall == d) & (wide == d))[inside].all()) and bool(inside.any())
        require(not sticks, "the patch can stick out of the board: its corner lies in the rows 0 .. side - d", **seen)
        require(False, says, **seen)
    return torch.stack([rows.long().argmax(1), columns.long().argmax(1)], dim=1)


def test_masked_cells(mask_boards, draw):
    scenes = scenes_of(draw, 30, 2 * draw.index)
    board, mask = masked(mask_boards, draw, scenes, 0.4, 0.5)
    turned = bool((board[~mask] == UNK).all()) and torch.equal(board[mask], scenes["board"][mask])
    require(not turned, "the mask is turned round: true is for hidden cells")
    others = [token for token in board[mask].unique().tolist() if token != UNK]
    says = f"hidden cells hold {others[0]}" if len(others) == 1 else "some hidden cells hold what they held before"
    require(not others, f"{says}: they must hold the token UNK, lib.unk, which is {UNK} here")
    says = "where the mask is false, the board must be what it was"
    equal(board[~mask], scenes["board"][~mask], says)
    hidden = board == UNK
    equal(mask, hidden, "the mask must be true where a cell is hidden and false elsewhere")


def test_nothing_and_everything(mask_boards, draw):
    d, side = sizes(draw)
    scenes = scenes_of(draw, 20, 2 * draw.index)
    _, mask = masked(mask_boards, draw, scenes, 0.0, 0.0)
    says = "p is the share of cells that stay visible: it is to be the share of hidden ones"
    require(not mask.all(), says)
    counts = mask.flatten(1).sum(1)
    says = "every board has a patch: only a share of patch_p of them should"
    require(not bool(((counts > 0) & (counts <= d * d)).all()), says)
    require(not mask.any(), "with p = 0 and patch_p = 0 no cell may be hidden")
    _, mask = masked(mask_boards, draw, scenes, 1.0, 0.0)
    require(mask.all(), "with p = 1 every cell must be hidden")


def test_single_cells(mask_boards, draw):
    n, p = 300, (0.15, 0.6)[draw.index]
    _, mask = masked(mask_boards, draw, scenes_of(draw, n, 0), p, 0.0)
    lines = torch.equal(mask, mask.any(2, keepdim=True).expand_as(mask))
    boards = torch.equal(mask, mask.flatten(1).any(1)[:, None, None].expand_as(mask))
    require(not torch.equal(mask, mask[:1].expand_as(mask)), "every board hides the same cells: draw for each board")
    require(not boards, "all cells of a board are hidden, or none: draw for each cell")
    require(not lines, "whole rows are hidden together: draw for each cell")
    share = float(mask.float().mean())
    require(rarity(share, p, mask.numel()) < RARE, "the share of hidden cells is not p", expected=p, got=share)
    agree = float((mask[:-1:2] == mask[1::2]).float().mean())
    says = f"neighbouring boards hide the same cells too often: {ALONE}"
    require(rarity(agree, p * p + (1 - p) ** 2, mask[::2].numel()) < RARE, says)
    says = f"a fixed number of cells is hidden on every board: {ALONE}"
    require(len(mask.flatten(1).sum(1).unique()) > 1, says)
    agree = float((mask[:, :, ::2] == mask[:, :, 1::2]).float().mean())
    says = f"neighbouring cells are hidden together too often: {ALONE}"
    require(rarity(agree, p * p + (1 - p) ** 2, mask.numel() // 2) < RARE, says)


def test_patch_on_roots(mask_boards, draw):
    n, (d, side) = 1200, sizes(draw)
    P = side - d + 1
    scenes = scenes_of(draw, n, draw.index)
    scenes["objects"][:, 0, 1:] = torch.tensor([1, 3])  # all roots at one place, the patches must not be
    _, mask = masked(mask_boards, draw, scenes, 0.0, 1.0)
    corners = patches_of(mask, d, SQUARE)
    says = ("the patch always covers a root", "on boards with two roots the patch covers one of them")[draw.index]
    on_root = bool((corners == torch.tensor([1, 3])).all())
    require(not on_root, f"{says}: that holds for composites only, elsewhere it lies anywhere")
    one = bool((corners == corners[0]).all())
    require(not one, "the patch lies at the same place on every board: draw a corner for each board")
    says = "the row and the column of the patch's corner are always equal: draw both"
    require(not bool((corners[:, 0] == corners[:, 1]).all()), says)
    says = "the patch never reaches the last row and column: there are side - d + 1 places along an axis"
    require(int(corners.max()) == P - 1, says)
    shares = torch.bincount(corners[:, 0] * P + corners[:, 1], minlength=P * P) / n
    says = "on boards without a composite every place where the patch fits must be equally likely"
    require(rarity(shares, torch.full((P * P,), 1 / P**2), n) < RARE, says, got=shares.view(P, P))


def test_patch_on_composites(mask_boards, draw):
    n, (d, _) = 600, sizes(draw)
    scenes = scenes_of(draw, n, 2)
    filled = scenes["objects"][..., 0] >= 0
    _, mask = masked(mask_boards, draw, scenes, 0.0, 1.0)
    says = "the patch hides all roots of a composite: exactly one"
    require(not torch.equal(mask, scenes["root_id"] >= 0), says)
    whole = torch.stack([(mask | (scenes["root_id"] != root)).flatten(1).all(1) for root in range(4)], 1)
    hidden = torch.stack([(mask & (scenes["root_id"] == root)).flatten(1).any(1) for root in range(4)], 1)
    copies = bool((whole | ~hidden).all()) and not bool((mask & (scenes["root_id"] < 0)).any())
    copies = copies and bool((hidden.sum(1) == 1).all()) and bool((mask.flatten(1).sum(1) > d * d).any())
    says = "every cell of the chosen root's number is hidden, also where the root comes twice: hide one d x d square"
    require(not copies, says)
    corners = patches_of(mask, d, "on a board with a composite, the patch must be one d x d square as well")
    places = scenes["objects"][..., 1:]
    hit = (places == corners[:, None]).all(-1)
    exchanged = bool((places == corners.flip(1)[:, None]).all(-1).any(1).all())
    require(bool(hit.any(1).all()) or not exchanged, "row and column of a composite's root are exchanged")
    says = "on a composite's board the patch lies elsewhere: it must cover exactly one of the roots"
    require(bool(hit.any(1).all()), says)
    says = "the patch can fall on an empty slot of a composite: choose among the slots with a root"
    require(bool((hit & filled).any(1).all()), says)
    shares, slots = (hit & filled).float().mean(0), filled[0].nonzero()[:, 0]
    require(float(shares.max()) < 1, "always the same root of a composite is hidden: choose one at random")
    says = "the last root of a composite is never hidden: the upper end of randint is left out already"
    require(float(shares[slots[-1]]) > 0 or not bool((shares[slots[:-1]] > 0).all()), says)
    says = "the roots of a composite are not hidden equally often"
    require(rarity(shares, filled[0].float() / 3, n) < RARE, says, got=shares)
    scenes["objects"][..., 0] = torch.where(filled, filled.cumsum(1) - 1, -1)  # the number of a root must not matter
    _, mask = masked(mask_boards, draw, scenes, 0.0, 1.0)
    corners = patches_of(mask, d, "on a board with a composite, the patch must be one d x d square as well")
    shares = ((places == corners[:, None]).all(-1) & filled).float().mean(0)
    says = "root 0 of a composite is never hidden: an empty slot has root -1, and 0 is a root like the others"
    require(float(shares[slots[0]]) > 0, says)
    says = "some roots of a composite are hidden more often than others, by their numbers"
    require(rarity(shares, filled[0].float() / 3, n) < RARE, says, got=shares)


def test_patch_per_board(mask_boards, draw):
    n, patch_p, (d, _) = 200, 0.3, sizes(draw)
    seeds = [draw.seed for _ in range(12)]
    found = masked(mask_boards, draw, scenes_of(draw, n, 2 * draw.index), 0.0, patch_p, seeds=seeds)
    masks = torch.stack([mask for _, mask in found])
    some = masks.flatten(2).any(2)
    require(not bool(some.all()), "every board has a patch: only a share of patch_p of them should")
    says = "either all boards of a batch have a patch or none has: decide it for each board"
    require(not bool((some == some[:, :1]).all()), says)
    parts = masks[some].flatten(1).sum(1) < d * d
    require(not bool(parts.any()), "whether there is a patch is decided cell by cell: decide it once for each board")
    patches_of(masks[some], d, "a board with a patch must have one whole d x d square hidden")
    says = "the share of boards with a patch is not patch_p: decide it once for each board"
    share = float(some.float().mean())
    require(rarity(share, patch_p, some.numel()) < RARE, says, expected=patch_p, got=share)
    require(len(some.sum(1).unique()) > 1, FIXED_PATCHES)


def test_patch_and_cells(mask_boards, draw):
    n, p, (d, side) = 400, 0.3, sizes(draw)
    _, mask = masked(mask_boards, draw, scenes_of(draw, n, 0), p, 1.0)
    says = "a board with a patch loses its other hidden cells: the patch comes on top of them"
    require(bool((mask.flatten(1).sum(1) > d * d).any()), says)
    wanted = (d * d + (side * side - d * d) * p) / side**2
    says = "the patch must be hidden as well as the single cells, not in their place"
    require(rarity(float(mask.float().mean()), wanted, mask.numel() // 4) < RARE, says)
    whole = -F.max_pool2d(-mask[:, None].float(), d, 1)  # 1 where a d x d square begins that is all hidden
    require(bool((whole == 1).flatten(1).any(1).all()), says)


@draws(1)
def test_generator(mask_boards, draw):
    seed = draw.integer(0, 1000)
    for kind in (2, 0):
        scenes = scenes_of(draw, 20, kind)
        one, two, other = masked(mask_boards, draw, scenes, 0.3, 0.7, seeds=[seed, seed, seed + 1])
        equal(one[1], two[1], GENERATOR)
    says = "generators with different seeds give the same mask: draw from the given generator"
    require(not torch.equal(one[1], other[1]), says)
