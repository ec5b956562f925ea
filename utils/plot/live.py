"""A figure that changes while a cell runs."""

import time
from collections.abc import Callable

from utils.plot.picture import Picture, show_caption
from utils.plot.widget import figure_view, redraw, widgets_work

EVERY = 1.0  # seconds that at least lie between two drawings


class Live:
    """A figure that is drawn anew while the cell runs; where widgets cannot be, drawn once, plain, at the end.

    with Live(draw) as live:   # draw() -> Picture, from whatever has been measured so far
        for ...: live.update()
    """

    def __init__(self, draw: Callable[[], Picture]):
        self.draw, self.view, self.last = draw, None, 0.0

    def __enter__(self) -> "Live":
        if widgets_work():
            from IPython.display import display

            picture = self.draw()
            self.view = figure_view(picture.figure, picture.alt)
            display(self.view)
        return self

    def update(self, now: bool = False) -> None:
        """Draw again if the time has come (or `now`)."""
        if self.view is None or not (now or time.monotonic() - self.last >= EVERY):
            return
        self.last = time.monotonic()
        redraw(self.view, self.draw())

    def __exit__(self, *error) -> None:
        if self.view is None:
            self.draw().show()
            return
        self.update(now=True)
        picture = self.draw()
        show_caption(picture.caption, picture.alt)
