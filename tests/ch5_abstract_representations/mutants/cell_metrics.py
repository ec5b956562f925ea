"""Wrong answers to exercise 5.8 that learners write, and right ones written differently."""

import torch  # noqa: F401 (the slips read it)

from utils.grade import right, slips

slip = slips("""
    def cell_metrics(logits, target, mask, root_id):
        right = logits.argmax(dim=-1) == target
        thing = root_id >= 0

        def share(cells):
            return right[cells].float().mean().item()

        return {
            "visible": share(~mask),
            "masked_background": share(mask & ~thing),
            "masked_object": share(mask & thing),
            "masked": share(mask),
            "board": right.all(dim=1).float().mean().item(),
        }
""")

RootZero = slip("the cells of root 0 are taken for background: background is root_id -1", "root_id >= 0", "root_id > 0")
VisibleIncluded = slip(
    "visible object cells are counted as masked ones: copying makes that easy", "share(mask & thing)", "share(thing)"
)
VisibleBackground = slip("visible background cells are counted as masked ones", "share(mask & ~thing)", "share(~thing)")
AllCells = slip(
    "masked counts all cells, visible ones too", '"masked": share(mask)', '"masked": right.float().mean().item()'
)
Turned = slip(
    "visible and hidden cells are exchanged: the mask is true where a cell is hidden",
    "share(~mask)",
    "share(mask)",
    '"masked": share(mask),',
    '"masked": share(~mask),',
)
MeanOfBoards = slip(
    "a mean of the boards' accuracies: every cell of a class must count alike, whichever board it is on",
    "return right[cells].float().mean().item()",
    "return torch.stack([right[b][cells[b]].float().mean() for b in range(len(right))]).nanmean().item()",
)  # fmt: skip
MeanOfBoardsWithGaps = slip(
    "a mean of the boards' accuracies: every cell of a class must count alike, whichever board it is on",
    "return right[cells].float().mean().item()",
    "return torch.stack([right[b][cells[b]].float().mean() for b in range(len(right))]).mean().item()",
)  # fmt: skip
OverEverything = slip(
    "the hits of a class are divided by the number of all cells: divide by the size of the class",
    "right[cells].float().mean().item()",
    "((right & cells).float().mean() if cells.any() else torch.tensor(float('nan'))).item()",
)  # fmt: skip
ZeroForEmpty = slip(
    "an empty class gives 0, which looks like a result: it must be nan",
    "right[cells].float().mean().item()", "right[cells].float().sum().item() / max(int(cells.sum()), 1)",
)  # fmt: skip
BoardOfMasked = slip(
    "a board counts as right when its hidden cells are: all cells must be",
    "right.all(dim=1)", "(right | ~mask).all(dim=1)",
)  # fmt: skip
BoardMean = slip(
    "board is the share of right cells: it is the share of boards with every cell right", "right.all(dim=1)", "right"
)
AnyCell = slip("a board counts as right as soon as one of its cells is", "right.all(dim=1)", "right.any(dim=1)")
LeastLikely = slip("the prediction is the least likely token", "argmax", "argmin")
Tensors = slip(
    "the values are tensors: return Python floats",
    "return right[cells].float().mean().item()",
    "return right[cells].float().mean()",
)
Percent = slip(
    "the accuracies are percentages: they are shares, from 0 to 1",
    "return right[cells].float().mean().item()", "return 100 * right[cells].float().mean().item()",
)  # fmt: skip
Rounded = slip(
    "the accuracies are rounded: return them as they are",
    "return right[cells].float().mean().item()", "return round(right[cells].float().mean().item(), 2)",
)  # fmt: skip
Errors = slip(
    "the mistakes are counted, not the hits", "logits.argmax(dim=-1) == target", "logits.argmax(dim=-1) != target"
)
MeanOfClasses = slip(
    "masked is the mean of its two classes: count every hidden cell alike",
    '"masked": share(mask)', '"masked": (share(mask & thing) + share(mask & ~thing)) / 2',
)  # fmt: skip
NoneForEmpty = slip(
    "an empty class gives None: it must be nan",
    "return right[cells].float().mean().item()", "return right[cells].float().mean().item() if cells.any() else None",
)  # fmt: skip
PerCell = slip(
    "board is taken for each cell over all boards: a board counts when all its cells are right",
    "right.all(dim=1)",
    "right.all(dim=0)"
)  # fmt: skip
MaskChanged = slip(
    "the caller's mask is changed: work on a copy", "thing = root_id >= 0", "thing = root_id >= 0\n    mask &= thing"
)
ByToken = slip(
    "objects are told by their tokens: root_id says what is an object",
    "thing = root_id >= 0",
    "thing = target >= target.median()",
)
RootZeroLost = slip(
    "the cells of root 0 count nowhere: roots are numbered from 0, and background is -1",
    "share(mask & thing)", "share(mask & (root_id > 0))",
    "share(mask & ~thing)", "share(mask & (root_id == -1))",
)  # fmt: skip
ZeroIsBackground = slip("root 0 is taken for the background: background is root_id -1", "root_id >= 0", "root_id != 0")
VisibleTurned = slip(
    "visible is taken over the hidden cells: the mask is true where a cell is hidden", "share(~mask)", "share(mask)"
)
AllTurned = slip(
    "visible and hidden cells are exchanged: the mask is true where a cell is hidden",
    "thing = root_id >= 0", "thing, mask = root_id >= 0, ~mask",
)  # fmt: skip
AllOrNothing = slip(
    "board says whether all boards are right: it is the share of boards that are",
    "right.all(dim=1).float().mean().item()", "float(right.all())",
)  # fmt: skip
OverEverythingEmptyToo = slip(
    "the hits of a class are divided by the number of all cells: divide by the size of the class",
    "right[cells].float().mean().item()", "(right & cells).float().mean().item()",
)  # fmt: skip
VisibleAll = slip(
    "visible counts all cells, hidden ones too", "share(~mask)", "share(torch.ones_like(mask))"
)  # fmt: skip
Exchanged = slip(
    "masked_background and masked_object are exchanged: root_id is -1 on the background", "root_id >= 0", "root_id < 0"
)
VisibleObjects = slip(
    "visible leaves out the background: it counts all cells that are not hidden",
    "share(~mask)", "share(~mask & thing)",
)  # fmt: skip
BoardOfObjects = slip(
    "a board counts as right when its object cells are: all cells must be",
    "right.all(dim=1)", "(right | ~thing).all(dim=1)",
)  # fmt: skip
Counts = slip(
    "the hits of a class are counted: divide them by the number of its cells",
    "right[cells].float().mean().item()", "right[cells].float().sum().item()",
)  # fmt: skip
Probabilities = slip(
    "the probability of the right token is averaged: count how often the most likely token is the right one",
    "return right[cells].float().mean().item()",
    "return logits.softmax(-1).gather(-1, target[..., None])[..., 0][cells].mean().item()",
)  # fmt: skip
DividedByNothing = slip(
    "an empty class fails with a division by zero: its accuracy is nan",
    "right[cells].float().mean().item()", "right[cells].sum().item() / int(cells.sum())",
)  # fmt: skip
OverTheCells = slip(
    "the largest logit is sought along the cells: the tokens are on the last axis",
    "logits.argmax(dim=-1)", "logits.argmax(dim=1)",
)  # fmt: skip


@right
def counted(logits, target, mask, root_id):
    hit = (logits.max(dim=-1).indices == target).double()
    found = {}
    for name, cells in {
        "visible": mask.logical_not(),
        "masked": mask,
        "masked_object": mask.logical_and(root_id != -1),
        "masked_background": mask.logical_and(root_id == -1),
    }.items():
        size = float(cells.sum())
        found[name] = float((hit * cells).sum()) / size if size else float("nan")
    found["board"] = float((hit.sum(1) == hit.shape[1]).double().mean())
    return found


@right
def by_lists(logits, target, mask, root_id):
    hits = (logits.argmax(-1) == target).tolist()
    groups = {"visible": [], "masked": [], "masked_object": [], "masked_background": []}
    for row, hidden, roots in zip(hits, mask.tolist(), root_id.tolist(), strict=True):
        for hit, is_hidden, root in zip(row, hidden, roots, strict=True):
            if is_hidden:
                groups["masked"].append(hit)
                groups["masked_object" if root >= 0 else "masked_background"].append(hit)
            else:
                groups["visible"].append(hit)
    found = {name: sum(g) / len(g) if g else float("nan") for name, g in groups.items()}
    return {**found, "board": sum(all(row) for row in hits) / len(hits)}
