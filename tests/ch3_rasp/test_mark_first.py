"""Hidden tests of exercise 3.10: where a value occurs for the first time."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def compared(mark_first, inputs, value, says, text="tokens", read=list):
    found = L.result(mark_first, [L.step(text), value], inputs)
    rows = [read(x) for x in inputs]
    expected = [[v == value and value not in row[:i] for i, v in enumerate(row)] for row in rows]
    L.agrees(found, expected, inputs, says)


def test_first_only(mark_first, draw):
    inputs = ["hello", "lol", "ollla", "l", L.word(draw, "la", 5, 11)]
    compared(mark_first, inputs, "l", "exactly the first occurrence must be True, all else False, as bools")
    compared(mark_first, ["abc", "x"], "l", "where the value does not occur, everything must be False")


def test_any_sequence(mark_first):
    says = "mark_first must look at the sequence that it is given"
    compared(mark_first, ["hello"], 1, says, "indices % 2", lambda x: [i % 2 for i in range(len(x))])


def test_size(mark_first):
    L.fits(mark_first, [L.step("tokens"), "a"], [1], "mark_first takes one layer of one head")
