"""A text drawn token by token, each in the colour of its kind."""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.plot.figures import cells, label
from utils.plot.picture import Picture
from utils.plot.style import template


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

    `notes`: a short text under each token, so that the kinds are not told by colour alone; `hover`: a longer one.
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
