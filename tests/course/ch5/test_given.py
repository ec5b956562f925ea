"""What the notebooks of chapter 5 are given: the trained networks in the learner's classes, and the figures."""

import re
from functools import partial

import pytest
import torch

from solutions.ch5_abstract_representations import boards, language, lea, model
from solutions.ch5_abstract_representations.checkpoints import load_checkpoint
from solutions.ch5_abstract_representations.geometry import variance_explained
from utils.ch5 import figures
from utils.ch5.shipped import shipped

SITES = ["b0.out", "b1.out", "b2.z_attn", "b2.out"]


@pytest.fixture(scope="module")
def talker():
    return shipped("talker", lea.TinyLEA, boards.Library)


@pytest.fixture(scope="module")
def island(talker):
    """Boards of the small world, what they show, and what the network says and draws."""
    network, world = talker
    drawn = boards.sample_boards(world, 40, (1.0, 0.0, 0.0), torch.Generator().manual_seed(0))
    features = torch.cat([drawn["bg"][:, None], drawn["objects"][:, 0]], 1)
    flat = drawn["board"].flatten(1)
    words = lea.speak(network, flat)
    return flat, features, words, lea.draw(network, words).argmax(-1)


def outlines(picture):
    return len(picture.figure.layout.shapes)


@pytest.mark.parametrize("name", ["half", "talker"])
def test_the_shipped_networks_fit_the_chapters_classes(name):
    stored = load_checkpoint(name)
    network, world = shipped(name, {"half": model.FactorizedTransformer, "talker": lea.TinyLEA}[name], boards.Library)
    for key, value in stored.model.state_dict().items():
        assert torch.equal(network.state_dict()[key], value)
    assert torch.equal(world.roots, stored.library.roots) and torch.equal(world.comps, stored.library.comps)
    assert (world.n_bg, world.n_obj, world.side) == (stored.library.n_bg, stored.library.n_obj, stored.library.side)
    assert not network.training


def test_the_opening_counts_its_mistakes():
    opening = figures.opening()
    for scene in range(6):
        picture = opening.draw(scene=scene, patch_row=2, patch_column=3)
        wrong = int(re.search(r": (\d) of 9", picture.figure.layout.title.text)[1])
        assert outlines(picture) == wrong


def test_the_player_measures_the_distance_to_the_observer():
    world = boards.make_library(4, 2, 3, 5, 0, torch.Generator().manual_seed(0), side=5)
    some = boards.sample_boards(world, 6, (1.0, 0.0, 0.0), torch.Generator().manual_seed(1))["board"]
    sure = torch.nn.functional.one_hot(some[0].flatten(), world.vocab).float()[None]
    even = torch.full_like(sure, 1 / world.vocab)

    def title(says):
        return figures.player(world, some, lambda _: says, lambda _: sure).draw(size=3).figure.layout.title.text

    assert " 0.00 nats" in title(sure)
    assert f" {torch.tensor(float(world.vocab)).log():.2f} nats" in title(even)


def test_captions_name_the_site_where_a_curve_is_highest():
    object_, token = [0.1, 0.2, 0.7, 0.3], [0.0, 0.1, 0.2, 0.6]
    picture = figures.converge({"object": object_, "token": token}, SITES)
    assert picture.caption == "The object explains most at b2.z_attn (70%). At b2.out: object 30%, token 60%."
    curves = {"trained": object_, "shuffled labels": token, "untrained network": [0.1, 0.1, 0.1, 0.4]}
    assert "b2.z_attn (70%)" in figures.probes(curves, SITES).caption and "40%" in figures.probes(curves, SITES).caption
    moved = figures.moved_background({"shift": object_, "random": token}, SITES).caption
    assert "At b2.z_attn" in moved and "70%" in moved and "20%" in moved
    painted = figures.repainted([2.0, 21.0, 0.5], word=1, feature=0, pairs=9).caption
    assert "it moves 21.0 cells, the others 0.5 to 2.0" in painted
    best = figures.transfer({"one": object_, "two": [0.9, 0.9, 0.5, 0.9]}, SITES).caption
    assert "is b2.z_attn: at least 50%" in best and "30% at b2.out" in best


def test_the_microscope_says_what_the_label_explains():
    labels = {"object": torch.arange(40) % 4, "token": torch.arange(40) % 3}
    vectors = {"b0.out": torch.nn.functional.one_hot(labels["object"], 5).float()}
    lens = figures.microscope(vectors, labels, variance_explained, start="b0.out")
    assert "the object explains 100%" in lens.draw(colour="object").caption
    assert len(lens.draw(colour="token").figure.data) == 3
    many = figures.microscope(vectors, {"cell": torch.arange(40) % 20}, variance_explained, start="b0.out")
    looks = {(trace.marker.color, trace.marker.symbol) for trace in many.draw().figure.data}
    assert len(looks) == 20 and not any(colour == "#000000" for colour, _ in looks)


def test_the_swap_lab_counts_hits():
    world = boards.make_library(3, 2, 2, 5, 0, torch.Generator().manual_seed(0), side=4)
    tokens = torch.full((1, 16), world.unk)
    holes = torch.arange(16)[None] < 5
    goal = torch.full((4, 4), 3)

    def move(board, become, site, alpha):
        """Only a shift to object 2 works; object 0 is the board's own, and any shift shows it."""
        right = torch.nn.functional.one_hot(goal.flatten(), world.vocab).float()[None]
        return right if become != 1 else right.flip(-1), right if become == 0 else right.flip(-1), goal

    lab = figures.swap_lab(world, tokens, holes, move, SITES)
    assert "5 of 5 hidden cells show object 2, 0 after a random shift" in lab.draw().figure.layout.title.text
    assert "0 of 5 hidden cells show object 1" in lab.draw(become=1).figure.layout.title.text


def test_the_dictionary_names_what_occurs():
    rows = torch.tensor([0, 1, 2, 3, 3])
    for chosen, words in (
        ([1, 4], "row 1 or 3"),
        ([3, 4], "row 3"),
        ([0, 2, 3], "row 0, 2 or 3"),
        (range(4), "any row"),
    ):
        assert figures._those("row", rows, torch.isin(torch.arange(5), torch.tensor(list(chosen)))) == words


def test_the_dictionary_and_the_editor(talker, island):
    network, world = talker
    flat, features, words, drawn = island
    looked_up = figures.dictionary(world, words, flat, features, place=1)
    said = int((words[:, 0] == words[0, 0]).sum())
    assert f"said about {said} of 40 boards" in looked_up.draw().figure.layout.title.text
    assert looked_up.draw().caption.startswith("These boards show background ")
    unused = next(word for word in words.unique().tolist() if not (words[:, 1] == word).any())
    assert "None of the boards" in looked_up.draw(place=2, word=unused).caption
    editor = figures.editor(world, words, flat, drawn, partial(language.steer, network), words=48)
    same = editor.draw(board=0, place=1, word=int(words[0, 0]))
    assert outlines(same) == 0 and same.caption.endswith(": 0 of 25.")
    changed = language.steer(network, words[:1], 2, 7)[1]
    assert outlines(editor.draw(board=0, place=3, word=7)) == int(changed.sum())
