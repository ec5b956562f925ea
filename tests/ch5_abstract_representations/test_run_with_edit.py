"""Hidden tests of exercise 5.11: the pass goes on from the changed activation, and the model is left as it was."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_model = stand_in.a_model


@takes_along(a_model)
def probe_edit(run_with_edit, weights, tokens, edits):
    """Logits with affine edits {site: (factor, shift, cells)}."""
    model = a_model(weights)

    def edit(factor, shift, cells):
        def change(v):
            return torch.where(cells[..., None], v * factor + shift, v)

        return change

    def boom(v):
        raise ArithmeticError("an edit that fails")

    logits = run_with_edit(model, tokens, {site: edit(*rest) for site, rest in edits.items()})
    count = lambda: sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())  # noqa: E731
    left, after, raised = count(), model(tokens), False
    try:
        run_with_edit(model, tokens, {"b0.out": lambda v: v, "b1.mlp": boom})
    except ArithmeticError:
        raised = True
    linked = torch.is_tensor(logits) and logits.requires_grad
    return {"logits": logits, "left": left, "after": after, "raised": raised, "later": count(), "linked": linked}


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


def run(run_with_edit, weights, tokens, edits):
    got = run_with_edit.run(probe_edit, weights, tokens, edits)
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
