"""A figure together with its caption and its text for those who cannot see it."""

import html
import json
from dataclasses import dataclass

from utils.plot import style


@dataclass
class Picture:
    """A plotly figure that is always shown with one sentence under it; `alt` says in words what is to be seen.

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
        style.configure()
        self.figure.show()
        show_caption(self.caption, self.alt)

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


def show_caption(caption: str, alt: str) -> None:
    """Print the caption under the figure before it; in a notebook it names the figure to screen readers too."""
    from IPython.display import display

    body = (
        f'<figure role="figure" aria-label="{html.escape(alt, quote=True)}" style="margin: 0 0 0.5em 1em">'
        f"<figcaption><em>{html.escape(caption)}</em></figcaption></figure>"
    )
    display({"text/html": body, "text/plain": caption}, raw=True)


def as_json(figure) -> dict:
    """The figure as plain JSON data: arrays as base64 where this plotly can (from 6 on), as lists where not."""
    data = json.loads(figure.to_json())
    return {"data": data.get("data", []), "layout": data.get("layout", {})}
