"""A trained model on disk, with the library of objects it was trained on (chapter 5).

`<name>.safetensors` holds the weights (`model.`) and the library (`library.`), `<name>.json` the settings.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from torch import nn

from utils.course import ROOT, CourseError
from utils.train import read_json, read_tensors, usable_device, write_json, write_tensors

from .config import ModelConfig, WorldConfig
from .lea import LEASettings, TinyLEA
from .library import Library
from .variants import build_model

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
