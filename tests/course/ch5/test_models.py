"""The models, the training loop, activations and interventions of the reference."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from solutions.ch5_abstract_representations.activations import all_sites, attention_patterns, record, run_with_edit
from solutions.ch5_abstract_representations.boards import build_library
from solutions.ch5_abstract_representations.config import SMALL_MODEL, SMALL_WORLD, ModelConfig, Schedule
from solutions.ch5_abstract_representations.model import (
    FactorizedTransformer,
    VanillaTransformer,
    build_model,
    position_vectors,
)
from solutions.ch5_abstract_representations.training import make_optimizer, measure, train
from utils.course import CourseError
from utils.train import generator

TOKENS = torch.randint(21, (3, 36), generator=generator(0))


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def random_model(kind=FactorizedTransformer):
    torch.manual_seed(1)
    model = kind(SMALL_MODEL)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return model


def test_the_vanilla_form_adds_position_once():
    model = random_model(VanillaTransformer)
    assert count(model) == 40_672 and position_vectors(model).shape == (36, 32)
    order = torch.randperm(36, generator=generator(1))
    assert not torch.allclose(model(TOKENS[:, order]), model(TOKENS)[:, order], atol=1e-3)
    with torch.no_grad():
        model.token_embedding.position.zero_()
    assert torch.allclose(model(TOKENS[:, order]), model(TOKENS)[:, order], atol=1e-4)


@pytest.mark.parametrize("kind", ["factor", "vanilla"])
def test_published_settings_of_attention_and_dropout(kind):
    weights = random_model({"factor": FactorizedTransformer, "vanilla": VanillaTransformer}[kind]).state_dict()

    def built(**more):
        model = build_model(kind, replace(SMALL_MODEL, **more))
        model.load_state_dict(weights)  # under the same names, whatever the settings
        return model.eval()

    plain = built(n_unmasked=36)
    dropped = [built(dropout=0.3), built(attn_pdrop=0.3), built(embd_pdrop=0.3)]
    for model in dropped:
        assert torch.allclose(model(TOKENS), plain(TOKENS), atol=1e-4)
        model.train()
        assert not torch.allclose(model(TOKENS), model(TOKENS), atol=1e-3)
    masked = built(n_unmasked=10)
    for cell, first in ((20, 20), (9, 0)):  # a cell that sees what is before it, and one of those that see each other
        other = TOKENS.clone()
        other[:, cell] = (other[:, cell] + 1) % 20
        moved = (masked(other) - masked(TOKENS)).abs().amax((0, 2)) > 1e-4
        assert int(moved.nonzero()[0]) == first and bool(moved[-1])
    seen = attention_patterns(masked, TOKENS)[0, 0, 0] > 0
    assert bool(seen[:10, :10].all()) and not seen[:10, 10:].any() and bool(seen[15, :16].all())
    for wrong in ({"attn_pdrop": 1.0}, {"dropout": -0.1}, {"n_unmasked": 37}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(SMALL_MODEL, **wrong)


def test_parameter_counts():
    assert count(FactorizedTransformer(ModelConfig())) == 197_824
    assert count(FactorizedTransformer(SMALL_MODEL)) == 50_848


def test_nothing_is_causal_and_positions_start_equal():
    model = FactorizedTransformer(SMALL_MODEL)
    order = torch.randperm(36, generator=generator(1))
    assert torch.allclose(model(TOKENS[:, order]), model(TOKENS)[:, order], atol=1e-5)
    changed = TOKENS.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 21
    assert bool((random_model()(changed) != random_model()(TOKENS)).any(-1)[:, 0].all())


@pytest.mark.parametrize("kind", [FactorizedTransformer, VanillaTransformer])
def test_sites_of_both_models(kind):
    model = random_model(kind)
    found = record(model, TOKENS, all_sites(model))
    assert list(found) != [] and all(value.shape == (3, 36, 32) for value in found.values())
    assert torch.allclose(found["embedding"] + found["b0.attn"], found["b0.z_attn"], atol=1e-4)
    alike = torch.full((1, 36), 3)
    same = bool((record(model, alike, ["embedding"])["embedding"].std(1) < 1e-6).all())
    assert same == (kind is FactorizedTransformer)  # the vanilla stream holds positions as well
    assert torch.allclose(found["b1.z_attn"] + found["b1.mlp"], found["b1.out"], atol=1e-4)
    assert torch.equal(run_with_edit(model, TOKENS, {"b1.out": lambda v: v}), model(TOKENS))
    for name in ("b9.out", "blocks.0.norm_9", ""):
        with pytest.raises(CourseError):
            record(model, TOKENS, [name])
    inner = record(model, TOKENS, ["blocks.1.norm_1", "blocks.1.attention.value", "b0.out"])
    assert torch.equal(model.blocks[1].norm_1(inner["b0.out"]), inner["blocks.1.norm_1"])
    edits = {"b0.z_attn": lambda v: 2 * v, "b2.out": lambda v: v + 1}
    twice = [run_with_edit(model, TOKENS, edits) for _ in range(2)]
    assert torch.equal(*twice) and all(callable(edit) for edit in edits.values())  # the caller's dict serves again
    flat = run_with_edit(model, TOKENS, {f"blocks.{i}.norm_{k}": torch.zeros_like for i in range(3) for k in (1, 2)})
    assert not torch.allclose(flat, model(TOKENS))
    hooks = [hook for module in model.modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]
    assert not hooks
    patterns = attention_patterns(model, TOKENS)
    assert patterns.shape == (3, 3, 2, 36, 36) and torch.allclose(patterns.sum(-1), torch.ones(()), atol=1e-5)


@pytest.mark.parametrize("kind", [FactorizedTransformer, VanillaTransformer])
def test_only_linear_weights_decay_and_every_parameter_is_optimised_once(kind):
    model = kind(SMALL_MODEL)
    optimizer = make_optimizer(model, Schedule())
    decayed = {id(p) for p in optimizer.param_groups[0]["params"]}
    assert decayed == {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
    every = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(every) == sorted(id(p) for p in model.parameters())
    assert make_optimizer(model, Schedule(beta2=0.95)).param_groups[1]["betas"] == (0.9, 0.95)


def test_schedule_and_heads():
    schedule = Schedule(masking=(0.0, 0.3), kinds_first=(1, 0, 0), ramp=0.5, lr=1.0)
    assert schedule.at(0, 100)["masking"] == 0 and math.isclose(schedule.at(25, 100)["masking"], 0.15)
    assert math.isclose(schedule.at(60, 100)["kinds"][2], 1 / 3) and schedule.at(0, 100)["kinds"] == (1, 0, 0)
    assert schedule.at(0, 100)["lr"] == 1.0 and schedule.at(99, 100)["lr"] < 1e-3
    with pytest.raises(ValueError, match="heads"):
        ModelConfig(n_heads=3)


def test_measuring_changes_neither_model_nor_training():
    library = build_library(SMALL_WORLD, generator(0))
    runs = []
    for every in (2, 100):
        torch.manual_seed(0)
        model = FactorizedTransformer(SMALL_MODEL)
        train(model, library, 6, generator(1), Schedule(batch=4, every=every, measured=5))
        runs.append(model.state_dict())
        assert model.training
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
    before = {name: value.clone() for name, value in runs[0].items()}
    measure(model, library, 5, generator(2))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
