"""Figures that change: while a cell runs, and by controls made from plain lists of values."""

import time
from collections.abc import Callable, Mapping, Sequence

from utils.plot.picture import Picture, as_json, show_caption
from utils.plot.widget import Explorer, figure_view, widgets_work

FEW = 8  # up to so many choices a drop-down, which has a name for screen readers; above that numbers get a slider


class Live:
    """A figure that is drawn anew while the cell runs; where widgets cannot be, drawn once, plain, at the end.

        with Live(draw) as live:   # draw() -> Picture, from whatever has been measured so far
            for ...: live.update()

    `every`: seconds that at least lie between two drawings.
    """

    def __init__(self, draw: Callable[[], Picture], every: float = 1.0):
        self.draw, self.every = draw, every
        self.view = None
        self.last = 0.0

    def __enter__(self) -> "Live":
        if widgets_work():
            from IPython.display import display

            picture = self.draw()
            self.view = figure_view(picture.figure, picture.alt)
            display(self.view)
        return self

    def update(self, now: bool = False) -> None:
        """Draw again if the time has come (or `now`)."""
        if self.view is None or not (now or time.monotonic() - self.last >= self.every):
            return
        self.last = time.monotonic()
        picture = self.draw()
        with self.view.hold_sync():
            self.view.alt = picture.alt
            self.view.figure = as_json(picture.figure)

    def __exit__(self, *error) -> None:
        if self.view is None:
            self.draw().show()
            return
        self.update(now=True)
        picture = self.draw()
        show_caption(picture.caption, picture.alt)


def explore(
    draw: Callable[..., Picture],
    choices: Mapping[str, Sequence] | None = None,
    start: Mapping[str, object] | None = None,
    **more: Sequence,
) -> Explorer:
    """Controls for the arguments of `draw`, each with the values it may take; shown by ending a cell with it.

    Many numbers make a slider, anything else a drop-down. A sequence of (text, value) pairs gives the values names.
    `start`: the values at first (else the first of each).
    """
    options = {**(choices or {}), **more}
    first = {name: _value(values[0]) for name, values in options.items()} | dict(start or {})
    for name, value in first.items():
        if value not in [_value(choice) for choice in options.get(name, ())]:
            raise ValueError(f"{value!r} is not among the values of {name}")

    def controls() -> dict:
        import ipywidgets as widgets

        made = {}
        for name, values in options.items():
            plain = [_value(value) for value in values]
            many = len(plain) > FEW and all(isinstance(value, int | float) for value in plain)
            kind = widgets.SelectionSlider if many else widgets.Dropdown
            more = {"continuous_update": False} if many else {}
            layout = {"width": "24em" if many else "auto"}
            description = name.replace("_", " ")
            style = {"description_width": "initial"}
            made[name] = kind(
                options=list(values), value=first[name], description=description, layout=layout, style=style, **more
            )
        return made

    return Explorer(lambda **values: draw(**(first | values)), controls)


def _value(choice):
    return choice[1] if isinstance(choice, tuple) else choice
