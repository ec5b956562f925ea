"""Cached generation against uncached: token by token, in chunks, at the context's end and past it; beams."""

import itertools

import pytest
import torch
from rounding import assert_same_but_rounding

from solutions.ch1_transformer_from_scratch.beam import beam_search
from solutions.ch1_transformer_from_scratch.cache import KVCache, cached_forward, fast_reader, generate_cached
from solutions.ch1_transformer_from_scratch.config import TransformerConfig
from solutions.ch1_transformer_from_scratch.generation import generate
from solutions.ch1_transformer_from_scratch.model import Transformer
from solutions.ch1_transformer_from_scratch.sampling import sample_top_p

V, T = 23, 12


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return Transformer(TransformerConfig(16, V, T, 5, 3, 3, 20, weight_initialization_range=0.5, device="cpu"))


@pytest.mark.parametrize("split", [[12], [1] * 12, [5, 7], [1, 4, 2, 5], [11, 1]])
def test_any_split_equals_uncached(model, split):
    tokens = torch.randint(0, V, (2, T))
    cache = KVCache(model.config, 2)
    with torch.no_grad():
        parts = []
        for chunk in tokens.split(split, dim=1):
            before = cache.length
            parts.append(cached_forward(model, chunk, cache))
            assert cache.length == before + chunk.shape[1]
        assert_same_but_rounding(torch.cat(parts, dim=1), model(tokens))


def test_past_the_context_is_a_clear_error(model):
    cache = KVCache(model.config, 1)
    cached_forward(model, torch.zeros(1, T, dtype=torch.int64), cache)
    with pytest.raises(ValueError, match="13 tokens do not fit the context of 12"):
        cached_forward(model, torch.zeros(1, 1, dtype=torch.int64), cache)
    with pytest.raises(ValueError, match="13 tokens do not fit the context of 12"):
        model(torch.zeros(1, 13, dtype=torch.int64))


@pytest.mark.parametrize("length", [1, 5, T, T + 4])
def test_generate_cached_equals_generate(model, length):
    prompt = torch.randint(0, V, (length,), generator=torch.Generator().manual_seed(length))
    expected = generate(model, prompt, 20)
    assert len(expected) == length + 20  # past the context the window slides: no crash
    assert generate_cached(model, prompt, 20).tolist() == expected.tolist()


def test_generate_cached_draws_and_stops_alike(model):
    prompt = torch.tensor([1, 2])
    runs = []
    for writer in (generate, generate_cached):
        draws = torch.Generator().manual_seed(5)
        runs.append(writer(model, prompt, 10, lambda logits, d=draws: sample_top_p(logits, 0.9, d)).tolist())
    assert runs[0] == runs[1]
    stop = runs[0][5]
    draws = torch.Generator().manual_seed(5)
    stopped = generate_cached(model, prompt, 10, lambda logits: sample_top_p(logits, 0.9, draws), stop=stop).tolist()
    assert stopped == runs[0][: runs[0].index(stop, 2) + 1]


def test_generation_does_not_reseed(model):
    torch.manual_seed(0)
    first = generate(model, torch.tensor([1]), 9, lambda logits: sample_top_p(logits, 1.0)).tolist()
    second = generate(model, torch.tensor([1]), 9, lambda logits: sample_top_p(logits, 1.0)).tolist()
    assert first != second


def test_modes_are_restored(model):
    for writer in (generate, generate_cached, lambda m, p, n: beam_search(m, p, 2, n)):
        for mode in (True, False):
            model.train(mode)
            writer(model, torch.tensor([1]), 2)
            assert model.training is mode
    model.eval()


def score(model, prompt, tokens) -> float:
    whole = torch.tensor([*prompt, *tokens])
    with torch.no_grad():
        logs = model(whole[None]).log_softmax(dim=-1)[0]
    return sum(logs[len(prompt) - 1 + i, token].item() for i, token in enumerate(tokens))


def test_wide_beams_find_the_best_of_all(model):
    prompt = [4, 9]
    every = {pair: score(model, prompt, pair) for pair in itertools.product(range(V), repeat=2)}
    best = sorted(every.items(), key=lambda item: -item[1])[:5]
    found = beam_search(model, torch.tensor(prompt), V, 2)[:5]
    assert [tuple(tokens[2:].tolist()) for tokens, _ in found] == [pair for pair, _ in best]
    assert [total for _, total in found] == pytest.approx([total for _, total in best], abs=1e-4)


def test_one_beam_is_greedy(model):
    ((tokens, total),) = beam_search(model, torch.tensor([4, 9]), 1, 8)
    assert tokens.tolist() == generate(model, torch.tensor([4, 9]), 8).tolist()
    assert total == pytest.approx(score(model, [4, 9], tokens[2:].tolist()), abs=1e-3)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_ban_is_each_beams_own(model, n):
    found = beam_search(model, torch.tensor([3, 3, 3] if n > 2 else [3]), 4, 14, no_repeat_ngram=n)
    free = beam_search(model, torch.tensor([3]), 4, 14)
    assert len({tuple(tokens.tolist()) for tokens, _ in found}) == len(found) == 4
    assert [total for _, total in found] == sorted((total for _, total in found), reverse=True)
    shared = set()
    for tokens, _ in found:
        grams = [tuple(tokens[i : i + n].tolist()) for i in range(len(tokens) - n + 1)]
        assert len(grams) == len(set(grams))
        assert not shared or shared & set(grams)  # a ban that leaks would forbid what another beam holds
        shared |= set(grams)
    assert free[0][1] >= found[0][1] - 1e-4


def test_fast_reader_equals_the_model_and_leaves_it_alone(model):
    tokens = torch.randint(0, V, (2, T))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        fast = cached_forward(fast_reader(model), tokens, KVCache(model.config, 2))
        assert_same_but_rounding(fast, model(tokens))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) and value.is_contiguous(), name
