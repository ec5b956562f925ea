"""Figures F1 to F10 of chapter 2. Each is a function (table, seed) -> Picture; those of training take a minute."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from utils.course import CourseError
from utils.plot import Picture, bars, heatmap, line
from utils.train import generator, progress_bar

from .counts import BigramTable
from .experiments import MEMORIES, full_lesson, lesson, train_run
from .figures_maps import attention_maps, circuit_diagram, memory_maps
from .memory import capacity_curve, random_embeddings
from .table_parts import outputs

PROBES = {"W_O²": "wo1_acc", "W_K²": "wk1_acc", "W_K¹": "wk0_acc"}


def _curve(history: list[dict], name: str) -> list[float]:
    return [entry[name] for entry in history]


def training_curves(table: BigramTable, seed: int) -> Picture:
    history = train_run(lesson(301, seed, eval_delta=10), table).history
    curves = {"accuracy in context": _curve(history, "acc_end_nonrep_test")}
    curves |= {f"probe of {paper}": _curve(history, name) for paper, name in PROBES.items()}
    return line(
        curves,
        title="Three memories fill, then the head works",
        x="iteration",
        y="share",
        xs=_curve(history, "step"),
        caption="W_O² leaves chance first, then W_K², then W_K¹, and accuracy jumps when all three are there.",
    )


def freezing(table: BigramTable, seed: int) -> Picture:
    curves, steps = {}, []
    for names in ((), ("W_K¹",), ("W_K²",), ("W_K¹", "W_K²"), ("W_O²",)):
        until = ",".join(f"150:{MEMORIES[name]}" for name in names)
        history = train_run(lesson(301, seed, freeze_until=until), table).history
        curves[f"{' and '.join(names)} frozen to 150" if names else "nothing frozen"] = _curve(history, "acc_end_test")
        steps = _curve(history, "step")
    return line(
        curves,
        title="Learning goes from the top down",
        x="iteration",
        y="accuracy in context",
        xs=steps,
        caption="Whatever waits for a frozen memory above it starts late; without W_O² nothing moves at all.",
    )


def triggers(table: BigramTable, seed: int) -> Picture:
    curves, steps = {}, []
    kinds = {
        "five most frequent": {},
        "drawn per sequence": {"fixed_special_toks": False},
        "ranks 21 to 25": {"special_toks_offset": 20},
    }
    for name, changes in kinds.items():
        history = train_run(lesson(401, seed, **changes), table).history
        curves[name] = _curve(history, "acc_end_nonrep_test")
        steps = _curve(history, "step")
    return line(
        curves,
        title="Which tokens are triggers",
        x="iteration",
        y="accuracy in context",
        xs=steps,
        caption="Triggers that change are learned later than frequent fixed ones, and rare ones hardly at all.",
    )


def output_kinds(table: BigramTable, seed: int) -> Picture:
    rows = outputs(table, seed)
    groups = {
        f"trained on {kind} outputs": {
            "tested on the same": rows[f"trained on {kind} outputs: acc on them"],
            "tested on uniform": rows[f"trained on {kind} outputs: acc on uniform"],
            "probe of W_O²": rows[f"trained on {kind} outputs: wo1"],
        }
        for kind in ("bigram", "uniform")
    }
    return bars(
        groups,
        title="What the outputs were decides what W_O² stores",
        y="share",
        caption="Trained on outputs from the bigram table, the head fails on outputs it has rarely seen.",
    )


def two_losses(table: BigramTable, seed: int) -> Picture:
    settings = lesson(401, seed, final_ffn=True, loss_head_only=False, learning_rate=0.2)
    history = train_run(settings, table).history
    curves = {"bigram positions": _curve(history, "loss_bigram_test"), "in context": _curve(history, "loss_head_test")}
    return line(
        curves,
        title="The bigram table comes first",
        x="iteration",
        y="loss, nats",
        xs=_curve(history, "step"),
        levels={"uniform guess": float(np.log(table.vocab_size))},
        caption="Trained on all positions, the model knows the bigram table long before it can look things up.",
    )


def one_or_two_layers(table: BigramTable, seed: int) -> Picture:
    models = {
        f"{n} layer{'s' * (n > 1)}": train_run(full_lesson(501, seed, n_layers=n, fixed_special_toks=True), table)
        for n in (1, 2)
    }
    return attention_maps(models, table)


def memories(table: BigramTable, seed: int) -> Picture:
    return memory_maps(table, seed, (0, 50, 100, 150, 400))


def near_orthogonality(table: BigramTable, seed: int) -> Picture:
    edges = np.linspace(-0.6, 0.6, 61)
    curves, spreads = {}, []
    for d in (32, 128, 512):
        E = random_embeddings(400, d, generator(seed, d))
        gram = E @ E.T
        off = gram[~torch.eye(len(E), dtype=torch.bool)].numpy()
        curves[f"d = {d}"] = np.histogram(off, bins=edges, density=True)[0]
        spreads.append(f"{off.std():.3f} at d = {d}")
    return line(
        curves,
        title="Inner products of different random embeddings",
        x="inner product",
        y="density",
        xs=(edges[1:] + edges[:-1]) / 2,
        caption="The wider the vectors, the nearer to orthogonal: the spread is 1 / sqrt(d).",
        alt=f"Three bell curves around zero, narrower for wider vectors; standard deviation {', '.join(spreads)}.",
    )


def capacity(table: BigramTable, seed: int) -> Picture:
    ds, ns = (16, 32, 64, 128, 256), (16, 32, 64, 128, 256, 512, 1024)
    values = torch.tensor([capacity_curve(d, ns, [seed]) for d in ds])
    return heatmap(
        values,
        title="How much a d x d memory gives back",
        x="pairs stored, N",
        y="width, d",
        rows=[str(d) for d in ds],
        columns=[str(n) for n in ns],
        limits=(0.0, 1.0),
        show_values=True,
        caption="Top-1 recall of N random pairs: the limit grows faster than d, towards d² / (2 ln N).",
    )


FIGURES = {
    "F1": circuit_diagram,
    "F2": training_curves,
    "F3": freezing,
    "F4": triggers,
    "F5": output_kinds,
    "F6": two_losses,
    "F7": one_or_two_layers,
    "F8": memories,
    "F9": near_orthogonality,
    "F10": capacity,
}


def write(table: BigramTable, folder: Path, names: Iterable[str] = (), seed: int = 0) -> Iterator[Path]:
    """Draw figures (none named: all) into folder/F1.html, ...; yields each path.

    Raises CourseError for a figure that does not exist and a folder that cannot be written.
    """
    chosen = list(names) or list(FIGURES)
    for name in chosen:
        if name not in FIGURES:
            raise CourseError(f"There is no figure {name!r}: choose from {', '.join(FIGURES)}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in progress_bar(chosen, label="figures", unit="figure"):
            path = folder / f"{name}.html"
            FIGURES[name](table, seed).write(path)
            yield path
    except OSError as error:
        raise CourseError(f"{folder} cannot be written: {error.strerror or error}.") from None
