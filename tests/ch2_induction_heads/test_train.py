"""Hidden tests of exercise 2.19. The fixture train is the function under test.

It trains a small memory transformer made in the probe; the oracle writes out momentum and takes losses one by one.
"""

from pathlib import Path

import torch

from utils.grade import close, require
from utils.grade.probes import takes_along
from utils.grade.suite import draws, load_file

small = load_file(Path(__file__).with_name("_small_training.py"))

WK1, WK2, WO2 = (f"layers.{i}.attention.{name}.weight" for i, name in ((0, "wk"), (1, "wk"), (1, "wo")))


@takes_along(small.ours.stand_in)
def probe_train(train, weights, batches, steps, lr, freeze):
    """Train a model made of these weights; `freeze`: None leaves the argument out. What came back, what has moved."""

    model, calls = stand_in(weights), []

    def sampler():
        if len(calls) > 3 * steps + 20:
            raise RuntimeError(
                f"{len(calls)} batches were drawn in a training of {steps} steps: one a step is asked for"
            )
        calls.append(1)
        return tuple(part.clone() for part in batches[(len(calls) - 1) % len(batches)])

    named = freeze and dict(freeze)
    history = train(model, sampler, steps, lr) if freeze is None else train(model, sampler, steps, lr, freeze)
    after = {name: value.detach().clone() for name, value in model.state_dict().items()}
    report = {"calls": len(calls), "kind": type(history).__name__, "keys": [], "losses": "missing"}
    report["freeze_kept"] = freeze == named
    if isinstance(history, dict):
        losses = history.get("loss_head", "missing")
        report["keys"] = [str(key) for key in history]
        report["graph"] = isinstance(losses, list) and any(torch.is_tensor(x) and x.requires_grad for x in losses)
        report["losses"] = (
            losses if isinstance(losses, (list, tuple)) or torch.is_tensor(losses) else type(losses).__name__
        )
    return {**report, "after": after}


@takes_along(small.ours.stand_in)
def probe_refusal(train, weights, batches, freeze):
    """Which kind of error one step of training with this `freeze` raises; "" for none."""
    model = stand_in(weights)
    try:
        train(model, lambda: tuple(part.clone() for part in batches[0]), 1, 0.1, freeze)
    except ValueError:
        return "ValueError"
    except NotImplementedError:
        raise
    except Exception as error:
        return type(error).__name__
    return ""


def simulate(weights, batches, lr, freeze, decay, skips):
    """The oracle: torch's momentum, written out. `skips`: a batch with an empty mask moves nothing at all."""
    weights, speeds, losses = dict(weights), {}, []
    for step, given in enumerate(batches):
        free = [name for name in (WK1, WK2, WO2) if step >= freeze.get(name, 0)]
        found, loss = small.gradients(weights, free, given)
        losses.append(loss)
        for name in free if given[2].any() or not skips else ():
            slope = found[name] + decay * weights[name]
            speeds[name] = 0.9 * speeds[name] + slope if name in speeds else slope
            weights[name] = weights[name] - lr * speeds[name]
    return torch.tensor(losses), weights


def case(draw, steps, masked=(4, 7, 2, 6, 3, 5), freeze=None):
    """Weights, one batch more than there are steps, lr, and what the oracle makes of it in every way that is right."""
    weights, lr = small.tables(draw), 0.15 + 0.05 * draw.index
    batches = [small.batch(draw, masked[i % len(masked)]) for i in range(steps + 1)]
    ways = (False, True) if 0 in masked else (False,)
    kinds = [(decay, skips) for skips in ways for decay in (1e-4, 0.0)]
    expected = [simulate(weights, batches[:steps], lr, freeze or {}, *kind) for kind in kinds]
    return weights, batches, steps, lr, freeze, expected


def one(draw):
    return case(draw, 1)


def five(draw):
    return case(draw, 5)


def with_empty(draw):
    return case(draw, 5, masked=(0, 4, 6, 0, 5))


def waiting(draw):
    """One matrix waits, another is named too but free from the start: two cases, up to its turn and two steps on."""
    until, late = 1 + draw.index, (WK1, WO2, WK2)[draw.index]
    freeze = {late: until, {WK1: WO2, WO2: WK2, WK2: WK1}[late]: 0}
    return late, until, [case(draw, steps, freeze=freeze) for steps in (until, until + 2)]


def all_waiting(draw):
    return case(draw, 4, freeze={WK1: 2, WK2: 2, WO2: 2})


def compare(got, wanted, says):
    """Weights and losses must be those of the oracle, with or without decay, stepping or not on empty masks."""
    losses, expected = losses_of(got, wanted[2]), wanted[5]
    off = [max(float((got["after"][n] - after[n]).abs().max()) for n in (WK1, WK2, WO2)) for _, after in expected]
    best_losses, best = expected[min(range(len(off)), key=off.__getitem__)]
    for name in (WK1, WK2, WO2):
        close(got["after"][name], best[name], f"{name} is off: {says}", rtol=1e-3, atol=1e-4, name=name)
    close(losses, best_losses, f"loss_head is off: {says}", rtol=1e-3, atol=1e-4, name="loss_head")


def losses_of(got, steps):
    require(got["kind"] == "dict", f"train must return its history as a dict, but returns a {got['kind']}")
    require(got["losses"] != "missing" if isinstance(got["losses"], str) else True, "the history has no 'loss_head'")
    several = not isinstance(got["losses"], str) and len(got["losses"]) == steps
    require(several, f"history['loss_head'] must be a list with one float for each of the {steps} steps")
    says = "history['loss_head'] must hold plain floats, but it holds tensors: .item() makes a float of a loss"
    require(not torch.is_tensor(got["losses"]) and not any(torch.is_tensor(x) for x in got["losses"]), says)
    return torch.tensor([float(x) for x in got["losses"]])


def run(train, wanted):
    weights, batches, steps, lr, freeze, _ = wanted
    got = train.run(probe_train, weights, batches, steps, lr, freeze)
    require(got["calls"] == steps, f"sampler was called {got['calls']} times in {steps} steps: one fresh batch a step")
    kept = all(bool(got["after"][name].equal(weights[name])) for name in set(weights) - {WK1, WK2, WO2})
    require(kept, "a parameter that the model itself keeps frozen was changed: leave its requires_grad alone")
    require(got["freeze_kept"], "the caller's freeze is different after the call: work on a copy")
    return got


@draws(1)
def test_history(train, draw):
    wanted = draw.once(five)
    losses = losses_of(run(train, wanted), 5)
    says = "the first loss is not the mean cross-entropy over the masked positions, before any update"
    close(losses[0], wanted[5][0][0][0], says, name="the first loss")


@draws(1)
def test_one_step(train, draw):
    wanted = draw.once(one)
    compare(run(train, wanted), wanted, "one step of size lr against the gradient of the masked loss leads elsewhere")


@draws(1)
def test_several_steps(train, draw):
    wanted = draw.once(five)
    says = "the first step is right, later ones are not (momentum, left-over gradients, data)"
    compare(run(train, wanted), wanted, says)


@draws(1)
def test_empty_mask(train, draw):
    wanted = draw.once(with_empty)
    got = run(train, wanted)
    losses = losses_of(got, 5)
    says = "a batch whose mask is empty must count as loss 0, once, and do no harm"
    require(bool(losses.isfinite().all()) and float(losses[0]) == 0 and float(losses[3]) == 0, says, got=losses)
    compare(got, wanted, "after a batch whose mask is empty the steps are wrong")


@draws(3)
def test_frozen(train, draw):
    """Bit by bit the same before its turn; then trained as if its first step were the first of all."""
    late, until, (before, after) = draw.once(waiting)
    got = run(train, before)
    says = f"{late} is frozen until step {until}, but something has moved it earlier than that"
    require(bool(got["after"][late].equal(before[0][late])), says)
    compare(got, before, f"with {late} frozen until step {until} the steps before that are wrong")
    got = run(train, after)
    says = f"{late} is released at step {until}, but it is still where it was after {until + 2} steps"
    require(not bool(got["after"][late].equal(after[0][late])), says)
    compare(got, after, f"with {late} frozen until step {until} the steps from there on are wrong")


@draws(1)
def test_all_frozen(train, draw):
    """Nothing can move at first: a loss without any gradient isn't a reason to stop."""
    wanted = draw.once(all_waiting)
    got = run(train, wanted)
    compare(got, wanted, "where all three matrices are frozen until step 2 the steps are wrong")


@draws(1)
def test_unknown_name(train, draw):
    weights, batches = small.tables(draw), [small.batch(draw, 4)] * 2
    for name in ("layers.0.attention.wq.weight", "layers.1.attention.wk", "wk"):
        for until in (0, 50):
            says = "freeze names a parameter that the model does not have: that must raise a ValueError at once"
            kind = train.run(probe_refusal, weights, batches, {name: until})
            require(kind == "ValueError", f"{says}, but it raises {kind}" if kind else says)
