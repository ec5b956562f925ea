"""Command line of chapter 5: train, analyse, dataset (and train-lea), with the published scripts' arguments."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Union

import torch
import tyro

from utils.course import CourseError
from utils.train import best_device, command_line, generator, run_command, write_json, write_tensors

from .analysis import analyse, as_markdown
from .checkpoints import library_tensors, load_checkpoint
from .config import ModelConfig, RunConfig, WorldConfig
from .library import build_library
from .opening import write_opening
from .splits import Boards, describe, split_boards
from .trainer import Run

PROGRAM = "python -m solutions.ch5_abstract_representations"
Flat = tyro.conf.OmitArgPrefixes


@dataclass(frozen=True)
class Shape:
    """Shape of the model, under the published names."""

    n_layer: int = 3
    n_head: int = 2
    n_embd: int = 64  # width of the residual stream
    n_embd_pos: int = 32  # width of the position vectors
    pdrop: float = 0.0  # dropout of the MLP

    def config(self, world: WorldConfig) -> ModelConfig:
        """The model's config for boards of this world. Raises CourseError where the heads do not divide the width."""
        vocab = world.vocab_bck + world.vocab_token + 1
        sizes = (self.n_layer, self.n_head, self.n_embd, self.n_embd_pos, self.pdrop)
        if min(sizes[:4]) < 1:
            raise CourseError("n_layer, n_head, n_embd and n_embd_pos must be at least 1.")
        try:
            return ModelConfig(vocab, world.board_dim**2, *sizes)
        except ValueError as error:
            raise CourseError(str(error)) from None


@dataclass
class Train:
    """Train a transformer to fill in hidden cells; Ctrl-C keeps what was learned, --resume goes on."""

    world: Flat[WorldConfig] = field(default_factory=WorldConfig)
    shape: Flat[Shape] = field(default_factory=Shape)
    run_config: Flat[RunConfig] = field(default_factory=RunConfig)
    epoch: int = 1  # epochs of dataset_len boards
    type: str = "factor"  # factor or vanilla
    batch: int = 1  # number of runs, with seeds one after the other
    save: int = 0  # 1: save checkpoints every epoch2save epochs as well
    epoch2save: int = 250
    seed: int = 0
    device: str = field(default_factory=best_device)
    threads: int | None = None  # CPU threads; none: torch's choice
    runs: Path = Path("runs")  # folder of the run folders
    run_name: str | None = None
    resume: bool = False
    tracker: str | None = None  # project of an experiment tracker (wandb)

    def run(self) -> int:
        if self.batch < 1:
            raise CourseError(f"batch, the number of runs, must be at least 1, but it is {self.batch}.")
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        name = self.run_name or time.strftime(f"run_%Y%m%d_%H%M%S_{self.type}")
        if self.resume and self.run_name is None:
            raise CourseError("To resume, say which run: --run-name.")
        for number in range(self.batch):
            folder = self.runs / (name if self.batch == 1 else f"{name}_{number:03d}")
            run = Run(
                self.world, self.shape.config(self.world), self.run_config, self.epoch, self.type, self.seed + number,
                self.device, folder, self.resume, save_every=self.epoch2save if self.save else 0, tracker=self.tracker,
                command=command_line(PROGRAM),
            )  # fmt: skip
            finished = run.go()
            last = run.metrics.history[-1]
            accuracy = f"masked object cells {last['masked_object']:.3f}, boards {last['board']:.3f}"
            print(f"{folder}: epoch {run.epoch}, {accuracy}")
            if not finished:
                print(f"stopped; what was learned is in {folder}", file=sys.stderr)
                return 130
        return 0


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


COMMANDS = {"train": Train, "dataset": Dataset, "analyse": Analyse}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for what the user can put right, 130 after Ctrl-C."""
    commands = [Annotated[command, tyro.conf.subcommand(name, prefix_name=False)] for name, command in COMMANDS.items()]
    kind = Union[tuple(commands)]  # noqa: UP007
    return run_command(lambda: tyro.cli(kind, args=arguments, prog=PROGRAM, description=__doc__).run())
