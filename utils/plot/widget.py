"""A figure that answers controls, or changes while a cell runs: one small anywidget that calls Plotly.react.

plotly.js is sent once a kernel; a FigureWidget would carry 5 MB each. Where no kernel runs, or a front end refuses
widgets, the same figure is shown as a plain one.
"""

import os
import re
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from utils.plot.picture import CONFIG, DARK_CSS, Picture, as_json, show_caption

FEW = 8  # up to so many choices a drop-down, which has a name for screen readers; above that numbers get a slider

# plotly.min.js decides by `module` and `define` where to put itself; in our module it must find neither.
_BEFORE = "const module = undefined, exports = undefined, define = undefined, require = undefined;\n"
_AFTER = "\nglobalThis.coursePlotly = globalThis.Plotly;\n"

# anywidget gives a module two seconds to load; plotly.js may take longer on a busy machine, so it comes afterwards.
_LIBRARY = """
export default {
  initialize({ model }) {
    if (globalThis.coursePlotly) return;
    const url = URL.createObjectURL(new Blob([model.get("source")], { type: "text/javascript" }));
    import(url).catch((error) => console.error(error)).finally(() => URL.revokeObjectURL(url));
  },
  render() {},
};
"""

_VIEW = """
async function plotly() {
  for (let i = 0; i < 1200 && !globalThis.coursePlotly; i++) await new Promise((done) => setTimeout(done, 50));
  if (!globalThis.coursePlotly) throw new Error("plotly.js did not arrive; run the cell again");
  return globalThis.coursePlotly;
}
// anywidget drops every message to a model whose module took over two seconds to load (a busy machine; then the console
// says "Failed to initialize model"): the figure would be drawn and never answer. So the messages go to the plain
// widget model's own handler.
async function listen(model) {
  const own = await model.widget_manager.get_model(model.get("own"));
  const handlers = [];
  for (let p = own; p; p = Object.getPrototypeOf(p)) {
    if (Object.hasOwn(p, "_handle_comm_msg")) handlers.push(p._handle_comm_msg);
  }
  if (handlers.length > 1) own.comm.on_msg(handlers[1].bind(own));
}
export default {
  async render({ model, el }) {
    await listen(model).catch((error) => console.warn(error));
    const box = document.createElement("div");
    box.className = "course-figure";
    el.appendChild(document.createElement("style")).textContent = model.get("dark");
    box.setAttribute("role", "img");
    el.appendChild(box);
    const name = () => box.setAttribute("aria-label", model.get("alt"));
    name();
    const config = model.get("config");
    const lib = await plotly();
    let last = Promise.resolve();
    const draw = () => {
      last = last.then(async () => {
        // a copy: plotly writes into what it is given, and the model's state is not its to change
        const figure = structuredClone(model.get("figure"));
        box.style.height = (figure.layout.height || 400) + "px";
        await lib.react(box, figure.data, figure.layout, config);
      }).catch((error) => { console.error(error); });
      return last;
    };
    model.on("change:figure", draw);
    model.on("change:alt", name);
    await draw();
    const observer = new ResizeObserver(() => {
      if (box.isConnected && box.clientWidth > 0 && box._fullLayout) lib.Plots.resize(box);
    });
    observer.observe(box);
    return () => {
      observer.disconnect();
      model.off("change:figure", draw);
      model.off("change:alt", name);
      lib.purge(box);
    };
  },
};
"""


# Jupyter takes an arrow key pressed in a drop-down for "go to the next cell", unless the drop-down says this.
# Radio buttons are one group, among which arrows move, only when they share a name; ipywidgets gives them none.
_KEYS = """
export default {
  render({ el }) {
    const group = "course-" + Math.random().toString(36).slice(2);
    const waiting = setInterval(() => {
      const box = el.closest(".widget-vbox");
      if (!box) return;
      clearInterval(waiting);
      box.addEventListener("focusin", ({ target }) => {
        target.setAttribute("data-lm-suppress-shortcuts", "true");
        box.querySelectorAll("input[type=radio]").forEach((radio) => { radio.name = group; });
      });
    }, 50);
  },
};
"""


def boxed(*widgets):
    """Widgets below each other in a box that keeps the keys pressed inside it from the notebook."""
    import anywidget
    import ipywidgets

    keys = anywidget.AnyWidget(_esm=_KEYS, layout={"display": "none"})
    return ipywidgets.VBox([*widgets, keys])


def show_widget(widget, instead: str) -> None:
    """Display a widget; `instead` is read where there is none, as in a saved notebook whose kernel is gone."""
    from IPython.display import display

    model = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    display({"text/plain": instead, "application/vnd.jupyter.widget-view+json": model}, raw=True)


@cache
def _classes():
    """The two widget classes; made when first asked for, because importing ipywidgets takes a moment."""
    import anywidget
    import traitlets
    from plotly.offline import get_plotlyjs

    class PlotlyLibrary(anywidget.AnyWidget):
        """Carries plotly.js to the browser; one lives in each kernel."""

        _esm = _LIBRARY
        source = traitlets.Unicode(_BEFORE + get_plotlyjs() + _AFTER).tag(sync=True)

    class FigureView(anywidget.AnyWidget):
        """A figure {"data", "layout"} and its words for screen readers; both may change at any time."""

        _esm = _VIEW
        figure = traitlets.Dict().tag(sync=True)
        alt = traitlets.Unicode().tag(sync=True)
        config = traitlets.Dict().tag(sync=True)
        dark = traitlets.Unicode(DARK_CSS).tag(sync=True)
        own = traitlets.Unicode().tag(sync=True)  # the model's own id

    return PlotlyLibrary, FigureView


_library = None


def figure_view(figure, alt: str):
    """A widget that shows the figure; `view.figure = as_json(other)` redraws it. Its state is complete at once."""
    global _library
    library, view = _classes()
    if _library is None or _library.comm is None:
        _library = library()
    own = uuid.uuid4().hex
    return view(figure=as_json(figure), alt=alt, config=CONFIG, own=own, model_id=own)


def redraw(view, picture: Picture) -> None:
    """Put another picture into the widget."""
    with view.hold_sync():
        view.alt, view.figure = picture.alt, as_json(picture.figure)


def widgets_work() -> bool:
    """Whether a widget can be shown here: a kernel runs, the packages are there, Colab lets custom widgets in, and
    nobody has said that no one looks (COURSE_HEADLESS).
    """
    running = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if os.environ.get("COURSE_HEADLESS") or getattr(running, "kernel", None) is None:
        return False
    try:
        import anywidget  # noqa: F401
        import ipywidgets  # noqa: F401

        if "google.colab" in sys.modules:
            from google.colab import output

            output.enable_custom_widget_manager()
    except Exception:  # whatever keeps a widget away, plain figures and text are the answer
        return False
    return True


class Explorer:
    """Controls above a figure that is redrawn from their values; where widgets can't be shown, the first figure alone.

    `draw(**values)` gives the Picture for the values of the controls. `choices`: for each argument of `draw` the values
    it may take, as a sequence; many numbers make a slider, (False, True) a box to tick, anything else a drop-down, and
    (text, value) pairs give the values names. A text in place of a sequence makes a field to write in, which starts
    with it; a function of all values makes a slider whose places depend on them (such as the tokens of a text).
    `start`: the values at first (else the first of each). A control has the name of its argument, with "_" shown as a
    blank. Shown by ending a cell with it.
    """

    def __init__(
        self,
        draw: Callable[..., Picture],
        choices: Mapping[str, Sequence | Callable[..., Sequence]] | None = None,
        start: Mapping[str, object] | None = None,
        **more: Sequence | Callable[..., Sequence],
    ):
        self.choices = {**(choices or {}), **more}
        self.depend = {name: values for name, values in self.choices.items() if callable(values)}
        self.first = dict(start or {})
        for name, values in self.choices.items():
            if name not in self.depend:
                self.first.setdefault(name, values if isinstance(values, str) else _plain(values)[0])
        for name, values_of in self.depend.items():
            self.choices[name] = values_of(**self.first)
            self.first.setdefault(name, self.choices[name][0])
        for name, value in self.first.items():
            values = self.choices.get(name, ())
            if not isinstance(values, str) and value not in _plain(values):
                raise ValueError(f"{value!r} is not among the values of {name}")
        self.draw = lambda **values: draw(**(self.first | values))
        self.picture: Picture | None = None
        self.controls: dict = {}
        self.view = None

    def start(self):
        """Make the widgets and return them as one box."""
        import ipywidgets

        self.controls = {name: self._control(name) for name in self.choices}
        self.picture = self.draw()
        self.view = figure_view(self.picture.figure, self.picture.alt)
        for name, control in self.controls.items():
            control.add_class("course-" + re.sub(r"\W+", "-", name))
            control.observe(self._changed, names="value")
        row = ipywidgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap", "grid_gap": "0 1.5em"})
        return boxed(row, self.view)

    def _control(self, name: str):
        import ipywidgets as widgets

        values, first = self.choices[name], self.first[name]
        shared = {"value": first, "description": name.replace("_", " "), "style": {"description_width": "initial"}}
        if isinstance(values, str):
            width = {"width": f"{max(18, 0.8 * len(first)):.0f}em"}
            return widgets.Text(continuous_update=False, layout=width, **shared)
        if type(values[0]) is bool:
            return widgets.Checkbox(indent=False, layout={"width": "auto"}, **shared)
        if name in self.depend or len(values) > FEW and all(isinstance(value, int | float) for value in _plain(values)):
            wide = {"width": "24em"}
            return widgets.SelectionSlider(options=list(values), continuous_update=False, layout=wide, **shared)
        return widgets.Dropdown(options=list(values), layout={"width": "auto"}, **shared)

    def _changed(self, _) -> None:
        values = {name: control.value for name, control in self.controls.items()}
        for name, values_of in self.depend.items():
            places = list(values_of(**values))
            if places != list(self.controls[name].options):
                self._fit(self.controls[name], places)
                values[name] = self.controls[name].value
        self.picture = self.draw(**values)
        redraw(self.view, self.picture)
        self._caption()

    def _fit(self, slider, places: list) -> None:
        """Give a slider other places; it stays where it is, or goes to the last one if that is gone."""
        slider.unobserve(self._changed, names="value")
        index = min(slider.index, len(places) - 1)
        slider.options = places
        slider.index = index
        slider.observe(self._changed, names="value")

    def _caption(self) -> None:
        """Put the caption under the figure, or another one in its place."""
        show_caption(self.picture.caption, "The interactive figure above: " + self.picture.alt, self.view.own)

    def _ipython_display_(self) -> None:
        if not widgets_work():
            self.draw().show()
            return
        box = self.start()
        show_widget(box, self.picture.alt)
        self._caption()


explore = Explorer  # what a cell that ends in one says


def _plain(values: Sequence) -> list:
    """The values without their names."""
    return [value[1] if isinstance(value, tuple) else value for value in values]


EVERY = 1.0  # least number of seconds between two drawings


class Live:
    """A figure that is drawn anew while the cell runs; where widgets can't be shown, drawn once, at the end.

    with Live(draw) as live:   # draw() -> Picture, from whatever has been measured so far
        for ...: live.update()
    """

    def __init__(self, draw: Callable[[], Picture]):
        self.draw, self.view, self.last = draw, None, 0.0

    def __enter__(self) -> "Live":
        if widgets_work():
            picture = self.draw()
            self.view = figure_view(picture.figure, picture.alt)
            show_widget(self.view, "This figure is drawn while the cell runs; run it again to see it.")
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
