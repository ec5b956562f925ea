"""Hidden tests of exercise 5.10: the activations of one pass, and a model that is left as it was."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_model, watched, traces = stand_in.a_model, stand_in.watched, stand_in.traces


@takes_along(a_model, watched, traces)
def probe_record(record, weights, tokens, sites, broken, training=True):
    """What is recorded, in how many passes; hooks, gradients and other traces that are left."""
    model = a_model(weights)
    watch = watched(model, training)
    if broken:
        model.blocks[-1].mlp.forward = None
    try:
        found = record(model, tokens, sites)
        failed = False
    except TypeError:
        found, failed = {}, True
    left = traces(watch) | {"failed": failed, "passes": model.passes, "found": None}
    if failed or not isinstance(found, dict):
        return left
    if not all(isinstance(site, str) and torch.is_tensor(value) for site, value in found.items()):
        return left
    linked = [site for site, value in found.items() if value.requires_grad]
    return left | {"found": dict(found), "linked": linked}


ALL = ["embedding", "b0.attn", "b0.z_attn", "b0.mlp", "b0.out", "b1.attn", "b1.z_attn", "b1.mlp", "b1.out", "z_out"]


def run(record, weights, tokens, sites, broken=False, training=True):
    got = record.run(probe_record, weights, tokens, sites, broken, training)
    if not broken:
        require(got["found"] is not None, "record must return a dict of tensors, by site")
    return got


def test_all_sites(record, draw):
    weights, tokens = stand_in.model_weights(draw), draw.integers(0, 7, 3, 5)
    got = run(record, weights, tokens, ALL)
    expected, _ = stand_in.by_hand(weights, tokens)
    missing = [site for site in ALL if site not in got["found"]]
    says = (
        "only the last site is in the result: a function made in a loop sees the loop's variable as it is when it is "
        "called, so make each hook in a function of its own"
        if list(got["found"]) == ALL[-1:]
        else f"the result lacks the site {', '.join(missing[:1])}"
    )
    require(not missing, says)
    for site in ALL:
        says = f"the activation at {site} is not that of the forward pass (what you keep may change later: clone it)"
        close(got["found"][site], expected[site], says, name=site)
        dtype = got["found"][site].dtype
        require(dtype == torch.float32, f"the activation at {site} is a copy as it was, float32, but it is {dtype}")


def test_only_what_was_asked_for(record, draw):
    weights, tokens = stand_in.model_weights(draw), draw.integers(0, 7, 3, 5)
    sites = [["b1.out"], ["z_out", "b0.attn"]][draw.index]
    got = run(record, weights, tokens, sites)
    equal(sorted(got["found"]), sorted(sites), "the result must hold the sites that were asked for, and no other")


def test_no_gradients(record, draw):
    got = run(record, stand_in.model_weights(draw), draw.integers(0, 7, 2, 5), ["b0.out", "z_out"])
    require(
        not got["linked"],
        "the recorded tensors are still part of the graph: detach them, or record without gradients",
    )


def test_no_hooks_left(record, draw):
    weights, tokens = stand_in.model_weights(draw), draw.integers(0, 7, 2, 4)
    equal(run(record, weights, tokens, ["b0.out"])["hooks"], 0, "hooks are left on the model: remove every one of them")
    got = run(record, weights, tokens, ["b0.out", "embedding"], broken=True)
    equal(got["hooks"], 0, "when the forward pass raises, hooks are left on the model: remove them in a finally")
    require(got["failed"], "an error of the forward pass must reach the caller")


def test_the_model_is_as_it_was(record, draw):
    weights, tokens = stand_in.model_weights(draw), draw.integers(0, 7, 2, 4)
    got = run(record, weights, tokens, ["b0.out", "b1.mlp", "z_out"], training=draw.index == 0)
    require(not got["changed"], "".join(got["changed"][:1]))
    says = f"the model runs {got['passes']} times: all sites are recorded in one forward pass"
    require(got["passes"] == 1, says)
