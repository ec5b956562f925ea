"""Scenes, splits and the ideal observer: the published counts, the ceilings, and faults that ours must not have."""

import itertools
from dataclasses import replace

import pytest
import torch

from solutions.ch5_abstract_representations.analysis import restored
from solutions.ch5_abstract_representations.boards import (
    blur,
    build_library,
    mask_boards,
    paint,
    pairs_of,
    sample_boards,
)
from solutions.ch5_abstract_representations.config import SMALL_WORLD, WorldConfig
from solutions.ch5_abstract_representations.observer import (
    FastObserver,
    FuzzyObserver,
    enumerate_scenes,
    ideal_observer,
    observer_of,
)
from solutions.ch5_abstract_representations.splits import Boards, describe, load_splits, split_boards
from solutions.ch5_abstract_representations.training import cell_metrics, floor_logits
from utils.course import CourseError
from utils.train import generator

EVEN = (1 / 3, 1 / 3, 1 / 3)
PUBLISHED = WorldConfig(double_rule="original")


def splits_of(world, seed=0):
    library = build_library(world, generator(seed, 1))
    return split_boards(Boards(library, world.double_rule), world, generator(seed, 2))


def test_the_published_counts_and_overlap():
    found = describe(splits_of(PUBLISHED), PUBLISHED)
    counts = {"singleRoot": (3560, 0, 40), "doubleRoot": (899_600, 0, 400), "singleComposite": (180, 0, 20)}
    for name, numbers in counts.items():
        assert tuple(found["counts"][f"{name}_{part}"] for part in ("train", "val", "test")) == numbers
    assert abs(found["overlapping_doubles"] - 324 / 900) < 1e-3
    positions = pairs_of(build_library(PUBLISHED, generator(0)), "original")
    assert len(positions) == 900


def test_our_doubles_never_overlap_and_share_rows():
    world = WorldConfig()
    library = build_library(world, generator(0))
    assert describe(splits_of(world), world)["overlapping_doubles"] == 0
    scenes = sample_boards(library, 2000, (0, 1, 0), generator(1))
    assert bool(((scenes["root_id"] >= 0).sum((1, 2)) == 2 * 9).all())
    rows = scenes["objects"][:, :2, 1]
    assert bool((rows[:, 0] == rows[:, 1]).any())  # the published rule forbids it


@pytest.mark.parametrize("world", [WorldConfig(), WorldConfig(abs_c=5, comp_c=3, comp_n=4), SMALL_WORLD])
def test_every_number_is_another_board(world):
    boards = Boards(build_library(world, generator(0)), world.double_rule)
    for kind in (0, 2):
        numbers = torch.arange(boards.sizes[kind])
        objects, bg = boards.objects(kind, numbers)
        rows = torch.cat([objects.flatten(1), bg[:, None]], dim=1)
        assert len(rows.unique(dim=0)) == len(numbers)
    numbers = torch.randint(boards.sizes[1], (3000,), generator=generator(3)).unique()
    objects, bg = boards.objects(1, numbers)
    assert len(torch.cat([objects.flatten(1), bg[:, None]], dim=1).unique(dim=0)) == len(numbers)


def test_balanced_holds_out_so_many_of_each_group():
    world = WorldConfig(card_val=2, card_test=3)
    splits = splits_of(world)
    each = splits.boards.sizes[1] // 100
    assert bool((torch.bincount(splits.sets["doubleRoot_test"].long() // each, minlength=100) == 3).all())
    assert bool((torch.bincount(splits.sets["doubleRoot_val"].long() // each, minlength=100) == 2).all())
    for name in ("singleRoot", "doubleRoot", "singleComposite"):
        parts = [splits.sets[f"{name}_{part}"] for part in ("train", "val", "test")]
        assert torch.equal(torch.cat(parts).sort().values.long(), torch.arange(sum(len(part) for part in parts)))


def test_stringent_shows_no_root_at_its_place_and_empty_slots_hold_nothing_out():
    world = WorldConfig(split_method="stringent", comp_c=3)
    splits = splits_of(world)
    held, _ = splits.boards.objects(0, splits.sets["singleRoot_test"])
    places = {tuple(row) for row in held[:, 0].tolist()}
    assert len(places) == 10  # one a root
    for part, inside in (("train", False), ("test", True)):
        for kind, name in enumerate(("singleRoot", "doubleRoot", "singleComposite")):
            numbers = splits.sets[f"{name}_{part}"]
            objects, _ = splits.boards.objects(kind, numbers[:: max(len(numbers) // 2000, 1)])
            for board in objects.tolist():
                assert any(tuple(one) in places for one in board if one[0] >= 0) == inside


def test_fraction_and_the_file(tmp_path):
    world = WorldConfig(board_dim=7, split_method="fraction", card_val=0.1, card_test=0.2)
    splits = splits_of(world)
    assert len(splits.sets["singleRoot_test"]) == int(0.2 * splits.boards.sizes[0])
    splits.save(tmp_path / "splits.safetensors")
    again = load_splits(tmp_path / "splits.safetensors", splits.boards)
    assert all(torch.equal(again.sets[name], splits.sets[name]) for name in splits.sets)
    published = splits_of(PUBLISHED)
    published.save(tmp_path / "published.safetensors")
    assert (tmp_path / "published.safetensors").stat().st_size < 5e6
    with pytest.raises(CourseError, match="does not fit"):
        load_splits(tmp_path / "published.safetensors", Boards(build_library(SMALL_WORLD, generator(0))))


def test_training_never_draws_what_is_held_out():
    world = WorldConfig(split_method="stringent")
    splits = splits_of(world)
    drawn = splits.draw("train")(splits.boards.lib, 4000, EVEN, generator(5))
    held, _ = splits.boards.objects(0, splits.sets["singleRoot_test"])
    places = {tuple(row) for row in held[:, 0].tolist()}
    seen = {tuple(one) for one in drawn["objects"].flatten(0, 1).tolist() if one[0] >= 0}
    assert not places & seen
    assert torch.bincount(drawn["kind"]).min() > 1200
    everything = splits.all("test", 50, generator(6))
    assert len(everything["board"]) <= 150 and set(everything["kind"].tolist()) == {0, 1, 2}


def test_same_seed_same_world():
    one, two, other = (build_library(WorldConfig(), generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.roots, two.roots) and not torch.equal(one.roots, other.roots)
    torch.rand(3)
    draws = [sample_boards(one, 20, EVEN, generator(4))["board"] for _ in range(2)]
    assert torch.equal(*draws)


def test_few_tokens_still_give_different_objects():
    world = WorldConfig(vocab_token=2, abs_dim=2, abs_n=16, comp_n=0, board_types_proba=(1, 0, 0))
    library = build_library(world, generator(0))
    assert len(library.roots.unique(dim=0)) == 16
    with pytest.raises(CourseError, match="different"):
        build_library(WorldConfig(vocab_token=1), generator(0))


def test_fuzzy_cells_take_every_mode_and_no_other():
    world = WorldConfig(abs_w_c=3, abs_w_m=3, abs_c=7)
    library = build_library(world, generator(0))
    objects = torch.full((4000, 4, 3), -1)
    objects[:, 0] = torch.tensor([2, 1, 1])
    scenes = blur(library, paint(library, objects, torch.zeros(4000, dtype=torch.int64)), generator(1))
    assert len(scenes["board"].flatten(1).unique(dim=0)) == 27  # 3 fuzzy cells with 3 tokens each
    assert int((scenes["root_id"][0] >= 0).sum()) == 7
    assert int((library.modes[2].float().std(dim=-1) > 0).sum()) == 3


def test_patches_hide_exactly_one_root_of_a_composite_also_with_empty_slots():
    world = WorldConfig(comp_c=2)
    library = build_library(world, generator(0))
    scenes = sample_boards(library, 500, (0, 0, 1), generator(1))
    _, mask = mask_boards(library, scenes, 0.0, 1.0, generator(2))
    hidden = mask & (scenes["root_id"] >= 0)
    assert bool((hidden.sum((1, 2)) == 9).all()) and bool((mask.sum((1, 2)) == 9).all())


def test_the_observers_agree_and_give_the_ceiling():
    library = build_library(SMALL_WORLD, generator(0))
    scenes = sample_boards(library, 400, EVEN, generator(1))
    masked, mask = mask_boards(library, scenes, 0.25, 0.5, generator(2))
    fast = FastObserver(library)(masked.flatten(1))
    some = slice(0, 12)
    slow = ideal_observer(library, masked[some].flatten(1), *enumerate_scenes(library))
    assert torch.allclose(fast[some], slow, atol=1e-5)
    ends = scenes["board"].flatten(1), mask.flatten(1), scenes["root_id"].flatten(1)
    best, floor = cell_metrics(fast, *ends), cell_metrics(floor_logits(library, masked.flatten(1)), *ends)
    assert best["visible"] == 1 and 0.92 < best["masked_object"] < 0.97 and 0.97 < best["masked"] < 0.995
    assert floor["masked_object"] < 0.01 and 0.65 < floor["masked"] < 0.78


def test_ceiling_and_floor_under_the_published_rule():
    """The published world on boards of 6 x 6; the spread is that of 200 boards."""
    world = replace(SMALL_WORLD, double_rule="original")
    table = restored(build_library(world, generator(1)), world, 200, masking=0.25, patches=0.5)
    best, floor = table["ideal observer"], table["copy and background"]
    wanted = {"loss": 0.0144, "cells": 0.995, "masked": 0.982, "masked_object": 0.944, "board": 0.925}
    spread = {"loss": 0.007, "cells": 0.004, "masked": 0.015, "masked_object": 0.035, "board": 0.06}
    assert all(abs(best[name] - wanted[name]) < spread[name] for name in wanted), best
    assert best["board, composition"] > 0.98 > best["board, single"] > best["board, double"] > 0.7
    assert abs(floor["cells"] - 0.917) < 0.02 and floor["masked_object"] == 0 and floor["board"] < 0.25


def test_the_observer_of_a_tiny_world_is_brute_force():
    sizes = {"board_dim": 4, "abs_dim": 2, "abs_n": 2, "vocab_bck": 2, "vocab_token": 2, "comp_n": 0}
    world = WorldConfig(**sizes, board_types_proba=(0.5, 0.5, 0))
    library = build_library(world, generator(3))
    unk, worlds = library.unk, []
    for kind, bg in itertools.product((0, 1), range(2)):
        boards = Boards(library)
        numbers = torch.arange(boards.sizes[kind])
        scenes = boards.scenes(torch.full_like(numbers, kind), numbers)
        keep = scenes["bg"] == bg
        worlds.append((scenes["board"][keep].flatten(1), 0.25 / int(keep.sum())))
    scenes = sample_boards(library, 6, (0.5, 0.5, 0), generator(4))
    masked = torch.where(torch.rand(6, 16, generator=generator(5)) < 0.6, unk, scenes["board"].flatten(1))
    masked[5] = unk
    got = ideal_observer(library, masked, *enumerate_scenes(library, (0.5, 0.5, 0)))
    for board, found in zip(masked, got, strict=True):
        total = torch.zeros(16, library.vocab)
        for rows, prior in worlds:
            fits = ((rows == board) | (board == unk)).all(1)
            for row in rows[fits]:
                total[torch.arange(16), row] += prior
        assert torch.allclose(found, total / total.sum(1, keepdim=True), atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"abs_dim": 9}, "does not fit"),
        ({"abs_c": 10}, "9 cells"),
        ({"board_dim": 6}, "composite of side 7"),
        ({"board_types_proba": (0.5, 0.1, 0.1)}, "add up to 1"),
        ({"abs_w_c": 2, "abs_w_m": 11}, "cannot choose"),
        ({"comp_c": 5}, "4 slots"),
        ({"double_rule": "near"}, "double_rule"),
        ({"split_method": "half"}, "split_method"),
        ({"board_dim": 5, "board_types_proba": (0.5, 0.5, 0)}, "side by side"),
    ],
)  # fmt: skip
def test_a_world_that_cannot_be_is_told_in_a_sentence(wrong, says):
    with pytest.raises(CourseError, match=says):
        WorldConfig(**wrong)


def test_the_observer_of_fuzzy_worlds_is_brute_force():
    """Also with cells that show the background; and in a world without fuzzy cells it is the plain observer."""
    sizes = {"board_dim": 4, "abs_dim": 2, "abs_n": 2, "vocab_bck": 2, "vocab_token": 3, "comp_n": 0}
    world = WorldConfig(**sizes, abs_c=3, abs_w_c=2, abs_w_m=2, board_types_proba=(0.5, 0.5, 0))
    library = build_library(world, generator(3))
    boards, shares, looks = Boards(library), (0.5, 0.5, 0), {}
    for kind in (0, 1):
        numbers = torch.arange(boards.sizes[kind])
        scenes = boards.scenes(torch.full_like(numbers, kind), numbers)
        tokens = library.modes.flatten(1, 2)[scenes["root_id"].clamp(min=0), scenes["offset"].clamp(min=0)]
        tokens = torch.where(scenes["root_id"][..., None] >= 0, tokens, scenes["board"][..., None]).flatten(1, 2)
        for cells in tokens.tolist():
            choices = [sorted(set(cell)) for cell in cells]
            ways = list(itertools.product(*choices))
            for way in ways:
                looks[way] = looks.get(way, 0) + shares[kind] / len(numbers) / len(ways)
    whole, prior = torch.tensor(list(looks)), torch.tensor(list(looks.values()))
    scenes = blur(library, sample_boards(library, 8, shares, generator(4)), generator(5))
    masked = torch.where(torch.rand(8, 16, generator=generator(6)) < 0.6, library.unk, scenes["board"].flatten(1))
    masked[7] = library.unk
    found = observer_of(library, shares)(masked)
    assert isinstance(observer_of(library, shares), FuzzyObserver)
    for board, got in zip(masked, found, strict=True):
        weight = prior * ((whole == board) | (board == library.unk)).all(1)
        wanted = torch.stack([((whole == token) * weight[:, None]).sum(0) for token in range(library.vocab)], 1)
        assert torch.allclose(got, wanted / weight.sum(), atol=1e-5)
    with pytest.raises(CourseError, match="fuzzy"):
        enumerate_scenes(library, shares)
    plain = build_library(WorldConfig(**sizes, board_types_proba=(0.5, 0.5, 0)), generator(3))
    masked = torch.where(masked >= library.n_bg, library.unk, masked)
    assert torch.allclose(FuzzyObserver(plain, shares)(masked), FastObserver(plain, shares)(masked), atol=1e-5)
