"""The loss, and accuracies that mean something: one for each class of cells (chapter 5)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .boards import mask_boards, sample_boards
from .library import Library


def masked_ce(
    logits: Float[Tensor, "B T V"], target: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"], where: str = "all"
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over all cells (where="all") or over the hidden ones only (where="masked").

    Where no cell is hidden, "masked" gives 0. Raises ValueError for any other `where`.
    """
    # solution
    if where not in ("all", "masked"):
        raise ValueError(f"where is {where!r}: choose all or masked")
    loss = F.cross_entropy(logits.transpose(1, 2), target, reduction="none")
    if where == "all":
        return loss.mean()
    return (loss * mask).sum() / mask.sum().clamp(min=1)
    # end solution


def cell_metrics(
    logits: Float[Tensor, "B T V"],
    target: Int[Tensor, "B T"],
    mask: Bool[Tensor, "B T"],
    root_id: Int[Tensor, "B T"],
) -> dict[str, float]:
    """Accuracy by class of cell; the prediction of a cell is its most likely token.

    "visible": cells that are not hidden; "masked_background": hidden, root_id -1; "masked_object": hidden, root_id 0 or
    more; "masked": all hidden cells; "board": the share of boards with every cell right. Python floats; nan for a class
    without cells. Each accuracy counts all cells of its class alike, whichever board they are on.
    """
    # solution
    right = logits.argmax(dim=-1) == target
    thing = root_id >= 0
    classes = {"visible": ~mask, "masked_background": mask & ~thing, "masked_object": mask & thing, "masked": mask}
    found = {name: right[cells].float().mean().item() for name, cells in classes.items()}
    return found | {"board": right.all(dim=1).float().mean().item()}
    # end solution


@torch.no_grad()
def measure(
    model: nn.Module,
    lib,
    boards: int,
    generator: torch.Generator,
    masking: float = 0.25,
    patches: float = 0.5,
    kinds: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3),
) -> dict[str, float]:
    """Loss over all cells and `cell_metrics` on fresh boards, in eval mode; the model's own mode comes back."""
    was_training = model.training
    model.eval()
    scenes = sample_boards(lib, boards, kinds, generator)
    masked, mask = mask_boards(lib, scenes, masking, patches, generator)
    target, mask = scenes["board"].flatten(1), mask.flatten(1)
    logits = model(masked.flatten(1).to(next(model.parameters()).device)).cpu()
    found = cell_metrics(logits, target, mask, scenes["root_id"].flatten(1))
    model.train(was_training)
    return {"loss": masked_ce(logits, target, mask).item()} | found


def floor_logits(lib: Library, masked: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
    """The floor: copy what is visible and write the background into every hole (colour 0 where none is visible)."""
    background = masked < lib.n_bg
    first = masked[torch.arange(len(masked)), background.long().argmax(dim=1)]
    colour = torch.where(background.any(dim=1), first, 0)
    return F.one_hot(torch.where(masked == lib.unk, colour[:, None], masked), lib.vocab).float()
