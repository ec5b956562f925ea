"""Hidden tests of exercise 5.3: which cells are hidden, how often, and that nothing else changes."""

from pathlib import Path

import torch

from utils.grade import RARE, draws, equal, load_file, rarity, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_library = stand_in.a_library
SIDE, D, UNK = 6, 2, 8


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
    """Boards of random tokens; composites at a random corner, with one empty slot."""
    board = draw.integers(0, UNK, n, SIDE, SIDE)
    objects = torch.full((n, 4, 3), -1)
    if kind == 2:
        corner = draw.integers(0, 2, n, 1, 2)
        objects[..., 0] = draw.integers(0, 4, n, 4)
        objects[..., 1:] = corner + 3 * torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
        objects[:, draw.integer(0, 4), 0] = -1
    else:
        objects[:, 0] = torch.cat([draw.integers(0, 4, n, 1), draw.integers(0, 5, n, 2)], dim=1)
    line, root_id, offset = torch.arange(SIDE), torch.full((n, SIDE, SIDE), -1), torch.full((n, SIDE, SIDE), -1)
    for root, row, column in (one.T for one in objects.unbind(1)):
        down, across = (line - at[:, None] for at in (row, column))
        inside = ((down >= 0) & (down < D))[:, :, None] & ((across >= 0) & (across < D))[:, None]
        inside &= (root >= 0)[:, None, None]
        root_id = torch.where(inside, root[:, None, None], root_id)
        offset = torch.where(inside, D * down[:, :, None] + across[:, None], offset)
    scenes = {"board": board, "objects": objects, "kind": torch.full((n,), kind), "bg": draw.integers(0, 3, n)}
    return scenes | {"root_id": root_id, "offset": offset, "comp": torch.where(scenes["kind"] == 2, 0, -1)}


def masked(mask_boards, draw, scenes, p, patch_p, seeds=None):
    library = stand_in.make_library_data(draw)
    got = mask_boards.run(probe_masks, library, scenes, p, patch_p, seeds or [draw.seed])
    require(got["kind"] == "pair", f"mask_boards must return two tensors, (masked, mask), not a {got['kind']}")
    for board, mask in got["found"]:
        shape = tuple(scenes["board"].shape)
        require(tuple(board.shape) == shape and tuple(mask.shape) == shape, f"both results must have shape {shape}")
        require(mask.dtype == torch.bool, f"the mask must be bool, but it is {mask.dtype}")
        require(board.dtype == torch.int64, f"the masked boards are tokens, int64, but they are {board.dtype}")
    equal(got["after"], scenes["board"], "the caller's boards are different after the call: hide cells on a copy")
    return got["found"] if seeds else got["found"][0]


def patches_of(mask, says):
    """Rows and columns of the one d x d patch of each board, which must be all that is hidden."""
    corners = []
    for board in mask:
        rows, columns = board.any(1).nonzero()[:, 0], board.any(0).nonzero()[:, 0]
        require(int(board.sum()) == D * D and len(rows) == len(columns) == D, says, got=board)
        corners.append([int(rows[0]), int(columns[0])])
    return torch.tensor(corners)


def test_masked_cells(mask_boards, draw):
    scenes = scenes_of(draw, 30, 2 * draw.index)
    board, mask = masked(mask_boards, draw, scenes, 0.4, 0.5)
    equal(board[mask], torch.full((int(mask.sum()),), UNK), "hidden cells must hold the token UNK, lib.unk")
    says = "where the mask is false, the board must be what it was"
    equal(board[~mask], scenes["board"][~mask], says)
    hidden = board == UNK
    equal(mask, hidden, "the mask must be true where a cell is hidden and false elsewhere")


def test_nothing_and_everything(mask_boards, draw):
    scenes = scenes_of(draw, 20, 2 * draw.index)
    _, mask = masked(mask_boards, draw, scenes, 0.0, 0.0)
    require(not mask.any(), "with p = 0 and patch_p = 0 no cell may be hidden")
    _, mask = masked(mask_boards, draw, scenes, 1.0, 0.0)
    require(mask.all(), "with p = 1 every cell must be hidden")


def test_single_cells(mask_boards, draw):
    n, p = 300, (0.15, 0.6)[draw.index]
    _, mask = masked(mask_boards, draw, scenes_of(draw, n, 0), p, 0.0)
    says = "the share of hidden cells is not p"
    require(
        rarity(float(mask.float().mean()), p, mask.numel()) < RARE, says, expected=p, got=float(mask.float().mean())
    )
    agree = float((mask[:-1:2] == mask[1::2]).float().mean())
    says = "neighbouring boards hide the same cells too often: each cell of each board is decided on its own"
    require(rarity(agree, p * p + (1 - p) ** 2, n // 2 * SIDE * SIDE) < RARE, says)
    agree = float((mask[:, :, ::2] == mask[:, :, 1::2]).float().mean())
    says = "every board hides the same number of cells: each cell is decided on its own"
    require(len(mask.flatten(1).sum(1).unique()) > 1, says)
    says = "neighbouring cells are hidden together too often: each cell is decided on its own"
    require(rarity(agree, p * p + (1 - p) ** 2, n * SIDE * SIDE // 2) < RARE, says)


def test_patch_on_roots(mask_boards, draw):
    n = 900
    scenes = scenes_of(draw, n, draw.index)
    scenes["objects"][:, 0, 1:] = torch.tensor([1, 3])  # all roots at one place, the patches must not be
    _, mask = masked(mask_boards, draw, scenes, 0.0, 1.0)
    says = "with p = 0 and patch_p = 1 exactly one d x d square of each board must be hidden"
    corners = patches_of(mask, says)
    shares = torch.bincount(corners[:, 0] * 5 + corners[:, 1], minlength=25) / n
    says = "on boards without a composite every place where the patch fits must be equally likely"
    require(rarity(shares, torch.full((25,), 1 / 25), n) < RARE, says, got=shares.view(5, 5))


def test_patch_on_composites(mask_boards, draw):
    n = 600
    scenes = scenes_of(draw, n, 2)
    _, mask = masked(mask_boards, draw, scenes, 0.0, 1.0)
    corners = patches_of(mask, "on a board with a composite, the patch must be one d x d square as well")
    hit = (scenes["objects"][..., 1:] == corners[:, None]).all(-1)
    require(bool(hit.any(1).all()), "on a board with a composite, the patch must cover exactly one of its roots")
    filled = scenes["objects"][..., 0] >= 0
    require(bool((hit & filled).any(1).all()), "the patch hides an empty slot of a composite: choose among its roots")
    shares = (hit & filled).float().mean(0)
    says = "the roots of a composite are not hidden equally often"
    require(rarity(shares, filled[0].float() / 3, n) < RARE, says, got=shares)
    scenes["objects"][..., 0] = torch.where(filled, filled.cumsum(1) - 1, -1)  # the number of a root must not matter
    _, mask = masked(mask_boards, draw, scenes, 0.0, 1.0)
    corners = patches_of(mask, "on a board with a composite, the patch must be one d x d square as well")
    shares = ((scenes["objects"][..., 1:] == corners[:, None]).all(-1) & filled).float().mean(0)
    says = (
        "some roots of a composite are hidden more often than others, by their numbers: root 0 is one like the others"
    )
    require(rarity(shares, filled[0].float() / 3, n) < RARE, says, got=shares)


def test_patch_per_board(mask_boards, draw):
    n, patch_p = 800, (0.3, 0.8)[draw.index]
    _, mask = masked(mask_boards, draw, scenes_of(draw, n, 2 * draw.index), 0.0, patch_p)
    some = mask.flatten(1).any(1)
    says = "the share of boards with a patch is not patch_p: decide it once for each board"
    require(
        rarity(float(some.float().mean()), patch_p, n) < RARE, says, expected=patch_p, got=float(some.float().mean())
    )
    patches_of(mask[some], "a board with a patch must have one whole d x d square hidden")


def test_patch_and_cells(mask_boards, draw):
    n, p = 400, 0.3
    _, mask = masked(mask_boards, draw, scenes_of(draw, n, 0), p, 1.0)
    wanted = (4 + 32 * p) / 36
    says = "the patch must be hidden as well as the single cells, not in their place"
    require(rarity(float(mask.float().mean()), wanted, mask.numel() // 4) < RARE, says)
    require(
        bool((mask[:, 1:, 1:] & mask[:, :-1, 1:] & mask[:, 1:, :-1] & mask[:, :-1, :-1]).flatten(1).any(1).all()), says
    )


@draws(1)
def test_generator(mask_boards, draw):
    seed = draw.integer(0, 1000)
    for kind in (2, 0):
        scenes = scenes_of(draw, 20, kind)
        one, two, other = masked(mask_boards, draw, scenes, 0.3, 0.7, seeds=[seed, seed, seed + 1])
        equal(one[1], two[1], "with equal seeds the masks differ: every draw must use the given generator")
    says = "generators with different seeds give the same mask: draw from the given generator"
    require(not torch.equal(one[1], other[1]), says)
