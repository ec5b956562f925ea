"""Wrong answers to exercise 5.18 that learners write, and right ones written differently."""

from pathlib import Path

import torch  # noqa: F401 (the slips read it)

from utils.grade import load_file, right, slips

pieces = load_file(Path(__file__).with_name("_pieces.py"))
record, run_with_edit = pieces.record, pieces.run_with_edit

slip = slips("""
    def donor_patch(model, tokens, donor, cells, site):
        given = record(model, donor, [site])[site]

        def edit(v):
            return torch.where(cells[..., None], given, v)

        return run_with_edit(model, tokens, {site: edit})
""")

Exchanged = slip(
    "board and donor are exchanged",
    "record(model, donor,",
    "record(model, tokens,",
    "run_with_edit(model, tokens,",
    "run_with_edit(model, donor,",
)
OwnActivations = slip(
    "the activations come from the board itself: take the donor's", "record(model, donor,", "record(model, tokens,"
)
OtherCells = slip("the cells that were not chosen are replaced", "given, v)", "v, given)")
AllCells = slip(
    "every cell is replaced: only the chosen ones",
    "torch.where(cells[..., None], given, v)",
    "torch.where(cells.any(), given, v)",
)
FirstDonor = slip(
    "all boards take from the first donor: board b takes from donor b", "[site])[site]", "[site])[site][:1]"
)
TokensPatched = slip(
    "the donor's tokens are put in, and the pass begins anew: it is the activation at the site that changes",
    "return run_with_edit(model, tokens, {site: edit})",
    "return run_with_edit(model, torch.where(cells, donor, tokens), {})",
)  # fmt: skip
AddedUp = slip("the donor's activation is added: it takes the place of the old one", "given, v)", "given + v, v)")
WrongSite = slip(
    "the activation of another site is put in: record at the same site",
    "record(model, donor, [site])[site]",
    "record(model, donor, ['embedding'])['embedding']",
)
Averaged = slip(
    "the donor's cells are averaged: each cell takes that of the same cell",
    "[site])[site]",
    "[site])[site].mean(1, keepdim=True)",
)
Half = slip(
    "board and donor are mixed half and half: the donor's vector replaces the old one",
    "given, v)",
    "(given + v) / 2, v)",
)
NextCell = slip("each cell takes the donor's cell beside it", "[site])[site]", "[site])[site].roll(1, dims=1)")
NextBoard = slip("board b takes from another donor than donor b", "[site])[site]", "[site])[site].roll(1, dims=0)")
DonorChanged = slip(
    "the caller's donor boards are changed", "given = record(", "donor[cells] = tokens[cells]\n    given = record("
)
LeftInEval = slip(
    "the model is switched to eval mode and left there", "def edit(v):", "model.eval()\n\n    def edit(v):"
)
EveryCell = slip("every cell is replaced: only the chosen ones", "torch.where(cells[..., None], given, v)", "given")
DonorsPass = slip(
    "the donor's own pass goes on: run `tokens`, with the chosen cells replaced",
    "run_with_edit(model, tokens,",
    "run_with_edit(model, donor,",
)
NoLastAxis = slip(
    "cells (B, T) and vectors (B, T, D) do not line up: give cells a last axis",
    "torch.where(cells[..., None],",
    "torch.where(cells,",
)
TokensChanged = slip(
    "the caller's tokens are overwritten with the donor's: leave them as they are",
    "given = record", "tokens[cells] = donor[cells]\n    given = record",
)  # fmt: skip
LogitsMixed = slip(
    "the logits of two finished passes are mixed: replace the activation and let the pass go on from there",
    "return run_with_edit(model, tokens, {site: edit})",
    "return torch.where(cells[..., None], run_with_edit(model, donor, {}), run_with_edit(model, tokens, {}))",
)  # fmt: skip
CellsOfAnyBoard = slip(
    "a cell chosen on one board is replaced on all of them", "cells[..., None]", "cells.any(0)[None, :, None]"
)
InOrder = slip(
    "the chosen cells take the donor's vectors from its first cell on: each takes the one in its own place",
    "torch.where(cells[..., None], given, v)", "v.masked_scatter(cells[..., None].expand_as(v), given)",
)  # fmt: skip
OthersZero = slip(
    "the cells that were not chosen are set to zero: they keep their vectors",
    "torch.where(cells[..., None], given, v)", "given * cells[..., None]",
)  # fmt: skip
LastSite = slip(
    "the donor is recorded at another site: record at the one that is edited",
    "record(model, donor, [site])[site]", 'record(model, donor, ["z_out"])["z_out"]',
)  # fmt: skip
MixedDonor = slip(
    "the donor's pass sees only the chosen cells' tokens: it is an ordinary pass of the whole donor",
    "record(model, donor,", "record(model, torch.where(cells, donor, tokens),",
)  # fmt: skip
DonorsBackwards = slip(
    "board b takes from another donor: from donor b, cell for cell", "[site])[site]", "[site])[site].flip(0)"
)
OwnHook = slip(
    "a hook of your own stays on the model and edits all later passes: run_with_edit removes its hooks",
    "return run_with_edit(model, tokens, {site: edit})",
    "with_hook = run_with_edit(model, tokens, {site: edit})\n"
    "    model.head.register_forward_hook(lambda module, inputs, output: output)\n"
    "    return with_hook",
)


@right
def with_mask(model, tokens, donor, cells, site):
    activations = record(model, donor, (site,))
    keep = (~cells).unsqueeze(-1)
    return run_with_edit(model, tokens, {site: lambda v: v * keep + activations[site] * ~keep})


@right
def by_index(model, tokens, donor, cells, site):
    theirs = record(model, donor, [site]).pop(site)

    def put(v):
        v = v.clone()
        v[cells] = theirs[cells]
        return v

    return run_with_edit(model, tokens, {site: put})
