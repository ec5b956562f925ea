"""Figures and widgets of the course. Plotly and ipywidgets are imported when a figure is drawn, not before."""

from utils.plot.attention import attention_patterns, attention_viewer, target_viewer
from utils.plot.figures import attention_figure, bars, heatmap, line, line_panels, matrix_panels
from utils.plot.picture import Picture
from utils.plot.tiles import board_panels, token_strip
from utils.plot.widget import Explorer, Live, explore, figure_view

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
