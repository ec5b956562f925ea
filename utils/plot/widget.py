"""A figure that answers controls: one small anywidget that calls Plotly.react; plotly.js is sent once a kernel.

A FigureWidget would carry 5 MB each. Where no kernel runs, or a front end refuses widgets, the same figure stands as a
plain one.
"""

import os
import sys
import uuid
from collections.abc import Callable
from functools import cache

from utils.plot.picture import Picture, as_json, show_caption
from utils.plot.style import CONFIG

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
// anywidget drops every message to a model whose module took over two seconds to load (a busy machine): the figure
// would be drawn and never answer. So the messages go to the plain widget model's own handler.
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


def widgets_work() -> bool:
    """Whether a widget can be shown here: a kernel runs, the packages are there, and Colab lets custom widgets in.

    COURSE_PLAIN_FIGURES=1 says no.
    """
    if os.environ.get("COURSE_PLAIN_FIGURES", "") not in ("", "0"):
        return False
    try:
        from IPython import get_ipython

        if getattr(get_ipython(), "kernel", None) is None:
            return False
        _classes()
        if "google.colab" in sys.modules:
            from google.colab import output

            output.enable_custom_widget_manager()
    except Exception:  # whatever keeps a widget away, the plain figure is the answer
        return False
    return True


class Explorer:
    """Controls above a figure that is drawn anew from their values; where widgets cannot be, the first figure, plain.

    `draw(**values)` gives the Picture for the controls' values; `controls` are ipywidgets by the name of the value.
    `on_change(name)` may change other controls first (its result counts for nothing).
    """

    def __init__(self, draw: Callable[..., Picture], make_controls: Callable[[], dict], on_change=None):
        self.draw = draw
        self.on_change = on_change
        self.make_controls = make_controls
        self.picture: Picture | None = None
        self.controls: dict = {}
        self.view = None

    def start(self, **values):
        """Make the widgets and return them as one box; `values` are only for the plain figure."""
        import ipywidgets

        self.controls = self.make_controls()
        self.picture = self.draw(**self.values())
        self.view = figure_view(self.picture.figure, self.picture.alt)
        for name, control in self.controls.items():
            control.add_class(f"course-{name}")
            control.observe(lambda change, name=name: self._changed(name), names="value")
        row = ipywidgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        return ipywidgets.VBox([row, self.view])

    def values(self) -> dict:
        return {name: control.value for name, control in self.controls.items()}

    def _changed(self, name: str) -> None:
        if self.on_change is not None:
            self.on_change(name, self.controls)
        self.picture = self.draw(**self.values())
        with self.view.hold_sync():
            self.view.alt = self.picture.alt
            self.view.figure = as_json(self.picture.figure)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if not widgets_work():
            self.draw().show()
            return
        box = self.start()
        bundle = {
            "text/plain": self.picture.alt,
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": box.model_id,
            },
        }
        display(bundle, raw=True)
        show_caption(self.picture.caption, "The interactive figure above: " + self.picture.alt)
