"""Programs as weights: right on every input, of the size that is promised, or refused with a sentence."""

import json
import time
from pathlib import Path

import pytest
import torch

import solutions.ch3_rasp as rasp
from solutions.ch3_rasp import aggregate, full_s, hist, indicator, indices, length, select, tokens
from solutions.ch3_rasp.cli import main
from solutions.ch3_rasp.compiler import CompileError, compile_rasp, same_value, verify
from utils.ch3.reach import tell_apart, together
from utils.course import CourseError

CASES = json.loads(Path(__file__).with_name("conformance.json").read_text(encoding="utf-8"))
COMPILED = CASES["compile_cases"]


def run_python(text: str):
    names = {name: getattr(rasp, name) for name in rasp.__all__}
    exec(text, names)
    return names["out_"]


@pytest.mark.parametrize("case", COMPILED, ids=[case["id"] for case in COMPILED])
def test_known_programs(case):
    sop = run_python(case["py"])
    model = compile_rasp(sop, case["vocab"], case["max_len"])
    for x, expected in case["cases"]:
        free = case.get("dont_care_positions", [])
        got = model(x)
        assert all(same_value(a, b) for i, (a, b) in enumerate(zip(got, expected, strict=True)) if i not in free), got
    assert model.layers == case["rasp_layers"]
    assert verify(model, sop) is None


@pytest.mark.parametrize("n", [1, 2, 10, 30])
def test_reverse_is_right_at_every_length(n):
    sop = rasp.reverse(tokens)
    model = compile_rasp(sop, ["a", "b", "c"], n)
    generator = torch.Generator().manual_seed(n)
    for size in range(1, n + 1):
        word = ["abc"[i] for i in torch.randint(0, 3, (size,), generator=generator).tolist()]
        assert model(word) == word[::-1]
    assert model.layers == 2 and model.heads == [1, 1]
    if n == 10:
        assert model.encoder.config.mlp_dimension <= 190


def test_reverse_compiles_in_a_second():
    start = time.process_time()
    compile_rasp(rasp.reverse(tokens), list("abcdefghij"), 10)
    assert time.process_time() - start < 1


def test_widths_are_exact_far_above_nine():
    """The known compiler's first silent error: with a fixed sharpness, 10 becomes 9 and 50 becomes 34."""
    model = compile_rasp(length, ["a"], 50)
    assert [model("a" * n) for n in (9, 10, 25, 50)] == [[n] * n for n in (9, 10, 25, 50)]
    assert verify(compile_rasp(hist(tokens), ["a", "b"], 30), hist(tokens), tries=50) is None


def test_nothing_leaks_into_an_empty_row():
    """Its second: at n = 100 an empty row got .41 where 0 is right."""
    sop = aggregate(select(tokens, "x", "=="), indicator(tokens == "a"))
    model = compile_rasp(sop, ["a", "b", "x"], 60)
    assert model("ab" * 30) == [0] * 60


def test_means_of_other_values_are_refused():
    """Its third: the mean of 1, 2, 3, 4 came out as 1."""
    with pytest.raises(CompileError, match="mean"):
        compile_rasp(aggregate(full_s, tokens), [1, 2, 3, 4], 4)


def test_what_comes_after_a_running_fraction():
    """Its fourth: 100 times a running fraction."""
    sop = 100 * aggregate(select(indices, indices, "<="), indicator(tokens == "a"))
    model = compile_rasp(sop, ["a", "b"], 5)
    assert model("abaab") == pytest.approx([100, 50, 200 / 3, 75, 60], abs=1e-3)
    rounded = round(sop)
    assert compile_rasp(rounded, ["a", "b"], 5)("abaab") == [100, 50, 67, 75, 60]


def test_an_empty_row_gives_the_default():
    """Its fifth, defined here: the default is written by BOS, also where no value equals it."""
    sop = aggregate(select(indices, indices - 1, "=="), tokens, "?")
    model = compile_rasp(sop, ["a", "b"], 5)
    assert model("abba") == ["?", "a", "b", "b"]


def test_a_conjunction_of_different_selectors():
    sop = aggregate(select(tokens, tokens, "==") & select(indices, indices - 1, "=="), indices, -1)
    model = compile_rasp(sop, ["a", "b"], 12)
    assert model.layers == 1 and verify(model, sop) is None


UP_TO = select(indices, indices, "<=")
OFTEN = hist(tokens)
AS_REPORTED = {
    "length": (length, "abc", 8),
    "reverse": (rasp.reverse(tokens), "abc", 8),
    "hist": (hist(tokens), "abc", 8),
    "hist with bos": (hist(tokens, bos=True), "§abc", 8),
    "double_hist": (rasp.double_hist(tokens), "abc", 8),
    "double_hist with bos": (rasp.double_hist(tokens, bos=True), "§abc", 8),
    "sort": (rasp.sort(tokens), "abc", 12),
    "sort with bos": (rasp.sort(tokens, bos=True), "§abc", 8),
    "sort by position": (rasp.sort(tokens, -indices), "ab", 8),
    "sort by frequency": (rasp.sort(tokens, -OFTEN), "abc", 6),
    "most_freq": (rasp.most_freq(tokens), "§abc", 8),
    "dyck1_ptf": (rasp.dyck1_ptf(tokens), "()a", 10),
    "shuffle_dyck, one pair": (rasp.shuffle_dyck(tokens, ["()"]), "()a", 8),
    "shuffle_dyck, two pairs": (rasp.shuffle_dyck(tokens, ["()", "{}"]), "(){}", 6),
    "dyck_k": (rasp.dyck_k(tokens, ["()", "{}"]), "(){}a", 7),
    "count": (rasp.count(tokens, "a"), "ab", 10),
    "contains": (rasp.contains(tokens, "a"), "ab", 8),
    "mark_first": (rasp.mark_first(tokens, "a"), "ab", 8),
    "the last token": (tokens[-1], "ab", 8),
    "next_identical": (aggregate(rasp.select_next_identical(tokens), indices, -1), "ab", 8),
    "pairs": (aggregate(UP_TO, indicator(tokens == "(")) - aggregate(UP_TO, indicator(tokens == ")")), "()a", 8),
}


@pytest.mark.parametrize("name", AS_REPORTED)
def test_as_many_layers_as_the_language_counts(name):
    """The known compiler needs 4 layers for reverse, 5 for sorting by frequency and 8 for two kinds of brackets."""
    sop, vocab, n = AS_REPORTED[name]
    model = compile_rasp(sop, list(vocab), n)
    layers, heads = rasp.report(sop)
    assert model.layers == layers
    assert name == "sort with bos" or all(ours <= theirs for ours, theirs in zip(model.heads, heads, strict=True))
    assert verify(model, sop, tries=30) is None


@pytest.mark.parametrize(
    ("sop", "vocab", "n"),
    [
        (rasp.where(indices == 2, tokens, "z"), "ab", 6),  # a table of token and position, before any attention
        (aggregate(select(tokens, "a", "==") | select(indices, 0, "=="), indicator(tokens == "a")), "ab", 6),
        (rasp.shuffle_dyck(tokens, ["()", "{}"]), "(){}", 12),  # four numbers at once
    ],
)
def test_one_layer_more_where_the_language_counts_a_table_as_free(sop, vocab, n):
    model = compile_rasp(sop, list(vocab), n)
    assert model.layers == max(1, rasp.report(sop)[0] + 1)
    assert verify(model, sop, tries=30) is None


def test_numbers_are_told_apart_by_one_sum():
    """Opening and closing brackets up to position 3: their fractions differ by the balance, in quarters."""
    opened = aggregate(UP_TO, indicator(tokens == "("))
    closed = aggregate(UP_TO, indicator(tokens == ")"))
    rows = together([opened, closed], 9, 3)
    assert len(rows) == 25 and ((0.25, 0.5), (0.25, 0.5)) in rows
    weights, table, sharpness = tell_apart([z for z, _ in rows], [(bool, a < b) for (a, b), _ in rows])
    assert weights.tolist() == [1, -1] and sharpness == pytest.approx(16)
    assert {z < 0: result for z, result in table.items()} == {True: (bool, True), False: (bool, False)}


def test_numbers_closer_than_float32_can_tell_are_not_told_apart():
    assert tell_apart([(0.5,), (0.5 + 1e-6,)], ["a", "b"]) is None
    assert tell_apart([(0.5,), (0.5 + 1e-6,)], ["a", "a"])[1] == {0.5: "a", 0.5 + 1e-6: "a"}


@pytest.mark.parametrize(
    ("sop", "vocab", "max_len", "says"),
    [
        (tokens, ["a", "<bos>"], 3, "<bos>"),
        (tokens, ["a", "a"], 3, "different tokens"),
        (tokens, ["a"], 0, "max_len"),
        (full_s, ["a"], 3, "only an s-op can be compiled: selectors have no value"),
        ("a", ["a"], 3, "only an s-op can be compiled: 'a' is none"),
        (rasp.tokens_int + 1, ["a"], 3, "fails on every input"),
        (rasp.tokens_int + 1, ["1"], 3, "read as they are"),
        (aggregate(full_s, indices), ["a"], 3, "mean"),
    ],
)
def test_refusals(sop, vocab, max_len, says):
    with pytest.raises(CompileError, match=says):
        compile_rasp(sop, vocab, max_len)


def test_a_causal_model_for_programs_that_look_back_only():
    back = aggregate(select(indices, indices - 1, "=="), tokens, "?")
    assert verify(compile_rasp(back, ["a", "b"], 5, causal=True), back) is None
    with pytest.raises(CompileError, match="looks to the right"):
        compile_rasp(rasp.reverse(tokens), ["a", "b"], 5, causal=True)


FALL_BACKS = [(rasp.reverse(tokens), "abc", 10), (rasp.sort(tokens), "abc", 6), (rasp.dyck1_ptf(tokens), "()a", 6)]


@pytest.mark.parametrize(("sop", "vocab", "n"), [*FALL_BACKS, (AS_REPORTED["pairs"][0], "()a", 8)])
@pytest.mark.parametrize("kind", ["gelu", "post", "pre", "gelu and post"])
def test_through_gelu_and_layer_norm(sop, vocab, n, kind):
    plain = compile_rasp(sop, list(vocab), n)
    model = plain.with_gelu() if "gelu" in kind else plain
    model = model if kind == "gelu" else model.with_layer_norm(kind.split()[-1])
    config = model.encoder.config
    assert config.activation == ("gelu" if "gelu" in kind else "relu")
    assert config.norm == ("none" if kind == "gelu" else kind.split()[-1])
    assert verify(model, sop, tries=20) is None
    ids = plain.ids((vocab * n)[:n])
    difference = (model.encoder(ids)[0] - plain.encoder(ids)[0]).abs().max()
    assert difference < 1e-3 and plain.encoder.config.norm == "none"


def test_a_program_of_the_text_form_compiles(capsys):
    program = "aggregate(select(indices,length-1-indices,==),tokens)"
    arguments = ["--input", "abcd", "--vocab", "abcd", "--max-len", "5", "--tries", "5", "--norm", "post"]
    assert main(["compile", program, *arguments]) == 0
    out = capsys.readouterr().out
    assert "2 layers, heads [1, 1]" in out and "d c b a" in out and "agree" in out
    assert main(["compile", "dyck_k", "--vocab", "(){}", "--max-len", "4", "--tries", "5"]) == 0
    assert "4 layers" in capsys.readouterr().out
    assert main(["compile", "length", "--max-len", "3", "--tries", "2"]) == 0
    assert "1 layer, heads [1]" in capsys.readouterr().out
    single = [(text, "a single expression") for text in ("tokens;indices", "a,b=1,2", "def f(x) { return x; }", "# x")]
    others = [("reverse it", "line 1"), ("not full_s", "only an s-op"), ("nothing", "no program")]
    for wrong, says in (*others, *single, ("programs/mine.rasp", "no file")):
        assert main(["compile", wrong]) == 2 and says in capsys.readouterr().err


def test_bad_input_of_a_model():
    model = compile_rasp(rasp.reverse(tokens), ["a", "b"], 3)
    for x, says in (("", "empty"), ("abab", "at most 3"), ("ax", "vocabulary")):
        with pytest.raises(CourseError, match=says):
            model(x)


def test_verify_finds_a_wrong_model():
    model = compile_rasp(rasp.reverse(tokens), ["a", "b"], 4)
    found = verify(model, rasp.shift(tokens, 1, "a"))
    assert found["model"] != found["program"] and found["model"] == found["input"][::-1]
