"""A trained model on disk, with the library of objects it was trained on (chapter 5).

`<name>.safetensors` holds the weights (`model.`) and the library (`library.`), `<name>.json` the settings.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import nn

from utils.course import ROOT, CourseError
from utils.train import generator, read_json, read_tensors, usable_device, write_json, write_tensors
from utils.train.files import write_whole

from .boards import Library, sample_boards
from .config import ModelConfig, WorldConfig
from .lea import LEASettings, TinyLEA
from .model import build_model

SHIPPED = ROOT / "chapters" / "ch5_abstract_representations" / "checkpoints"


@dataclass
class Checkpoint:
    """A model in eval mode, the library of its world, and all settings of its run."""

    model: nn.Module
    library: Library
    world: WorldConfig
    settings: dict

    @property
    def is_lea(self) -> bool:
        """Whether the model is a LEA, not a plain transformer."""
        return isinstance(self.model, TinyLEA)


def library_tensors(lib: Library) -> dict:
    """The library as tensors, for a file."""
    found = {"roots": lib.roots, "comps": lib.comps}
    return found | ({"modes": lib.modes} if lib.modes is not None else {})


def save_checkpoint(path: Path, model: nn.Module, lib: Library, world: WorldConfig, settings: dict) -> None:
    """Write `path`.safetensors and `path`.json; `settings` must hold "type" (factor or vanilla)."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"library.{name}": value for name, value in library_tensors(lib).items()}
    write_tensors(path.with_suffix(".safetensors"), tensors)
    write_json(path.with_suffix(".json"), {"model": asdict(model.cfg), "world": asdict(world), **settings})


def load_checkpoint(path: Path | str = "half", device: str = "cpu") -> Checkpoint:
    """A checkpoint by its path, or a shipped one by name.

    Raises CourseError, in one sentence, where a file is missing or damaged or holds a model of another size.
    """
    path = Path(path).expanduser()
    path = path.with_suffix("") if path.suffix in (".safetensors", ".json") else path
    if path.parent == Path(".") and not path.with_suffix(".json").is_file():
        path = SHIPPED / path.name
    settings = read_json(path.with_suffix(".json"))
    tensors, _ = read_tensors(path.with_suffix(".safetensors"))
    try:
        world = WorldConfig(**_known(settings["world"], WorldConfig))
        if settings.get("system") == "lea":
            model = TinyLEA(LEASettings(**_known(settings["model"], LEASettings)))
        else:
            model = build_model(settings.get("type", "factor"), ModelConfig(**_known(settings["model"], ModelConfig)))
    except (KeyError, TypeError, ValueError):
        raise CourseError(f"{path.with_suffix('.json')} holds no settings of a model of this chapter.") from None
    weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    try:
        model.load_state_dict(weights)
        objects = {name: tensors.get(f"library.{name}") for name in ("roots", "comps", "modes")}
        sizes = (world.vocab_bck, world.vocab_token, world.board_dim, world.comp_margin)
        library = Library(objects["roots"].long(), objects["comps"].long(), *sizes, objects["modes"])
    except (RuntimeError, AttributeError):
        raise CourseError(
            f"The weights in {path.with_suffix('.safetensors')} do not fit the settings beside it."
        ) from None
    return Checkpoint(model.to(usable_device(device)).eval(), library, world, settings)


def _known(values: dict, kind: type) -> dict:
    """The values of a JSON object as the fields of a dataclass: lists become tuples."""
    names = {field.name for field in fields(kind)}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name in names}


@torch.no_grad()
def opening(checkpoint: Checkpoint, seed: int = 4) -> dict:
    """{"scenes": boards, "painted": for each scene and each place of the patch the model's most likely tokens}.

    Two scenes of each kind. A visible cell is painted as it is seen.
    """
    lib = checkpoint.library
    draws = generator(seed)
    kinds = [sample_boards(lib, 2, shares, draws)["board"] for shares in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    scenes = torch.cat(kinds)
    places = lib.side - lib.d + 1
    painted = []
    for scene in scenes:
        masked = scene.repeat(places**2, 1, 1)
        for place in range(places**2):
            row, column = divmod(place, places)
            masked[place, row : row + lib.d, column : column + lib.d] = lib.unk
        said = checkpoint.model(masked.flatten(1)).argmax(-1).view_as(masked)
        painted.append(torch.where(masked == lib.unk, said, masked).tolist())
    return {"scenes": scenes.tolist(), "painted": painted}


def write_opening(checkpoint: Checkpoint, path: Path, seed: int = 4) -> None:
    """Write the opening's data beside the chapter."""
    text = json.dumps(opening(checkpoint, seed), separators=(",", ":"))
    write_whole(path, text + "\n")
