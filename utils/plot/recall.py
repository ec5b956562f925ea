"""Figures that answer controls, for models that can be computed at once: sentences, losses, tables, operations.

Each takes the learner's own functions or numbers and returns an Explorer; a cell that ends in it shows it. Every
control works by keyboard, and the text alternative says in numbers what the figure shows.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from utils.plot.figures import _figure, line
from utils.plot.picture import Picture
from utils.plot.style import CATEGORIES, SEQUENTIAL, small
from utils.plot.widget import Explorer

KINDS = ("linear", "softmax", "relu")
# of a token's part in a sentence: colour and name
ROLES = {
    "filler": "#BBBBBB",
    "trigger": CATEGORIES[0],
    "y, the right answer": CATEGORIES[2],
    "noise token": CATEGORIES[5],
}


def chooser(pictures: Mapping[str, Callable[[], Picture]], description: str) -> Explorer:
    """One of several pictures, by a drop-down; `pictures`: what draws it, by the name to choose it by."""
    names = list(pictures)

    def controls() -> dict:
        import ipywidgets as widgets

        return {"choice": widgets.Dropdown(options=names, description=description, layout={"width": "24em"})}

    return Explorer(lambda choice=names[0]: pictures[choice](), controls)


def sentence_strip(
    tokens: Sequence[int],
    roles: Sequence[str],
    read: Callable[[float, str], tuple],
    *,
    y: int,
    tau: int,
    lam: float = 3.0,
    limit: float = 10.0,
) -> Explorer:
    """A sentence with the attention weight of each position, for a Lambda and a kind of attention to choose.

    `tokens`: T token ids; `roles`: T keys of ROLES; `read(lam, kind)`: the weights (T,) and the probabilities (N,) of
    the next token. The panel on the right shows the probabilities of `y`, of `tau` and of all others together.
    """
    import plotly.graph_objects as go

    tokens = [int(token) for token in tokens]
    start = lam

    def draw(lam: float = start, kind: str = KINDS[0]) -> Picture:
        weights, probabilities = (small(values) for values in read(lam, kind))
        traces = []
        for role, colour in ROLES.items():
            places = [h for h, own in enumerate(roles) if own == role]
            if places:
                traces.append(go.Bar(x=places, y=weights[places], name=role, marker_color=colour, width=0.8))
        shares = {"y": probabilities[y], "tau": probabilities[tau]}
        shares["others"] = 1 - shares["y"] - shares["tau"]
        colours = [ROLES["y, the right answer"], ROLES["noise token"], ROLES["filler"]]
        traces.append(
            go.Bar(
                x=list(shares),
                y=list(shares.values()),
                marker_color=colours,
                xaxis="x2",
                yaxis="y2",
                showlegend=False,
                text=[f"{share:.2f}" for share in shares.values()],
                textposition="outside",
                cliponaxis=False,
            )
        )
        top = max(int(np.argmax(np.abs(weights))), 0)
        title = f"Lambda = {lam:g}, {kind}: P(y) = {shares['y']:.3f}, P(tau) = {shares['tau']:.3f}"
        figure = _figure(traces, title, "the sentence, token by token; the query stands last", "attention weight", 360)
        ticks = {"tickvals": list(range(len(tokens))), "ticktext": tokens, "tickangle": 0, "tickfont": {"size": 10}}
        figure.update_layout(
            barmode="overlay",
            bargap=0.15,
            legend={"orientation": "h", "y": 1.09, "x": 0},
            margin_t=80,
            xaxis={"domain": [0, 0.76], "showgrid": False, **ticks},
            xaxis2={"domain": [0.84, 1], "showgrid": False, "title": {"text": "next token"}},
            yaxis2={"anchor": "x2", "range": [0, 1.08], "title": {"text": "probability"}},
        )
        words = (
            f"Bar chart, {title}. The largest weight, {weights[top]:.3g}, is at position {top}, on token {tokens[top]} "
            f"({roles[top]}); the noise token's weights add up to "
            f"{sum(float(weights[h]) for h, own in enumerate(roles) if own == 'noise token'):.3g}."
        )
        return Picture(figure, "Left: where the query looks. Right: what the model expects next.", words)

    def controls() -> dict:
        import ipywidgets as widgets

        wide = {"width": "26em"}
        return {
            "lam": widgets.FloatSlider(
                value=start, min=0, max=limit, step=0.25, description="Lambda", continuous_update=False, layout=wide
            ),
            "kind": widgets.Dropdown(options=KINDS, description="attention", layout={"width": "14em"}),
        }

    return Explorer(draw, controls)


def loss_explorer(
    curve: Callable[[Sequence[float], float, int, int], Sequence[float]],
    levels: Callable[[float, int, int], Mapping[str, float]],
    *,
    alphas: Sequence[float] = (0.1, 0.2, 0.5, 0.8, 0.9),
    sizes: Sequence[int] = (24, 60, 1000),
    limit: float = 15.0,
) -> Explorer:
    """A loss in closed form over Lambda, for a noise level, a vocabulary and a kappa to choose, and a marker to move.

    `curve(lams, alpha, N, kappa)` gives the losses; `levels(alpha, N, kappa)` lines by name, the Bayes risk as "Bayes
    risk".
    """
    import plotly.graph_objects as go

    xs = np.linspace(0, limit, 121)

    def draw(alpha: float = alphas[1], N: int = sizes[0], kappa: int = 1, lam: float = 3.0) -> Picture:
        here, marks = float(curve([lam], alpha, N, kappa)[0]), levels(alpha, N, kappa)
        excess = here - marks["Bayes risk"]
        title = f"Lambda = {lam:g}: loss {here:.4f}, {excess:.4f} above the Bayes risk"
        picture = line(
            {"closed form": curve(xs.tolist(), alpha, N, kappa)},
            xs=xs.tolist(),
            levels=marks,
            title=title,
            x="Lambda",
            y="expected loss (nats)",
            caption="Your closed form; the ring is at the Lambda of the slider.",
            alt=f"Line chart, alpha {alpha:g}, N {N}, kappa {kappa}. {title}. "
            + "; ".join(f"{name} is at {value:.4f}" for name, value in marks.items()),
        )
        ring = {"size": 12, "color": "white", "line": {"width": 3, "color": CATEGORIES[5]}}
        picture.figure.add_trace(go.Scatter(x=[lam], y=[here], mode="markers", marker=ring, name="here"))
        return picture

    def controls() -> dict:
        import ipywidgets as widgets

        narrow = {"width": "12em"}
        sees = (("query and attention (FA)", 1), ("the query only (F)", 0))
        return {
            "alpha": widgets.Dropdown(options=alphas, value=alphas[1], description="alpha", layout=narrow),
            "N": widgets.Dropdown(options=sizes, description="N", layout=narrow),
            "kappa": widgets.Dropdown(options=sees, description="F reads", layout={"width": "24em"}),
            "lam": widgets.FloatSlider(
                value=3, min=0, max=limit, step=0.25, description="Lambda", layout={"width": "26em"}
            ),
        }

    return Explorer(draw, controls)


def excess_map(
    tables: Mapping[str, Sequence[Sequence[float]]], *, rows: Sequence[str], columns: Sequence[str], title: str
) -> Explorer:
    """Losses above the best possible, models by settings, one table at a time; colours by the logarithm, numbers as
    they are.

    `tables`: each (len(rows), len(columns)), by the name to choose it by; all share one scale of colours.
    """
    import plotly.graph_objects as go

    names = list(tables)
    arrays = {name: np.asarray(table, dtype=np.float32) for name, table in tables.items()}

    def colour(values):
        return np.log10(np.clip(values, 0.01, None))

    def words_of(values):
        return np.vectorize(lambda value: f"{value:.2f}".replace("-0.00", "0.00"))(values)

    top = max(float(colour(array).max()) for array in arrays.values())

    def draw(outputs: str = names[0]) -> Picture:
        values = arrays[outputs]
        marks = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]
        bar = {"tickvals": np.log10(marks), "ticktext": marks, "title": {"text": "nats"}, "thickness": 14}
        trace = go.Heatmap(
            z=colour(values),
            x=list(columns),
            y=list(rows),
            text=words_of(values),
            colorscale=SEQUENTIAL,
            zmin=-2,
            zmax=top,
            colorbar=bar,
            hovertemplate="%{y}, %{x}: %{text} nats above<extra></extra>",
        )
        bright = (colour(values).ravel() + 2) / (top + 2) > 0.47  # Cividis turns light about here
        shades = ["black" if light else "white" for light in bright]
        words = go.Scatter(
            x=list(columns) * len(rows),
            y=[row for row in rows for _ in columns],
            text=words_of(values).ravel(),
            mode="text",
            textfont={"color": shades, "size": 13},
            hoverinfo="skip",
        )
        figure = _figure([trace, words], f"{title}: {outputs}", "", "", 120 + 27 * len(rows), showlegend=False)
        figure.update_yaxes(autorange="reversed", showgrid=False)
        figure.update_xaxes(type="category", showgrid=False)
        good = [row for row, line_ in zip(rows, values, strict=True) if line_.max() < 0.05]
        words = f"Heat map, {title}, {outputs}. Below 0.05 everywhere: {', '.join(good) or 'no model'}. " + "; ".join(
            f"{row} {', '.join(words_of(values[i]))}" for i, row in enumerate(rows)
        )
        return Picture(figure, "Nats above the Bayes risk; dark is good. Switch between the tables.", words)

    def controls() -> dict:
        import ipywidgets as widgets

        return {"outputs": widgets.ToggleButtons(options=names, description="test on", style={"button_width": "14em"})}

    return Explorer(draw, controls)


def surgery_panel(
    patients: Sequence[str],
    operate: Callable[[str, frozenset[str]], Mapping[str, float]],
    cuts: Mapping[str, str],
    *,
    level: Callable[[str], float],
) -> Explorer:
    """Losses of a trained model after operations to tick, on outputs seen in training and never seen.

    `operate(patient, chosen)`: the losses by name; `cuts`: what each operation's box says, by its key; `level`: the
    lowest possible loss for a patient. Keys are Python names.
    """
    import plotly.graph_objects as go

    patients = list(patients)

    def draw(patient: str = patients[0], **ticked: bool) -> Picture:
        chosen = frozenset(key for key, on in ticked.items() if on)
        losses, best = operate(patient, chosen), level(patient)
        done = ", ".join(cuts[key] for key in cuts if key in chosen) or "nothing cut"
        title = f"{patient}; {done}"
        values = np.asarray(list(losses.values()), dtype=np.float32)
        bar = go.Bar(
            x=list(losses),
            y=values,
            marker_color=list(CATEGORIES[: len(values)]),
            text=[f"{value:.3f}" for value in values],
            textposition="outside",
            cliponaxis=False,
        )
        figure = _figure(bar, title, "", "loss (nats)", 340)
        figure.update_yaxes(range=[0, max(1.15 * float(values.max()), 1.0)])
        figure.add_hline(y=best, line={"dash": "dash", "color": "#555555"})
        words = f"Bar chart, {title}: " + ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
        return Picture(
            figure, "Loss of the model after what is ticked; the dashed line is the Bayes risk.", f"{words}."
        )

    def controls() -> dict:
        import ipywidgets as widgets

        boxes = {
            key: widgets.Checkbox(value=False, description=text, indent=False, layout={"width": "17em"})
            for key, text in cuts.items()
        }
        model = widgets.Dropdown(options=patients, description="model", layout={"width": "24em"})
        return {"patient": model, **boxes}

    return Explorer(draw, controls)
