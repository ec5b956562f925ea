"""The explorers of chapter 4: every control changes the picture, and the words say in numbers what it shows."""

import pytest
import torch

from utils.plot import Explorer
from utils.plot.picture import CATEGORIES
from utils.plot.recall import excess_map, loss_explorer, sentence_strip, surgery_panel

TOKENS, PARTS = [0, 4, 3, 0, 5, 0], ["trigger", "y, the right answer", "filler", "trigger", "noise token", "trigger"]


def read(lam, kind):
    weights = torch.tensor([0.0, lam, 0.0, 0.0, -lam if kind == "linear" else 0.0, 0.0])
    return weights, torch.tensor([0.0, 0.0, 0.0, 0.1, 0.6, 0.3])


def strip():
    return sentence_strip(TOKENS, PARTS, read, y=4, tau=5)


def losses():
    def levels(alpha, N, kappa):
        return {"Bayes risk": alpha} | ({} if kappa else {"floor of F": 2 * alpha})

    return loss_explorer(lambda lams, alpha, N, kappa: [N * alpha + lam for lam in lams], levels)


def table():
    tables = {"seen": [[0.0, -1e-9], [2.0, 0.04]], "unseen": [[0.0, 0.01], [30.0, 4.0]]}
    return excess_map(tables, rows=["good", "bad"], columns=["no noise", "alpha 0.5"], title="Excess")


def panel():
    def operate(patient, chosen):
        return {"seen": 0.5 * len(chosen), "unseen": 9.0 if patient == "a" else 3.0}

    return surgery_panel(["a", "b"], operate, {"V": "V = cI", "F": "F = 0"}, level=lambda patient: 0.1)


@pytest.mark.parametrize("make", [strip, losses, table, panel])
def test_controls_start_where_the_plain_figure_is(make):
    explorer = make()
    assert isinstance(explorer, Explorer)
    explorer.start()
    values = {name: control.value for name, control in explorer.controls.items()}
    assert explorer.draw(**values).alt == explorer.draw().alt  # a front end without widgets shows the same


@pytest.mark.parametrize(
    "make, change",
    [
        (strip, {"Lambda": 7.0}),
        (strip, {"attention": "relu"}),
        (losses, {"alpha": 0.9}),
        (losses, {"N": 1000}),
        (losses, {"F_reads": 0}),
        (losses, {"Lambda": 9.0}),
        (table, {"test_on": "unseen"}),
        (panel, {"V = cI": True}),
        (panel, {"model": "b"}),
    ],
)
def test_each_control_changes_picture_and_words(make, change):
    explorer = make()
    before, after = explorer.draw(), explorer.draw(**change)
    assert before.alt != after.alt
    assert before.figure.to_json() != after.figure.to_json()


def test_strip_colours_tokens_by_their_part_and_keeps_every_weight():
    figure = strip().draw(Lambda=2.0).figure
    named = {trace.name: trace for trace in figure.data if trace.name}
    assert list(named["noise token"].x) == [4] and list(named["noise token"].y) == [-2.0]
    assert named["y, the right answer"].marker.color == CATEGORIES[2]
    assert sum(len(trace.x) for trace in named.values()) == len(TOKENS)
    assert (
        list(figure.layout.xaxis.ticktext) == [str(token) for token in TOKENS]
        or list(figure.layout.xaxis.ticktext) == TOKENS
    )


def test_loss_explorer_marks_the_place_and_says_the_excess():
    picture = losses().draw(alpha=0.5, N=24, Lambda=3.0)
    ring = picture.figure.data[-1]
    assert (list(ring.x), list(ring.y)) == ([3.0], [15.0])
    assert "14.5000 above the Bayes risk" in picture.alt


def test_excess_map_shows_numbers_as_they_are_and_no_minus_zero():
    picture = table().draw()
    (heat,) = picture.figure.data
    assert heat.text.tolist() == [["0.00", "0.00"], ["2.00", "0.04"]]
    assert heat.zmin == -2 and picture.figure.layout.yaxis.autorange == "reversed"
    assert "Below 0.05 everywhere: good." in picture.alt
    both = {tuple(table().draw(test_on=name).figure.data[0].zmax for name in ("seen", "unseen"))}
    assert len({value for pair in both for value in pair}) == 1  # the two tables share one scale


def test_surgery_panel_names_what_was_done():
    picture = panel().draw(model="a", **{"V = cI": True, "F = 0": True})
    assert "a; V = cI, F = 0: seen 1.000, unseen 9.000" in picture.alt
    assert "nothing cut" in panel().draw().alt
