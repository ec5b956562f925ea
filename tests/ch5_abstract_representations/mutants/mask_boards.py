"""Wrong answers to exercise 5.3 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips("""
    def mask_boards(lib, scenes, p, patch_p, generator):
        board, objects = scenes["board"], scenes["objects"]
        n, d, side = len(board), lib.d, lib.side
        mask = torch.rand(board.shape, generator=generator) < p
        patched = torch.rand(n, generator=generator) < patch_p
        corner = torch.randint(side - d + 1, (n, 2), generator=generator)
        lot = torch.rand(n, 4, generator=generator).masked_fill(objects[..., 0] < 0, -1)
        part = objects[torch.arange(n), lot.argmax(dim=1), 1:]
        corner = torch.where((scenes["kind"] == 2)[:, None], part, corner)
        line = torch.arange(side)
        rows = (line >= corner[:, :1]) & (line < corner[:, :1] + d)
        columns = (line >= corner[:, 1:]) & (line < corner[:, 1:] + d)
        patch = rows[:, :, None] & columns[:, None, :]
        mask = mask | (patched[:, None, None] & patch)
        return torch.where(mask, lib.unk, board), mask
""")

WHERE = "torch.where(mask, lib.unk, board), mask"
InPlace = slip(
    "the caller's boards are changed: they are the targets, so work on a copy",
    "return torch.where(mask, lib.unk, board), mask", "board[mask] = lib.unk\n    return board.clone(), mask",
)  # fmt: skip
WrongUnk = slip(
    "hidden cells hold 9: they must hold the token UNK, lib.unk, which is 8 here",
    "torch.where(mask, lib.unk",
    "torch.where(mask, lib.vocab",
)
ZeroInstead = slip(
    "hidden cells hold 0: they must hold the token UNK, lib.unk, which is 8 here",
    "torch.where(mask, lib.unk", "torch.where(mask, 0",
)  # fmt: skip
MaskTurned = slip("the mask is turned round: true is for hidden cells", "board), mask", "board), ~mask")
KeepsP = slip(
    "p is the share of cells that stay visible: it is to be the share of hidden ones",
    "generator=generator) < p\n",
    "generator=generator) >= p\n",
)
OneMask = slip(
    "every board hides the same cells: draw for each board",
    "mask = torch.rand(board.shape, generator=generator) < p",
    "mask = (torch.rand(side, side, generator=generator) < p).expand(n, -1, -1)",
)  # fmt: skip
WholeColumns = slip(
    "whole rows are hidden together: draw for each cell",
    "mask = torch.rand(board.shape, generator=generator) < p",
    "mask = (torch.rand(n, side, 1, generator=generator) < p).expand(-1, -1, side)",
)  # fmt: skip
PatchPerCell = slip(
    "whether there is a patch is decided cell by cell: decide it once for each board",
    "patched = torch.rand(n, generator=generator) < patch_p",
    "patched = torch.rand(n, side, side, generator=generator) < patch_p",
    "patched[:, None, None]", "patched",
)  # fmt: skip
PatchForAll = slip(
    "either all boards of a batch have a patch or none has: decide it for each board",
    "patched = torch.rand(n, generator=generator) < patch_p",
    "patched = (torch.rand(1, generator=generator) < patch_p).expand(n)",
)  # fmt: skip
AlwaysPatched = slip(
    "every board has a patch: only a share of patch_p of them should", "< patch_p", "< float(patch_p > 0)"
)
NeverOnComposites = slip(
    "on a composite's board the patch lies elsewhere: it must cover exactly one of the roots",
    "torch.where((scenes[\"kind\"] == 2)[:, None], part, corner)", "corner",
)  # fmt: skip
AlwaysOnRoots = slip(
    "the patch always covers a root: that holds for composites only, elsewhere it lies anywhere",
    "torch.where((scenes[\"kind\"] == 2)[:, None], part, corner)", "part",
)  # fmt: skip
EmptySlots = slip(
    "the patch can fall on an empty slot of a composite: choose among the slots with a root",
    ".masked_fill(objects[..., 0] < 0, -1)", "",
)  # fmt: skip
FirstRoot = slip(
    "always the same root of a composite is hidden: choose one at random",
    "lot = torch.rand(n, 4, generator=generator)", "lot = torch.arange(4, 0, -1.0).expand(n, 4)",
)  # fmt: skip
OneShort = slip(
    "the patch never reaches the last row and column: there are side - d + 1 places along an axis",
    "torch.randint(side - d + 1", "torch.randint(side - d",
)  # fmt: skip
TooLarge = slip(
    "the patch is too large: it covers d rows, r .. r + d - 1, and d columns",
    "(line < corner[:, :1] + d)", "(line <= corner[:, :1] + d)", "(line < corner[:, 1:] + d)",
    "(line <= corner[:, 1:] + d)",
)  # fmt: skip
Cross = slip(
    "the patch is a cross of d rows and d columns: a cell must lie in both",
    "rows[:, :, None] & columns",
    "rows[:, :, None] | columns",
)
OnlyThePatch = slip(
    "a board with a patch loses its other hidden cells: the patch comes on top of them",
    "mask = mask | (patched[:, None, None] & patch)", "mask = torch.where(patched[:, None, None], patch, mask)",
)  # fmt: skip
NoPatch = slip("there is never a patch: patch_p is not used", "mask = mask | (patched[:, None, None] & patch)", "pass")
OnlyBoards = slip(
    "only the masked boards are returned: return the mask as well", WHERE, "torch.where(mask, lib.unk, board)"
)
GlobalGenerator = slip(
    "with equal seeds the masks differ: every draw must use the given generator",
    "torch.rand(board.shape, generator=generator)", "torch.rand(board.shape)",
)  # fmt: skip
SameEveryTime = slip(
    "generators with different seeds give the same mask: draw from the given generator",
    "n, d, side = ", "generator = torch.Generator().manual_seed(0)\n    n, d, side = ",
)  # fmt: skip
RootZero = slip(
    "root 0 of a composite is never hidden: an empty slot has root -1, and 0 is a root like the others",
    "objects[..., 0] < 0, -1)", "objects[..., 0] < 0, -1).masked_fill(objects[..., 0] == 0, -0.5)",
)  # fmt: skip
GlobalSlot = slip(
    "with equal seeds the masks differ: every draw must use the given generator",
    "torch.rand(n, 4, generator=generator)", "torch.rand(n, 4)",
)  # fmt: skip
FixedNumber = slip(
    "a fixed number of cells is hidden on every board: each cell is decided on its own, with probability p",
    "mask = torch.rand(board.shape, generator=generator) < p",
    "mask = torch.rand(n, side * side, generator=generator).argsort(1).argsort(1).view(board.shape) < "
    "round(p * side * side)",
)  # fmt: skip
CoordinatesExchanged = slip(
    "row and column of a composite's root are exchanged", "lot.argmax(dim=1), 1:]", "lot.argmax(dim=1), 1:].flip(1)"
)
WholeComposite = slip(
    "the patch hides all roots of a composite: exactly one",
    "mask = mask | (patched[:, None, None] & patch)",
    "mask = mask | (patched[:, None, None] & (patch | ((scenes[\"kind\"] == 2)[:, None, None] & "
    "(scenes[\"root_id\"] >= 0))))",
)  # fmt: skip
EveryCopy = slip(
    "every cell of the chosen root's number is hidden, also where the root comes twice: hide one d x d square",
    "mask = mask | (patched[:, None, None] & patch)",
    "same = scenes[\"root_id\"] == objects[torch.arange(n), lot.argmax(dim=1), 0][:, None, None]\n"
    "    mask = mask | (patched[:, None, None] & (patch | ((scenes[\"kind\"] == 2)[:, None, None] & same)))",
)  # fmt: skip
OneCoordinate = slip(
    "the row and the column of the patch's corner are always equal: draw both",
    "(n, 2), generator=generator)\n    lot",
    "(n, 1), generator=generator).expand(n, 2)\n    lot",
)
DoublesOnRoots = slip(
    "on boards with two roots the patch covers one of them: that holds for composites only",
    'scenes["kind"] == 2',
    'scenes["kind"] >= 1',
)
OneMaskPerBoard = slip(
    "all cells of a board are hidden, or none: draw for each cell",
    "mask = torch.rand(board.shape, generator=generator) < p",
    "mask = (torch.rand(n, 1, 1, generator=generator) < p).expand(board.shape)",
)  # fmt: skip
Integers = slip("the mask must be bool, but it is torch.int64", "board), mask", "board), mask.long()")
Exchanged = slip(
    "mask and boards are exchanged: the masked boards come first",
    "torch.where(mask, lib.unk, board), mask",
    "mask, torch.where(mask, lib.unk, board)",
)

TooSmall = slip(
    "the patch is too small: it covers d rows, r .. r + d - 1, and d columns",
    "(line >= corner[:, :1])", "(line > corner[:, :1])", "(line >= corner[:, 1:])", "(line > corner[:, 1:])",
)  # fmt: skip
BothWays = slip(
    "the patch is too large: it covers d rows, r .. r + d - 1, and d columns",
    "(line >= corner[:, :1])", "(line > corner[:, :1] - d)", "(line >= corner[:, 1:])", "(line > corner[:, 1:] - d)",
)  # fmt: skip
TwoByTwo = slip(
    "the patch is too small: it covers d rows, r .. r + d - 1, and d columns",
    "corner[:, :1] + d", "corner[:, :1] + 2", "corner[:, 1:] + d", "corner[:, 1:] + 2",
)  # fmt: skip
RowsAlone = slip(
    "whole rows or columns are hidden: a cell of the patch lies in d rows and d columns", " & columns[:, None, :]", ""
)
SticksOut = slip(
    "the patch can stick out of the board: its corner lies in the rows 0 .. side - d",
    "torch.randint(side - d + 1", "torch.randint(side",
)  # fmt: skip
OneCornerForAll = slip(
    "the patch lies at the same place on every board: draw a corner for each board",
    "(n, 2), generator=generator)\n    lot", "(1, 2), generator=generator).repeat(n, 1)\n    lot",
)  # fmt: skip
LastRoot = slip(
    "the last root of a composite is never hidden: the upper end of randint is left out already",
    "objects[..., 0] < 0, -1)",
    "objects[..., 0] < 0, -1)\n    last = (objects[..., 0] >= 0).long().cumsum(1).argmax(1)\n"
    "    lot[torch.arange(n), last] = -0.5",
)  # fmt: skip
FixedPatches = slip(
    "a fixed number of boards has a patch: decide it for each board on its own, with probability patch_p",
    "torch.rand(n, generator=generator) < patch_p", "torch.randperm(n, generator=generator) < round(patch_p * n)",
)  # fmt: skip


@right
def board_by_board(lib, scenes, p, patch_p, generator):
    masked, masks = scenes["board"].clone(), []
    for b in range(len(masked)):
        mask = torch.bernoulli(torch.full((lib.side, lib.side), float(p)), generator=generator).bool()
        if torch.rand((), generator=generator) < patch_p:
            if scenes["kind"][b] == 2:
                roots = [one for one in scenes["objects"][b].tolist() if one[0] >= 0]
                _, row, column = roots[int(torch.randint(len(roots), (), generator=generator))]
            else:
                row, column = torch.randint(lib.side - lib.d + 1, (2,), generator=generator).tolist()
            mask[row : row + lib.d, column : column + lib.d] = True
        masked[b][mask] = lib.unk
        masks.append(mask)
    return masked, torch.stack(masks)


@right
def by_index(lib, scenes, p, patch_p, generator):
    n, side, d = len(scenes["board"]), lib.side, lib.d
    corner = (torch.rand(n, 2, generator=generator) * (side - d + 1)).long()
    for b in (scenes["kind"] == 2).nonzero()[:, 0].tolist():
        filled = (scenes["objects"][b, :, 0] >= 0).float()
        corner[b] = scenes["objects"][b, int(torch.multinomial(filled, 1, generator=generator)), 1:]
    mask = torch.rand(n, side * side, generator=generator) < p
    hit = (torch.rand(n, generator=generator) < patch_p).nonzero()[:, 0]
    cell = torch.arange(d * d)
    at = (corner[hit, :1] + cell // d) * side + corner[hit, 1:] + cell % d
    mask[hit[:, None], at] = True
    mask = mask.view(n, side, side)
    return scenes["board"].masked_fill(mask, lib.unk), mask
