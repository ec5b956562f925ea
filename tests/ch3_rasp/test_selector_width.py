"""Hidden tests of exercise 3.5: how many keys each query chooses, from averages only."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))

SELECTORS = {
    "select(indices, indices, '>')": lambda x, i, j: j > i,
    "select(tokens, tokens, '==')": lambda x, i, j: x[j] == x[i],
    "select(indices, indices, '<=')": lambda x, i, j: j <= i,
    "select(indices, indices, '<')": lambda x, i, j: j < i,
    "full_s": lambda x, i, j: True,
    "select(1, 2, '==')": lambda x, i, j: False,
}


def widths(choose, x, skip_first):
    return [sum(choose(x, i, j) for j in range(skip_first, len(x))) for i in range(len(x))]


def compared(selector_width, draw, bos, says):
    inputs = ["aab", "a", L.word(draw, "ab", 4, 9), L.word(draw, "abc", 4, 9)]
    for text, choose in SELECTORS.items():
        found = L.result(selector_width, [L.step(text), bos], inputs)
        L.agrees(found, [widths(choose, x, bos) for x in inputs], inputs, f"{says}, for {text}")


def test_without_bos(selector_width, draw):
    compared(selector_width, draw, False, "each position must get the number of keys that it chooses, an int")


def test_a_width_that_rounding_errors_spoil(selector_width):
    found = L.result(selector_width, [L.step("select(indices, 92, '<=')"), False], ["a" * 94])
    says = "with 93 chosen keys, 1 / (1 / 93) is a little below 93 in floats: round to the nearest, don't cut"
    L.agrees(found, [[93] * 94], ["a" * 94], says)


def test_bos_is_off_by_default(selector_width):
    found = L.result(selector_width, [L.step("select(tokens, tokens, '==')")], ["aab"])
    L.agrees(found, [[2, 2, 1]], ["aab"], "without the second argument, position 0 counts like any other")


def test_with_bos(selector_width, draw):
    says = "with bos, position 0 must never be counted, and every other chosen key once"
    compared(selector_width, draw, True, says)


def test_size(selector_width):
    same = L.step("select(tokens, tokens, '==')")
    L.fits(selector_width, [same, False], [2], "without bos the width takes one layer")
    L.fits(selector_width, [same, True], [1], "with bos the width takes one layer of one head")
