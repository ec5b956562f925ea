"""The circuit as a diagram, attention maps, and the three memories as heat maps (figures F1, F7, F8 of chapter 2)."""

from collections.abc import Iterable, Mapping

import torch

from utils.plot import Picture
from utils.plot.figures import label
from utils.plot.style import CATEGORIES, DIVERGING, SEQUENTIAL, small, template

from .basic import BasicTransformer
from .counts import BigramTable
from .experiments import T, heat_maps, lesson, with_snapshots
from .trainer import Trainer


def circuit_diagram(table: BigramTable | None = None, seed: int = 0) -> Picture:
    """The induction head on the tokens ... q o ... q: what each layer moves where."""
    import plotly.graph_objects as go

    tokens = ["...", "q", "o", "...", "q", "?"]
    figure = go.Figure()
    for row, name in enumerate(("tokens", "after layer 1", "after layer 2")):
        figure.add_annotation(x=-0.9, y=row, text=name, showarrow=False, xanchor="right")
        for place, token in enumerate(tokens):
            if token == "?" and row < 2:
                continue
            text = {(1, 2): "o, after q", (2, 4): "q, so: o", (2, 5): ""}.get((row, place), token)
            if text:
                figure.add_annotation(x=place, y=row, text=text, showarrow=False, bordercolor="#222222", borderpad=5)
    arrows = (
        (1, 0, 2, 1, CATEGORIES[0], "W_K¹: look one position back<br>and write w_1(q)", 0.55, 0.55),
        (2, 1, 4, 2, CATEGORIES[2], "W_K²: q looks for w_1(q)", 2.2, 1.6),
        (4, 2, 5, 2, CATEGORIES[5], "W_O²: say o", 4.75, 2.25),
    )
    for x0, y0, x1, y1, colour, text, at_x, at_y in arrows:
        ends = {"ax": x0 + 0.15, "ay": y0 + 0.12, "x": x1 - 0.15, "y": y1 - 0.12, "axref": "x", "ayref": "y"}
        if y0 == y1:
            ends |= {"ax": x0 + 0.45, "ay": y0, "x": x1 - 0.15, "y": y1}
        figure.add_annotation(**ends, text="", arrowhead=3, arrowwidth=2.5, arrowcolor=colour, showarrow=True)
        figure.add_annotation(x=at_x, y=at_y, text=text, showarrow=False, font={"color": colour}, xanchor="center")
    figure.add_annotation(x=5, y=2, text="o", showarrow=False, bordercolor=CATEGORIES[5], borderpad=5)
    axis = {"visible": False}
    figure.update_layout(template=template(), title_text="An induction head", height=380, xaxis=axis, yaxis=axis)
    figure.update_xaxes(range=[-2.2, 5.7])
    figure.update_yaxes(range=[-0.5, 2.6])
    caption = (
        "Layer 1 writes at o that q came before; layer 2 lets a later q find that place and copy what stands there."
    )
    alt = (
        "Diagram of an induction head on the tokens q o ... q: the first layer looks one position back and writes "
        "w_1(q) at o, the second looks from the later q to that place, and its output map makes that the logit of o."
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
    caption = "With two layers a trigger looks at what followed it before; one layer alone cannot know what that was."
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
