"""Figures that answer controls, for models that can be computed at once: sentences, losses, tables, operations.

Each takes the learner's own functions or numbers and returns an Explorer; a cell that ends in it shows it. Every
control works by keyboard, and the text alternative says in numbers what the figure shows.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from utils.course import CourseError
from utils.plot.figures import heatmap, line, named, plain_figure
from utils.plot.picture import CATEGORIES, SEQUENTIAL, Picture, small
from utils.plot.widget import Explorer, explore

RIGHT = "y, the right answer"
ROLES = {"filler": "#BBBBBB", "trigger": CATEGORIES[0], RIGHT: CATEGORIES[2], "noise token": CATEGORIES[5]}  # colours
LAMBDAS = [step / 4 for step in range(61)]  # 0, 0.25, ..., 15


def embedding(x, tokens: Sequence[int], words: Sequence[str]) -> Picture:
    """The vectors `x` (T, 2N) of the positions of a sentence, by what their columns mean."""
    return heatmap(
        x,
        title=f"The sentence “{' '.join(words[token] for token in tokens)}”, embedded by you",
        x="left: the token here; right: the token before",
        y="position",
        rows=[f"{h}: {words[token]}" for h, token in enumerate(tokens)],
        columns=[*words, *(f"after {word}" for word in words)],
        limits=(0, 1),
        caption="Each row has one 1 in either half, except for position 0, which has nothing before it.",
    )


def roles(tokens: Sequence[int], tau: int) -> list[str]:
    """The part of each token, a key of ROLES; the last token is the query."""
    found = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        plain = RIGHT if before == tokens[-1] else "filler"
        found.append("trigger" if token == tokens[-1] else "noise token" if token == tau else plain)
    return found


def sentence_strip(tokens: Sequence[int], words: Sequence[str], read: Callable[[float, str], tuple]) -> Explorer:
    """A sentence with the attention weight of each position, for a Lambda and a kind of attention to choose.

    `tokens`: T token ids; `words`: what they mean, the noise token last; `read(lam, kind)`: the weights (T,) and the
    probabilities (N,) of the next token.
    """
    tokens, tau = [int(token) for token in tokens], len(words) - 1
    y = tokens[roles(tokens, tau).index(RIGHT)]

    def draw(Lambda: float, attention: str) -> Picture:
        weights, chances = (small(values) for values in read(Lambda, attention))
        bars = {words[y]: chances[y], words[tau]: chances[tau], "others": 1 - chances[y] - chances[tau]}
        title = (
            f"Lambda = {Lambda:g}, {attention}: P({words[y]}) = {chances[y]:.3f}, P({words[tau]}) = {chances[tau]:.3f}"
        )
        return _strip(tokens, words, weights, {"next token": bars}, title)

    return explore(draw, {"Lambda": LAMBDAS[:41], "attention": ("linear", "softmax", "relu")}, {"Lambda": 3.0})


def answers(sentence: str, words: Sequence[str], models: Mapping, read: Callable) -> Picture:
    """Where models with the same attention look in a sentence, and the three words each of them expects next.

    `models` by name; `read(model, tokens)`: the weights (T,) and the probabilities (N,) of the next token.
    """
    unknown = [word for word in sentence.split() if word not in words]
    if unknown:
        raise CourseError(f"{unknown[0]!r} is not one of the model's words: {' '.join(words)}.")
    tokens = [list(words).index(word) for word in sentence.split()]
    panels, said = {}, []
    for name, model in models.items():
        weights, chances = (small(values) for values in read(model, tokens))
        panels[name] = {words[k]: float(chances[k]) for k in np.argsort(-chances)[:3]}
        best = next(iter(panels[name]))
        said.append(f"{name}: {best}, {panels[name][best]:.1%}")
    return _strip(tokens, words, weights, panels, "; ".join(said))


def _strip(tokens, words, weights, panels: Mapping[str, Mapping[str, float]], title: str) -> Picture:
    """Attention weights over a sentence on the left, and on the right the probabilities of some next tokens."""
    import plotly.graph_objects as go

    parts = roles(tokens, len(words) - 1)
    own = sorted(zip(tokens, parts, strict=True), key=lambda pair: pair[1] == RIGHT)
    colour_of = {words[token]: ROLES[part] for token, part in own}
    traces = []
    for part, colour in ROLES.items():
        places = [h for h, own in enumerate(parts) if own == part]
        if places:
            traces.append(go.Bar(x=places, y=weights[places], name=part, marker_color=colour, width=0.8))
    layout, width = {}, 0.17
    for number, (name, chances) in enumerate(panels.items(), 2):
        colours = [colour_of.get(word, ROLES["filler"]) for word in chances]
        digits = 2 if len(panels) == 1 else 3
        bars = labelled_bars(chances, colours, digits=digits)
        traces.append(bars.update(xaxis=f"x{number}", yaxis=f"y{number}", showlegend=False))
        right = 1 - (len(panels) + 1 - number) * (width + 0.05)
        layout[f"xaxis{number}"] = {"domain": [right - width, right], "showgrid": False, "title": {"text": name}}
        layout[f"xaxis{number}"] |= {"type": "category", "anchor": f"y{number}"}
        layout[f"yaxis{number}"] = {"anchor": f"x{number}", "range": [0, 1.08]}
    layout["yaxis2"]["title"] = {"text": "probability"}
    figure = plain_figure(traces, title, "the sentence, word by word; the query comes last", "attention weight", 380)
    ticks = {**named([words[token] for token in tokens]), "tickangle": -60, "tickfont": {"size": 11}}
    figure.update_layout(
        barmode="overlay",
        bargap=0.15,
        legend={"orientation": "h", "y": 1.09, "x": 0},
        margin_t=80,
        xaxis={"domain": [0, 0.97 - len(panels) * (width + 0.05)], "range": [-0.6, len(tokens) - 0.4], **ticks},
        xaxis_showgrid=False,
        **layout,
    )
    top = int(np.argmax(np.abs(weights)))
    largest = f"the largest weight, {weights[top]:.2g}, is on “{words[tokens[top]]}” ({parts[top]})"
    noise = sum(float(weight) for weight, own in zip(weights, parts, strict=True) if own == "noise token")
    listed = "; ".join(f"{name}: {', '.join(f'{w} {p:.3f}' for w, p in bars.items())}" for name, bars in panels.items())
    alt = (
        f"Bar chart, {title}. At position {top}, {largest}; the noise token's weights add up to {noise:.3g}. {listed}."
    )
    return Picture(figure, f"Left: where the query looks; {largest}. Right: the next word.", alt)


def endings(
    curves: Mapping[str, Sequence], lams: Sequence[float], levels: Mapping[str, float] | None = None
) -> Picture:
    """Measured losses of some models over Lambda, alone or with the levels that were derived for them."""
    lowest = ", ".join(f"{min(values):.2f} ({name})" for name, values in curves.items())
    ends = ", ".join(f"{values[-1]:.2f} ({name})" for name, values in curves.items())
    said = f"At Lambda = {lams[-1]:g} the curves are at {ends}. Their lowest points are {lowest}."
    if levels:
        marks = ", ".join(f"{value:.2f} ({name})" for name, value in levels.items())
        said = f"The lowest points of the curves are {lowest}; your levels are {marks}."
    title = "The measured curves and your levels" if levels else "Measured, not derived: the loss of three models"
    given = {"xs": lams, "levels": levels, "x": "Lambda", "y": "loss (nats)", "caption": said}
    return line(curves, title=f"{title}, alpha = 0.2", **given)


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
