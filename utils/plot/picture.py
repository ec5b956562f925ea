"""A figure together with its caption and its text for those who cannot see it."""

import html
import json
from dataclasses import dataclass
from pathlib import Path

from utils.plot import style

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

    def write(self, path: Path) -> None:
        """Write a web page of its own, with the caption under the figure and the words for screen readers.

        The script that draws it stands once in the folder, as plotly.min.js; the page needs no network.
        """
        from plotly.offline import get_plotlyjs

        script = path.with_name("plotly.min.js")
        if not script.exists():
            script.write_text(get_plotlyjs(), encoding="utf-8")
        title = html.escape(self.figure.layout.title.text or path.stem)
        label, caption = html.escape(self.alt, quote=True), html.escape(self.caption)
        drawn = self.figure.to_html(full_html=False, include_plotlyjs="directory")
        path.write_text(PAGE.format(title=title, alt=label, caption=caption, figure=drawn), encoding="utf-8")

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


def show_caption(caption: str, alt: str) -> None:
    """Print the caption under the figure before it; in a notebook it names the figure to screen readers too."""
    from IPython.display import display

    body = (
        f'<figure role="figure" aria-label="{html.escape(alt, quote=True)}" style="margin: 0 0 0.5em 1em">'
        f"<figcaption><em>{html.escape(caption)}</em></figcaption></figure><style>{style.DARK_CSS}</style>"
    )
    display({"text/html": body, "text/plain": caption}, raw=True)


def as_json(figure) -> dict:
    """The figure as plain JSON data: arrays as base64 where this plotly can (from 6 on), as lists where not."""
    data = json.loads(figure.to_json())
    return {"data": data.get("data", []), "layout": data.get("layout", {})}
