"""Hidden tests of exercise 3.9: how often an atom occurs."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def compared(count, inputs, atom, says, text="tokens"):
    found = L.result(count, [L.step(text), atom], inputs)
    L.agrees(found, [[list(x).count(atom)] * len(x) for x in inputs], inputs, says)


def test_everywhere_the_same_number(count, draw):
    inputs = ["hello", "l", L.word(draw, "lab", 6, 13)]
    compared(count, inputs, "l", "count must give the number of times that the atom occurs, an int, at every position")
    compared(count, ["abc", "a"], "x", "an atom that does not occur must be counted 0 times")
    compared(count, [[3, 1, 3, 3], [0, 0]], 3, "count must work for numbers as well")
    compared(count, [["3", "1"], [3.0, 1.5, 3.0]], 3, "a number equals no text, and 3 equals 3.0, as in Python")


def test_counts_that_rounding_errors_spoil(count):
    says = "22 * (15 / 22) and 25 * (7 / 25) are not whole in floats: round to the nearest"
    compared(count, ["a" * 15 + "b" * 7, "a" * 7 + "b" * 18], "a", says)
    says = "in a long input a share has many digits: round the number of times, and not the share"
    compared(count, ["a" * 3 + "b" * 200], "a", says)


def test_any_sequence(count):
    found = L.result(count, [L.step("indices % 2"), 1], ["hello"])
    L.agrees(found, [[2] * 5], ["hello"], "count must look at the sequence that it is given")


def test_size(count):
    L.fits(count, [L.step("tokens"), "a"], [1], "count takes one layer of one head, which length shares")
