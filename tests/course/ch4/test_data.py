"""The sentences: on the fly, as the authors' numpy stream made them, and as .npy files."""

import hashlib
import tracemalloc

import numpy as np
import pytest
import torch

from solutions.ch4_one_layer_icl import files
from solutions.ch4_one_layer_icl.config import SMALL, DataConfig
from solutions.ch4_one_layer_icl.data import sample_batch
from solutions.ch4_one_layer_icl.files import DataSet, LegacyStream
from utils.course import CourseError

PAPER = DataConfig()


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("ood", [False, True])
@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("cfg", [PAPER, SMALL, DataConfig(9, 6, 3, 2)])
def test_sentences_are_as_described(cfg, noisy, ood):
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    tokens, labels, outputs = sample_batch(cfg, 2000, noisy, 0.3, ood, draws())
    assert tokens.dtype == labels.dtype == outputs.dtype == torch.int64 and tokens.shape == (2000, H)
    low, high = (Q + Y, N - 2) if ood else (Q, Q + Y - 1)
    assert outputs.unique().tolist() == list(range(low, high + 1))
    q = tokens[:, -1]
    assert q.unique().tolist() == ([0] if noisy else list(range(Q)))
    for row, trigger, y in zip(tokens[:200].tolist(), q.tolist(), outputs.tolist(), strict=False):
        places = [h for h, z in enumerate(row) if z < Q]
        assert all(row[h] == trigger for h in places) and len(places) == (3 if noisy else 2) and places[-1] == H - 1
        after = [row[h + 1] for h in places[:-1]]
        assert sorted(after) == sorted([y, N - 1] if noisy else [y])
        assert row.count(N - 1) == (1 if noisy else 0)
    if noisy:
        assert set(labels[labels != outputs].tolist()) == {N - 1}
        assert (labels == N - 1).float().mean().item() == pytest.approx(0.3, abs=4 * (0.21 / 2000) ** 0.5)
    else:
        assert torch.equal(labels, outputs)


def test_the_second_pair_is_uniform_on_what_the_gap_rule_leaves():
    cfg = DataConfig(12, 8, 1, 2)
    tokens, _, _ = sample_batch(cfg, 60000, True, 0.5, generator=draws())
    tau = (tokens == 11).int().argmax(dim=1) - 1
    triggers = tokens[:, :-1] == 0
    p = (triggers * torch.arange(7)).sum(dim=1) - tau
    found = torch.zeros(6, 6).index_put_((p, tau), torch.ones(()), accumulate=True)
    for at in range(6):
        free = [to for to in range(6) if abs(to - at) >= 2]
        assert found[at].sum() / 60000 == pytest.approx(1 / 6, abs=0.008)
        for to in range(6):
            wanted = 1 / len(free) if to in free else 0.0
            assert found[at, to] / found[at].sum() == pytest.approx(wanted, abs=0.025)


def test_counts_of_the_output():
    """The answer cannot be found by counting: y stands 5.7 times, other outputs 4.7 times."""
    for noisy, expected in ((False, 5.685), (True, 5.648)):
        tokens, _, outputs = sample_batch(PAPER, 20000, noisy, 0.5, generator=draws())
        assert (tokens == outputs[:, None]).sum(dim=1).float().mean().item() == pytest.approx(expected, abs=0.06)


def test_alpha_changes_labels_only():
    first = sample_batch(SMALL, 300, True, 0.2, generator=draws())
    second = sample_batch(SMALL, 300, True, 0.8, generator=draws())
    assert torch.equal(first[0], second[0]) and torch.equal(first[2], second[2])
    assert not torch.equal(first[1], second[1])


def test_noise_needs_room():
    with pytest.raises(ValueError, match="H of at least 6"):
        sample_batch(DataConfig(9, 5, 1, 2), 2, True, 0.5)


def test_the_authors_numbers_without_noise():
    """Seed 0, 200 steps: their training labels and their test set, byte for byte."""
    stream = LegacyStream(PAPER, False, 0.0, 0)
    _, _, outputs = stream.draw(512 * 200, ood=False)
    assert outputs[:8].tolist() == [8, 7, 8, 8, 5, 8, 5, 5]
    assert np.bincount(outputs)[5:].tolist() == [25560, 25721, 25653, 25466]
    tokens, labels, outputs = stream.draw(512, ood=True)
    assert hashlib.sha256(tokens.astype(np.int32).tobytes()).hexdigest().startswith("1bfe97f6bacaab17")
    assert tokens[0, :8].tolist() == [13, 54, 42, 37, 14, 43, 24, 40] and tokens[0, -4:].tolist() == [35, 49, 50, 2]
    assert np.array_equal(labels, outputs) and labels.min() >= 9 and labels.max() <= 58


def test_the_authors_numbers_with_noise():
    """Small sets; sentences do not depend on alpha, and the gap rule holds."""
    sets = [LegacyStream(SMALL, True, alpha, 3).draw(400, ood=False) for alpha in (0.2, 0.8)]
    assert np.array_equal(sets[0][0], sets[1][0]) and not np.array_equal(sets[0][1], sets[1][1])
    tokens, labels, outputs = sets[0]
    assert ((tokens == 0).sum(axis=1) == 3).all() and ((tokens == 23).sum(axis=1) == 1).all()
    assert (labels == 23).mean() == pytest.approx(0.2, abs=0.08)
    assert ((labels == 23) | (labels == outputs)).all()


def small_set(alpha: float = 0.25, nsteps: int = 5) -> DataSet:
    return DataSet(SMALL, alpha > 0, alpha, 4, nsteps, 2, 16)


@pytest.mark.parametrize("legacy", [False, True])
def test_files_have_the_authors_names_and_shapes(tmp_path, legacy):
    paths = files.generate(small_set(), tmp_path, legacy, quiet=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    for part, shape in (("sentences", (80, 32)), ("next-tokens", (80,)), ("output-tokens", (80,))):
        values = np.load(tmp_path / f"seed4-noiseTrue-alpha0.25-nsteps5-train-{part}.npy")
        assert values.shape == shape and values.dtype == (np.int32 if legacy else np.uint8)
    assert np.load(tmp_path / "seed4-noiseTrue-alpha0.25-nsteps5-test-sentences.npy").shape == (512, 32)
    assert np.load(tmp_path / "finite-seed4-noiseTrue-alpha0.25-nsteps2-train-next-tokens.npy").shape == (32,)
    assert files.DataSet(SMALL, False, 0.25, 0, 200, 4, 512).names("train")[0].startswith("seed0-noiseFalse-alpha0.0-")


def test_the_seed_reaches_the_data(tmp_path):
    for seed in (0, 1):
        files.generate(DataSet(SMALL, False, 0.0, seed, 2, 1, 16), tmp_path, quiet=True)
    first, second = (np.load(tmp_path / f"seed{s}-noiseFalse-alpha0.0-nsteps2-train-sentences.npy") for s in (0, 1))
    assert not np.array_equal(first, second)


def test_files_are_read_back(tmp_path):
    data = small_set()
    files.generate(data, tmp_path, quiet=True)
    batches = files.read(data, "train", tmp_path)
    assert len(batches) == 5
    sentences = np.load(tmp_path / data.names("train")[0])
    labels = np.load(tmp_path / data.names("train")[1])
    for i, batch in enumerate(batches):
        assert np.array_equal(batch.tokens.numpy(), sentences[16 * i : 16 * i + 16])
        noise = batch.is_noise(torch.tensor([0.25]))[0]
        assert np.array_equal(torch.where(noise, 23, batch.outputs).numpy(), labels[16 * i : 16 * i + 16])


def test_unfit_files_are_named(tmp_path):
    data = small_set()
    files.generate(data, tmp_path, quiet=True)
    sentences = tmp_path / data.names("train")[0]
    good = np.load(sentences)

    def says(match: str) -> None:
        with pytest.raises(CourseError, match=match):
            list(files.read(data, "train", tmp_path))

    np.save(sentences, good[:-1])
    says("of shape .79, 32., but integers of shape .80, 32. are needed")
    np.save(sentences, good.astype(np.float32))
    says("holds float32")
    np.save(sentences, np.where(good == 3, 24, good))
    says("not in 0 .. 23")
    np.save(sentences, np.roll(good, 1, axis=1))
    says("last token is not a trigger")
    sentences.write_bytes(sentences.read_bytes()[:300])
    says("damaged")
    sentences.write_bytes(b"nothing of the kind")
    says("damaged")
    np.save(sentences, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    says("damaged")
    sentences.unlink()
    says("There is no file .* -g 1")


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("solutions.ch4_one_layer_icl.files.os.replace", full)
    with pytest.raises(CourseError, match="No space left"):
        files.generate(small_set(), tmp_path, quiet=True)
    assert not list(tmp_path.iterdir())


def test_writing_needs_little_memory(tmp_path):
    tracemalloc.start()
    files.generate(DataSet(SMALL, True, 0.5, 0, 200, 1, 256), tmp_path, quiet=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6
