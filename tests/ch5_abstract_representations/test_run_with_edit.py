"""Hidden tests of exercise 5.11: the pass goes on from the changed activation, and the model is left as it was."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_model, watched, traces = stand_in.a_model, stand_in.watched, stand_in.traces


@takes_along(a_model, watched, traces)
def probe_edit(run_with_edit, weights, tokens, edits, training=True):
    """Logits with affine edits {site: (factor, shift, cells)}, and what is left on the model and in the dict."""
    model = a_model(weights)
    watch = watched(model, training)

    def edit(factor, shift, cells):
        def change(v):
            return torch.where(cells[..., None], v * factor + shift, v)

        return change

    def boom(v):
        raise ArithmeticError("an edit that fails")

    given = {site: edit(*rest) for site, rest in edits.items()}
    logits = run_with_edit(model, tokens, given)
    found = {"logits": logits, "linked": torch.is_tensor(logits) and logits.requires_grad, "sites": list(given)}
    left = traces(watch)
    found |= {"left": left["hooks"], "changed": left["changed"], "after": model(tokens), "raised": False}
    try:
        run_with_edit(model, tokens, {"b0.out": lambda v: v, "b1.mlp": boom})
    except ArithmeticError:
        found["raised"] = True
    return found | {"later": traces(watch)["hooks"]}


def make(draw):
    weights, tokens = stand_in.model_weights(draw), draw.integers(0, 7, 3, 5)
    cells = draw.uniform(3, 5) < 0.5
    cells[0, 0], cells[1, 1] = True, False
    return weights, tokens, cells


def by_hand(weights, tokens, edits):
    changed = {
        site: (lambda v, f=f, s=s, c=c: torch.where(c[..., None], v * f + s, v)) for site, (f, s, c) in edits.items()
    }
    return stand_in.by_hand(weights, tokens, changed)[1]


def run(run_with_edit, weights, tokens, edits, training=True):
    got = run_with_edit.run(probe_edit, weights, tokens, edits, training)
    require(torch.is_tensor(got["logits"]), "run_with_edit must return the logits")
    return got


def test_nothing_changed(run_with_edit, draw):
    weights, tokens, cells = make(draw)
    got = run(run_with_edit, weights, tokens, {"b0.out": (1.0, 0.0, cells)} if draw.index else {})
    close(
        got["logits"],
        by_hand(weights, tokens, {}),
        "with an edit that changes nothing, the logits must be the model's",
    )
    require(not got["linked"], "the logits are part of a graph: run without gradients")


def test_one_edit(run_with_edit, draw):
    weights, tokens, cells = make(draw)
    for site in (("b0.z_attn", "b1.out"), ("b0.attn", "b1.mlp"))[draw.index]:
        edits = {site: (0.5, draw.normal(6), cells)}
        says = f"with an edit at {site}, the logits are not those of a pass that goes on from the changed activation"
        close(run(run_with_edit, weights, tokens, edits)["logits"], by_hand(weights, tokens, edits), says)


def test_two_edits(run_with_edit, draw):
    weights, tokens, cells = make(draw)
    edits = {"embedding": (-1.0, draw.normal(6), cells), "b1.z_attn": (2.0, draw.normal(6), ~cells)}
    says = "with edits at two sites, both must count, each at its own site"
    close(run(run_with_edit, weights, tokens, edits)["logits"], by_hand(weights, tokens, edits), says)


def test_no_hooks_left(run_with_edit, draw):
    weights, tokens, cells = make(draw)
    got = run(run_with_edit, weights, tokens, {"b0.out": (0.0, 1.0, cells)})
    equal(got["left"], 0, "hooks are left on the model: remove every one of them")
    close(got["after"], by_hand(weights, tokens, {}), "after the edited pass, the model itself gives other logits")
    require(got["raised"], "an error inside an edit must reach the caller")
    equal(got["later"], 0, "when an edit raises, hooks are left on the model: remove them in a finally")


def test_model_and_edits_are_as_they_were(run_with_edit, draw):
    weights, tokens, cells = make(draw)
    edits = {"b0.out": (0.0, 1.0, cells), "b1.mlp": (2.0, 0.0, cells)}
    got = run(run_with_edit, weights, tokens, edits, training=draw.index == 0)
    require(not got["changed"], "".join(got["changed"][:1]))
    equal(got["sites"], list(edits), "the caller's dict of edits is different after the call")
