"""A trained model on disk: weights as safetensors, settings as JSON, its tokenizer beside them (chapter 1).

`<name>.safetensors`, `<name>.json` and `tokenizer.json` are in one folder; `<name>` may be
given with or without an ending.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from tokenizers import Tokenizer

from utils.course import ROOT, CourseError
from utils.train import best_device, read_json, read_tensors, usable_device, write_json, write_tensors
from utils.train.files import write_whole

from .config import TransformerConfig
from .model import Transformer
from .tokenizer import load_tokenizer
from .variants import build_model

SHIPPED = ROOT / "chapters" / "ch1_transformer_from_scratch" / "checkpoints"


@dataclass
class Checkpoint:
    """A model ready to use, with its tokenizer and the settings it was trained with."""

    model: Transformer
    tokenizer: Tokenizer
    settings: dict

    @property
    def config(self) -> TransformerConfig:
        """Shape of the model."""
        return self.model.config


def save_checkpoint(
    path: Path, model: Transformer, tokenizer: Tokenizer, settings: dict, dtype: torch.dtype = torch.float32
) -> None:
    """Write the three files; the weights are rounded to `dtype` (float16 halves the size), files there are replaced."""
    path = _stem(path)
    config = {name: value for name, value in asdict(model.config).items() if name != "device"}
    write_whole(path.parent / "tokenizer.json", tokenizer.to_str(pretty=True))
    write_tensors(path.with_suffix(".safetensors"), {k: v.to(dtype) for k, v in model.state_dict().items()})
    write_json(path.with_suffix(".json"), {"config": config, **settings})


def load_checkpoint(path: Path | str = "base", device: str | None = None) -> Checkpoint:
    """A checkpoint by path, by the folder of a run, or a shipped one by name ("base", "no_positions", "no_mask").

    Weights become float32, the model is in eval mode. Raises CourseError, in one sentence, where a file is
    missing, damaged, or does not fit.
    """
    path = _stem(path)
    if path.parent == Path(".") and not path.with_suffix(".json").is_file():
        path = SHIPPED / path.name
    if not path.with_suffix(".json").is_file():
        raise CourseError(f"There is no checkpoint {path} (its settings would be {path.with_suffix('.json').name}).")
    settings = read_json(path.with_suffix(".json"))
    device = device or best_device()
    known = {field.name for field in fields(TransformerConfig)}
    config = settings.get("config")
    if not isinstance(config, dict) or not set(config) <= known:
        raise CourseError(f"{path.with_suffix('.json')} holds no settings of a transformer.")
    try:
        model = build_model(TransformerConfig(**config, device=device), settings.get("variant", "base"))
    except TypeError:
        raise CourseError(f"{path.with_suffix('.json')} holds settings that no transformer can have.") from None
    weights, _ = read_tensors(path.with_suffix(".safetensors"))
    try:
        model.load_state_dict({name: weight.float() for name, weight in weights.items()})
    except RuntimeError:
        raise CourseError(
            f"The weights in {path.with_suffix('.safetensors')} do not fit the settings beside it."
        ) from None
    return Checkpoint(model.to(usable_device(device)).eval(), load_tokenizer(path.parent / "tokenizer.json"), settings)


def _stem(path: Path | str) -> Path:
    path = Path(path).expanduser()
    if (path / "model.json").is_file():  # the folder that `train --output` made
        return path / "model"
    return path.with_suffix("") if path.suffix in (".safetensors", ".json") else path
