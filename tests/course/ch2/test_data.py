"""The bigram task beyond the exercises: statistics, every field of DataArgs, faults of the published sampler."""

import json

import pytest
import torch

from solutions.ch2_induction_heads.bigrams import (
    CHARACTERS,
    BigramTable,
    clean,
    count,
    load_counts,
    shakespeare_table,
    text_table,
    write_shakespeare_counts,
)
from solutions.ch2_induction_heads.config import DataArgs
from solutions.ch2_induction_heads.data import Batch, BigramTask, has_absorbing_cycle, sample_sequences, sample_triggers
from utils.course import ROOT, CourseError
from utils.train import generator


@pytest.fixture(scope="module")
def table() -> BigramTable:
    return shakespeare_table()


def drawn(table, size=2000, seed=0, half=None, bigram_outs=False, **fields) -> Batch:
    fields = {"k": 5, "seq_length": 64} | fields
    return BigramTask(DataArgs(**fields), table, half, bigram_outs).draw(size, generator(seed))


def test_statistics_are_those_of_the_plays(table):
    """Near the published ones (tiny Shakespeare), which are of another edition: tolerances, not equality."""
    assert table.characters == CHARACTERS and table.vocab_size == 65
    most = table.pi_u.argsort(descending=True)[:5].tolist()
    assert [table.characters[i] for i in most] == [" ", "e", "t", "o", "a"]
    assert float(table.pi_u.max()) == pytest.approx(0.152, abs=0.01)
    entropy = -torch.special.xlogy(table.pi_u, table.pi_u).sum()
    conditional = -(table.pi_u[:, None] * torch.special.xlogy(table.pi_b, table.pi_b)).sum()
    assert float(entropy) == pytest.approx(3.31, abs=0.05) and float(conditional) == pytest.approx(2.45, abs=0.06)
    assert float((table.pi_u @ table.pi_b - table.pi_u).abs().max()) < 1e-5  # pi_u is stationary
    _, unigrams, bigrams = load_counts()
    assert 0 <= int((unigrams - bigrams.sum(dim=1)).sum()) <= 1  # one row is short by the last character


def test_the_file_of_counts_is_small_and_credits_its_source():
    file = ROOT / "chapters" / "ch2_induction_heads" / "data" / "shakespeare_bigrams.json"
    stored = json.loads(file.read_text(encoding="utf-8"))
    assert file.stat().st_size < 50_000
    assert "Open Knowledge Foundation" in stored["credit"] and stored["command"].startswith("python -m solutions.")


def test_the_command_that_counts(tmp_path, monkeypatch):
    texts = tmp_path / "package" / "shksprdata" / "texts"
    texts.mkdir(parents=True)
    (texts / "play_gut.txt").write_bytes("  To be,  [or]\n\n\n\nnot caf\xe9 7.  \n".encode("latin-1"))
    (texts / "play_gut_f.txt").write_text("folio spelling is left out", encoding="utf-8")
    written = tmp_path / "counts.json"
    assert write_shakespeare_counts(tmp_path / "package", written) == len("To be, or\n\nnot caf .\n")
    characters, unigrams, bigrams = load_counts(written)
    expected = count("To be, or\n\nnot caf .\n", characters)
    assert torch.equal(unigrams, expected[0]) and torch.equal(bigrams, expected[1])
    assert bigrams[characters.index("o"), characters.index("r")] == 1
    with pytest.raises(CourseError, match="unpacked package"):
        write_shakespeare_counts(texts, written)
    assert clean("a  b\r\n c") == "a b\nc\n"


def test_any_text(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("abab ba\n", encoding="utf-8")
    table = text_table(file)
    assert table.characters == "\n ab" and table.decode(table.encode("ab a")) == "ab a"
    assert float(table.pi_b[3, 2]) == pytest.approx(2 / 3)
    assert torch.equal(table.pi_b[0], torch.full((4,), 0.25).double())  # nothing follows the last character
    with pytest.raises(CourseError, match="'x' is not among"):
        table.encode("x")


@pytest.mark.parametrize("text", ["", "aaaa"])
def test_a_text_of_one_character(tmp_path, text):
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match="needs at least 2"):
        text_table(tmp_path / "text.txt")


def test_damaged_counts_and_text(tmp_path):
    (tmp_path / "bad.json").write_text('{"characters": "ab"}', encoding="utf-8")
    with pytest.raises(CourseError, match="does not hold bigram counts"):
        load_counts(tmp_path / "bad.json")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00a")
    for name in ("bad.txt", "missing.txt"):
        with pytest.raises(CourseError, match="UTF-8"):
            text_table(tmp_path / name)


def test_same_distribution_as_the_reference_sampler(table):
    """The fast sampler against the exercises' own: token frequencies, and transitions after tokens that are free."""
    size, T = 3000, 32
    fast = drawn(table, size, seq_length=T, fixed_special_toks=True, no_repeat=True)
    draws = generator(5)
    triggers, outputs = sample_triggers(table.pi_u, 5, size, True, True, draws)
    slow = sample_sequences(table.pi_u, table.pi_b, triggers, outputs, T, draws)
    frequencies = [torch.bincount(x.flatten(), minlength=65) / x.numel() for x in (fast.x, slow[:, :-1])]
    assert float((frequencies[0] - frequencies[1]).abs().sum()) / 2 < 0.04  # a row repeats its outputs
    free = fast.flags == 0
    pairs = torch.bincount(fast.x[free] * 65 + fast.y[free], minlength=65 * 65).view(65, 65).double()
    frequent = pairs.sum(dim=1) > 2000
    rows = pairs[frequent] / pairs[frequent].sum(dim=1, keepdim=True)
    assert frequent.sum() >= 5
    assert float((rows - table.pi_b[frequent]).abs().sum(dim=1).max()) / 2 < 0.06
    assert bool((table.pi_b[fast.x[free], fast.y[free]] > 0).all())


def test_triggers_are_followed_by_their_outputs_and_flags_count_them(table):
    batch = drawn(table, 200)
    for row in range(200):
        output = dict(zip(batch.triggers[row].tolist(), batch.outputs[row].tolist(), strict=True))
        seen: dict[int, int] = {}
        for x, y, flag in zip(batch.x[row].tolist(), batch.y[row].tolist(), batch.flags[row].tolist(), strict=True):
            if x in output:
                seen[x] = seen.get(x, 0) + 1
                assert y == output[x]
            assert flag == (seen[x] if x in output else 0)


def test_fixed_triggers_and_offset(table):
    batch = drawn(table, 50, fixed_special_toks=True)
    assert batch.triggers[0].tolist() == [1, 43, 58, 53, 39]  # space, e, t, o, a: the most frequent first
    ranks = table.pi_u.argsort(descending=True)
    rare = drawn(table, 50, fixed_special_toks=True, special_toks_offset=20)
    assert rare.triggers[0].tolist() == ranks[20:25].tolist()
    assert (batch.triggers == batch.triggers[0]).all() and not (batch.outputs == batch.outputs[0]).all()


def test_triggers_that_change_follow_pi_u(table):
    batch = drawn(table, 20_000, seq_length=1)
    assert all(len(set(row)) == 5 for row in batch.triggers[:500].tolist())
    first = torch.bincount(batch.triggers[:, 0], minlength=65) / 20_000  # the first of the draws
    assert float((first - table.pi_u).abs().sum()) / 2 < 0.03


def test_show_latents(table):
    batch = drawn(table, 100, show_latents=True, seq_length=20)
    assert torch.equal(batch.x[:, :5], batch.triggers) and batch.x.shape == batch.y.shape == (100, 20)
    assert (batch.flags[:, :5] == -1).all() and (batch.flags[:, 5:] >= 0).all()
    short = drawn(table, 4, show_latents=True, seq_length=3)  # nothing but triggers fits
    assert torch.equal(short.x, short.triggers[:, :3]) and not short.mask.any()


def test_no_output_counter_leaves_nothing_in_context(table):
    batch = drawn(table, 50, output_counter=False)
    assert set(batch.flags.unique().tolist()) == {0, 1} and not batch.mask.any()


def test_no_repeat_and_the_cycle_artefact(table):
    batch = drawn(table, 20_000, seq_length=1)
    share = has_absorbing_cycle(batch.triggers, batch.outputs).double().mean()
    assert float(share) == pytest.approx(5 / 65, abs=3 * (5 / 65 / 20_000) ** 0.5 + 1e-3)
    clean = drawn(table, 20_000, seq_length=1, no_repeat=True)
    assert not (clean.triggers == clean.outputs).any()
    assert float(has_absorbing_cycle(clean.triggers, clean.outputs).double().mean()) < 0.006


@pytest.mark.parametrize("no_repeat", [False, True])
def test_test_outputs_never_leak_into_training(table, no_repeat):
    """The published sampler cuts the pool after taking the trigger out of it, and lets one test output through."""
    train = drawn(table, 5000, half="train", seq_length=1, no_repeat=no_repeat)
    test = drawn(table, 5000, half="test", seq_length=1, no_repeat=no_repeat)
    assert int(train.outputs.max()) == 47 and int(test.outputs.min()) == 48
    if no_repeat:
        assert not (train.outputs == train.triggers).any() and not (test.outputs == test.triggers).any()


def test_bigram_outputs(table):
    batch = drawn(table, 20_000, bigram_outs=True, fixed_special_toks=True, seq_length=1)
    after_space = torch.bincount(batch.outputs[:, 0], minlength=65) / 20_000
    assert float((after_space - table.pi_b[1]).abs().sum()) / 2 < 0.03
    assert (table.pi_b[batch.triggers, batch.outputs] > 0).all()
    lonely = BigramTable("ab", torch.tensor([0.5, 0.5]).double(), torch.eye(2).double())  # each follows itself only
    batch = BigramTask(DataArgs(k=1, seq_length=4, no_repeat=True), lonely, bigram_outs=True).draw(20, generator(0))
    assert (batch.outputs != batch.triggers).all()


def test_batches_do_not_depend_on_where_one_starts(table):
    task = BigramTask(DataArgs(k=3, seq_length=8), table)
    stream = task.batches(700, seed=3)  # two batches are drawn at a time
    first = [next(stream).x for _ in range(5)]
    again = task.batches(700, seed=3, first=3)
    assert torch.equal(next(again).x, first[3]) and torch.equal(next(again).x, first[4])
    assert not torch.equal(next(task.batches(700, seed=4)).x, first[0])


@pytest.mark.parametrize(
    ("fields", "more", "words"),
    [
        ({"k": 66}, {}, "only 65 tokens"),
        ({"k": -1}, {}, "k must be zero or above"),
        ({"k": 5, "fixed_special_toks": True, "special_toks_offset": 61}, {}, "fewer than k = 5"),
        ({"seq_length": 0}, {}, "seq_length must be 1 or more"),
        ({"k": 1}, {"half": "train", "bigram_outs": True}, "not both"),
        ({"k": 1}, {"half": "validation"}, "choose train or test"),
    ],
)
def test_settings_that_cannot_be(table, fields, more, words):
    with pytest.raises(CourseError, match=words):
        BigramTask(DataArgs(**fields), table, **more)


def test_a_vocabulary_too_small_to_hold_some_back():
    two = BigramTable("ab", torch.tensor([0.5, 0.5]).double(), torch.full((2, 2), 0.5).double())
    with pytest.raises(CourseError, match="too small"):
        BigramTask(DataArgs(k=1, no_repeat=True), two, "train")


def test_no_triggers_and_one_position(table):
    batch = drawn(table, 10, k=0, seq_length=1)
    assert batch.x.shape == (10, 1) and batch.triggers.shape == (10, 0) and not batch.flags.any()
    assert batch.to(torch.device("cpu")).x.shape == (10, 1)
