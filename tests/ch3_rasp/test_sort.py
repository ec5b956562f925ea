"""Hidden tests of exercise 3.11: values in the order of a key, equal keys in their old order."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def compared(sort, arguments, inputs, expected, says):
    L.agrees(L.result(sort, arguments, inputs), expected, inputs, says)


def test_words(sort, draw):
    inputs = ["hello", "cba", "aab", "b", L.word(draw, "bca", 6, 12)]
    says = "the tokens do not come out in rising order, each as often as it went in"
    compared(sort, [L.step("tokens"), L.step("tokens")], inputs, [sorted(x) for x in inputs], says)


def test_equal_keys_keep_their_order(sort, draw):
    inputs = ["hello", "babab", L.word(draw, "abc", 6, 12)]
    says = "sort must return values of seq, in the order of key"
    compared(sort, [L.step("tokens"), L.step("-indices")], inputs, [list(x)[::-1] for x in inputs], says)
    expected = [[i for _, i in sorted((c, i) for i, c in enumerate(x))] for x in inputs]
    says = "positions with equal keys must stay in their old order"
    compared(sort, [L.step("indices"), L.step("tokens")], inputs, expected, says)


def test_key_may_be_left_out(sort):
    says = "without a key, sort must go by seq itself"
    compared(sort, [L.step("tokens")], ["hello"], [sorted("hello")], says)
    compared(sort, [L.step("0 - indices")], ["hello"], [[-4, -3, -2, -1, 0]], says)


def test_with_bos(sort, draw):
    inputs = ["§hello", "§baab", "§", "§" + L.word(draw, "bca", 5, 10)]
    says = "with bos, position 0 must stay where it is, and the rest be sorted behind it"
    expected = [["§", *sorted(x[1:])] for x in inputs]
    compared(sort, [L.step("tokens"), L.step("tokens"), True], inputs, expected, says)
    inputs = ["#cab", "§b§a", "zba"]
    says = "with bos, position 0 holds BOS, whatever its token is and whether that occurs again"
    compared(sort, [L.step("tokens"), L.step("tokens"), True], inputs, [[x[0], *sorted(x[1:])] for x in inputs], says)


def test_keys_that_lie_close(sort):
    inputs = [[0.5, 0.4999, 0.5, 0.25, 0.2499], [3, 2, 1, 2.9999]]
    says = "keys that differ by little must come in rising order, too: position decides between equal keys alone"
    compared(sort, [L.step("tokens"), L.step("tokens")], inputs, [sorted(x) for x in inputs], says)


def test_size(sort):
    key = L.step("tokens")
    L.fits(sort, [key, key], [2, 1], "sort takes two layers, the places and then the move")
    L.fits(sort, [key, key, True], [1, 1], "with bos, each layer needs one head")
