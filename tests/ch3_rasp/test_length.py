"""Hidden tests of exercise 3.4: the length of the input, from averages only."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))

SAYS = "length must give the number of tokens, an int, at every position"


def test_the_number_of_tokens_everywhere(length, draw):
    inputs = ["hello", "ab", L.word(draw, "abc", 6, 13), [4, 4, 7]]
    found = L.result(length, [], inputs)
    L.agrees(found, [[len(x)] * len(x) for x in inputs], inputs, SAYS)


def test_a_length_that_rounding_errors_spoil(length):
    found = L.result(length, [], ["ab" * 46 + "c"])
    says = "at length 93, 1 / (1 / 93) is a little below 93 in floats: round to the nearest, don't cut"
    L.agrees(found, [[93] * 93], ["ab" * 46 + "c"], says)


def test_one_token(length):
    L.agrees(L.result(length, [], ["a"]), [[1]], ["a"], "on an input of a single token the length must be 1, an int")


def test_size(length):
    L.fits(length, [], [1], "length should need one layer with one head")
