"""Figures and widgets of the course. Plotly and ipywidgets are imported when a figure is drawn, not before."""

from utils.plot.attention import attention_patterns, attention_viewer
from utils.plot.boards import board_panels
from utils.plot.figures import attention_figure, bars, heatmap, line
from utils.plot.live import Live
from utils.plot.panels import line_panels, matrix_panels
from utils.plot.picture import Picture
from utils.plot.targets import target_viewer
from utils.plot.tokens import token_strip
from utils.plot.widget import Explorer, explore, figure_view

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
