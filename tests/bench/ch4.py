"""Chapter 4: steps, data and sweeps against their budgets; its closed forms met by training at the paper's sizes."""

import importlib
import resource
import statistics
import time
from types import SimpleNamespace

import torch
import torch.nn.functional as F

from tests.bench.table import Row, faster, interleaved, within
from utils import course

STEPS_OF_THE_SWEEP = 2000
SAMPLED_STEPS = 6  # of each group of the paper-scale sweep; the rest is multiplied


def rows() -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours = _reference()
        return [*steps(ours), peer(ours), *data(ours), *sweeps(ours), batched(ours), *numbers(ours), *finite(ours)]
    finally:
        torch.set_num_threads(threads)


def _reference() -> SimpleNamespace:
    """The public names of the reference's modules, loaded now and not at import time."""
    package = f"solutions.{course.chapter_name('ch4')}"
    found: dict = {}
    for module in ("config", "data", "model", "fast", "theory", "experiments.runs", "experiments.tables"):
        found.update(vars(importlib.import_module(f"{package}.{module}")))
    return SimpleNamespace(**found)


def _cpu(run, repeats: int) -> float:
    """Processor seconds of the quickest of several calls, after a warm-up: other programs can only slow it down."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def _fleet(ours, runs):
    """A fleet and a call that takes one step on fresh sentences."""
    fleet = ours.fleet_of(runs)
    fresh = ours.stream(fleet.cfg, runs[0].batch_size, fleet.noisy, (0, ours.TRAINING))
    return fleet, lambda: fleet.step(next(fresh))


def steps(ours) -> list[Row]:
    """Milliseconds of one training step of one model, its data included, at the paper's sizes."""
    found = {}
    for model in ours.ALL_MODELS:
        for alpha in (0.0, 0.2):
            _, step = _fleet(ours, [ours.Run(*model, alpha)])
            found[f"{ours.label(*model)}, {'noise' if alpha else 'no noise'}"] = 1e3 * _cpu(step, 7)
    slowest = max(found, key=found.get)
    middle = statistics.median(found.values())
    return [
        within(f"ch4: step at N 60, H 256, B 512, slowest of 36 ({slowest})", "ms", found[slowest], 10.0),
        within("ch4: step at N 60, H 256, B 512, median of 36", "ms", middle, 10.0),
    ]


def peer(ours) -> Row:
    """A step against one that multiplies every position by W, one-hot, as the authors' code does."""
    cfg, N = ours.DataConfig(), 60
    tokens, labels, _ = ours.sample_batch(cfg, 512, False, generator=torch.Generator().manual_seed(0))
    weights = [torch.zeros(2 * N, 2 * N, requires_grad=True) for _ in "WVF"]
    table = torch.eye(2 * N)

    def dense():
        W, V, feed_forward = weights
        x = table[tokens]
        x[:, 1:] += table[N + tokens[:, :-1]]
        a = torch.einsum("bi,bhi->bh", x[:, -1], x @ W.T).softmax(dim=-1)
        w = torch.einsum("bh,bhi->bi", a, x)
        xi = (w @ V.T + (x[:, -1] + w) @ feed_forward.T)[:, :N]
        gradients = torch.autograd.grad(F.cross_entropy(xi, labels), weights, allow_unused=True)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= 0.1 * gradient / max(float(gradient.norm()), 1e-30)

    _, step = _fleet(ours, [ours.Run("origin", "softmax", 1)])
    mine, theirs = interleaved(step, dense, repeats=3)
    return faster("ch4: Origin-Softmax-FA, our step / one-hot step", "steps/s", 1 / mine, 1 / theirs, 15.0)


def data(ours) -> list[Row]:
    """Sentences a second on one thread, and how much memory a long stream needs."""
    cfg, draws, found = ours.DataConfig(), torch.Generator().manual_seed(0), []
    for noisy in (False, True):
        seconds = _cpu(lambda noisy=noisy: ours.sample_batch(cfg, 512, noisy, 0.2, generator=draws), 30)
        name = f"ch4: sentences, {'noise' if noisy else 'no noise'}"
        found.append(faster(name, "1/s", 512 / seconds, 200_000, 1.0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        ours.sample_batch(cfg, 512, True, 0.2, generator=draws)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
    return [*found, within("ch4: memory that 100,000 sentences on the fly add", "MB", grown, 100.0)]


def sweeps(ours) -> list[Row]:
    """13 models x 4 alphas x 2 rates: the small sizes in full, the paper's from some steps of each of its groups."""
    start = time.process_time()
    for group in ours.together(ours.grid(nsteps=200, batch_size=256, data=ours.SMALL)):
        ours.population(group, eval_every=5)
    small = time.process_time() - start
    minutes = 0.0
    for group in ours.together(ours.grid(), 12):
        fleet, step = _fleet(ours, group)
        unseen = ours.fixed(fleet.cfg, 1, 512, fleet.noisy, (0, ours.UNSEEN), ood=True)
        every = _cpu(step, SAMPLED_STEPS) + _cpu(lambda f=fleet, u=unseen: f.evaluate(u), 2) / 5
        minutes += every * STEPS_OF_THE_SWEEP / 60
    name = f"ch4: 104 runs x 2000 steps at the paper's sizes, from {SAMPLED_STEPS} steps of each group"
    return [
        within("ch4: 104 runs x 200 steps at the small sizes", "CPU s", small, 15.0),
        within(name, "CPU min", minutes, 25.0),
    ]


def batched(ours) -> Row:
    """Largest difference of a loss between runs trained together and the same runs trained alone, three steps."""
    worst = 0.0
    for group in ours.together(ours.grid(ours.ALL_MODELS, (0.0, 0.2), (0.1, 0.5), nsteps=3, batch_size=128)):
        for result in ours.population(group):
            (alone,) = ours.population([result.run])
            pairs = zip(result.curves["loss"], alone.curves["loss"], strict=True)
            worst = max(worst, *(abs(a - b) for a, b in pairs))
    return within("ch4: batched runs, largest difference of a loss from single runs", "", worst, 1e-5)


def _ends(ours, models, alphas, rate: float, nsteps: int) -> dict:
    found = {}
    for group in ours.together(ours.grid(models, alphas, (rate,), nsteps=nsteps)):
        for result in ours.population(group, eval_every=5):
            found[result.run.label, result.run.alpha] = result
    return found


def _near(name: str, unit: str, got: float, wanted: float, tolerance: float) -> Row:
    return within(f"ch4: {name}: {got:.4f}, wanted {wanted:.4f}; distance", unit, abs(got - wanted), tolerance)


def numbers(ours) -> list[Row]:
    """Losses that the theory names, reached by training at the paper's sizes."""
    paper, end = ours.DataConfig(), ours.end
    linear, capped = ("reparam", "linear", 1), ("reparam", "softmax", 1)
    found = []
    trained = _ends(ours, (linear, capped, ("reparam", "linear", 0)), (0.0, 0.2, 0.5, 0.8), 0.1, 500)
    for alpha in (0.0, 0.2, 0.5, 0.8):
        best = trained["Reparam-Linear-FA", alpha].curves
        risk = ours.bayes_risk(alpha)
        found.append(_near(f"Reparam-Linear-FA, alpha {alpha}", "nats", end(best["risk"]), risk, 1e-3))
        found.append(_near(f"the same, unseen outputs, alpha {alpha}", "nats", end(best["ood_loss"]), risk, 1e-3))
        cap = ours.softmax_floor(paper, alpha) if alpha else 3.1226
        got = end(trained["Reparam-Softmax-FA", alpha].curves["risk"])
        found.append(_near(f"Reparam-Softmax-FA, alpha {alpha}", "nats", got, cap, 5e-3))
        if alpha:
            got = end(trained["Reparam-Linear-F", alpha].curves["risk"])
            found.append(_near(f"Reparam-Linear-F, alpha {alpha}", "nats", got, ours.ff_only_floor(paper, alpha), 0.01))
    curve = trained["Reparam-Linear-FA", 0.0].curves["loss"]
    found.append(_near("Reparam-Linear-FA without noise, loss at step 200", "nats", curve[200], 0.0079, 4e-4))

    hump = _ends(ours, (("reparamW", "linear", 1),), (0.0,), 0.1, 500)["Reparam-Linear-W-FA", 0.0].curves["ood_loss"]
    for step, wanted, tolerance in (
        (5, 4.08, 0.03),
        (50, 4.45, 0.15),
        (100, 3.03, 0.35),
        (200, 1.0, 0.25),
        (500, 0.005, 0.01),
    ):
        found.append(
            _near(f"Reparam-Linear-W-FA, unseen outputs at step {step}", "nats", hump[step - 1], wanted, tolerance)
        )

    origin = _ends(ours, (("origin", "softmax", 1), ("origin", "linear", 0)), (0.0,), 0.5, 300)
    loss = origin["Origin-Softmax-FA", 0.0].curves["loss"]
    low = next((t for t in range(10, 300) if sum(loss[t - 10 : t]) / 10 < 0.1), 300)
    found.append(_near("Origin-Softmax-FA, step at which the plateau at log 4 has collapsed", "", low, 220, 40))
    found.append(_near("Origin-Softmax-FA on the plateau, loss at step 100", "nats", loss[100], 1.42, 0.05))
    stuck = end(origin["Origin-Linear-F", 0.0].curves["loss"])
    found.append(_near("Origin-Linear-F stays at the trigger-only loss", "nats", stuck, 1.396, 0.03))
    return found


def finite(ours) -> list[Row]:
    """2048 sentences, 100 passes, ReLU: losses on fresh sentences and on unseen outputs at the end."""
    wanted = {"reparam": (0.504, 0.03), "reparamW": (0.599, 0.03), "origin": (0.669, 0.05)}
    runs = [ours.Run(m, "relu", 1, 0.2, 0.1, nsteps=100, finite_nsteps=4) for m in wanted]
    found = []
    for group in ours.together(runs):
        for result in ours.finite(group):
            population, tolerance = wanted[result.run.model_type]
            got = result.curves["pop_loss"][-1]
            found.append(
                _near(f"{result.run.label}, 2048 sentences, alpha 0.2, population", "nats", got, population, tolerance)
            )
    return found
