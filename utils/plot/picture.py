"""A figure with its caption and its text for those who cannot see it, in the colours that all figures share."""

import html
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

# Okabe and Ito's palette, its yellow (too faint on white) replaced by a grey: colour-blind readers tell these apart.
CATEGORIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#7F7F7F")
SEQUENTIAL = "Cividis"  # rises evenly in lightness, also for deutan readers
DIVERGING = "RdBu"  # only ever used with its middle at zero
INK, GRID = "#222222", "#DDDDDD"
# In a dark notebook (JupyterLab, Notebook, Colab, VS Code) or page, paper and grid turn dark and words light; what
# carries data keeps its colours. Plotly writes colours into each element, so every rule must be important.
_DARK = "body[data-jp-theme-light=false],html[theme=dark],body.vscode-dark,html[data-theme=dark]"
_RULES = (
    (".svg-container>.main-svg:first-child", "background:#111"),
    ("rect.bg", "fill:#111"),
    (":is([class*=title],[class*=tick] text,.legendtext,.bartext-outside,.cbaxis text)", "fill:#DDD"),
    (".annotation-text:not([style*='rgb(0, 158, 115)'])", "fill:#DDD"),  # green keeps its meaning, and can be read
    ("[class*=grid].crisp", "stroke:#3A3A3A"),
    (":is(.ticks.crisp,[class*=lines-above].crisp)", "stroke:#AAA"),
    (".heatmap-label text[style*='rgb(34, 34, 34)']", "fill:#DDD"),  # what is written in INK
    (".shapelayer path:is([style*='rgb(34, 34, 34)'],[style*='rgb(85, 85, 85)'])", "stroke:#BBB"),  # levels and marks
)
DARK_CSS = "".join(f":is({_DARK}) .js-plotly-plot {where}{{{what}!important}}" for where, what in _RULES)
# The arrow of a drop-down is a picture, which ipywidgets leaves black.
_ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath d='M5 7l4 4 4-4z' fill='%23DDD'/%3E%3C/svg%3E"
)
DARK_CSS += f':is({_DARK}) .widget-dropdown>select{{background-image:url("{_ARROW}")!important}}'
# Of a notebook that is opened again JupyterLab shows an image of each figure, until the mouse comes near.
DARK_CSS += f":is({_DARK}) .jp-RenderedPlotly .plot-img{{filter:brightness(.8)}}"
# The drawings in the text are made for a light page: in a dark one light and dark change places, and colours stay.
DARK_DRAWINGS_CSS = f':is({_DARK}) img[src^="data:image/svg+xml"]{{filter:invert(.93) hue-rotate(180deg)}}'
# JupyterLab ends a line of code or text that is too long for an output anywhere, even inside a word.
WHOLE_WORDS_CSS = ".jp-OutputArea-output pre{word-break:normal!important}"
# Not "responsive": JupyterLab itself has a figure fit its cell, and on its redraw (a theme, a window of another size)
# plotly would give such a figure the height of its surroundings, which is none.
CONFIG = {"displaylogo": False, "showSendToCloud": False}


@cache
def configure() -> None:
    """No logo and no "Share chart" (it uploads) in any mode bar. The renderer itself is left as plotly chose it."""
    import plotly.io as pio

    names = dict.fromkeys(str(pio.renderers.default or "").split("+") + ["plotly_mimetype"])
    for name in filter(None, names):
        renderer = pio.renderers[name]
        if hasattr(renderer, "config"):
            renderer.config = {**(renderer.config or {}), **CONFIG}


@cache
def template():
    """A small template in place of plotly's default one, which weighs 17 KB in every saved figure."""
    import plotly.graph_objects as go

    axis = {"gridcolor": GRID, "linecolor": INK, "ticks": "outside", "zeroline": False, "automargin": True}
    below = {**axis, "title": {"standoff": 8}}  # else the name of the axis lies on the figure's lower edge
    layout = {
        "colorway": CATEGORIES,
        "font": {"color": INK, "size": 13},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "xaxis": below,
        "yaxis": axis,
        "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
        "title": {"x": 0.02, "xanchor": "left", "font": {"size": 15}},
        "hoverlabel": {"font": {"size": 13}},
        "legend": {"bgcolor": "rgba(0,0,0,0)"},  # else one above the axes covers the feet of the title's letters
    }
    return go.layout.Template(layout=layout)


def small(values) -> np.ndarray:
    """Values as float32, integers and booleans in 8 bits where they fit: what travels to the browser stays small."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values if str(values.dtype) != "torch.bfloat16" else values.float()).numpy()  # numpy has no bfloat16
    array = np.asarray(values)
    if array.dtype == bool:
        return array.astype(np.uint8)
    if np.issubdtype(array.dtype, np.integer):
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        if low >= 0 and high < 256:
            return array.astype(np.uint8)
        return array.astype(np.float32 if max(-low, high) < 2**24 else np.float64)
    return array.astype(np.float32)


PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body style="font-family: sans-serif; max-width: 1000px; margin: 1em auto">
<figure role="figure" aria-label="{alt}" style="margin: 0">
{figure}
<figcaption style="margin: 0.5em 2em"><em>{caption}</em></figcaption>
</figure>
</body>
</html>
"""


@dataclass
class Picture:
    """A plotly figure that is always shown with one sentence under it; `alt` describes it in words.

    A cell that ends in a Picture shows it; `.figure` is the plain plotly figure.
    """

    figure: object
    caption: str
    alt: str

    def __post_init__(self):
        if not self.caption.strip() or not self.alt.strip():
            raise ValueError("a picture needs a caption and a text for those who cannot see it")
        self.figure.update_layout(meta={"alt": self.alt})

    def show(self) -> None:
        """Draw the figure with plotly's own renderer, then the caption."""
        configure()
        self.figure.show()
        show_caption(self.caption, self.alt)

    def write(self, path: Path) -> None:
        """Write a web page of its own, with the caption under the figure and the words for screen readers.

        The script that draws it is put into the folder once, as plotly.min.js; the page needs no network.
        """
        from plotly.offline import get_plotlyjs

        script = path.with_name("plotly.min.js")
        if not script.exists():
            script.write_text(get_plotlyjs(), encoding="utf-8")
        title = html.escape(html.unescape(self.figure.layout.title.text or path.stem))  # plotly's texts are HTML
        label, caption = html.escape(self.alt, quote=True), html.escape(self.caption)
        drawn = self.figure.to_html(full_html=False, include_plotlyjs="directory")
        path.write_text(PAGE.format(title=title, alt=label, caption=caption, figure=drawn), encoding="utf-8")

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


_shown: set[str] = set()  # names of the captions that are on the page


def show_caption(caption: str, alt: str, under: str | None = None) -> None:
    """Print the caption under the figure before it; in a notebook it names the figure to screen readers too.

    `under`: a name; the next caption of the same name takes the place of this one.
    """
    from IPython.display import display, update_display

    body = (
        f'<figure role="figure" aria-label="{html.escape(alt, quote=True)}" style="margin: 0 0 0.5em 1em">'
        f"<figcaption><em>{html.escape(caption)}</em></figcaption></figure><style>{DARK_CSS}</style>"
    )
    show = update_display if under in _shown else display
    if under is not None:
        _shown.add(under)
    show({"text/html": body, "text/plain": caption}, raw=True, **({"display_id": under} if under else {}))


def as_json(figure) -> dict:
    """The figure as plain JSON data: arrays as base64 where this plotly can (from 6 on), as lists where not."""
    data = json.loads(figure.to_json())
    return {"data": data.get("data", []), "layout": data.get("layout", {})}
