"""Sweeps over processes or a cluster; the table of sizes: accuracy at the program's size and below (chapter 3)."""

import functools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from utils.course import CourseError
from utils.train import progress_bar, spread

from .languages import BOS
from .plots import matches
from .runs import train_run
from .settings import RunArgs

# Small settings that show the effects on a CPU: language -> (layers, heads) of the program, controls, epochs.
SMALL_TASKS: dict[str, tuple[tuple[tuple[int, int], ...], int]] = {
    "reverse_10": (((2, 1), (1, 1)), 5),
    "hist_10_bos": (((1, 1),), 5),
    "hist_10": (((1, 2), (1, 1)), 6),
    "sort_10": (((2, 1), (1, 1)), 4),
    "hist2_10": (((2, 2), (1, 2)), 10),
}


def sizes_of(layers: int, heads: int, d_model: int) -> list[tuple[int, int, int]]:
    """(layers, heads, d_model) of multirun: the size given, and up to three smaller ones.

    One head fewer where there are several; with several layers also one layer fewer, and that with twice the heads and
    width 512.
    """
    found = [(layers, heads, d_model)]
    if heads > 1:
        found.append((layers, heads - 1, d_model))
    if layers > 1:
        found += [(layers - 1, heads, d_model), (layers - 1, 2 * heads, max(512, 2 * d_model))]
    return [size for size in found if size[2] % size[1] == 0]


@dataclass
class Outcome:
    """What a sweep keeps of a run; the files hold the rest."""

    args: RunArgs
    accuracy: float
    longer: float | None
    seconds: float
    epochs: int


def one_run(args: RunArgs, save: bool) -> Outcome:
    """Train one run on one thread, in whatever process this is."""
    torch.set_num_threads(1)
    found = train_run(args, save=save)
    if found.interrupted:  # Ctrl-C ends the sweep, not only this run
        raise KeyboardInterrupt
    longer = found.final.get("longer", {}).get("accuracy")
    return Outcome(args, found.test_accuracy, longer, found.facts["seconds"], len(found.history))


def sweep(runs: Sequence[RunArgs], jobs: int = 1, cluster: str | None = None, save: bool = True) -> Iterator[Outcome]:
    """Train all runs in `jobs` processes of this machine, or on the Dask cluster at the address `cluster`.

    Yields each outcome as it is done. Raises CourseError for settings that can't be, before anything is trained.
    """
    for args in runs:
        args.check()
    work = functools.partial(one_run, save=save)
    with spread(work, runs, jobs, cluster) as found, progress_bar(total=len(runs), label="runs", unit="run") as bar:
        for outcome in found:
            bar.update(1)
            yield outcome


def small_args(lang: str, layers: int, heads: int, epochs: int, seed: int = 0) -> RunArgs:
    """The small settings of the table and the notebook: length 16 at most, width 64, 20,000 strings."""
    return RunArgs(
        lang,
        nheads=heads,
        nlayers=layers,
        d_model=64,
        batch_size=128,
        initial_lr=1e-3,
        gamma=0.9,
        n_epochs=epochs,
        longest=16,
        longer=32,
        n_train=20_000,
        clip=1.0,
        bucket=1,
        seed=seed,
        device="cpu",
    )


def small_runs(tasks: Sequence[str], seeds: int) -> list[RunArgs]:
    """Runs of the table of sizes: every size of every task with every seed. Raises CourseError for an unknown task."""
    found = []
    for seed in range(seeds):  # one seed of everything first, so that half a table is of use
        for task in tasks or SMALL_TASKS:
            if task not in SMALL_TASKS:
                raise CourseError(f"The table of sizes has no row {task!r}: choose among {', '.join(SMALL_TASKS)}.")
            sizes, epochs = SMALL_TASKS[task]
            found += [small_args(task, *size, epochs, seed) for size in sizes]
    return found


def size_table(outcomes: Sequence[Outcome]) -> list[dict]:
    """One row for each task and size: mean, lowest and highest test accuracy, accuracy on longer strings, seconds."""
    groups: dict[tuple[str, int, int], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.args.lang, outcome.args.nlayers, outcome.args.nheads), []).append(outcome)
    rows = []
    for (lang, layers, heads), found in groups.items():
        accuracies = [outcome.accuracy for outcome in found]
        longer = [outcome.longer for outcome in found if outcome.longer is not None]
        row = {"task": lang, "layers": layers, "heads": heads, "seeds": len(found)}
        row |= {"mean": statistics.mean(accuracies), "lowest": min(accuracies), "highest": max(accuracies)}
        row |= {"longer": statistics.mean(longer) if longer else None}
        rows.append(row | {"seconds": statistics.mean(outcome.seconds for outcome in found)})
    order = {task: place for place, task in enumerate(SMALL_TASKS)}
    return sorted(rows, key=lambda row: (order.get(row["task"], 99), -row["layers"] * 10 - row["heads"]))


def show_table(rows: Sequence[dict]) -> str:
    """The table of sizes as text."""
    lines = [
        f"{'task':12} {'layers':>6} {'heads':>5} {'accuracy':>9} {'lowest':>7} {'highest':>7} {'longer':>7} {'s':>5}"
    ]
    for row in rows:
        longer = "-" if row["longer"] is None else f"{row['longer']:.3f}"
        lines.append(
            f"{row['task']:12} {row['layers']:6} {row['heads']:5} {row['mean']:9.3f} {row['lowest']:7.3f}"
            f" {row['highest']:7.3f} {longer:>7} {row['seconds']:5.0f}"
        )
    lines.append("accuracy: mean over seeds on new strings up to length 16; longer: lengths 17 to 32; s: CPU seconds")
    return "\n".join(lines)


@torch.no_grad()
def attention_match(args: RunArgs, n: int = 200) -> tuple[float, list[dict]]:
    """Train a run without saving it and compare its heads with the program's: test accuracy, one dict a selector."""
    from .attention_targets import program_heads
    from .data import data_set

    with torch.enable_grad():
        found = train_run(args, save=False)
    lang = args.language
    data = data_set(lang, "test", n, args.longest, args.seed)
    (batch,) = data.batches(n)
    tokens, _, mask, _ = batch
    _, patterns = found.model(tokens.to(args.device), mask.to(args.device))
    heads = program_heads(lang.family, tokens, mask, lang.bos)
    # § selecting itself is not what is asked for: every model can do that
    real = mask & (tokens != lang.vocabulary - 1) if BOS and lang.bos else mask
    return found.test_accuracy, matches([p.cpu() for p in patterns], heads, real)
