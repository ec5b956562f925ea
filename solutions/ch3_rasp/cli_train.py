"""The training commands of chapter 3: train, multirun, table, match, draw-attention, peep, summary."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from utils.course import CourseError
from utils.train import write_json

from .languages import language, languages
from .settings import RunArgs

Flat = tyro.conf.OmitArgPrefixes


@dataclass
class Train:
    """Train one transformer on a language: options, or the words of generic_run (lang=reverse_10 heads=1 layers=2)."""

    args: Annotated[RunArgs, Flat]

    def run(self) -> int:
        from .runs import train_run

        found = train_run(self.args, lambda line: tqdm.write(line, file=sys.stdout), quiet=False)
        return 130 if found.interrupted else 0


@dataclass
class Multirun:
    """Train a size and the smaller ones (a head fewer, a layer fewer) with several learning rates and gammas."""

    args: Annotated[RunArgs, Flat]
    lrs: tuple[float, ...] = (3e-4, 1e-4)
    gammas: tuple[float, ...] = (0.98, 0.99)
    jobs: int = 1  # processes on this machine
    cluster: str | None = None  # address of a Dask scheduler, to run on its workers instead

    def run(self) -> int:
        from . import experiments

        sizes = experiments.sizes_of(self.args.nlayers, self.args.nheads, self.args.d_model)
        runs = []
        for layers, heads, width in sizes:
            for number, (lr, gamma) in enumerate((lr, gamma) for lr in self.lrs for gamma in self.gammas):
                size = {"nlayers": layers, "nheads": heads, "d_model": width, "ff": 0}
                rates = {"initial_lr": lr, "gamma": gamma, "index": self.args.index + number}
                runs.append(replace(self.args, **size, **rates, no_timestamp=True))
        for args in runs:
            if (args.place / "run.json").exists() and not args.overwrite:
                raise CourseError(f"{args.place} is there already: choose another --index, or say --overwrite.")
        for found in experiments.sweep(runs, self.jobs, self.cluster):
            size = f"{found.args.nlayers} layers, {found.args.nheads} heads, width {found.args.d_model}"
            rates = f"lr {found.args.initial_lr:g}, gamma {found.args.gamma:g}"
            tqdm.write(f"{size}, {rates}: test accuracy {found.accuracy:.4f} ({found.seconds:.0f} s)", file=sys.stdout)
        return 0


@dataclass
class Table:
    """Accuracy at the program's size against one layer or one head fewer, at small settings, over several seeds."""

    tasks: tyro.conf.Positional[tuple[str, ...]] = ()  # none: all
    seeds: int = 3
    jobs: int = 1  # processes on this machine
    cluster: str | None = None  # address of a Dask scheduler, to run on its workers instead
    output: Path | None = None  # a JSON file for the rows

    def run(self) -> int:
        from . import experiments

        if self.seeds < 1:
            raise CourseError(f"seeds must be 1 or more, but it is {self.seeds}.")
        found: list = []
        try:
            for outcome in experiments.sweep(
                experiments.small_runs(self.tasks, self.seeds), self.jobs, self.cluster, save=False
            ):
                found.append(outcome)
        finally:  # after Ctrl-C too: what was measured is shown and kept
            if found:
                rows = experiments.size_table(found)
                print(experiments.show_table(rows))
                if self.output is not None:
                    write_json(self.output, {"rows": rows})
        return 0


@dataclass
class Match:
    """Train small models and compare their attention with the program's selectors, with and without supervision."""

    lang: str = "sort_10_bos_with_attns"
    heads: int = 1
    layers: int = 2
    epochs: int = 6
    seed: int = 0
    attn_c: tuple[float, ...] = (0.0, 100.0)  # weights of the attention loss, one run each

    def run(self) -> int:
        from . import experiments

        for weight in self.attn_c:
            args = experiments.small_args(self.lang, self.layers, self.heads, self.epochs, self.seed)
            accuracy, found = experiments.attention_match(replace(args, attn_loss_c=weight))
            print(f"{self.lang}, attention loss times {weight:g}: test accuracy {accuracy:.3f}")
            for entry in found:
                print(
                    f"  selector {entry['selector']}: {entry['score']:.2f} of the attention of head {entry['head']}"
                    f" is on selected keys; {entry['blind']:.2f} would be without looking"
                )
        return 0


@dataclass
class DrawAttention:
    """Draw where saved models look on a sequence, into maps/, and write what they answer."""

    lang: str
    sequence: str
    from_subfolder: str = ""
    must_contain: str = ""  # only runs whose folder's name contains it
    with_numbers: int = -1  # digits of the numbers written into the maps; -1: none
    size: float = 5.0  # of a map, in hundreds of pixels
    load_all: bool = False  # all runs; otherwise the last by name
    nested1_too: bool = False  # also the runs in the folders inside from_subfolder
    skip_colorbar: bool = False
    folder: Path = Path("lms")
    output: Path = Path("maps")

    def run(self) -> int:
        from .maps import draw, run_folders
        from .runs import load_run

        lang = language(self.lang)
        lang.encode(self.sequence)
        subfolders = [self.from_subfolder]
        if self.nested1_too:
            inside = sorted(path.parent for path in (self.folder / self.from_subfolder).glob(f"*/{lang.key}"))
            subfolders += [str(path.relative_to(self.folder)) for path in inside]
        found: list[Path] = []
        missing: CourseError | None = None
        for subfolder in subfolders:
            try:
                here = run_folders(self.folder, subfolder, self.lang, self.must_contain)
            except CourseError as error:
                missing = missing or error
                continue
            found += here if self.load_all else here[-1:]
        if not found:
            raise missing or CourseError(f"There is no saved run of {self.lang}.")
        for path in found:
            run = load_run(path)
            print(draw(run, path, self.sequence, self.output, self.with_numbers, self.size, not self.skip_colorbar))
        return 0


@dataclass
class Peep:
    """Show a language: an example, its target, and what its supervised heads are to select; without a name, all."""

    langs: tyro.conf.Positional[tuple[str, ...]] = ()
    seed: int = 0
    longest: int = 8  # length of the example at most

    def run(self) -> int:
        from .maps import peep

        if self.longest < 2:
            raise CourseError(f"longest must be 2 or more, but it is {self.longest}.")
        for key in self.langs or languages():
            print("\n".join(peep(key, self.seed, self.longest)))
        return 0


@dataclass
class Summary:
    """Tables of saved runs by size, best // mean // worst, into summaries/."""

    lang: str = "all"
    from_subfolder: str = ""
    epoch: int = 20  # validation accuracy after this epoch is shown too
    folder: Path = Path("lms")
    output: Path = Path("summaries")

    def run(self) -> int:
        from .maps import summaries

        if self.epoch < 1:
            raise CourseError(f"epoch must be 1 or more, but it is {self.epoch}.")
        for path in summaries(self.folder, self.from_subfolder, self.lang, self.output, self.epoch):
            if not path.stem.endswith(("_with_individuals", "_tiny")):
                print(path.read_text(encoding="utf-8"))
        return 0


COMMANDS = {
    "train": Train,
    "multirun": Multirun,
    "table": Table,
    "match": Match,
    "draw-attention": DrawAttention,
    "peep": Peep,
    "summary": Summary,
}
WITH_WORDS = ("train", "multirun")  # commands that also take lang=... heads=...
