"""What the chapter says about the shipped model: every claim with its control, as its command measures it."""

import pytest
import torch

from solutions.ch5_abstract_representations import analysis
from solutions.ch5_abstract_representations.checkpoints import SHIPPED, load_checkpoint
from solutions.ch5_abstract_representations.training import measure
from utils.train import generator


@pytest.fixture(scope="module")
def half():
    return load_checkpoint("half")


@pytest.fixture(scope="module")
def profile(half):
    return analysis.profile(half.model, half.library, 600)


@pytest.fixture(scope="module")
def causal(half):
    return analysis.causal(half.model, half.library, 250)


def test_it_is_small_and_says_how_it_was_made(half):
    assert (SHIPPED / "half.safetensors").stat().st_size <= 1e6
    assert half.settings["command"].startswith("python -m solutions.ch5_abstract_representations train --epoch 32")
    assert half.settings["seed"] == 0


def test_it_fills_in_what_can_be_known(half):
    found = measure(half.model, half.library, 500, generator(1))
    assert found["masked_object"] > 0.9 and found["masked_background"] > 0.99 and found["board"] > 0.8


def test_vectors_converge_by_object_then_diverge_by_token(profile):
    """C1 and C2."""
    root, token = ({site: row[f"eta2 {name}"] for site, row in profile.items()} for name in ("root", "token"))
    assert root["b2.z_attn"] > 2 * root["b0.out"] and root["b2.z_attn"] > 1.5 * root["z_out"]
    assert token["z_out"] > 3 * token["b2.z_attn"] and token["b2.z_attn"] < root["b2.z_attn"]
    assert profile["embedding"]["eta2 root"] == 0


def test_probes_beat_their_controls(profile):
    best = profile["b2.z_attn"]
    assert best["probe root"] > 0.85 and best["probe background"] > 0.97
    assert best["probe root, shuffled"] < 0.2 and best["probe root, untrained"] < 0.3


def test_the_representation_is_low_dimensional_and_not_orthogonal(half):
    found = analysis.dimensions(half.model, half.library, 500)["b2.z_attn"]
    assert found["root means"] < 6 < found["all cells"] < 24
    assert abs(found["mean cosine"] + 1 / 9) < 0.03 and found["spread of cosines"] > 0.2


def test_a_probe_transfers_across_contexts(half):
    """C3 and C5."""
    found = analysis.contexts(half.model, half.library, 900)
    assert found["b2.attn"]["other backgrounds"] > 0.8 and found["b2.attn"]["other backgrounds, composites"] > 0.65
    assert found["embedding"]["other backgrounds"] < 0.2


def test_the_background_is_a_direction_that_the_model_obeys(causal):
    """C4, against a random direction of the same length."""
    for site in ("b0.out", "b1.out", "b2.out"):
        assert causal[site]["background to"] > 0.95 and causal[site]["background to, random"] < 0.1


def test_the_relay(causal):
    assert causal["b0.out"]["donor, visible ones"] > 0.9 and causal["b0.out"]["donor, hidden ones"] < 0.1
    assert causal["b2.z_attn"]["donor, visible ones"] < 0.1 and causal["b2.z_attn"]["donor, hidden ones"] > 0.9
    row = causal["b2.z_attn"]
    assert 0.3 < row["root to"] < 0.9 and row["root to"] > 4 * row["root to x2, random"]


def test_removing_the_objects_hurts_more_than_removing_as_much(causal):
    row = causal["b2.z_attn"]
    assert row["accuracy without roots"] < row["accuracy without random"] - 0.2


def test_a_hidden_part_of_a_composite_is_restored(half):
    """C6."""
    found = analysis.part_whole(half.model, half.library, 300)
    assert found["hidden root of a composite restored"] > 0.97


def test_composites_that_training_never_showed_are_restored(half):
    from solutions.ch5_abstract_representations.splits import Boards, split_boards

    splits = split_boards(Boards(half.library), half.world, generator(half.settings["seed"], 2))
    scenes = splits.all("test", 100, generator(3))
    rows = (scenes["kind"] == 2).nonzero()[:, 0]
    assert len(rows) == 20
    objects = scenes["objects"][rows]
    masked = scenes["board"][rows].clone()
    for b, (_, row, column) in enumerate(objects[:, 1].tolist()):
        masked[b, row : row + 3, column : column + 3] = half.library.unk
    with torch.no_grad():
        said = half.model(masked.flatten(1)).argmax(-1).view_as(masked)
    assert (said == scenes["board"][rows]).flatten(1).all(1).float().mean() > 0.9


@pytest.fixture(scope="module")
def language():
    return analysis.analyse(load_checkpoint("talker"), 4000)


def test_the_shipped_talker_is_understood(language):
    found = load_checkpoint("talker")
    assert (SHIPPED / "talker.safetensors").stat().st_size <= 1e6 and "train-lea" in found.settings["command"]
    whole = language["restored"]["whole boards seen"]
    assert whole["boards"] == whole["sentences"] == 400 and whole["speech_board"] > 0.98


def test_its_words_have_their_subjects(language):
    """C7: words about the background, about the object and about the place; and what the chapter says of each."""
    about, steered = language["information"], language["steering"]
    assert about["word 1"]["background"] > 1.5 and abs(about["word 1"]["root"]) < 0.2
    assert about["word 6"]["root"] > 1.0 and abs(about["word 6"]["background"]) < 0.2
    for word in (1, 7):
        assert steered[f"word {word}"]["background changes"] > 0.5 and steered[f"word {word}"]["root changes"] < 0.05
    for word in (3, 6, 8):
        assert steered[f"word {word}"]["root changes"] > 0.5 and steered[f"word {word}"]["background changes"] < 0.05
    for word in (2, 4, 5):
        row = steered[f"word {word}"]
        assert max(row["background changes"], row["root changes"]) < 0.05 and row["row changes"] > 0.3


def test_steering_takes_more_than_one_word_and_beats_words_of_other_subjects(language):
    steered = language["steering"]
    assert 0.3 < steered["word 6"]["root steered"] < 0.8 and steered["word 1"]["root steered"] < 0.05
    assert steered["word 1"]["background steered"] > 0.5 and steered["word 6"]["background steered"] < 0.05
    assert min(value for name, value in steered["all words"].items() if name.endswith("steered")) > 0.95
