"""Hidden tests of exercise 3.13: how many different tokens occur as often as one's own."""

from collections import Counter
from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def right(x):
    often = Counter(x)
    return [sum(n == often[c] for n in often.values()) for c in x]


def test_counts(double_hist, draw):
    inputs = ["hello", "aaabccd", "aabbc", "a", L.word(draw, "abcd", 6, 12)]
    found = L.result(double_hist, [L.step("tokens")], inputs)
    says = "each position must get the number of different tokens that occur as often as its own"
    L.agrees(found, [right(x) for x in inputs], inputs, says)


def test_any_sequence(double_hist):
    found = L.result(double_hist, [L.step("indices % 2")], ["hell"])
    L.agrees(found, [[2] * 4], ["hell"], "double_hist must count in the sequence that it is given")


def test_with_bos(double_hist, draw):
    inputs = ["§aaabccd", "§", "§" + L.word(draw, "abcd", 5, 10)]
    found = L.result(double_hist, [L.step("tokens"), True], inputs)
    says = "with bos, position 0 must get 0 and never be counted"
    L.agrees(found, [[0, *right(x[1:])] for x in inputs], inputs, says)


def test_size(double_hist):
    L.fits(double_hist, [L.step("tokens")], [3, 2], "double_hist takes two layers")
    L.fits(double_hist, [L.step("tokens"), True], [2, 1], "with bos, double_hist takes two layers")
