"""Hidden tests of exercise 5.18: the chosen cells hold what they hold in the donor's pass."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_model, watched, traces = stand_in.a_model, stand_in.watched, stand_in.traces


@takes_along(a_model, watched, traces)
def probe_donor(donor_patch, weights, tokens, donor, cells, site):
    """The logits, the arguments afterwards, and what is changed about the model."""
    given, watch = [tokens, donor, cells], watched(a_model(weights), True)
    logits = donor_patch(watch[0], tokens, donor, cells, site)
    return {"logits": logits, "given": given, **traces(watch)}


def make(draw):
    cells = draw.uniform(3, 5) < 0.5
    cells[0, :2], cells[1, 2:4], cells[2, 0] = torch.tensor([True, False]), torch.tensor([False, True]), True
    cells[:, 4] = False  # one cell is chosen on no board
    return stand_in.model_weights(draw), draw.integers(0, 7, 3, 5), draw.integers(0, 7, 3, 5), cells


def run(donor_patch, weights, tokens, donor, cells, site):
    got = donor_patch.run(probe_donor, weights, tokens, donor, cells, site)
    for name, before, now in zip(
        ("tokens", "donor boards", "cells"), (tokens, donor, cells), got["given"], strict=True
    ):
        equal(now, before, f"the caller's {name} are different after the call")
    require(not got["changed"], "".join(got["changed"][:1]))
    require(not got["hooks"], "a hook is left on the model, which goes on editing later passes: remove it")
    return got["logits"]


def by_hand(weights, tokens, donor, cells, site):
    given = stand_in.by_hand(weights, donor)[0][site]
    return stand_in.by_hand(weights, tokens, {site: lambda v: torch.where(cells[..., None], given, v)})[1]


def test_nothing_patched(donor_patch, draw):
    weights, tokens, donor, cells = make(draw)
    got = run(donor_patch, weights, tokens, donor, torch.zeros_like(cells), "b0.out")
    close(
        got,
        stand_in.by_hand(weights, tokens)[1],
        "with no cell chosen, the logits must be those of the board itself",
    )


def test_everything_patched(donor_patch, draw):
    weights, tokens, donor, cells = make(draw)
    got = run(donor_patch, weights, tokens, donor, torch.ones_like(cells), "b0.out")
    says = "with every cell of the stream replaced, the logits must be the donor's"
    close(got, stand_in.by_hand(weights, donor)[1], says)


def test_some_cells(donor_patch, draw):
    data = make(draw)
    for site in (("b0.z_attn", "b1.out"), ("b0.attn", "b1.mlp"))[draw.index]:
        says = f"with some cells replaced at {site}, the logits are off: the rest of the pass must go on from there"
        close(run(donor_patch, *data, site), by_hand(*data, site), says)
