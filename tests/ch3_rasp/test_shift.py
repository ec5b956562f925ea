"""Hidden tests of exercise 3.7: a sequence moved to the right."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def moved(x, n, fill):
    return [x[i - n] if 0 <= i - n < len(x) else fill for i in range(len(x))]


def compared(shift, inputs, n, fill, says):
    found = L.result(shift, [L.step("tokens"), n, fill], inputs)
    L.agrees(found, [moved(list(x), n, fill) for x in inputs], inputs, says)


def test_to_the_right(shift, draw):
    inputs = ["hello", L.word(draw, "abcdef", 5, 10)]
    compared(shift, inputs, 1 + draw.index, "?", "a positive n must move the sequence n places to the right")
    inputs = ["ab", "hello"]
    compared(shift, inputs, 0, "?", "with n = 0 nothing moves, and fill is not needed")
    compared(shift, [*inputs, "a"], 20, "-", "fill must take all the places where n is larger than the length")
    compared(shift, inputs, 3, "-", "fill must take the places where nothing arrives, also where that is everywhere")
    compared(shift, [[4, 5, 6]], 1, -7, "fill must be used as it is, also where it is a number")


def test_to_the_left(shift, draw):
    inputs = ["hello", L.word(draw, "abcdef", 5, 10)]
    compared(shift, inputs, -1 - draw.index, "?", "a negative n must move the sequence to the left")


def test_any_sequence(shift):
    found = L.result(shift, [L.step("indices"), 2, 9], ["hello"])
    L.agrees(found, [[9, 9, 0, 1, 2]], ["hello"], "shift must move the sequence that it is given")


def test_size(shift):
    for n in (1, -3):
        L.fits(shift, [L.step("tokens"), n, "?"], [1], "shift takes one layer of one head, however far it moves")
