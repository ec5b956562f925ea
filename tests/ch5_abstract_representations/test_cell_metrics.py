"""Hidden tests of exercise 5.8: each class of cells counted on its own."""

import math

import torch

from utils.grade import close, equal, require

B, T, V = 4, 9, 6
CLASSES = ("visible", "masked_background", "masked_object", "masked", "board")


def make(draw):
    """Predictions with a known number of hits in each class of cell."""
    target, root_id = draw.integers(0, V, B, T), torch.where(draw.uniform(B, T) < 0.5, -1, draw.integers(0, 3, B, T))
    mask = draw.uniform(B, T) < 0.5
    mask[:, :4] = torch.tensor([True, True, False, True])
    root_id[:, :4] = torch.tensor([-1, 0, -1, 2])
    mask[0], root_id[1, 4:] = True, -1  # unequal boards
    hit = draw.uniform(B, T) < 0.6
    hit[:, :4] = torch.tensor([True, False, True, True])
    hit[draw.integer(0, B)] = True
    said = torch.where(hit, target, (target + 1) % V)
    logits = draw.normal(B, T, V)
    logits.scatter_(-1, said[..., None], float(logits.max()) + 0.5)
    return logits, target, mask, root_id, hit


def run(cell_metrics, logits, target, mask, root_id):
    called = cell_metrics.call(logits, target, mask, root_id)
    got = called["result"]
    for name, before, now in zip(
        ("logits", "target", "mask", "root_id"), (logits, target, mask, root_id), called["args"], strict=True
    ):
        equal(now, before, f"the caller's {name} is different after the call")
    require(isinstance(got, dict), f"the result must be a dict, not {type(got).__name__}", got=got)
    missing = [name for name in CLASSES if name not in got]
    require(not missing, f"the result lacks {', '.join(missing)}: its keys are {', '.join(CLASSES)}")
    for name in CLASSES:
        require(isinstance(got[name], float), f"{name} must be a Python float, not a {type(got[name]).__name__}")
    return got


def expected(mask, root_id, hit):
    """Cell by cell."""
    cells = {name: [] for name in CLASSES}
    for b in range(len(hit)):
        for t in range(T):
            ok = float(hit[b, t])
            if not mask[b, t]:
                cells["visible"].append(ok)
                continue
            cells["masked"].append(ok)
            cells["masked_background" if root_id[b, t] < 0 else "masked_object"].append(ok)
        cells["board"].append(float(hit[b].all()))
    return {name: sum(values) / len(values) if values else math.nan for name, values in cells.items()}


def test_each_class(cell_metrics, draw):
    logits, target, mask, root_id, hit = make(draw)
    got, wanted = run(cell_metrics, logits, target, mask, root_id), expected(mask, root_id, hit)
    for name in ("visible", "masked", "masked_background", "masked_object"):
        says = f"the accuracy of the class {name} is off: look at the cells that you count and what you divide by"
        close(got[name], wanted[name], says, name=name)


def test_boards(cell_metrics, draw):
    logits, target, mask, root_id, hit = make(draw)
    got = run(cell_metrics, logits, target, mask, root_id)["board"]
    says = "board must be the share of boards on which every cell is right, visible ones included"
    close(got, expected(mask, root_id, hit)["board"], says, name="board")


def test_empty_classes(cell_metrics, draw):
    logits, target, mask, root_id, hit = make(draw)
    root_id, mask = torch.full_like(root_id, -1), torch.zeros_like(mask) if draw.index else mask
    got, wanted = run(cell_metrics, logits, target, mask, root_id), expected(mask, root_id, hit)
    for name in CLASSES:
        says = f"{name} is off where a class of cells is empty: an empty class gives nan, the others their accuracy"
        same = math.isclose(got[name], wanted[name], abs_tol=1e-6) or math.isnan(got[name]) and math.isnan(wanted[name])
        require(same, says, expected=wanted[name], got=got[name])
