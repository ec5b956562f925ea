"""Tokens as cells of flat colours: a text token by token in the colours of its kinds, and boards side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.plot.figures import cells, label
from utils.plot.picture import Picture, template


def token_strip(
    tokens: Sequence[str],
    kinds: Sequence[int],
    colours: Mapping[str, str],
    *,
    title: str,
    caption: str,
    alt: str,
    notes: Sequence[str] | None = None,
    hover: Sequence[str] | None = None,
    width: int = 32,
) -> Picture:
    """Tokens in lines of `width`, coloured by kind; `colours` {name of the kind: colour} in the order of the numbers.

    `notes`: a short text under each token, so that the kinds are told apart by more than colour; `hover`: a longer one.
    """
    import plotly.graph_objects as go

    count, lines = len(tokens), -(-len(tokens) // width)
    z = np.full((lines, width), np.nan, dtype=np.float32)
    text = np.full((lines, width), "", dtype=object)
    over = np.full((lines, width), "", dtype=object)
    for place in range(count):
        at = divmod(place, width)
        z[at] = kinds[place]
        note = f"<br><sub>{notes[place]}</sub>" if notes is not None and notes[place] else "<br> "
        text[at] = f"<b>{label(tokens[place])}</b>{note}"
        over[at] = f"position {place}: {label(tokens[place])}" + (f"<br>{hover[place]}" if hover is not None else "")
    font, words = {"size": 15, "color": "#000000"}, "%{customdata}<extra></extra>"
    heat = cells(z, list(colours.values()), text, customdata=over, textfont=font, hovertemplate=words, xgap=2, ygap=6)
    keys = [
        go.Scatter(x=[None], y=[None], mode="markers", name=name, marker={"color": c, "size": 13, "symbol": "square"})
        for name, c in colours.items()
    ]
    figure = go.Figure([heat, *keys])
    figure.update_layout(
        template=template(),
        title_text=title,
        height=140 + 56 * lines,
        legend={"orientation": "h", "y": -0.1, "x": 0},
        margin={"t": 50, "b": 60, "l": 10},
    )
    figure.update_xaxes(visible=False, range=[-0.5, width - 0.5])
    figure.update_yaxes(visible=False, range=[lines - 0.5, -0.5])
    return Picture(figure, caption, alt)


PALE = ("#DCE9F5", "#FBE9CF", "#D5EFE6", "#F5E1EC", "#E3F1FA", "#F8DDCB", "#E8E8E8", "#F4F4D8", "#E6DDF2", "#D9ECEC")
STRONG = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C8C", "#B5B12F", "#7B61A8", "#3FA7A7")
HIDDEN = "#333333"


def board_panels(
    boards: Mapping[str, object],
    *,
    n_bg: int,
    n_obj: int,
    title: str,
    caption: str,
    marks: Mapping[str, object] | None = None,
    hover: Mapping[str, object] | None = None,
) -> Picture:
    """Boards {name: tokens (S, S)} in a row. Tokens below n_bg are backgrounds (their number is shown), the next n_obj
    objects (a letter), the one after them a hidden cell (?).

    `marks`: {name: bool (S, S)}, cells with an outline. `hover`: {name: texts (S, S)}.
    """
    from plotly.subplots import make_subplots

    colours = [PALE[i % len(PALE)] for i in range(n_bg)] + [STRONG[i % len(STRONG)] for i in range(n_obj)] + [HIDDEN]
    names = [str(i) for i in range(n_bg)] + [letter(i) for i in range(n_obj)] + ["?"]
    figure = make_subplots(1, len(boards), subplot_titles=list(boards), horizontal_spacing=0.04)
    for column, (name, board) in enumerate(boards.items(), 1):
        board = np.asarray(board).astype(np.int64)
        text = np.vectorize(lambda token: names[token])(board)
        over = text if hover is None or name not in hover else np.asarray(hover[name], dtype=object)
        words = "row %{y}, column %{x}: %{customdata}<extra></extra>"
        figure.add_trace(
            cells(board.astype(np.uint8), colours, text, customdata=over, hovertemplate=words), row=1, col=column
        )
        for row, cell in np.argwhere(np.asarray((marks or {}).get(name, np.zeros_like(board, dtype=bool)))).tolist():
            box = {"x0": cell - 0.46, "x1": cell + 0.46, "y0": row - 0.46, "y1": row + 0.46}
            figure.add_shape(type="rect", line={"color": "#000000", "width": 2}, **box, row=1, col=column)
        side = len(board)
        figure.update_xaxes(range=[-0.5, side - 0.5], constrain="domain", visible=False, row=1, col=column)
        figure.update_yaxes(
            range=[side - 0.5, -0.5],
            visible=False,
            scaleanchor=f"x{column if column > 1 else ''}",
            constrain="domain",  # else a window made narrow and wide again leaves small boards
            row=1,
            col=column,
        )
    figure.update_layout(template=template(), title_text=title, height=380, margin={"t": 80, "l": 10, "b": 10})
    return Picture(figure, caption, f"Boards side by side, {title}: {', '.join(boards)}.")


def letter(number: int) -> str:
    """The letter of an object token: A, B, ..., Z, A1, ..."""
    return chr(65 + number % 26) + (str(number // 26) if number >= 26 else "")
