"""Hidden tests of exercise 2.20. The fixture one_step is the function under test.

It works on a small memory transformer made in the probe; the oracle takes losses one by one.
"""

from pathlib import Path

import torch

from utils.grade import close, require
from utils.grade.probes import takes_along
from utils.grade.suite import draws, load_file

small = load_file(Path(__file__).with_name("_small_training.py"))

NAMES = {"wk1": "layers.0.attention.wk.weight", "wk2": "layers.1.attention.wk.weight"}
NAMES |= {"wo2": "layers.1.attention.wo.weight"}


@takes_along(small.ours.stand_in)
def probe_one_step(one_step, weights, turns):
    """Call it once for each (which, batches, eta) of `turns`, on one model: what came back, and the weights after."""

    model, report = stand_in(weights), {"same": [], "kinds": [], "after": []}
    flags = [p.requires_grad for p in model.parameters()]
    for which, batches, eta in turns:
        result = one_step(model, which, [tuple(part.clone() for part in batch) for batch in batches], eta)
        report["same"].append(result is model)
        report["kinds"].append(type(result).__name__)
        report["after"].append({name: value.detach().clone() for name, value in model.state_dict().items()})
    return {**report, "flags": [p.requires_grad for p in model.parameters()] == flags}


@takes_along(small.ours.stand_in)
def probe_unknown(one_step, weights, which, batches):
    """Which kind of error a name gives that is none of the three ("" for none), and which weights have changed."""
    model, kind = stand_in(weights), ""
    try:
        one_step(model, which, batches, 1.0)
    except ValueError:
        kind = "ValueError"
    except Exception as error:
        kind = type(error).__name__
    changed = sorted(name for name, value in model.state_dict().items() if not value.equal(weights[name]))
    return {"kind": kind, "changed": [] if kind else changed}


def stepped(weights, which, batches, eta):
    """The oracle: the weights after one call."""
    name = NAMES[which]
    weights = weights | {name: torch.zeros_like(weights[name])}
    slopes = [small.gradients(weights, [name], given)[0][name] for given in batches]
    return weights | {name: -eta * sum(slopes) / len(batches)}


def run(one_step, weights, turns):
    got = one_step.run(probe_one_step, weights, turns)
    says = f"one_step must return the model that it was given, changed in place, but returns a {got['kinds'][0]}"
    require(all(got["same"]), says + " of its own" * (got["kinds"][0] == "Model"))
    require(got["flags"], "afterwards other parameters require gradients than before: leave requires_grad as it is")
    return got["after"]


def turn(draw, weights, which, masks, eta=30.0):
    """The arguments of one call, and the weights that must come of it."""
    batches = [small.batch(draw, masked) for masked in masks]
    return (which, batches, eta), weights, stepped(weights, which, batches, eta)


def single(draw):
    weights = small.tables(draw)
    return weights, [turn(draw, weights, which, (5,), 5.0 + 20.0 * draw.index) for which in NAMES]


def several(draw):
    weights = small.tables(draw)
    return weights, [turn(draw, weights, which, (2, 9, 0, 5)[: 3 + draw.index]) for which in NAMES]


def in_turn(draw):
    weights, order, turns = small.tables(draw), [list(NAMES)[i] for i in draw.permutation(3)], []
    for which in [*order, order[0]]:
        turns.append(turn(draw, turns[-1][2] if turns else weights, which, (4, 7)))
    return weights, turns


def check(after, one, says):
    (which, _, _), before, wanted = one
    name = NAMES[which]
    for other in sorted(set(before) - set(NAMES.values())):
        require(bool(after[other].equal(before[other])), f"only {name} may change here, but {other} has changed")
    for other in NAMES.values():
        size = float(wanted[other].abs().max())
        text = f"{name} is off: {says}" if other == name else f"only {name} may change here, but {other} has changed"
        close(after[other], wanted[other], text, rtol=1e-3, atol=1e-3 * size + 1e-7, name=other)


@draws(1)
def test_only_that_matrix(one_step, draw):
    weights = small.tables(draw)
    for which, name in NAMES.items():
        (after,) = run(one_step, weights, [(which, [small.batch(draw, 4)], 0.0)])
        says = f"with which={which!r} and eta = 0 exactly {name} must become 0, and all else stay as it is"
        others = all(bool(after[other].equal(weights[other])) for other in set(weights) - {name})
        require(others and not after[name].any(), says)


@draws(1)
def test_one_batch(one_step, draw):
    weights, turns = draw.once(single)
    for one in turns:
        (after,) = run(one_step, weights, [one[0]])
        check(after, one, "it must be -eta times the gradient of the masked loss at zero")


def test_mean_over_batches(one_step, draw):
    weights, turns = draw.once(several)
    for one in turns:
        (after,) = run(one_step, weights, [one[0]])
        check(
            after, one, "with one batch it is right, with several it is not: the gradients, all at zero, are averaged"
        )


@draws(1)
def test_one_after_the_other(one_step, draw):
    weights, turns = draw.once(in_turn)
    for after, one in zip(run(one_step, weights, [one[0] for one in turns]), turns, strict=True):
        check(after, one, "the first call is right, a later one on the same model is not: something is left over")


@draws(1)
def test_unknown_matrix(one_step, draw):
    weights, name = small.tables(draw), ("wo1", "wv2", "wk0", "WK1")[draw.integer(0, 4)]
    kind = one_step.run(probe_unknown, weights, name, [small.batch(draw, 4)])["kind"]
    says = f"which={name!r} names no matrix of the three: that must raise a ValueError"
    require(kind == "ValueError", f"{says}, but it raises {kind}" if kind else says)
