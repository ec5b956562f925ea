"""Figures: small on the wire, captioned, legible with every kind of sight; plain plotly underneath."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from utils.course import ROOT
from utils.plot import Picture, attention_figure, bars, heatmap, line
from utils.plot.figures import label
from utils.plot.picture import CATEGORIES, as_json, small

WORDS = {"title": "A title", "x": "step", "y": "loss", "caption": "One sentence."}


def test_line_keeps_values_and_draws_levels():
    picture = line({"a": torch.tensor([3.0, 2.0, 1.0])}, levels={"log V": 2.5}, **WORDS)
    trace = picture.figure.data[0]
    assert trace.y.dtype == np.float32
    assert trace.y.tolist() == [3.0, 2.0, 1.0]
    assert list(trace.x) == [1, 2, 3]
    assert picture.figure.layout.shapes[0].y0 == 2.5
    assert "3 to 1" in picture.alt and "log V" in picture.alt


def test_a_legend_covers_nothing():
    """Above the axes it touches the title, whose letters reach below their line."""
    figure = line({"a": [1.0], "b": [2.0]}, levels={"log V": 2.5}, **WORDS).figure
    assert figure.layout.legend.y > 1 and figure.layout.legend.bgcolor is None
    assert figure.layout.template.layout.legend.bgcolor == "rgba(0,0,0,0)"


def test_line_smooths_by_a_running_mean():
    values = torch.arange(20.0)
    picture = line({"a": values}, smooth=5, **WORDS)
    raw, mean = picture.figure.data
    assert raw.y.tolist() == values.tolist()
    assert mean.y[0] == pytest.approx(2.0) and mean.x[0] == 5
    assert len(mean.y) == 16


def test_line_takes_places_of_its_own_for_each_curve():
    picture = line({"a": [1.0, 2.0], "b": [1.0]}, xs={"a": [10, 20], "b": [5]}, **WORDS)
    assert [list(trace.x) for trace in picture.figure.data] == [[10, 20], [5]]


def test_heatmap_has_row_0_on_top_and_cividis():
    figure = heatmap(torch.rand(3, 4), **WORDS).figure
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.data[0].z.shape == (3, 4)
    assert figure.data[0].colorscale[0][1] == "#00224e"  # Cividis starts here


def test_diverging_scale_is_centred_on_zero():
    figure = heatmap(torch.tensor([[-1.0, 3.0]]), diverging=True, **WORDS).figure
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-3.0, 3.0)


def test_heatmap_refuses_what_is_no_matrix():
    with pytest.raises(ValueError, match="matrix"):
        heatmap(torch.rand(3), **WORDS)


def test_bars_of_one_and_of_several_groups():
    single = bars({"a": 1.0, "b": 2.0}, **WORDS).figure
    assert [bar for trace in single.data for bar in trace.y] == [1.0, 2.0]
    several = bars({"g": {"a": 1.0}, "h": {"a": 3.0}}, **WORDS)
    assert [trace.marker.color for trace in several.figure.data] == list(CATEGORIES[:2])
    assert "h: a 3" in several.alt


def test_attention_is_sent_in_bytes_with_the_query_outlined():
    pattern = torch.rand(5, 5).softmax(-1)
    figure = attention_figure(pattern, list("abcde"), title="t", query=2)
    assert figure.data[0].z.dtype == np.uint8
    assert np.abs(figure.data[0].z / 100 - pattern.numpy()).max() <= 0.005 + 1e-6
    assert figure.layout.yaxis.autorange == "reversed"
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (1.5, 2.5)


def test_attention_refuses_a_pattern_of_another_length():
    with pytest.raises(ValueError, match="does not fit"):
        attention_figure(torch.rand(5, 5), ["a"], title="t")


def test_tokens_are_made_visible_and_are_no_html():
    assert label(" <s>\n") == "␣&lt;s&gt;⏎"
    assert label("") == "∅"


def test_arrays_are_small():
    assert small(torch.rand(2, dtype=torch.float64)).dtype == np.float32
    assert small([0, 255]).dtype == np.uint8
    assert small([True, False]).tolist() == [1, 0]
    assert small([0, 70_000]).tolist() == [0, 70_000]
    assert small(torch.rand(2, requires_grad=True)).shape == (2,)


@pytest.mark.parametrize("missing", ["caption", "alt"])
def test_a_picture_without_words_is_refused(missing):
    words = {"caption": "c", "alt": "a", missing: " "}
    with pytest.raises(ValueError, match="caption"):
        Picture(heatmap(torch.rand(2, 2), **WORDS).figure, **words)


def test_showing_prints_the_caption_and_names_the_figure(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    picture = heatmap(torch.rand(2, 2), **{**WORDS, "caption": "Less < more."}, alt='In "words".')
    monkeypatch.setattr(type(picture.figure), "show", lambda self: shown.append("figure"))
    picture.show()
    assert shown[0] == "figure"
    assert "<em>Less &lt; more.</em>" in shown[1]["text/html"]
    assert 'aria-label="In &quot;words&quot;."' in shown[1]["text/html"]
    assert shown[1]["text/plain"] == "Less < more."


def test_a_written_page_holds_caption_and_words_and_needs_no_network(tmp_path):
    bars({"a < b": 1.0}, title="T & U", y="share", caption="One < two.", alt='Bars, "high".').write(tmp_path / "F.html")
    page = (tmp_path / "F.html").read_text(encoding="utf-8")
    assert "<title>T &amp; U</title>" in page and "One &lt; two." in page
    assert 'aria-label="Bars, &quot;high&quot;."' in page
    assert 'src="plotly.min.js"' in page and (tmp_path / "plotly.min.js").stat().st_size > 10**6
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_figure_as_json_is_plain_and_holds_its_arrays():
    data = as_json(heatmap(torch.eye(2), **WORDS).figure)
    assert json.loads(json.dumps(data)) == data
    assert data["data"][0]["type"] == "heatmap"
    assert data["layout"]["meta"]["alt"]


def test_a_figure_weighs_a_few_kilobytes():
    pattern = torch.rand(32, 32).softmax(-1)
    figure = attention_figure(pattern, [str(n) for n in range(32)], title="t")
    assert len(json.dumps(as_json(figure))) < 12_000  # the default template alone would be 7 to 17 kB more


def test_importing_the_figures_loads_neither_plotly_nor_ipywidgets():
    code = "import sys, utils.plot; print([m for m in ('plotly', 'ipywidgets', 'anywidget') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tensors_of_every_float_type_can_be_drawn():
    for kind in (torch.bfloat16, torch.float16, torch.float64):
        values = torch.tensor([[0.5, 1.0], [2.0, -4.0]], dtype=kind)
        drawn = heatmap(values, **WORDS)
        assert np.asarray(drawn.figure.data[0].z).tolist() == values.tolist()
