"""Hidden tests of exercise 3.12: how often each position's own token occurs."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def test_counts(hist, draw):
    inputs = ["hello", "aaaa", "a", L.word(draw, "abc", 6, 12)]
    found = L.result(hist, [L.step("tokens")], inputs)
    expected = [[x.count(c) for c in x] for x in inputs]
    L.agrees(found, expected, inputs, "each position must get the number of times that its token occurs, an int")


def test_any_sequence(hist):
    found = L.result(hist, [L.step("indices % 2")], ["hello"])
    L.agrees(found, [[3, 2, 3, 2, 3]], ["hello"], "hist must count in the sequence that it is given")


def test_with_bos(hist, draw):
    inputs = ["§hello", "§", "§" + L.word(draw, "abc", 5, 10)]
    found = L.result(hist, [L.step("tokens"), True], inputs)
    expected = [[0, *(x.count(c) for c in x[1:])] for x in inputs]
    L.agrees(found, expected, inputs, "with bos, position 0 must get 0 and never be counted")


def test_size(hist):
    L.fits(hist, [L.step("tokens")], [2], "hist takes one layer")
    L.fits(hist, [L.step("tokens"), True], [1], "hist with bos takes one layer of one head")
