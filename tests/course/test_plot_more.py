"""Panels, token strips, live figures and controls: captions, words, colours, and what they do without widgets."""

import numpy as np
import pytest
import torch

from utils.plot import Live, Picture, bars, explore, line_panels, matrix_panels, target_viewer, token_strip
from utils.plot.picture import CATEGORIES

WORDS = {"title": "A title", "caption": "One sentence."}
COLOURS = {"plain": "#EEEEEE", "trigger": "#E69F00"}


def test_a_curve_has_one_colour_and_one_legend_entry_in_all_panels():
    panels = {"one": {"a": [0.0, 1.0], "b": [1.0, 0.0]}, "two": {"b": [0.5, 0.25]}}
    picture = line_panels(panels, x="step", y="share", xs=[0, 10], **WORDS)
    traces = picture.figure.data
    assert [trace.name for trace in traces] == ["a", "b", "b"]
    assert [trace.showlegend for trace in traces] == [True, True, False]
    assert traces[1].line.color == traces[2].line.color == CATEGORIES[1]
    assert traces[0].line.dash != traces[1].line.dash  # not told apart by colour alone
    assert list(traces[2].x) == [0, 10]
    assert "two: b goes from 0.5 to 0.25" in picture.alt


def test_panels_take_empty_curves_and_marks():
    picture = line_panels({"one": {"a": []}}, x="step", y="", xs=[], marks={"one": {"released": 3}}, **WORDS)
    assert len(picture.figure.data[0].y) == 0
    assert picture.figure.layout.shapes[0].x0 == 3
    assert "released" in [note.text for note in picture.figure.layout.annotations]


def test_matrix_panels_are_centred_on_zero_with_row_0_on_top():
    picture = matrix_panels(
        {"W": torch.tensor([[1.0, -4.0]]), "Z": torch.zeros(2, 2)}, axes={"W": ("key", "query")}, **WORDS
    )
    W, Z = picture.figure.data
    assert (W.zmin, W.zmax) == (-4.0, 4.0) and (Z.zmin, Z.zmax) == (-1.0, 1.0)
    assert W.z.dtype == np.float32
    assert picture.figure.layout.yaxis.autorange == picture.figure.layout.yaxis2.autorange == "reversed"
    assert (picture.figure.layout.xaxis.title.text, picture.figure.layout.yaxis.title.text) == ("key", "query")


def test_token_strip_wraps_and_says_kinds_in_words():
    picture = token_strip(["a", "<", " "], [0, 1, 0], COLOURS, notes=["", "1", ""], width=2, alt="Three.", **WORDS)
    heat = picture.figure.data[0]
    assert heat.z.shape == (2, 2) and np.isnan(heat.z[1, 1])
    assert "&lt;" in heat.text[0][1] and "<sub>1</sub>" in heat.text[0][1] and "␣" in heat.text[1][0]
    assert [trace.name for trace in picture.figure.data[1:]] == list(COLOURS)


def test_live_figure_is_drawn_once_at_the_end_where_no_widget_can_be(monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    drawn, shown = [], []
    monkeypatch.setattr(Picture, "show", lambda self: shown.append(self))

    def draw():
        drawn.append(1)
        return bars({"a": 1.0}, y="y", **WORDS)

    with Live(draw) as live:
        for _ in range(5):
            live.update()
    assert len(drawn) == len(shown) == 1


def test_explore_starts_at_the_first_values_and_makes_sliders_of_many_numbers():
    seen = []

    def draw(kind, size):
        seen.append((kind, size))
        return bars({"a": 1.0}, y="y", **WORDS)

    explorer = explore(draw, {"kind": ["x", "y"], "size": range(20)}, {"size": 7})
    explorer.start()
    assert seen == [("x", 7)]
    assert {type(c).__name__ for c in explorer.controls.values()} == {"Dropdown", "SelectionSlider"}
    explorer.controls["size"].value = 9
    explorer.controls["kind"].value = "y"
    assert seen == [("x", 7), ("x", 9), ("y", 9)]


def test_explore_refuses_a_start_that_is_no_choice():
    with pytest.raises(ValueError, match="size"):
        explore(lambda size: bars({"a": 1.0}, y="y", **WORDS), {"size": [1, 2]}, {"size": 3})


def test_target_viewer_boxes_the_right_keys_and_says_how_much_falls_on_them():
    pattern = torch.tensor([[[1.0, 0, 0], [0.5, 0.5, 0], [0.1, 0.7, 0.2]]])
    right = torch.zeros(1, 3, 3, dtype=torch.bool)
    right[0, 2, 1] = True
    explorer = target_viewer({"layer 1": pattern}, {"layer 1": right}, [["a", "b", "a"]])
    explorer.start()
    assert "“a” at 2 looks most at “b” at 1" in explorer.picture.alt
    assert "70%" in explorer.picture.alt
    boxes = [shape for shape in explorer.picture.figure.layout.shapes if shape.x1 - shape.x0 == 1]
    assert [(box.x0, box.y0) for box in boxes] == [(0.5, 1.5)]
    explorer.controls["query"].value = 0
    assert "no key is the right one" in explorer.picture.alt
