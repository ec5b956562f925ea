"""What the chapter shows: recorded runs that are true, pictures of a run, puzzles with answers, the playground."""

import json

import pytest

import solutions.ch3_rasp as rasp
from solutions.ch3_rasp import puzzles
from utils.course import ROOT
from utils.plot.rasp_play import playground
from utils.plot.rasp_steps import draw, html_of, puzzle, trace

RUNS = json.loads((ROOT / "chapters/ch3_rasp/data/runs.json").read_text(encoding="utf-8"))
ANSWERS = {
    "third": puzzles.third,
    "index_of": lambda: puzzles.index_of("l"),
    "minimum": puzzles.minimum_everywhere,
    "right_align": puzzles.right_align,
    "slide": puzzles.slide,
    "add": puzzles.add,
}


@pytest.mark.parametrize(
    ("title", "program", "x"),
    [
        ('reverse "hello"', rasp.reverse(rasp.tokens), "hello"),
        ('count equal tokens in "§hello"', rasp.hist(rasp.tokens, bos=True), "§hello"),
        ('sort "hello"', rasp.sort(rasp.tokens), "hello"),
        ('check the brackets of "())("', rasp.dyck1_ptf(rasp.tokens), "())("),
    ],
)
def test_recorded_runs_are_true(title, program, x):
    recorded, now = RUNS[title], trace(program, x)
    assert recorded["result"] == now["result"] and recorded["input"] == now["input"]
    grids = [[head["matrix"] for head in layer["heads"]] for layer in recorded["layers"]]
    assert grids == [[head["matrix"] for head in layer["heads"]] for layer in now["layers"]]


def test_a_picture_has_a_heat_map_per_head_and_words():
    picture = draw(rasp.double_hist(rasp.tokens), "hello")
    _, heads = rasp.report(rasp.double_hist(rasp.tokens))
    grids = [data for data in picture.figure.data if data.text is None]
    assert len(grids) == sum(heads)
    assert "selects" in picture.alt and "3 3 1 1 3" in picture.caption


def test_expressions_show_themselves():
    assert "<td" in html_of(rasp.tokens == "l") and "query" in html_of(rasp.full_s)
    assert "division by zero" in html_of(1 / rasp.indices)


@pytest.mark.parametrize("name", list(puzzles.PUZZLES))
def test_puzzles_have_answers(name):
    title, x, wanted = puzzles.PUZZLES[name]
    assert ANSWERS[name]()(x) == wanted
    assert f"{len(wanted)} of {len(wanted)}" in puzzle(ANSWERS[name](), x, wanted, title).caption
    assert puzzle(None, x, wanted, title).caption.startswith("0 of")


def test_playground():
    names = {**vars(rasp), "length": lambda: rasp.length}
    play = playground(names)
    assert "o l l e h" in play.draw().caption
    assert "becomes 1 1 2 2 1" in play.draw(program="hist(tokens)").caption
    for program, says in (("1 / indices", "division by zero"), ("full_s", "end in an s-op"), ("nonsense", "nonsense")):
        assert says in play.draw(program=program).caption
    assert "empty" in play.draw(input="").caption
    weights = play.draw(show="its weights")
    assert "2 layers" in weights.caption and "o l l e h" in weights.caption
    first, second = (data.z for data in weights.figure.data)
    assert first[1].tolist() == pytest.approx([0] + [1 / 5] * 5)  # all tokens alike, to find the length
    assert second[1:].argmax(axis=1).tolist() == [5, 4, 3, 2, 1]
    for program, says in (("tokens", "no attention"), ("aggregate(full_s, indices)", "mean")):
        assert says in play.draw(program=program, show="its weights").caption
