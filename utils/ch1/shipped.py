"""The trained models of chapter 1: read them, put them into a learner's class, let one write (chapter 1)."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
from tokenizers import Tokenizer
from torch import nn

from utils.ch1.given import GivenTransformer, write_on
from utils.course import ROOT, CourseError
from utils.train import read_json, read_tensors

FOLDER = ROOT / "chapters" / "ch1_transformer_from_scratch" / "checkpoints"
GPT2 = ROOT / "runs" / "ch1" / "gpt2"  # where `from-gpt2` puts GPT-2's weights unless it is told otherwise
END_OF_TEXT = "<|endoftext|>"


@dataclass
class Reader:
    """A model with the tokenizer it was trained with, and what its settings say."""

    model: nn.Module
    tokenizer: Tokenizer
    settings: dict


def shipped_tokenizer(folder: Path = FOLDER) -> Tokenizer:
    """The tokenizer of the shipped models: byte-pair encoding with 512 tokens, learned from the training texts."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def shipped(name: str, Transformer=None, file: Path | None = None) -> Reader:
    """A trained model of the chapter by its name, in `Transformer` (the learner's class) or, without one, in ours.

    "no_mask" always comes in ours, whose attention can see the future. Raises CourseError for an unknown name.
    """
    file = file or FOLDER / name
    if not file.with_suffix(".json").is_file():
        raise CourseError(f"There is no trained model {name!r}: it would be in {file.with_suffix('.json')}.")
    settings = read_json(file.with_suffix(".json"))
    weights, _ = read_tensors(file.with_suffix(".safetensors"))
    weights = {key: weight.float() for key, weight in weights.items()}
    config = SimpleNamespace(**settings["config"], device="cpu")
    masked = settings.get("variant") != "no_mask"
    if Transformer is None or not masked:
        model = GivenTransformer(config, weights, causal=masked)
    else:
        model = Transformer(config)
        model.load_state_dict(weights)
    return Reader(model.eval(), shipped_tokenizer(file.parent), settings)


def gpt2(Transformer, folder: Path = GPT2) -> Reader | None:
    """GPT-2 in the learner's own class, where its weights are on this computer; otherwise a sentence, and None."""
    if not (folder / "model.json").is_file():
        print(
            "GPT-2's own weights are not on this computer, so this cell has nothing to show. With a network, run\n"
            "    python -m solutions.ch1_transformer_from_scratch from-gpt2\n"
            "once in a terminal (it needs the package transformers), then run this cell again."
        )
        return None
    return shipped("gpt2", Transformer, folder / "model")


def demo(prompt: str, new: int = 90, temperature: float = 0.8, seed: int = 0) -> None:
    """Print the prompt as the shipped model continues it."""
    found = shipped("base")
    tokens = torch.tensor(found.tokenizer.encode(prompt).ids)
    if len(tokens) == 0 or not temperature > 0:
        print("Give a prompt of at least one character, and a temperature above 0.")
        return
    print(found.tokenizer.decode(write_on(found.model, tokens, new, temperature, seed).tolist()))
