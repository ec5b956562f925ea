"""The figures of plot types 0 to 3, from saved runs (chapter 4)."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

from utils.plot import Picture
from utils.plot import line as draw_line

from ..config import ALPHAS, PAPER_MODELS, Run, label
from ..theory import bayes_risk

Curves = Callable[[Run], Mapping[str, Sequence[float]]]
NOISY = tuple(alpha for alpha in ALPHAS if alpha)
FIGURE_1 = (
    ("reparam", "linear", 1),
    ("reparam", "softmax", 1),
    ("reparamW", "linear", 1),
    ("origin", "linear", 1),
    ("origin", "softmax", 1),
)
FIGURE_2 = (("reparam", "relu", 1), ("reparamW", "relu", 1), ("origin", "relu", 1))
LAYERS = (("reparam", "linear", 1), ("reparamW", "linear", 1), ("origin", "linear", 1))


def needed(plot: int, base: Run) -> list[Run]:
    """The runs that a plot type reads, all with the settings of `base` except model and alpha."""
    if plot == 0:
        chosen = [(model, alpha) for model in FIGURE_1 for alpha in (0.0, base.alpha or 0.5)]
    elif plot == 2:
        chosen = [(model, alpha) for model in PAPER_MODELS for alpha in ALPHAS]
    else:
        alphas = (base.alpha or 0.5,) if plot == 1 else NOISY
        chosen = [(model, alpha) for model in (FIGURE_2 if plot == 1 else LAYERS) for alpha in alphas]
    return [_of(base, model, alpha) for model, alpha in chosen]


def figures(plot: int, base: Run, curves: Curves) -> dict[str, Picture]:
    """The pictures of a plot type by file name without ending. `curves(run)`: the curves of a run."""
    return (_population, _finite, _every_model, _layers)[plot](base, curves)


def _of(base: Run, model: tuple[str, str, int], alpha: float) -> Run:
    return dataclasses.replace(base, model_type=model[0], kind=model[1], kappa=model[2], alpha=alpha)


def _name(base: Run, **settings) -> str:
    """A file name that carries what the figure depends on."""
    d = base.data
    parts = [f"{key}{value}" for key, value in settings.items()]
    finite = [f"fnsteps{base.finite_nsteps}"] if base.finite_nsteps else []
    sizes = [f"seed{base.seed}", f"lr{base.lr!r}", f"nsteps{base.nsteps}", *finite, f"batch{base.batch_size}"]
    return "-".join([*parts, *sizes, f"N{d.vocab_size}-H{d.H}-Q{d.Q}-Y{d.Y}-{base.rule}-{base.source}"])


def line(curves: Mapping[str, Sequence[float]], **settings) -> Picture:
    """A picture of `utils.plot.line` whose curves differ in their dashes too, and with the legend below."""
    measured = {name: [i for i, value in enumerate(values) if not math.isnan(value)] for name, values in curves.items()}
    shown = {name: [values[i] for i in measured[name]] for name, values in curves.items()}
    picture = draw_line(shown, xs={name: [i + 1 for i in at] for name, at in measured.items()}, **settings)
    for number, trace in enumerate(picture.figure.data):
        trace.line.dash = ("solid", "dash", "dot", "dashdot", "longdash")[number % 5]
    below = {"orientation": "h", "x": 0, "y": -0.3, "yanchor": "top"}  # under the name of the axis
    picture.figure.update_layout(legend=below, height=430, margin_b=130)
    return picture


def _level(alpha: float) -> dict[str, float]:
    return {"Bayes risk" if alpha == 0 else f"Bayes risk at alpha {alpha:g}": bayes_risk(alpha)}


def _population(base: Run, curves: Curves) -> dict[str, Picture]:
    """Plot type 0 (the paper's figure 1): five models, their loss, their loss on unseen outputs, a probability."""
    found = {}
    for alpha in (0.0, base.alpha or 0.5):
        data = {label(*model): curves(_of(base, model, alpha)) for model in FIGURE_1}
        noise = f"alpha {alpha:g}" if alpha else "no noise"
        token = "the noise token" if alpha else "the output"
        wanted = [label(*model) for model in FIGURE_1[:2]]
        for kind, key, names, title, y, levels, caption in (
            ("train", "risk", list(data), "Population loss", "loss (nats)", _level(alpha), "Loss on fresh sentences."),
            (
                "test",
                "ood_loss",
                list(data),
                "Loss on unseen outputs",
                "loss (nats)",
                _level(alpha),
                "Loss on sentences whose output was never an output in training.",
            ),
            (
                "prob",
                "ood_prob",
                wanted,
                f"Probability of {token}, unseen outputs",
                "probability",
                {"expected": alpha or 1.0},
                f"Mean probability given to {token} on unseen outputs.",
            ),
        ):
            picture = line(
                {name: data[name][key] for name in names},
                title=f"{title}, {noise}",
                x="iteration",
                y=y,
                levels=levels,
                caption=caption,
                height=420,
            )
            if kind == "prob":
                picture.figure.update_yaxes(range=[0, 1.05])
            found[_name(base, fig=f"-{kind}", noise=bool(alpha), alpha=alpha)] = picture
    return found


def _finite(base: Run, curves: Curves) -> dict[str, Picture]:
    """Plot type 1 (figure 2): models trained on a finite set, their population loss and loss on unseen outputs."""
    alpha = base.alpha or 0.5
    data = {label(*model): curves(_of(base, model, alpha)) for model in FIGURE_2}
    samples = base.finite_nsteps * base.batch_size
    return {
        _name(base, fig=f"-finite-{kind}", noise=True, alpha=alpha): line(
            {name: values[key] for name, values in data.items()},
            title=f"{title}, {samples} samples, alpha {alpha:g}",
            x="epoch",
            y="loss (nats)",
            levels=_level(alpha),
            caption=f"{title} of models that see the same {samples} sentences again and again.",
            height=420,
        )
        for kind, key, title in (("pop", "pop_loss", "Population loss"), ("test", "ood_loss", "Loss on unseen outputs"))
    }


def _every_model(base: Run, curves: Curves) -> dict[str, Picture]:
    """Plot type 2 (figures 3 to 9): each model on its own at four noise levels."""
    found = {}
    levels = {"Bayes risk, 0.2 and 0.8": bayes_risk(0.2), "Bayes risk, 0.5": bayes_risk(0.5)}
    for model in PAPER_MODELS:
        data = {f"alpha {alpha:g}" if alpha else "no noise": curves(_of(base, model, alpha)) for alpha in ALPHAS}
        for kind, key, title in (("poploss", "risk", "population loss"), ("testloss", "ood_loss", "unseen outputs")):
            found[_name(base, fig="", model=label(*model)) + f"-{kind}"] = line(
                {name: values[key] for name, values in data.items()},
                title=f"{label(*model)}, {title}, lr {base.lr:g}",
                x="iteration",
                y="loss (nats)",
                levels=levels,
                caption=f"{label(*model)} at four noise levels: {title}.",
                height=420,
            )
    return found


def _layers(base: Run, curves: Curves) -> dict[str, Picture]:
    """Plot type 3 (figures 10 to 12): what the attention layer and the feed-forward layer say, on a finite set."""
    found = {}
    for alpha in NOISY:
        for model in LAYERS:
            values = curves(_of(base, model, alpha))
            name = label(*model)
            pairs = {
                "attention": {"xi_A of y": values["xiA_y"], "largest xi_A": values["xiA_max"]},
                "feedforward": {"xi_F of tau": values["xiF_tau"], "largest xi_F": values["xiF_max"]},
                "loss": {"population loss": values["pop_loss"], "loss on unseen outputs": values["ood_loss"]},
            }
            says = {
                "attention": "Where the curves meet, the attention layer votes for y.",
                "feedforward": "Where the curves meet, the feed-forward layer votes for the noise token.",
                "loss": "Loss on fresh sentences and on unseen outputs.",
            }
            for kind, pair in pairs.items():
                found[_name(base, fig="-layerwise-finite", model=name, alpha=alpha) + f"-{kind}"] = line(
                    pair,
                    title=f"{name}, alpha {alpha:g}: {kind}",
                    x="epoch",
                    y="loss (nats)" if kind == "loss" else "mean logit",
                    levels=_level(alpha) if kind == "loss" else None,
                    caption=says[kind],
                    height=420,
                )
    return found
