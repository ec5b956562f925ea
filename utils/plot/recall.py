"""Figures that answer controls, for models that can be computed at once: sentences, losses, tables, operations.

Each takes the learner's own functions or numbers and returns an Explorer; a cell that ends in it shows it. Every
control works by keyboard, and the text alternative says in numbers what the figure shows.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from utils.plot.figures import line, named, plain_figure
from utils.plot.picture import CATEGORIES, SEQUENTIAL, Picture, small
from utils.plot.widget import Explorer, explore

# of a token's part in a sentence: colour and name
ROLES = {
    "filler": "#BBBBBB",
    "trigger": CATEGORIES[0],
    "y, the right answer": CATEGORIES[2],
    "noise token": CATEGORIES[5],
}
LAMBDAS = [step / 4 for step in range(61)]  # 0, 0.25, ..., 15


def sentence_strip(
    tokens: Sequence[int], roles: Sequence[str], read: Callable[[float, str], tuple], *, y: int, tau: int
) -> Explorer:
    """A sentence with the attention weight of each position, for a Lambda and a kind of attention to choose.

    `tokens`: T token ids; `roles`: T keys of ROLES; `read(lam, kind)`: the weights (T,) and the probabilities (N,) of
    the next token. The panel on the right shows the probabilities of `y`, of `tau` and of all others together.
    """
    import plotly.graph_objects as go

    tokens = [int(token) for token in tokens]

    def draw(Lambda: float, attention: str) -> Picture:
        weights, probabilities = (small(values) for values in read(Lambda, attention))
        traces = []
        for role, colour in ROLES.items():
            places = [h for h, own in enumerate(roles) if own == role]
            if places:
                traces.append(go.Bar(x=places, y=weights[places], name=role, marker_color=colour, width=0.8))
        shares = {"y": probabilities[y], "tau": probabilities[tau]}
        shares["others"] = 1 - shares["y"] - shares["tau"]
        colours = [ROLES["y, the right answer"], ROLES["noise token"], ROLES["filler"]]
        traces.append(labelled_bars(shares, colours, digits=2).update(xaxis="x2", yaxis="y2", showlegend=False))
        top = int(np.argmax(np.abs(weights)))
        title = f"Lambda = {Lambda:g}, {attention}: P(y) = {shares['y']:.3f}, P(tau) = {shares['tau']:.3f}"
        ticks = {**named(tokens), "tickangle": 0, "tickfont": {"size": 10}}
        figure = plain_figure(
            traces, title, "the sentence, token by token; the query comes last", "attention weight", 360
        )
        figure.update_layout(
            barmode="overlay",
            bargap=0.15,
            legend={"orientation": "h", "y": 1.09, "x": 0},
            margin_t=80,
            xaxis={"domain": [0, 0.76], "showgrid": False, **ticks},
            xaxis2={"domain": [0.84, 1], "showgrid": False, "title": {"text": "next token"}},
            yaxis2={"anchor": "x2", "range": [0, 1.08], "title": {"text": "probability"}},
        )
        noise = sum(float(weight) for weight, own in zip(weights, roles, strict=True) if own == "noise token")
        words = (
            f"Bar chart, {title}. The largest weight, {weights[top]:.3g}, is at position {top}, on token {tokens[top]} "
            f"({roles[top]}); the noise token's weights add up to {noise:.3g}."
        )
        caption = (
            f"Left: where the query looks; the largest weight, {weights[top]:.2g}, is on token {tokens[top]} "
            f"({roles[top]}). Right: what the model expects next."
        )
        return Picture(figure, caption, words)

    return explore(draw, {"Lambda": LAMBDAS[:41], "attention": ("linear", "softmax", "relu")}, {"Lambda": 3.0})


def loss_explorer(
    curve: Callable[[Sequence[float], float, int, int], Sequence[float]],
    levels: Callable[[float, int, int], Mapping[str, float]],
) -> Explorer:
    """A loss in closed form over Lambda, for a noise level, a vocabulary and a kappa to choose, and a marker to move.

    `curve(lams, alpha, N, kappa)` gives the losses; `levels(alpha, N, kappa)` lines by name, the Bayes risk as "Bayes
    risk".
    """
    import plotly.graph_objects as go

    def draw(alpha: float, N: int, F_reads: int, Lambda: float) -> Picture:
        here, marks = float(curve([Lambda], alpha, N, F_reads)[0]), levels(alpha, N, F_reads)
        title = f"Lambda = {Lambda:g}: loss {here:.4f}, {here - marks['Bayes risk']:.4f} above the Bayes risk"
        picture = line(
            {"closed form": curve(LAMBDAS, alpha, N, F_reads)},
            xs=LAMBDAS,
            levels=marks,
            title=title,
            x="Lambda",
            y="expected loss (nats)",
            caption=f"Your closed form, with a ring at Lambda = {Lambda:g}, where the loss is {here:.4f}.",
            alt=f"Line chart, alpha {alpha:g}, N {N}, kappa {F_reads}. {title}. "
            + "; ".join(f"{name} is at {value:.4f}" for name, value in marks.items()),
        )
        ring = {"size": 12, "color": "white", "line": {"width": 3, "color": CATEGORIES[5]}}
        picture.figure.add_trace(go.Scatter(x=[Lambda], y=[here], mode="markers", marker=ring, name="here"))
        return picture

    choices = {"alpha": (0.1, 0.2, 0.5, 0.8, 0.9), "N": (24, 60, 1000)}
    choices["F_reads"] = (("query and attention (FA)", 1), ("the query only (F)", 0))
    return explore(draw, {**choices, "Lambda": LAMBDAS}, {"alpha": 0.2, "Lambda": 3.0})


def excess_map(
    tables: Mapping[str, Sequence[Sequence[float]]], *, rows: Sequence[str], columns: Sequence[str], title: str
) -> Explorer:
    """Losses above the best possible, models by settings, one table at a time; colours by the logarithm, numbers as
    they are.

    `tables`: each (len(rows), len(columns)), by the name to choose it by; all share one scale of colours.
    """
    import plotly.graph_objects as go

    def colour(values):
        return np.log10(np.clip(values, 0.01, None))

    arrays = {name: np.asarray(table, dtype=np.float32) for name, table in tables.items()}
    top = max(float(colour(array).max()) for array in arrays.values())
    marks = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]
    bar = {"tickvals": np.log10(marks), "ticktext": marks, "title": {"text": "nats"}, "thickness": 14}

    def draw(test_on: str) -> Picture:
        values = arrays[test_on]
        told = np.vectorize(lambda value: f"{value:.2f}".replace("-0.00", "0.00"))(values)
        trace = go.Heatmap(
            z=colour(values),
            x=list(columns),
            y=list(rows),
            text=told,
            texttemplate="%{text}",
            colorscale=SEQUENTIAL,
            zmin=-2,
            zmax=top,
            colorbar=bar,
            hovertemplate="%{y}, %{x}: %{text} nats above<extra></extra>",
        )
        figure = plain_figure(trace, f"{title}: {test_on}", "", "", 120 + 27 * len(rows))
        figure.update_yaxes(autorange="reversed", showgrid=False)
        figure.update_xaxes(type="category", showgrid=False)
        good = [row for row, excess in zip(rows, values, strict=True) if excess.max() < 0.05]
        words = f"Heat map, {title}, {test_on}. Below 0.05 everywhere: {', '.join(good) or 'no model'}. "
        words += "; ".join(f"{row} {', '.join(line)}" for row, line in zip(rows, told, strict=True))
        caption = (
            f"Nats above the Bayes risk; dark is close to it. Within 0.05 everywhere: {', '.join(good) or 'no model'}."
        )
        return Picture(figure, caption, words)

    return explore(draw, test_on=list(tables))


def surgery_panel(
    patients: Sequence[str],
    operate: Callable[[str, frozenset[str]], Mapping[str, float]],
    cuts: Mapping[str, str],
    *,
    level: Callable[[str], float],
) -> Explorer:
    """Losses of a trained model after operations to tick, on outputs seen in training and never seen.

    `operate(patient, chosen)`: the losses by name; `cuts`: what each operation's box says, by its key; `level`: the
    lowest possible loss for a patient.
    """

    def draw(model: str, **ticked: bool) -> Picture:
        chosen = frozenset(key for key, text in cuts.items() if ticked[text])
        losses = operate(model, chosen)
        title = f"{model}; {', '.join(cuts[key] for key in cuts if key in chosen) or 'nothing cut'}"
        figure = plain_figure(labelled_bars(losses, CATEGORIES, digits=3), title, "", "loss (nats)", 340)
        figure.update_yaxes(range=[0, max(1.15 * max(losses.values()), 1.0)])
        figure.add_hline(y=level(model), line={"dash": "dash", "color": "#888888"})
        words = f"Bar chart, {title}: " + ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
        after = " and ".join(f"{value:.2f} on {name}" for name, value in losses.items())
        return Picture(
            figure, f"The loss is {after}; the dashed line is the Bayes risk, {level(model):.2f}.", f"{words}."
        )

    return explore(draw, {"model": list(patients), **dict.fromkeys(cuts.values(), (False, True))})


def labelled_bars(values: Mapping[str, float], colours: Sequence[str], digits: int):
    """Bars with their numbers above them."""
    import plotly.graph_objects as go

    return go.Bar(
        x=list(values),
        y=np.asarray(list(values.values()), dtype=np.float32),
        marker_color=list(colours[: len(values)]),
        text=[f"{value:.{digits}f}" for value in values.values()],
        textposition="outside",
        cliponaxis=False,
    )
