"""The 96 languages: targets of the original, data in whole tensors, leakage and baselines."""

import json
from pathlib import Path

import pytest
import torch

from solutions.ch3_rasp import double_hist, hist, most_freq, reverse, sort, tokens
from solutions.ch3_rasp.data import baselines, data_set, leaked
from solutions.ch3_rasp.dyck import dyck_batch
from solutions.ch3_rasp.languages import BOS, folder_name, language, languages
from solutions.ch3_rasp.maps import peep
from utils.course import CourseError

CASES = json.loads(Path(__file__).with_name("training_targets.json").read_text(encoding="utf-8"))


def test_keys():
    assert len(languages()) == 96
    assert sum(language.supervised for language in languages().values()) == 40


@pytest.mark.parametrize("case", CASES, ids=[f"{case['lang']}-{case['input']}" for case in CASES])
def test_targets_of_the_original(case):
    lang = language(case["lang"])
    assert lang.target(case["input"]) == case["target"]
    if "attention_targets" in case:
        assert lang.attention(case["input"]) == case["attention_targets"]


@pytest.mark.parametrize("key", languages())
def test_every_language_makes_its_data_and_peeps(key):
    lang = language(key)
    data = data_set(lang, "test", 40, 12)
    for tokens_, targets, mask in zip(data.tokens, data.targets, data.mask, strict=True):
        assert lang.target(lang.write(tokens_[mask])) == lang.decode(targets)
    found = lang.selectors(data.tokens, data.mask)
    assert sorted(found) == [(layer, head) for layer, heads in enumerate(lang.heads) for head in range(heads)]
    lines = peep(key, seed=3, longest=6)
    assert lines[0].startswith(key) and len(lines) == 3 + sum(
        1 + len(rows) for rows in lang.attention(_text(lines)).values()
    )


def _text(lines: list[str]) -> str:
    shown = lines[1].removeprefix("  input:  ")
    return "".join(map(eval, shown.split(" "))) if shown.startswith(("'", '"')) and "' '" in shown else shown[::2]


@pytest.mark.parametrize("text", ["aabbbc", "abcabca", "d", "ccba"])
def test_targets_are_those_of_the_programs(text):
    assert language("reverse_10").target(text) == reverse(tokens)(text)
    assert language("sort_10").target(text) == sort(tokens)(text)
    assert language("hist_10").target(text) == hist(tokens)(text)
    assert language("hist2_10").target(text) == double_hist(tokens)(text)
    assert language("sort_by_freq_10_bos").target(BOS + text) == most_freq(tokens)(BOS + text)


def test_same_seed_same_data_and_splits_differ():
    lang = language("sort_10")
    one, again = (data_set(lang, "train", 50, 16, seed=4) for _ in range(2))
    assert torch.equal(one.tokens, again.tokens)
    assert not torch.equal(one.tokens, data_set(lang, "valid", 50, 16, seed=4).tokens)
    assert not torch.equal(one.tokens, data_set(lang, "train", 50, 16, seed=5).tokens)


@pytest.mark.parametrize(
    ("k", "shares"),
    [
        (1, ((0.78, 0.22, 0), (0.63, 0.13, 0.25), (0.17, 0.03, 0.80))),
        (2, ((0.78, 0.22, 0), (0.45, 0.10, 0.45), (0.04, 0.01, 0.95))),
    ],
)
def test_dyck_has_the_mixture_of_the_original(k, shares):
    _, targets, mask = dyck_batch(k, 6000, 100, torch.Generator().manual_seed(1))
    assert mask.shape[1] == 101 and mask[:, 100].any()
    for kind in range(3):
        found = targets[kind::3][mask[kind::3]]
        for number, share in enumerate(shares[kind]):
            assert (found == number).float().mean().item() == pytest.approx(share, abs=0.04)


def test_batches_hold_every_sequence_once_and_little_padding():
    data = data_set(language("sort_10_bos_with_attns"), "train", 300, 16)
    shuffled = list(data.batches(20, torch.Generator().manual_seed(0), attention=True, bucket=5))
    rows = sorted(
        tuple(row[real].tolist()) for tokens_, _, mask, _ in shuffled for row, real in zip(tokens_, mask, strict=True)
    )
    assert rows == sorted(tuple(row[real].tolist()) for row, real in zip(data.tokens, data.mask, strict=True))
    assert all(mask.any(0).all() and sorted(heads) == [(0, 0), (1, 0)] for _, _, mask, heads in shuffled)
    padding = sum((~mask).sum().item() for _, _, mask, _ in shuffled)
    plain = sum((~m).sum().item() for _, _, m, _ in data.batches(20, torch.Generator().manual_seed(0), bucket=1))
    assert padding < 0.5 * plain


def test_leakage_and_baselines():
    lang = language("sort_by_freq_26")
    train, test = (data_set(lang, split, n, 100) for split, n in (("train", 20_000), ("test", 1000)))
    assert 0 < leaked(test, train) < 60
    assert leaked(train.first(100), train) == 100
    found = baselines(test, train)
    assert found["majority"] == pytest.approx(0.61, abs=0.03) and found["token"] >= found["majority"] - 0.01


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("sort_10_bos", "cab", "write '§cab' instead"),
        ("sort_10", "caz", "'z' in 'caz' is not a symbol"),
        ("sort_10", "§ab", "'§' in '§ab' is not a symbol"),
        ("sort_10", "", "is empty"),
    ],
)
def test_texts_that_cannot_be(key, text, said):
    with pytest.raises(CourseError, match=said):
        language(key).encode(text)


def test_unknown_language_names_the_nearest():
    with pytest.raises(CourseError, match="no language 'revers_10'.*reverse_10"):
        language("revers_10")


def test_folder_names():
    texts = ["ab", "a/b", "..", "a~2f.b", "a b", "A\nB", "\\/", "§ab"]
    names = [folder_name(text) for text in texts]
    assert len(set(names)) == len(texts) and not [n for n in names if set(n) & set("/\\ \n") or n in ("", ".", "..")]
    with pytest.raises(CourseError, match="too long"):
        folder_name("a" * 300)
