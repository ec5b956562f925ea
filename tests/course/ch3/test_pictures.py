"""What the chapter shows: recorded runs that are true, pictures of a run, puzzles with answers, the playground."""

import json

import pytest

import solutions.ch3_rasp as rasp
from solutions.ch3_rasp import puzzles
from utils.course import ROOT
from utils.plot.rasp_play import playground
from utils.plot.rasp_steps import draw, html_of, puzzle, size_in_words, trace

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


def test_quotation_marks_and_headings_can_be_read():
    """Text is not escaped twice, and a heading has room of its own between the rows."""
    picture = draw(rasp.dyck_k(rasp.tokens, ["()", "{}"]), "{(a)}", 'the program "dyck_k" on a < b')
    layout = picture.figure.layout
    across = [axis for axis in picture.figure.select_xaxes() if axis.domain]
    down = {axis.plotly_name.replace("axis", ""): axis for axis in picture.figure.select_yaxes() if axis.domain}
    names = [text for axis in down.values() for text in axis.ticktext]
    assert layout.title.text == 'the program "dyck_k" on a &lt; b' and not any("&quot;" in name for name in names)
    assert any("tokens in [" in name for name in names)
    plot = layout.height - layout.margin.t - layout.margin.b
    for axis in across:
        top = down[axis.anchor].domain[1]
        room = min([other.domain[0] for other in down.values() if other.domain[0] >= top], default=1) - top
        assert plot * room > (60 if axis.showticklabels else 38 if axis.title.text else 6), axis.title.text


@pytest.mark.parametrize(
    ("heads", "words"),
    [
        ([], "without any attention"),
        ([2], "in 1 layer, with 2 heads"),
        ([1, 1], "in 2 layers, with 1 head in each"),
        ([2, 1, 1], "in 3 layers, with 2, 1 and 1 heads"),
    ],
)
def test_a_size_in_words(heads, words):
    assert size_in_words(heads) == words


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (rasp.indicator(rasp.indices == 0), "indicator(indices == 0)"),
        (rasp.select(rasp.tokens, rasp.indices + 1, "<"), 'select(tokens, indices + 1, "<")'),
        (2 * (rasp.indices + 1), "2 * (indices + 1)"),
        (rasp.aggregate(rasp.full_s, rasp.tokens, "?"), 'aggregate(full_s, tokens, "?")'),
        (rasp.aggregate(rasp.full_s, rasp.tokens), "aggregate(full_s, tokens)"),
        (~rasp.tokens.isin(["a"]), "~(tokens in ['a'])"),
        (rasp.tokens.isin(["a"]) & (rasp.indices < 2), "(tokens in ['a']) & (indices < 2)"),
    ],
)
def test_steps_are_written_as_programs_are(step, text):
    assert repr(step) == text


def test_an_error_is_one_sentence_in_a_notebook():
    """A program's steps call each other; the way down through them says nothing that the sentence does not."""
    with pytest.raises(rasp.RaspError) as caught:
        (1 / (rasp.indices - 1))("abc")
    assert caught.value._render_traceback_() == ["RaspError: 1 / (indices - 1): division by zero."]


def test_expressions_show_themselves():
    assert "<td" in html_of(rasp.tokens == "l") and "query" in html_of(rasp.full_s)
    assert "division by zero" in html_of(1 / rasp.indices)


@pytest.mark.parametrize("name", list(puzzles.PUZZLES))
def test_puzzles_have_answers(name):
    title, x, wanted = puzzles.PUZZLES[name]
    assert ANSWERS[name]()(x) == wanted
    assert f"{len(wanted)} of {len(wanted)}" in puzzle(ANSWERS[name](), x, wanted, title).caption
    assert "no program yet" in puzzle(None, x, wanted, title).caption


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (rasp.sort, "a function: call it"),
        (rasp.full_s, "put a selector into aggregate"),
        (["a", "b"], "but this is ['a', 'b']"),
        (rasp.aggregate(rasp.full_s, rasp.tokens), "only numbers have a mean."),
        (rasp.tokens, "1 of 2"),
    ],
)
def test_puzzles_say_what_is_wrong(answer, says):
    assert says in puzzle(answer, "ab", ["a", "a"], "the first token, everywhere").caption


def test_playground():
    names = {**vars(rasp), "length": lambda: rasp.length}
    play = playground(names)
    assert "o l l e h" in play.draw().caption
    assert "becomes 1 1 2 2 1" in play.draw(program="hist(tokens)").caption
    for program, says in (
        ("1 / indices", "division by zero"),
        ("full_s", "put a selector into aggregate"),
        ("nonsense", "nonsense"),
        ("length", "length is a function: call it"),
        ("42", "but this is 42"),
        ("tokens[", "Python cannot read it as an expression: '[' was never closed"),
        ("aggregate(select(tokens.isin(['a', 'e', 'i', 'o', 'u', 'l']), True, '=='), tokens)", "...: a row chooses"),
    ):
        caption = play.draw(program=program).caption
        assert says in caption and "<string>" not in caption
    assert "empty" in play.draw(input="").caption
    weights = play.draw(show="its weights")
    assert "2 layers" in weights.caption and "o l l e h" in weights.caption
    first, second = (data.z for data in weights.figure.data)
    assert first[1].tolist() == pytest.approx([0] + [1 / 5] * 5)  # all tokens alike, to find the length
    assert second[1:].argmax(axis=1).tolist() == [5, 4, 3, 2, 1]
    for program, says in (("tokens", "no attention"), ("aggregate(full_s, indices)", "mean")):
        refused = play.draw(program=program, show="its weights")
        assert says in refused.caption and "weights" in refused.figure.layout.title.text  # the program itself runs
