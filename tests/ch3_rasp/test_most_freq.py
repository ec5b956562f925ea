"""Hidden tests of exercise 3.14: the different tokens, the most frequent first."""

from collections import Counter
from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def right(x, fill):
    """x without its BOS; ties by first appearance, then fill."""
    ranked = [c for c, _ in sorted(Counter(x).items(), key=lambda item: -item[1])]
    return ["§", *ranked, *[fill] * (len(x) - len(ranked))]


def test_order(most_freq, draw):
    inputs = ["§abbccddd", "§cbbca", "§hello", "§", "§aaa", "§" + L.word(draw, "cbad", 6, 12)]
    found = L.result(most_freq, [L.step("tokens")], inputs)
    says = "the different tokens must come by falling count, ties by first appearance, then §"
    L.agrees(found, [right(x[1:], "§") for x in inputs], inputs, says)


def test_fill(most_freq):
    found = L.result(most_freq, [L.step("tokens"), "."], ["§abbccddd"])
    L.agrees(found, [right("abbccddd", ".")], ["§abbccddd"], "fill must take the places behind the different tokens")


def test_any_sequence(most_freq):
    found = L.result(most_freq, [L.step("tokens.lookup({'§': '§', 'a': 'y', 'b': 'x', 'c': 'x'})")], ["§abc"])
    L.agrees(found, [list("§xy§")], ["§abc"], "most_freq must read the sequence that it is given")


def test_size(most_freq):
    L.fits(most_freq, [L.step("tokens")], [2, 1, 1], "most_freq takes three layers")
