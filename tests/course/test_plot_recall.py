"""The explorers of chapter 4: every control changes the picture, and the words say in numbers what it shows."""

import pytest
import torch

from utils.course import CourseError
from utils.plot import Explorer
from utils.plot.picture import CATEGORIES
from utils.plot.recall import answers, embedding, endings, excess_map, loss_explorer, sentence_strip, surgery_panel

TOKENS, WORDS = [0, 4, 3, 0, 5, 0], ["Ada", "Ben", "red", "blue", "gold", "um"]


def read(lam, kind):
    weights = torch.tensor([0.0, lam, 0.0, 0.0, -lam if kind == "linear" else 0.0, 0.0])
    return weights, torch.tensor([0.0, 0.0, 0.0, 0.1, 0.6, 0.3])


def strip():
    return sentence_strip(TOKENS, WORDS, read)


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
    assert list(figure.layout.xaxis.ticktext) == [WORDS[token] for token in TOKENS]


def test_answers_show_one_attention_and_the_likeliest_words_of_each_model():
    picture = answers("gold Ada blue red Ada", WORDS, {"before": 2, "after": 3}, attended)
    panels = [trace for trace in picture.figure.data if trace.xaxis in ("x2", "x3")]
    assert [list(trace.x) for trace in panels] == [["red", "blue", "gold"], ["blue", "red", "gold"]]
    assert panels[1].marker.color[0] == CATEGORIES[2] != panels[0].marker.color[0]  # blue is what stood after Ada
    assert "before: red, 80.0%; after: blue, 80.0%" in picture.figure.layout.title.text
    assert "“blue” (y, the right answer)" in picture.caption
    with pytest.raises(CourseError, match="'grey' is not one of the model's words"):
        answers("grey Ada blue Ada", WORDS, {"before": 2}, attended)


def attended(best, tokens):
    """Full weight on the token after the query's first place; `best` is the likeliest token."""
    weights, chances = torch.zeros(len(tokens)), torch.tensor([0.0, 0.0, 0.15, 0.15, 0.05, 0.0])
    weights[tokens.index(tokens[-1]) + 1], chances[best] = 1.0, 0.8
    return weights, chances


def test_endings_say_where_each_curve_is_lowest_and_the_levels_given():
    curves, lams = {"falls": [3.0, 1.0], "turns": [1.5, 2.0]}, [0.0, 15.0]
    assert "At Lambda = 15 the curves are at 1.00 (falls), 2.00 (turns)." in endings(curves, lams).caption
    with_levels = endings(curves, lams, {"Bayes risk": 0.98}).caption
    assert (
        "lowest points of the curves are 1.00 (falls), 1.50 (turns); your levels are 0.98 (Bayes risk)" in with_levels
    )


def test_embedding_names_rows_and_columns_by_words():
    figure = embedding(torch.eye(12)[[0, 6]], [0, 1], WORDS).figure
    assert figure.data[0].z.shape == (2, 12)
    assert list(figure.layout.yaxis.ticktext) == ["0: Ada", "1: Ben"]
    assert list(figure.layout.xaxis.ticktext)[5:7] == ["um", "after Ada"]


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
