"""Figures F1 to F10 of chapter 2. Each is a function (table, seed) -> Picture; those of training take a minute."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from utils.course import ROOT, CourseError
from utils.plot import Picture, bars, heatmap, line
from utils.plot.figures import label
from utils.plot.picture import DIVERGING, SEQUENTIAL, small, template
from utils.train import generator, progress_bar

from ..bigrams import BigramTable
from ..config import TrainerArgs
from ..memory import capacity_curve, gram_stats, random_embeddings
from ..model import BasicTransformer
from ..training import Trainer
from . import MEMORIES, T, full_lesson, heat_maps, lesson, train_run, with_snapshots
from .tables import outputs

PROBES = {"W_O²": "wo1_acc", "W_K²": "wk1_acc", "W_K¹": "wk0_acc"}


def _curve(history: list[dict], name: str) -> list[float]:
    return [entry[name] for entry in history]


def _reaches(history: list[dict], name: str, level: float = 0.5) -> str:
    """The first iteration of a measurement from which on it stays at or above the level, as text."""
    below = [n for n, entry in enumerate(history) if entry[name] < level]
    after = below[-1] + 1 if below else 0
    return f"at iteration {history[after]['step']}" if after < len(history) else "not at all"


def _ends(curves: Mapping[str, list[float]]) -> str:
    """The last value of each curve, as text."""
    return "; ".join(f"{name} {values[-1]:.2f}" for name, values in curves.items())


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
        caption="One half is reached for good: "
        + "; ".join(f"{paper} {_reaches(history, name)}" for paper, name in PROBES.items())
        + f"; accuracy {_reaches(history, 'acc_end_nonrep_test')}.",
    )


def _sweep(table: BigramTable, settings: Mapping[str, TrainerArgs], measured: str, title: str) -> Picture:
    """One curve for each setting, by its name."""
    curves, steps = {}, []
    for name, args in settings.items():
        history = train_run(args, table).history
        curves[name], steps = _curve(history, measured), _curve(history, "step")
    return line(
        curves,
        title=title,
        x="iteration",
        y="accuracy in context",
        xs=steps,
        caption=f"Accuracy at the last iteration: {_ends(curves)}.",
    )


def freezing(table: BigramTable, seed: int) -> Picture:
    settings = {}
    for names in ((), ("W_K¹",), ("W_K²",), ("W_K¹", "W_K²"), ("W_O²",)):
        until = ",".join(f"150:{MEMORIES[name]}" for name in names)
        called = f"{' and '.join(names)} frozen to 150" if names else "nothing frozen"
        settings[called] = lesson(301, seed, freeze_until=until)
    return _sweep(table, settings, "acc_end_test", "Learning goes from the top down")


def triggers(table: BigramTable, seed: int) -> Picture:
    settings = {
        "five most frequent": lesson(401, seed),
        "drawn per sequence": lesson(401, seed, fixed_special_toks=False),
        "ranks 21 to 25": lesson(401, seed, special_toks_offset=20),
    }
    return _sweep(table, settings, "acc_end_nonrep_test", "Which tokens are triggers")


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
        caption="Accuracy on uniform outputs: "
        + "; ".join(f"{name} {group['tested on uniform']:.2f}" for name, group in groups.items())
        + ".",
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
        caption=f"A quarter of the way, at iteration {history[len(history) // 4]['step']}, the loss is "
        + "; ".join(f"{values[len(history) // 4]:.2f} at {name}" for name, values in curves.items())
        + f". At the end: {_ends(curves)}.",
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
        off = (E @ E.T)[~torch.eye(len(E), dtype=torch.bool)].numpy()
        curves[f"d = {d}"] = np.histogram(off, bins=edges, density=True)[0]
        spreads.append(f"{gram_stats(E)[1]:.3f} at d = {d}")
    return line(
        curves,
        title="Inner products of different random embeddings",
        x="inner product",
        y="density",
        xs=(edges[1:] + edges[:-1]) / 2,
        caption=f"Wider vectors are nearer to orthogonal; standard deviations (about 1/√d): {', '.join(spreads)}.",
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
        caption=f"Recall of 256 random pairs is {values[2, 4]:.2f} at d = 64 and {values[3, 4]:.2f} at d = 128.",
    )


def circuit_diagram(table: BigramTable | None = None, seed: int = 0) -> Picture:
    """The drawing that the chapter opens with: what each layer moves where."""
    import plotly.graph_objects as go

    drawing = ROOT / "chapters" / "ch2_induction_heads" / "images" / "induction_circuit.svg"
    source = "data:image/svg+xml;base64," + base64.b64encode(drawing.read_bytes()).decode()
    figure = go.Figure()
    figure.add_layout_image(source=source, xref="paper", yref="paper", x=0, y=1, sizex=1, sizey=1)
    figure.update_layout(template=template(), title_text="An induction head", height=480)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    caption = "Layer 1 notes down which token came before; layer 2 finds the place that follows an earlier copy."
    alt = (
        "An induction head on the tokens Captain Orlova ... Captain: layer 1 looks one position back and writes at "
        "Orlova that Captain came before; layer 2 finds that place from the second Captain and raises Orlova's logit."
    )
    return Picture(figure, caption, alt)


def attention_maps(models: Mapping[str, Trainer], table: BigramTable, length: int = 32) -> Picture:
    """For each model, its last layer's pattern on one test sequence, the heads averaged."""
    from plotly.subplots import make_subplots

    titles = []
    for name, trainer in models.items():
        titles.append(f"{name}: accuracy {trainer.history[-1]['acc_end_test']:.2f}")
    figure = make_subplots(1, len(models), subplot_titles=titles)
    for column, trainer in enumerate(models.values(), start=1):
        tokens = trainer.test.x[:1, :length]
        with torch.no_grad():
            pattern = trainer.model.layer_scores(tokens, len(trainer.model.layers) - 1)[0].mean(dim=0)
        names = [label(table.characters[i]) for i in tokens[0].tolist()]
        places = list(range(length))
        figure.add_heatmap(
            z=small((pattern * 100).round().to(torch.uint8)),
            colorscale=SEQUENTIAL,
            zmin=0,
            zmax=100,
            showscale=column == len(models),
            colorbar={"title": {"text": "%"}, "thickness": 14},
            row=1,
            col=column,
        )
        figure.update_xaxes(tickvals=places, ticktext=names, row=1, col=column)
        figure.update_yaxes(tickvals=places, ticktext=names, autorange="reversed", row=1, col=column)
    figure.update_layout(template=template(), title_text="Last layer's attention", height=480, margin_t=90)
    figure.update_annotations(font_size=13)
    caption = "A trigger should look at what followed it before, which one layer alone cannot know."
    words = "; ".join(titles)
    return Picture(figure, caption, f"Heat maps of the last layer's attention on one sequence, {words}.")


def memory_maps(table: BigramTable, seed: int, steps: Iterable[int]) -> Picture:
    """The three memories, one row each, at several iterations of a run with triggers that change."""
    from plotly.subplots import make_subplots

    steps = sorted(steps)
    trainer, states = with_snapshots(lesson(steps[-1], seed, dim=128, fixed_special_toks=False), table, steps)
    model = BasicTransformer(trainer.model.args)
    names = ("W_O²", "W_K²", "W_K¹")
    titles = [f"{name}, iteration {step}" for name in names for step in steps]
    gap = {"vertical_spacing": 0.08, "horizontal_spacing": 0.02}
    figure = make_subplots(len(names), len(steps), subplot_titles=titles, **gap)
    for column, step in enumerate(steps, start=1):
        model.load_state_dict(states[step])
        for row, name in enumerate(names, start=1):
            values = heat_maps(model)[name]
            high = float(values.abs().max())
            figure.add_heatmap(
                z=small(values), colorscale=DIVERGING, zmin=-high, zmax=high, showscale=False, row=row, col=column
            )
    figure.update_xaxes(showticklabels=False, ticks="")
    figure.update_yaxes(showticklabels=False, ticks="", autorange="reversed")
    figure.update_annotations(font_size=11)
    figure.update_layout(template=template(), title_text="Three memories fill", height=640, margin_t=80)
    caption = f"Diagonals appear where pairs are stored: tokens in W_O² and W_K², the {T} positions, one off, in W_K¹."
    alt = (
        "Fifteen heat maps: the memories W_O², W_K² and W_K¹ at iterations "
        f"{', '.join(map(str, steps))}; diagonals appear in W_O² first and in W_K¹ last."
    )
    return Picture(figure, caption, alt)


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
