"""The fast form and the batched sweep against the readable models, step by step; speed-independent."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from solutions.ch4_one_layer_icl.config import ALL_MODELS, KINDS, PAPER_MODELS, DataConfig, Run, grid
from solutions.ch4_one_layer_icl.data import TRAINING, UNSEEN, fixed, stream
from solutions.ch4_one_layer_icl.experiments.runs import plain, population, together
from solutions.ch4_one_layer_icl.fast import IN_CACHE, Sentences, fast_attend, fast_forward, fleet_of
from solutions.ch4_one_layer_icl.model import OneLayer, attend, embed, forward
from solutions.ch4_one_layer_icl.training import ngd_step

CFG = DataConfig(vocab_size=14, H=9, Q=2, Y=3)


def random_tokens(B: int, H: int, N: int) -> torch.Tensor:
    """Any tokens at all: triggers and tau anywhere, repeated, also at both ends."""
    return torch.randint(0, N, (B, H), generator=torch.Generator().manual_seed(B * H))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("R", "B", "H"), [(1, 5, 7), (3, 6, 4), (2, 1, 5), (3, 40, 1 + IN_CACHE // 30)])
def test_attention_and_its_gradient_are_the_readable_ones(kind, R, B, H):
    N = 6
    tokens = random_tokens(B, H, N)
    draws = torch.Generator().manual_seed(0)
    W = (torch.randn(2 * N, 2 * N, R, generator=draws) / H**0.5).requires_grad_()
    w = fast_attend(W, Sentences(tokens, N), kind)
    x = embed(tokens, dataclasses.replace(CFG, vocab_size=N, Q=1, Y=1))
    plain = torch.stack([attend(x, W[..., r], kind)[0] for r in range(R)])
    torch.testing.assert_close(w, plain, rtol=1e-4, atol=1e-4)
    direction = torch.randn(w.shape, generator=draws)
    (ours,) = torch.autograd.grad((w * direction).sum(), W)
    (theirs,) = torch.autograd.grad((plain * direction).sum(), W)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_the_layers_apart_add_up():
    draws = torch.Generator().manual_seed(1)
    R, N = 2, CFG.vocab_size
    W, V, Fs = (torch.randn(R, 2 * N, 2 * N, generator=draws) * 0.3 for _ in "WVF")
    tokens = random_tokens(4, 9, N)
    kappa = torch.tensor([0.0, 1.0]).view(R, 1, 1)
    given = (W.permute(1, 2, 0).contiguous(), V[:, :N], Fs[:, :N], kappa, Sentences(tokens, N), "softmax")
    (xi,) = fast_forward(*given)
    for ours, place in zip(fast_forward(*given, apart=True), range(3), strict=True):
        for r in range(R):
            plain = forward({"W": W[r], "V": V[r], "F": Fs[r]}, tokens, int(kappa[r]), "softmax")
            torch.testing.assert_close(ours[r], plain[place], rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(xi[r], plain[0], rtol=1e-4, atol=1e-4)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="linear, softmax or relu"):
        fast_attend(torch.zeros(12, 12, 1), Sentences(random_tokens(2, 4, 6), 6), "cosine")


def readable(run: Run) -> tuple[list[float], list[float]]:
    """The same run by OneLayer, autograd and ngd_step, one model at a time: (losses, risks on unseen outputs)."""
    model = OneLayer(run.data, run.model_type, run.kind, run.kappa, run.noisy, run.alpha)
    params = dict(model.named_parameters())
    batches = stream(run.data, run.batch_size, run.noisy, (run.seed, TRAINING))
    (unseen,) = fixed(run.data, 1, run.batch_size, run.noisy, (run.seed, UNSEEN), ood=True)
    losses, risks = [], []
    for _ in range(run.nsteps):
        batch = next(batches)
        labels = torch.where(batch.uniform < run.alpha, run.data.vocab_size - 1, batch.outputs)
        loss = F.cross_entropy(model(batch.tokens)[0], labels)
        grads = torch.autograd.grad(loss, list(params.values()))
        moved = ngd_step(params, dict(zip(params, grads, strict=True)), run.lr)
        with torch.no_grad():
            for name, value in params.items():
                value.copy_(moved[name])
            surprise = -model(unseen.tokens)[0].log_softmax(dim=-1)
        of_y = surprise.gather(1, unseen.outputs[:, None]).mean().item()
        losses.append(loss.item())
        risks.append((1 - run.alpha) * of_y + run.alpha * surprise[:, -1].mean().item())
    return losses, risks


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("rates", [(0.1,), (0.1, 0.4)])
def test_all_18_models_batched_or_alone_are_the_readable_ones(alpha, rates):
    runs = grid(ALL_MODELS, (alpha,), rates, seed=3, nsteps=4, batch_size=32, data=CFG)
    groups = together(runs) if len(rates) > 1 else [[run] for run in runs]
    for group in groups:
        for run, result in zip(group, population(group), strict=True):
            losses, risks = readable(run)
            assert result.curves["loss"] == pytest.approx(losses, abs=1e-5), run.name
            assert result.curves["ood_loss"] == pytest.approx(risks, abs=2e-5), run.name


@pytest.mark.parametrize("index", [0, 7, 12, 17])
def test_weights_are_those_of_the_readable_model(index):
    run = Run(*ALL_MODELS[index], 0.4, 0.2, nsteps=3, batch_size=16, data=CFG)
    (result,) = population([run])
    tokens = random_tokens(8, 9, CFG.vocab_size)
    fleet = fleet_of([run])
    batches = stream(CFG, 16, True, (0, TRAINING))
    for _ in range(3):
        fleet.step(next(batches))
    xi, xi_A, xi_F = forward({name: result.weights[name] for name in "WVF"}, tokens, run.kappa, run.kind)
    torch.testing.assert_close(xi, xi_A + xi_F)
    for name in "WVF":
        torch.testing.assert_close(fleet.weights(0)[name], result.weights[name])
    if run.model_type == "reparam":
        assert result.weights["lam"].numel() == 1


def test_the_sweep_shares_its_work():
    runs = grid(data=CFG, nsteps=2, batch_size=8)
    assert len(runs) == 104 and len(PAPER_MODELS) == 13 and len({run.name for run in runs}) == 104
    groups = together(runs)
    assert len(groups) == 8  # three attention kinds and the reparameterised models, with and without noise
    assert sorted(run.name for group in together(runs, 5) for run in group) == sorted(run.name for run in runs)
    assert max(map(len, together(runs, 5))) == 5


def test_paired_data():
    """Two alphas see the same sentences and the same luck; another seed sees others."""
    first, again = (next(stream(CFG, 50, True, (0, TRAINING))) for _ in range(2))
    other = next(stream(CFG, 50, True, (1, TRAINING)))
    assert torch.equal(first.tokens, again.tokens) and torch.equal(first.uniform, again.uniform)
    assert not torch.equal(first.tokens, other.tokens)
    low, high = first.is_noise(torch.tensor([0.2, 0.8]))
    assert bool((high | ~low).all()) and low.sum() < high.sum()


def test_plain_gradient_descent():
    """Without normalisation the loss falls like Q / (lr t), with it like exp(-lr t / sqrt(Q))."""
    runs = [
        Run("reparam", "linear", 1, 0.0, 0.5, nsteps=120, batch_size=64, rule=rule, data=CFG) for rule in ("gd", "ngd")
    ]
    plain, normalised = (population([run])[0].curves["loss"] for run in runs)
    assert plain[-1] == pytest.approx(CFG.Q / (0.5 * 120), rel=0.5)
    assert normalised[-1] < 1e-5


def test_same_seed_same_numbers():
    run = Run("origin", "relu", 1, 0.2, 0.3, nsteps=3, batch_size=16, data=CFG)
    first, second = (population([run])[0] for _ in range(2))
    assert first.curves == second.curves and torch.equal(first.weights["W"], second.weights["W"])


@pytest.mark.parametrize("kappa", [0, 1])
def test_the_exercises_own_loop_and_the_fast_form_learn_the_same(kappa):
    """With noise lam moves by lr at each step whatever the sentences, so both lie on the same curve."""
    run = Run("reparam", "linear", kappa, 0.2, 0.05, nsteps=30, batch_size=16, data=CFG)
    own, (fast,) = plain(run), population([run])
    assert own.finished and own.steps == fast.steps == 30
    assert own.weights["lam"].item() == pytest.approx(fast.weights["lam"].item(), abs=1e-5)
    torch.testing.assert_close(own.weights["W"], fast.weights["W"], rtol=0, atol=1e-5)
    for step in (10, 20, 30):
        assert own.curves["ood_loss"][step - 1] == pytest.approx(fast.curves["ood_loss"][step - 1], abs=1e-5)


def test_the_exercises_own_loop_stops_when_asked():
    run = Run("origin", "softmax", 1, 0.2, 0.05, nsteps=30, batch_size=16, data=CFG)
    asked = iter([False, True])
    result = plain(run, stop=lambda: next(asked))
    assert result.steps == 10 and not result.finished
