"""Command line of chapter 5: train, train-lea, dataset, ceiling, analyse, figures, export, talk.

The arguments of training are those of the published scripts.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Union

import torch
import tyro

from utils.course import CourseError
from utils.train import best_device, command_line, generator, parse_command, run_command, write_json, write_tensors

from .analysis import analyse, as_markdown, exported, look, restored
from .boards import build_library
from .checkpoints import library_tensors, load_checkpoint, write_opening
from .config import KINDS, LEARunConfig, ModelConfig, RunConfig, WorldConfig
from .figures import write_figures
from .language import conversation
from .lea import LEASettings
from .splits import Boards, describe, split_boards
from .trainer import LEARun, Run

PROGRAM = "python -m solutions.ch5_abstract_representations"
Flat = tyro.conf.OmitArgPrefixes


@dataclass(frozen=True)
class Shape:
    """Shape of the model, under the published names."""

    n_layer: int = 3
    n_head: int = 2
    n_embd: int = 64  # width of the residual stream
    n_embd_pos: int = 32  # width of the position vectors
    embd_pdrop: float = 0.0  # dropout of the token embeddings
    resid_pdrop: float = 0.0  # dropout of what attention and MLP add to the stream
    attn_pdrop: float = 0.0  # dropout of the attention weights
    n_unmasked: int | None = None  # cells that see each other; from there on, cells see what is before (none: all)

    def config(self, world: WorldConfig) -> ModelConfig:
        """The model's config for boards of this world. Raises CourseError where the heads do not divide the width."""
        vocab = world.vocab_bck + world.vocab_token + 1
        sizes = (self.n_layer, self.n_head, self.n_embd, self.n_embd_pos)
        if min(sizes) < 1:
            raise CourseError("n_layer, n_head, n_embd and n_embd_pos must be at least 1.")
        more = (self.resid_pdrop, self.attn_pdrop, self.embd_pdrop, self.n_unmasked)
        try:
            return ModelConfig(vocab, world.board_dim**2, *sizes, *more)
        except ValueError as error:
            raise CourseError(f"{str(error).rstrip('.')}.") from None


@dataclass(frozen=True)
class LEAShape:
    """Shape of LEA, under the published names."""

    n_layer: int = 3
    n_head: int = 2
    n_embd: int = 32
    n_embd_pos: int = 16
    pdrop: float = 0.0  # dropout of the MLPs
    vocab_speech_size: int = 128  # words of the language
    block_speech_size: int = 16  # words in a sentence
    vq_type: Literal["EMA", "vanilla"] = "EMA"  # words move by running averages, or by the optimizer
    commitment_cost: float = 0.25
    decay: float = 0.99  # of the running averages that move the words
    bool_blank_speech: bool = False  # the first pass hears zeros, not the last word

    def config(self, world: WorldConfig, kind: str) -> LEASettings:
        """The settings of LEA for boards of this world. Raises CourseError for sizes that cannot be."""
        if kind not in ("factor", "vanilla"):
            raise CourseError(f"There is no model of type {kind!r}: choose factor or vanilla.")
        vocab = world.vocab_bck + world.vocab_token + 1
        return LEASettings(
            vocab, world.board_dim**2, self.n_layer, self.n_head, self.n_embd, self.n_embd_pos, self.vocab_speech_size,
            self.block_speech_size, kind, "ema" if self.vq_type == "EMA" else "gradient", self.commitment_cost,
            "zeros" if self.bool_blank_speech else "word", vocab - 1, self.pdrop, self.decay,
        )  # fmt: skip


@dataclass
class _Training:
    """What both kinds of training share."""

    world: Flat[WorldConfig] = field(default_factory=WorldConfig)
    epoch: int = 1  # epochs of dataset_len boards
    type: str = "factor"  # factor or vanilla
    batch: int = 1  # number of runs, with seeds one after the other
    save: int = 0  # 1: save checkpoints every epoch2save epochs as well
    epoch2save: int = 250
    epoch2test: int = 250  # epochs between two tests on held-out boards; the last epoch is always tested
    seed: int = 0
    device: str = field(default_factory=best_device)
    threads: int | None = None  # CPU threads; none: torch's choice
    runs: Path = Path("runs")  # folder of the run folders
    run_name: str | None = None
    resume: bool = False
    tracker: str | None = None  # project of an experiment tracker (wandb)

    def go(self, system: Callable[..., Run], config, settings, name: str, summary: Callable[[dict], str]) -> int:
        """The runs, one after the other."""
        if self.batch < 1:
            raise CourseError(f"batch, the number of runs, must be at least 1, but it is {self.batch}.")
        for name in ("epoch2save", "epoch2test"):
            if getattr(self, name) < 1:
                raise CourseError(f"{name} must be at least 1, but it is {getattr(self, name)}.")
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        name = self.run_name or time.strftime(f"run_%Y%m%d_%H%M%S_{name}")
        if self.resume and self.run_name is None:
            raise CourseError("To resume, say which run: --run-name.")
        for number in range(self.batch):
            folder = self.runs / (name if self.batch == 1 else f"{name}_{number:03d}")
            run = system(
                self.world, config, settings, self.epoch, self.type, self.seed + number,
                self.device, folder, self.resume, save_every=self.epoch2save if self.save else 0,
                test_every=self.epoch2test, tracker=self.tracker, command=command_line(PROGRAM),
            )  # fmt: skip
            finished = run.go()
            print(f"{folder}: epoch {run.epoch}, {summary(run.metrics.history[-1])}")
            if not finished:
                print(f"stopped; what was learned is in {folder}", file=sys.stderr)
                return 130
        return 0


@dataclass
class Train(_Training):
    """Train a transformer to fill in hidden cells; Ctrl-C keeps what was learned, --resume goes on."""

    shape: Flat[Shape] = field(default_factory=Shape)
    run_config: Flat[RunConfig] = field(default_factory=RunConfig)

    def run(self) -> int:
        def summary(last: dict) -> str:
            return f"masked object cells {last['masked_object']:.3f}, boards {last['board']:.3f}"

        return self.go(Run, self.shape.config(self.world), self.run_config, self.type, summary)


@dataclass
class TrainLea(_Training):
    """Train LEA, which puts a board into words and draws it from them; Ctrl-C keeps what was learned."""

    shape: Flat[LEAShape] = field(default_factory=LEAShape)
    run_config: Flat[LEARunConfig] = field(default_factory=LEARunConfig)
    epoch2save: int = 500

    def run(self) -> int:
        def summary(last: dict) -> str:
            words = f"{last['words']:.1f} of {self.shape.vocab_speech_size} words in use"
            return f"boards right from speech {last['speech_board']:.3f}, when seen {last['board_board']:.3f}; {words}"

        return self.go(
            LEARun, self.shape.config(self.world, self.type), self.run_config, f"speaker_{self.type}", summary
        )


@dataclass
class Dataset:
    """Draw a world, split all of its boards, and write both into a folder."""

    world: Flat[WorldConfig] = field(default_factory=WorldConfig)
    seed: int = 0
    out: Path = Path("dataset")

    def run(self) -> int:
        library = build_library(self.world, generator(self.seed, 1))
        splits = split_boards(Boards(library, self.world.double_rule), self.world, generator(self.seed, 2))
        splits.save(self.out / "splits.safetensors")
        write_tensors(self.out / "library.safetensors", library_tensors(library))
        found = describe(splits, self.world) | {"seed": self.seed, "command": command_line(PROGRAM)}
        write_json(self.out / "dataset.json", found)
        for name, count in found["counts"].items():
            print(f"{name}: {count}")
        print(f"overlapping doubles: {found['overlapping_doubles']:.3f}")
        return 0


@dataclass
class Ceiling:
    """Print how well anybody could fill in hidden cells in a world, and what copying and background cells get."""

    world: Flat[WorldConfig] = field(default_factory=WorldConfig)
    masking_p: float = 0.25  # probability that a cell is hidden
    masking_patch_p: float = 0.5  # probability that a board has a patch hidden as well
    boards: int = 400
    seed: int = 0

    def run(self) -> int:
        RunConfig(masking_p=self.masking_p, masking_patch_p=self.masking_patch_p)  # refuses what is no probability
        if self.boards < 1:
            raise CourseError(f"boards must be at least 1, but it is {self.boards}.")
        library = build_library(self.world, generator(self.seed, 1))
        print(
            as_markdown(restored(library, self.world, self.boards, self.seed, self.masking_p, self.masking_patch_p), 4)
        )
        return 0


@dataclass
class Analyse:
    """Print the chapter's tables for a trained model, each with its controls, and write them as JSON."""

    checkpoint: Path = Path("half")  # a file, or the name of a shipped checkpoint
    boards: int = 1200
    seed: int = 0
    device: str = "cpu"
    out: Path | None = None  # file for the tables, JSON
    opening: Path | None = None  # write the chapter's opening (a repainted scene for every place of the hole) there

    def run(self) -> int:
        if self.boards < 100:
            raise CourseError(f"boards must be at least 100, but it is {self.boards}.")
        found = load_checkpoint(self.checkpoint, self.device)
        if self.opening is not None:
            write_opening(found, self.opening)
            return 0
        tables = analyse(found, self.boards, self.seed)
        for name, table in tables.items():
            print(f"\n{name}\n\n{as_markdown(table)}")
        if self.out is not None:
            write_json(self.out, {"command": command_line(PROGRAM), **tables})
        return 0


@dataclass
class Export:
    """Write every activation of a trained model on fresh boards, with the boards and their labels, into one file."""

    checkpoint: Path = Path("half")  # a file, or the name of a shipped checkpoint
    boards: int = 100
    kind: Literal["single", "double", "composition"] = "single"
    masking_p: float = 0.25  # probability that a cell is hidden
    masking_patch_p: float = 0.0  # probability that a board has a patch hidden as well
    seed: int = 0
    out: Path = Path("activations.safetensors")

    def run(self) -> int:
        RunConfig(masking_p=self.masking_p, masking_patch_p=self.masking_patch_p)
        if self.boards < 1:
            raise CourseError(f"boards must be at least 1, but it is {self.boards}.")
        found, kind = load_checkpoint(self.checkpoint), KINDS.index(self.kind)
        tensors = exported(
            found, look(found.library, self.boards, kind, self.seed, self.masking_p, self.masking_patch_p)
        )
        write_tensors(self.out, tensors, {"command": command_line(PROGRAM)})
        for name, value in tensors.items():
            print(f"{name}: {' x '.join(map(str, value.shape))}")
        return 0


@dataclass
class Figures:
    """Draw the figures of a trained model into a folder, each a web page of its own."""

    checkpoint: Path = Path("half")  # a file, or the name of a shipped checkpoint
    names: tuple[str, ...] = ()  # which figures; none: all that this kind of model has
    seed: int = 0
    out: Path = Path("figures")

    def run(self) -> int:
        for path in write_figures(load_checkpoint(self.checkpoint), self.out, self.names, self.seed):
            print(path)
        return 0


@dataclass
class Talk:
    """Let a LEA say what it sees on fresh boards and draw them again; or draw a sentence of yours (--words)."""

    checkpoint: Path = Path("talker")  # a file, or the name of a shipped checkpoint
    words: tuple[int, ...] = ()  # a sentence to draw
    boards: int = 3
    seed: int = 0

    def run(self) -> int:
        for text in conversation(load_checkpoint(self.checkpoint), self.words, self.boards, self.seed):
            print(text)
        return 0


COMMANDS = {
    "train": Train, "train-lea": TrainLea, "dataset": Dataset, "ceiling": Ceiling, "analyse": Analyse,
    "figures": Figures, "export": Export, "talk": Talk,
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for what the user can put right, 130 after Ctrl-C."""
    commands = [Annotated[command, tyro.conf.subcommand(name, prefix_name=False)] for name, command in COMMANDS.items()]
    kind = Union[tuple(commands)]  # noqa: UP007
    return run_command(lambda: parse_command(kind, arguments, PROGRAM, __doc__).run())
