"""Figures and widgets of the course. Plotly and ipywidgets are imported when a figure is drawn, not before."""

from utils.plot.figures import attention_figure, bars, heatmap, line
from utils.plot.picture import Picture

__all__ = [
    "Explorer",
    "Live",
    "Picture",
    "attention_figure",
    "attention_patterns",
    "attention_viewer",
    "bars",
    "board_panels",
    "explore",
    "figure_view",
    "heatmap",
    "line",
    "line_panels",
    "matrix_panels",
    "target_viewer",
    "token_strip",
]

_LATER = {
    "board_panels": "boards",
    "Explorer": "widget",
    "Live": "live",
    "explore": "live",
    "line_panels": "panels",
    "matrix_panels": "panels",
    "target_viewer": "targets",
    "token_strip": "tokens",
    "figure_view": "widget",
    "attention_patterns": "attention",
    "attention_viewer": "attention",
}


def __getattr__(name: str):
    if name in _LATER:  # these need torch or ipywidgets
        import importlib

        return getattr(importlib.import_module(f"utils.plot.{_LATER[name]}"), name)
    raise AttributeError(f"utils.plot has no {name}")
