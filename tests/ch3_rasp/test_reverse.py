"""Hidden tests of exercise 3.6: the sequence from its end to its beginning."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def test_words(reverse, draw):
    inputs = ["hello", "ab", "a", L.word(draw, "abcdef", 6, 14)]
    found = L.result(reverse, [L.step("tokens")], inputs)
    L.agrees(found, [list(x)[::-1] for x in inputs], inputs, "the tokens do not come out in reverse order")


def test_any_sequence(reverse, draw):
    inputs = ["hello", L.word(draw, "abc", 3, 9)]
    found = L.result(reverse, [L.step("indices * 2")], inputs)
    expected = [[2 * i for i in range(len(x))][::-1] for x in inputs]
    L.agrees(found, expected, inputs, "reverse must turn round the sequence that it is given, whatever that is")


def test_size(reverse):
    L.fits(reverse, [L.step("tokens")], [1, 1], "reverse takes two layers, the length and then the swap")
