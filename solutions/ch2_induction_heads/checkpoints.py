"""A run's folder: params.json, model.safetensors, training_state.safetensors, res.jsonl (chapter 2)."""

from pathlib import Path

import torch
from torch import Tensor, nn

from utils.course import CourseError
from utils.train import generator, load_optimizer, optimizer_tensors, read_json, read_tensors, write_json, write_tensors

from .data import BigramTask

EXAMPLES, EXAMPLE_SEED = 128, 0


def save(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, settings: dict) -> None:
    """Write the settings, the weights and what the optimiser remembers. Raises CourseError where that cannot be."""
    write_json(folder / "params.json", settings)
    write_tensors(folder / "model.safetensors", _own(model), {"step": str(step)})
    write_tensors(folder / "training_state.safetensors", optimizer_tensors(optimizer), {"step": str(step)})


def restore(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> int:
    """Read weights (and the optimiser's memory) into objects of the same sizes; returns the step they are from.

    Raises CourseError where a file is missing or damaged, or the model has other sizes.
    """
    tensors, metadata = read_tensors(folder / "model.safetensors")
    _fit(folder / "model.safetensors", tensors, _own(model))
    model.load_state_dict(tensors, strict=False)  # a tied output is stored once
    if optimizer is not None:
        stored, metadata = read_tensors(folder / "training_state.safetensors")
        try:
            load_optimizer(optimizer, stored)
        except ValueError:
            raise CourseError(f"{folder} was trained by another optimiser: resume it with its own settings.") from None
    return int(metadata.get("step", 0))


def load_settings(folder: Path) -> dict:
    """The settings of a saved run. Raises CourseError where there are none."""
    return read_json(folder / "params.json")


@torch.no_grad()
def write_example(folder: Path, model: nn.Module, task: BigramTask) -> None:
    """exp.safetensors: 128 sequences x (128, T), out (128, T + 1), preds (128, T, V), scores_<layer> (128, N, T, T)."""
    batch = task.draw(EXAMPLES, generator(EXAMPLE_SEED))
    logits, cache = model(batch.x, return_cache=True)
    scores = {f"scores_{i}": cache[f"A{i + 1}"] for i in range(len(model.layers))}
    out = torch.cat([batch.x, batch.y[:, -1:]], dim=1)
    write_tensors(folder / "exp.safetensors", {"x": batch.x, "out": out, "preds": logits, **scores})


def _own(model: nn.Module) -> dict[str, Tensor]:
    """The state by name, each tensor once: a tied output is left out."""
    state = model.state_dict()
    if "output.weight" in state and state["output.weight"].data_ptr() == state["tok_embeddings.weight"].data_ptr():
        del state["output.weight"]
    return state


def _fit(path: Path, tensors: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    for name in sorted(own.keys() | tensors.keys()):
        stored, wanted = (tuple(side[name].shape) if name in side else None for side in (tensors, own))
        if stored != wanted:
            raise CourseError(
                f"{path} does not fit this model: {name} is {stored or 'missing'} there and {wanted or 'missing'} here."
            )
