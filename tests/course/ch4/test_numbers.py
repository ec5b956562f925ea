"""Measured numbers at the notebook's sizes (N 24, H 32, Q 3, Y 3, batch 256), with the tolerance each deserves."""

import math

import pytest
import torch
import torch.nn.functional as F

from solutions.ch4_one_layer_icl.config import ALPHAS, PAPER_MODELS, SMALL, DataConfig, Run, grid
from solutions.ch4_one_layer_icl.data import fixed, sample_batch
from solutions.ch4_one_layer_icl.experiments.runs import finite, noise_share, population, together
from solutions.ch4_one_layer_icl.experiments.tables import end, excess
from solutions.ch4_one_layer_icl.model import OneLayer, build_reparam, forward
from solutions.ch4_one_layer_icl.surgery import layer_votes, surgery
from solutions.ch4_one_layer_icl.theory import (
    bayes_risk,
    ff_only_floor,
    first_step_gradient,
    reparam_loss,
    softmax_floor,
    trigger_only_floor,
)

PAPER = DataConfig()
N = SMALL.vocab_size


def trained(*model, alpha=0.0, lr=0.5, nsteps=400, seed=0):
    run = Run(*model, alpha, lr, seed=seed, nsteps=nsteps, batch_size=256, data=SMALL)
    return population([run], eval_every=5)[0]


def as_model(result) -> OneLayer:
    run = result.run
    model = OneLayer(run.data, run.model_type, run.kind, run.kappa, run.noisy, run.alpha)
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(result.weights[name].view_as(value))
    return model


@pytest.fixture(scope="module")
def table() -> dict[tuple[str, float], tuple[float, float]]:
    """(in distribution, out of distribution) of the 13 models at four noise levels, 150 steps at lr 0.5."""
    runs = grid(rates=(0.5,), nsteps=150, batch_size=128, data=SMALL)
    found = {}
    for group in together(runs):
        for result in population(group, eval_every=10):
            found[result.run.label, result.run.alpha] = excess(result.run, result.curves)
    return found


def test_closed_forms_of_the_papers_sizes():
    wanted = {
        0.2: (0.5004, 3.3946, 1.6094, 1.5906),
        0.5: (0.6931, 3.1500, 1.3863, 2.7319),
        0.8: (0.5004, 2.1619, 0.7777, 2.6931),
    }
    for alpha, numbers in wanted.items():
        found = (
            bayes_risk(alpha),
            softmax_floor(PAPER, alpha),
            trigger_only_floor(PAPER, alpha),
            ff_only_floor(PAPER, alpha),
        )
        assert found == pytest.approx(numbers, abs=6e-5)
        start, _ = reparam_loss(torch.zeros(()), PAPER, alpha)
        gamma = math.log(alpha / (1 - alpha))
        assert float(start) == pytest.approx(math.log(math.exp(gamma) + 59) - alpha * gamma, abs=1e-5)
    assert trigger_only_floor(PAPER, 0.0) == pytest.approx(math.log(4)) and bayes_risk(0.0) == bayes_risk(1.0) == 0.0
    row = first_step_gradient(PAPER)
    assert row[[5, 60, 0, 20]].tolist() == pytest.approx([1.339, 0.983, -2 / 60, -0.078], abs=5e-4)


@pytest.mark.parametrize("kind", ["linear", "relu"])
@pytest.mark.parametrize("kappa", [0, 1])
def test_closed_form_is_autograd_on_every_sentence(kind, kappa):
    tokens, _, outputs = sample_batch(PAPER, 40, True, 0.3, True, torch.Generator().manual_seed(0))
    lam = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    W, V, F_ = build_reparam(lam, PAPER, True, math.log(0.3 / 0.7))
    surprise = -forward({"W": W, "V": V, "F": F_}, tokens, kappa, kind)[0].log_softmax(dim=-1)
    each = 0.7 * surprise.gather(1, outputs[:, None])[:, 0] + 0.3 * surprise[:, -1]
    (gradient,) = torch.autograd.grad(each.mean(), lam)
    loss, slope = reparam_loss(lam.detach(), PAPER, 0.3, kappa)
    tolerance = 1e-13 if kind == "linear" else 1e-6  # relu's 1e-8 at every filler
    assert torch.allclose(each.detach(), loss, atol=tolerance, rtol=0)
    assert float(gradient) == pytest.approx(float(slope), abs=tolerance)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_reparameterised_model_reaches_the_bayes_risk_in_and_out_of_distribution(table, alpha):
    for name in ("Reparam-Linear-FA", "Reparam-ReLU-FA"):
        assert table[name, alpha] == pytest.approx((0.0, 0.0), abs=1e-4)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_others_stop_where_the_formulas_say(table, alpha):
    risk = bayes_risk(alpha)
    if alpha == 0:
        cap = math.log(1 + (N - 1) / math.e)
        assert table["Reparam-Softmax-F", 0.0] == pytest.approx((cap, cap), abs=1e-3)
        assert table["Reparam-Softmax-FA", 0.0] == pytest.approx((cap, cap), abs=1e-3)
        return
    floor = ff_only_floor(SMALL, alpha) - risk
    for name in ("Reparam-Linear-F", "Reparam-ReLU-F"):
        inside, outside = table[name, alpha]
        assert inside > floor - 1e-4 and outside == pytest.approx(floor, abs=0.03)  # +-lr round the optimum
    cap = softmax_floor(SMALL, alpha) - risk
    assert table["Reparam-Softmax-FA", alpha] == pytest.approx((cap, cap), abs=0.01)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_origin_fits_and_fails_on_unseen_outputs(table, alpha):
    trigger_only = trigger_only_floor(SMALL, alpha) - bayes_risk(alpha)
    for kind in ("Linear", "ReLU"):
        inside, outside = table[f"Origin-{kind}-FA", alpha]
        assert inside < 0.8 * trigger_only and outside > trigger_only + 0.5 and outside > 4 * inside
    inside, outside = table["Origin-Linear-F", alpha]
    assert inside > trigger_only - 0.02 and outside > 1.0  # never leaves the saddle


def test_the_loss_lies_on_the_closed_form_curve():
    """At every step, from nothing but the number of steps: lam = lr t with noise, about lr t / sqrt(Q) without."""
    noisy = trained("reparam", "linear", 1, alpha=0.2, lr=0.1, nsteps=100)
    curve = [float(reparam_loss(torch.tensor(0.1 * t), SMALL, 0.2)[0]) for t in range(100)]
    assert noisy.curves["risk"] == pytest.approx(curve, abs=1e-4)
    seeds = [trained("reparam", "linear", 1, lr=0.1, nsteps=50, seed=seed) for seed in range(3)]
    for result in seeds:
        assert result.weights["lam"].mean().item() == pytest.approx(5.0 / SMALL.Q**0.5, rel=0.01)


def test_surgery_repairs_the_softmax_model():
    """Out of distribution 12.8 before, below 0.01 after; the plateau at log Y ends about step 30."""
    result = trained("origin", "softmax", 1)
    losses = result.curves["loss"]
    means = [sum(losses[t - 10 : t]) / 10 for t in range(10, 400)]
    assert 18 <= next(t for t, mean in enumerate(means) if mean < 0.9 * math.log(SMALL.Y)) <= 28
    assert result.curves["ood_loss"][-1] == pytest.approx(12.8, abs=0.3) and end(losses) < 1e-3
    model = as_model(result)
    before = model.W.clone()
    repaired = surgery(model)
    tokens, labels, _ = sample_batch(SMALL, 2000, False, ood=True, generator=torch.Generator().manual_seed(1))
    loss = F.cross_entropy(repaired(tokens)[0], labels).item()
    assert 0.005 < loss < 0.01
    assert torch.equal(repaired.W, before) and float(model.F.abs().sum().detach()) > 0
    seen, seen_labels, _ = sample_batch(SMALL, 500, False, generator=torch.Generator().manual_seed(2))
    assert F.cross_entropy(repaired(seen)[0], seen_labels).item() < 0.05


def test_a_free_W_finds_the_rule_with_relu_and_not_with_linear_attention():
    relu, linear = (trained("reparamW", kind, 1, alpha=0.5) for kind in ("relu", "linear"))
    assert end(relu.curves["ood_loss"]) == pytest.approx(bayes_risk(0.5), abs=0.03)  # steps of lr never come to rest
    assert end(linear.curves["risk"]) == pytest.approx(0.775, abs=0.02)
    assert end(linear.curves["ood_loss"]) > 0.9
    W = relu.weights["W"]
    assert float((W[0] ** 2).sum() / (W**2).sum()) == pytest.approx(0.94, abs=0.015)
    assert 13 < float(W[0, N]) < 17.5 and -18 < float(W[0, N - 1]) < -13.5
    rule = torch.zeros_like(W)
    rule[0, N], rule[0, N - 1] = 1.0, -1.0
    assert float(F.cosine_similarity(W.flatten(), rule.flatten(), dim=0)) > 0.93


def test_the_feed_forward_layer_votes_for_noise_from_the_step_that_the_formula_names():
    """xi_F of tau is the largest once lam = lr t exceeds log((1 - alpha) / alpha)."""
    crossing = math.log(0.8 / 0.2) / 0.1  # 13.9
    batch = sample_batch(SMALL, 64, True, 0.2, generator=torch.Generator().manual_seed(0))
    for nsteps, share in ((math.floor(crossing), 0.0), (math.ceil(crossing), 1.0)):
        model = as_model(trained("reparam", "linear", 1, alpha=0.2, lr=0.1, nsteps=nsteps))
        attention, feed_forward = layer_votes(model, batch)
        assert torch.equal(attention, batch[2])
        assert float((feed_forward == N - 1).float().mean()) == share


def test_float32_saturates():
    result = trained("reparam", "relu", 1, nsteps=100)
    assert result.curves["loss"][-1] == 0.0 or result.curves["loss"][-1] < 1e-6
    assert 12 < float(result.weights["lam"].mean()) < 30


def test_finite_sets_are_memorised_by_the_free_models_only():
    runs = [
        Run(model, "relu", 1, 0.2, 0.1, nsteps=60, finite_nsteps=2, batch_size=256, data=SMALL)
        for model in ("reparam", "reparamW", "origin")
    ]
    ends = {}
    for group in together(runs):
        for result in finite(group):
            ends[result.run.model_type] = {name: end(curve[-5:]) for name, curve in result.curves.items()}
            assert {len(curve) for curve in result.curves.values()} == {60}
    entropy = bayes_risk(0.2)
    (seen,) = [fixed(SMALL, 2, 256, True, (0, 3))]
    share = noise_share(runs[0], seen)
    told = (1 - 0.2) * -math.log(1 - share) + 0.2 * -math.log(share)  # costs KL(alpha || share) more than the entropy
    assert ends["reparam"]["pop_loss"] == pytest.approx(told, abs=1e-3)
    memorised = {model: values["pop_loss"] - values["train_loss"] for model, values in ends.items()}
    assert ends["origin"]["train_loss"] < entropy and memorised["origin"] > 0.05 and memorised["reparamW"] > 0.02
    assert abs(memorised["reparam"]) < 3 * 1.4 * (0.2 * 0.8 / 512) ** 0.5  # the luck of 512 labels, |gamma| each
    assert ends["origin"]["pop_loss"] > entropy + 0.05 and ends["origin"]["ood_loss"] > 2
    assert ends["reparam"]["xiA_y"] == pytest.approx(ends["reparam"]["xiA_max"])


def test_the_13_models_are_the_papers():
    names = {Run(*model).label for model in PAPER_MODELS}
    expected = {
        f"{m}-{a}-{f}" for m in ("Origin", "Reparam") for a in ("Linear", "Softmax", "ReLU") for f in ("F", "FA")
    }
    assert names == expected | {"Reparam-Linear-W-FA"}
