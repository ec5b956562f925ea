"""Loss, accuracies by class of cell, and the training loop: fresh boards, and measurements that leave it alone."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .boards import Library, mask_boards, sample_boards
from .config import Schedule


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

    "visible": cells that are not hidden; "masked_background": hidden, root_id -1; "masked_object": hidden, root_id 0
    or more; "masked": all hidden cells; "board": the share of boards with every cell right. Python floats; nan for a
    class without cells. Each accuracy counts all cells of its class alike, whichever board they are on.
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
    scenes: dict[str, Tensor] | None = None,
) -> dict[str, float]:
    """Loss over all cells and `cell_metrics`, in eval mode; the model's own mode comes back.

    The boards are fresh ones, or those of `scenes`.
    """
    was_training = model.training
    model.eval()
    scenes = sample_boards(lib, boards, kinds, generator) if scenes is None else scenes
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


def make_optimizer(model: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW that decays the weights of Linear layers and nothing else: no bias, norm, embedding or position."""
    linear = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    chosen = {id(weight) for weight in linear}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    groups = [{"params": linear, "weight_decay": schedule.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=schedule.lr, betas=(0.9, schedule.beta2), fused=True)


def train(
    model: nn.Module,
    lib,
    steps: int,
    generator: torch.Generator,
    schedule=None,
    watch: Callable[[dict], None] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    draw: Callable[..., dict] = sample_boards,
) -> dict[str, list[float]]:
    """Train on `steps` fresh batches of schedule.batch boards; the history of what was measured.

    Step s uses the learning rate, masking, patches and kinds of boards that schedule.at(s, steps) gives, and the
    cells that schedule.where names. Every schedule.every steps and after the last one, `measure` is called with
    schedule.measured boards and a generator of its own (seed 0 each time, so that all measurements see the same
    boards), and nothing else; its numbers are appended to the history's lists: {"step": steps taken so far,
    "loss": ..., "masked_object": ..., ...}. Then watch(history) is called, if there is one. The model is trained in
    train mode. `optimizer`: one to go on with, else `make_optimizer` makes it. `draw`: what draws the boards, called
    as draw(lib, schedule.batch, kinds, generator).
    """
    # solution
    schedule = schedule or Schedule()
    optimizer = optimizer or make_optimizer(model, schedule)
    history: dict[str, list[float]] = {}
    device = next(model.parameters()).device
    model.train()
    for step in range(steps):
        now = schedule.at(step, steps)
        for group in optimizer.param_groups:
            group["lr"] = now["lr"]
        scenes = draw(lib, schedule.batch, now["kinds"], generator)
        masked, mask = mask_boards(lib, scenes, now["masking"], now["patches"], generator)
        tokens, target, mask = (part.flatten(1).to(device) for part in (masked, scenes["board"], mask))
        loss = masked_ce(model(tokens), target, mask, schedule.where)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % schedule.every == 0 or step + 1 == steps:
            found = measure(model, lib, schedule.measured, torch.Generator().manual_seed(0))
            for name, value in ({"step": step + 1} | found).items():
                history.setdefault(name, []).append(value)
            if watch is not None:
                watch(history)
    return history
    # end solution
