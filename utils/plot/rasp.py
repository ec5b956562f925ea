"""A RASP program's run as a picture: a row of heat maps per layer, what they read and give beneath (chapter 3)."""

import html
from collections.abc import Mapping, Sequence

from utils.plot.picture import Picture
from utils.plot.style import template

CHOSEN = [[0, "#EEEEEE"], [1, "#0072B2"]]
FLAT = [[0, "#F7F7F7"], [1, "#F7F7F7"]]
CELL = 24  # pixels of a row of values
WORDS = 88  # letters that fit side by side above the heat maps of a layer


def rasp_picture(trace: Mapping, title: str = "", caption: str = "") -> Picture:
    """The picture of a trace: {"input", "result", "layers": [{"heads", "steps"}]}, all as plain lists and text.

    One row per layer of one heat map per head (query rows, key columns); under each what the head reads (per key) and
    gives (per query), then what is computed position by position.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    letters, layers = trace["input"], trace["layers"]
    columns = max([len(layer["heads"]) for layer in layers] + [1])
    grid = CELL * max(len(letters), 4)
    rows = []  # (kind, layer, height)
    for number, layer in enumerate(layers):
        if layer["heads"]:
            rows += [("maps", number, grid), ("reads", number, CELL * 2 * max(len(h["reads"]) for h in layer["heads"]))]
        if layer["steps"]:
            rows.append(("steps", number, CELL * len(layer["steps"])))
    if not rows:
        rows = [("result", 0, CELL)]
    specs = [
        [{"colspan": columns}, *[None] * (columns - 1)] if kind in ("steps", "result") else [{}] * columns
        for kind, _, _ in rows
    ]
    gap = 52
    height = sum(size for _, _, size in rows) + gap * (len(rows) + 1)
    figure = make_subplots(
        len(rows), columns, specs=specs, row_heights=[size for _, _, size in rows],
        vertical_spacing=gap / height if len(rows) > 1 else 0, horizontal_spacing=0.12 if columns > 1 else 0,
    )  # fmt: skip
    for row, (kind, number, _) in enumerate(rows, start=1):
        layer = layers[number]
        if kind == "maps":
            for column, head in enumerate(layer["heads"], start=1):
                name = f"layer {number}, head {column}: " if columns < 3 else f"{number}.{column}: "
                _head(figure, go, row, column, letters, head, _short(name + head["selector"], WORDS // columns))
        elif kind == "reads":
            for column, head in enumerate(layer["heads"], start=1):
                table = {}
                for read in head["reads"]:
                    table[f"reads{' ' * len(table)}"] = read["values"]
                    table[f"gives{' ' * len(table)}"] = read["result"]
                _values(figure, go, row, column, letters, table, "")
        elif kind == "steps":
            table = {_short(step["name"], 30) + " " * n: step["values"] for n, step in enumerate(layer["steps"])}
            where = f"layer {number}" if number else "before attention"
            _values(figure, go, row, 1, letters, table, f"{where}, position by position")
        else:
            _values(figure, go, row, 1, letters, {"result": trace["result"]}, "")
    figure.update_layout(template=template(), height=height, showlegend=False, margin={"t": 76, "l": 130, "b": 30})
    figure.update_layout(title_text=html.escape(title or f"A program on {''.join(letters)}"))
    return Picture(figure, caption or caption_of(trace), words_of(trace))


def _head(figure, go, row: int, column: int, letters: Sequence[str], head: Mapping, title: str) -> None:
    places = list(range(len(letters)))
    hover = "query %{y}, key %{x}: %{z}<extra></extra>"
    trace = go.Heatmap(
        z=head["matrix"], zmin=0, zmax=1, colorscale=CHOSEN, showscale=False, xgap=1, ygap=1, hovertemplate=hover
    )
    figure.add_trace(trace, row=row, col=column)
    ticks = {"tickvals": places, "ticktext": [html.escape(letter) for letter in letters], "showgrid": False}
    at = {"row": row, "col": column}
    figure.update_xaxes(**ticks, side="top", title={"text": title, "font": {"size": 12}}, **at)
    figure.update_yaxes(
        **ticks, autorange="reversed", title={"text": "query", "font": {"size": 11}}, row=row, col=column
    )


def _values(figure, go, row: int, column: int, letters, table: Mapping[str, Sequence[str]], title: str) -> None:
    rows = [list(map(html.escape, values)) for values in table.values()]
    trace = go.Heatmap(
        z=[[0] * len(letters) for _ in rows], text=rows, texttemplate="%{text}", colorscale=FLAT,
        showscale=False, xgap=1, ygap=1, hovertemplate="%{y}, position %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    figure.add_trace(trace, row=row, col=column)
    names = [html.escape(name) for name in table]
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(rows))), ticktext=names, showgrid=False, row=row, col=column
    )
    figure.update_xaxes(
        tickvals=list(range(len(letters))), showgrid=False, showticklabels=False, side="top",
        title={"text": title, "font": {"size": 12}}, row=row, col=column,
    )  # fmt: skip


def caption_of(trace: Mapping) -> str:
    """One sentence: input, result and size."""
    heads = [len(layer["heads"]) for layer in trace["layers"][1:]]
    size = f"{len(heads)} layers" if len(heads) != 1 else "1 layer"
    return f"{' '.join(trace['input'])} becomes {' '.join(trace['result'])}, in {size} with {heads} heads."


def words_of(trace: Mapping) -> str:
    """The picture in words, for those who cannot see it."""
    parts = [f"A program run on {' '.join(trace['input'])}; its result is {' '.join(trace['result'])}."]
    for number, layer in enumerate(trace["layers"]):
        for place, head in enumerate(layer["heads"], start=1):
            rows = []
            for letter, row in zip(trace["input"], head["matrix"], strict=True):
                chosen = [trace["input"][i] for i, cell in enumerate(row) if cell]
                rows.append(f"{letter} selects {' '.join(chosen) or 'nothing'}")
            parts.append(f"Layer {number}, head {place}, {head['selector']}: {', '.join(rows)}.")
    return " ".join(parts)


def _short(text: str, longest: int) -> str:
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return html.escape(text)
