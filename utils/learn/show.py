"""Put something below the cell: HTML where a notebook shows it, its text everywhere else."""

import html

from utils import course
from utils.learn.context import shell

COLOURS = {"good": "#009E73", "bad": "#D55E00", "note": "#0072B2"}  # Okabe-Ito, legible on light and dark


def show(text: str, markup: str | None = None, markdown: str | None = None) -> None:
    """Display HTML (or Markdown) with its plain text as the fallback; without IPython, print the text."""
    if shell() is None:
        print(text)
        return
    from IPython.display import display

    bundle = {"text/plain": text}
    if markup is not None:
        bundle["text/html"] = markup
    if markdown is not None:
        bundle["text/markdown"] = markdown
    if len(bundle) == 1 or not getattr(shell(), "kernel", None):
        print(text)
    else:
        display(bundle, raw=True)


def box(kind: str, inner: str, role: str = "status") -> str:
    """A short card that follows the page's own text colour; its left edge carries the colour of `kind`."""
    colour = COLOURS[kind]
    return (
        f'<div role="{role}" style="border-left:6px solid {colour};background:{colour}1f;color:inherit;'
        f'padding:.5em .9em;margin:.3em 0;border-radius:4px;max-width:60em;line-height:1.45">{inner}</div>'
    )


def lines(text: str) -> str:
    """Text as HTML, its line breaks kept."""
    return html.escape(text).replace("\n", "<br>")


class Notice(course.CourseError):
    """A request that cannot be served; in a notebook a card with its one sentence is all that shows."""

    _shown = False

    def _render_traceback_(self) -> list[str]:
        if not self._shown:  # IPython asks twice, once for its history
            self._shown = True
            show(self.text(), box("bad", self.markup(), role="alert"))
            self.help()
        return [f"{type(self).__name__}: see the card above"]  # an empty list would show the sentence once more

    def help(self) -> None:
        """What is offered below the card."""

    def text(self) -> str:
        """What shows where there is no HTML."""
        return str(self)

    def markup(self) -> str:
        """What shows in a notebook, without its frame."""
        return f"<b>&#10007;</b> {lines(str(self))}"
