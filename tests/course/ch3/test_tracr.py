"""Side by side with the known compiler, where it is installed (`pip install tracr-pypi`): sizes and outputs."""

import pytest

from solutions.ch3_rasp import aggregate, hist, indices, length, select, tokens
from solutions.ch3_rasp.compiler import compile_rasp

pytest.importorskip("tracr", reason="tracr-pypi is not installed: it brings jax and is no dependency of the course")


def theirs(name: str):
    """A program in their language."""
    from tracr.rasp import rasp

    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    count = rasp.SelectorWidth(rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE))
    opposite = (count - rasp.indices - 1).named("opposite")
    flip = rasp.Select(rasp.indices, opposite, rasp.Comparison.EQ)
    before = rasp.Select(rasp.indices, rasp.Map(lambda i: i - 1, rasp.indices), rasp.Comparison.EQ)
    return {
        "hist": rasp.SelectorWidth(same),
        "length": count,
        "reverse": rasp.Aggregate(flip, rasp.tokens, default=None),
        "shift": rasp.Aggregate(before, rasp.tokens, default=None),
    }[name]


OURS = {
    "hist": hist(tokens),
    "length": length,
    "reverse": aggregate(select(indices, length - 1 - indices, "=="), tokens),
    "shift": aggregate(select(indices, indices - 1, "=="), tokens, "?"),
}


@pytest.mark.parametrize("name", OURS)
def test_same_outputs_and_no_more_layers(name):
    from tracr.compiler import compiling

    vocab, n = ["a", "b", "c"], 5
    known = compiling.compile_rasp_to_model(theirs(name), vocab=set(vocab), max_seq_len=n, compiler_bos="BOS")
    model = compile_rasp(OURS[name], vocab, n)
    for word in ("a", "ab", "acb", "cabbc"):
        expected = known.apply(["BOS", *word]).decoded[1:]
        first = 1 if name == "shift" else 0  # what an empty row decodes to is not defined there
        assert model(word)[first:] == list(expected)[first:]
    assert model.layers <= known.model_config.num_layers


def test_counts_above_nine_which_the_known_compiler_gets_wrong():
    from tracr.compiler import compiling

    known = compiling.compile_rasp_to_model(theirs("length"), vocab={"a"}, max_seq_len=10, compiler_bos="BOS")
    assert known.apply(["BOS", *"a" * 10]).decoded[1] == 9
    assert compile_rasp(length, ["a"], 10)("a" * 10) == [10] * 10
