"""A RASP program's run as a picture: a row of heat maps per layer, what they read and give beneath (chapter 3)."""

import html
from collections.abc import Mapping, Sequence

from utils.plot.figures import cells
from utils.plot.picture import Picture
from utils.plot.style import template

CELL = 24  # pixels of a row of values
GAP = 52  # between two rows of the picture
WORDS = 88  # letters that fit side by side above the heat maps of a layer


def rasp_picture(trace: Mapping, title: str = "") -> Picture:
    """The picture of a trace: {"input", "result", "layers": [{"heads", "steps"}]}, all as plain lists and text.

    One row per layer of one heat map per head (query rows, key columns); under each what the head reads (per key) and
    gives (per query), then what is computed position by position.
    """
    from plotly.subplots import make_subplots

    letters = [html.escape(letter) for letter in trace["input"]]
    columns = max([1, *(len(layer["heads"]) for layer in trace["layers"])])
    rows = _rows(trace, letters, WORDS // columns) or [(CELL, True, [_table({"result": trace["result"]}, "")])]
    height = sum(size for size, _, _ in rows) + GAP * (len(rows) + 1)
    figure = make_subplots(
        len(rows),
        columns,
        specs=[
            [{"colspan": columns} if wide else {} for _ in panels] + [None] * (columns - len(panels))
            for _, wide, panels in rows
        ],
        row_heights=[size for size, _, _ in rows],
        vertical_spacing=GAP / height if len(rows) > 1 else 0,
        horizontal_spacing=0.12 if columns > 1 else 0,
    )
    for row, (_, _, panels) in enumerate(rows, start=1):
        for column, (heat, names, text) in enumerate(panels, start=1):
            at, is_map = {"row": row, "col": column}, heat.text is None
            figure.add_trace(heat, **at)
            ticks = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, **at}
            figure.update_yaxes(autorange="reversed", title_text="query" if is_map else "", title_font_size=11, **ticks)
            ticks |= {"tickvals": list(range(len(letters))), "ticktext": letters}
            figure.update_xaxes(side="top", showticklabels=is_map, title_text=text, title_font_size=12, **ticks)
    figure.update_layout(template=template(), height=height, showlegend=False, margin={"t": 76, "l": 130, "b": 30})
    figure.update_layout(title_text=html.escape(title or f"A program on {''.join(trace['input'])}"))
    return Picture(figure, caption_of(trace), words_of(trace))


def _rows(trace: Mapping, letters: Sequence[str], longest: int) -> list[tuple[int, bool, list]]:
    """The rows of the picture: (height, is it one wide table, its panels as (heat map, names of the rows, title))."""
    rows, hover = [], "query %{y}, key %{x}: %{z}<extra></extra>"
    few = max(len(layer["heads"]) for layer in trace["layers"]) < 3
    for number, layer in enumerate(trace["layers"]):
        maps, tables = [], []
        for place, head in enumerate(layer["heads"], start=1):
            name = f"layer {number}, head {place}: " if few else f"{number}.{place}: "
            heat = cells(head["matrix"], ("#EEEEEE", "#0072B2"), hovertemplate=hover, texttemplate=None)
            maps.append((heat, letters, _short(name + head["selector"], longest)))
            table = {}
            for read in head["reads"]:  # blanks make the names differ
                table[f"reads{' ' * len(table)}"] = read["values"]
                table[f"gives{' ' * len(table)}"] = read["result"]
            tables.append(_table(table, ""))
        if maps:
            rows.append((CELL * max(len(letters), 4), False, maps))
            rows.append((CELL * max(len(names) for _, names, _ in tables), False, tables))
        if layer["steps"]:
            table = {_short(step["name"], 30) + " " * n: step["values"] for n, step in enumerate(layer["steps"])}
            where = f"layer {number}" if number else "before attention"
            rows.append((CELL * len(table), True, [_table(table, f"{where}, position by position")]))
    return rows


def _table(values: Mapping[str, Sequence[str]], title: str) -> tuple:
    text = [list(map(html.escape, row)) for row in values.values()]
    hover = "%{y}, position %{x}: %{text}<extra></extra>"
    return cells([[0] * len(row) for row in text], ("#F7F7F7",), text, hovertemplate=hover), list(values), title


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
