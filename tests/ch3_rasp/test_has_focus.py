"""Hidden tests of exercise 3.8: whether a query chooses any key."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def compared(has_focus, text, choose, inputs, says):
    found = L.result(has_focus, [L.step(text)], inputs)
    expected = [[any(choose(x, i, j) for j in range(len(x))) for i in range(len(x))] for x in inputs]
    L.agrees(found, expected, inputs, says)


def test_all_or_nothing(has_focus):
    compared(has_focus, "full_s", lambda x, i, j: True, ["abc"], "where every key is chosen, the result must be True")
    compared(has_focus, "select(1, 2, '==')", lambda x, i, j: False, ["abc"], "an empty row must give False")


def test_some_rows(has_focus, draw):
    inputs = ["hello", L.word(draw, "abc", 4, 9), "a"]
    says = "the result must be True, a bool, where the row chooses any key, else False"
    compared(has_focus, "select(indices, indices, '<')", lambda x, i, j: j < i, inputs, says)
    compared(has_focus, "select(indices, indices - 3, '==')", lambda x, i, j: j == i - 3, inputs, says)
    says = "a row that chooses position 0 alone has a focus, too"
    compared(has_focus, "select(indices, 0, '==')", lambda x, i, j: j == 0, ["hello", "a"], says)


def test_size(has_focus):
    L.fits(has_focus, [L.step("select(tokens, tokens, '==')")], [1], "has_focus takes one layer of one head")
