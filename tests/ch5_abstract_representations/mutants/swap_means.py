"""Wrong answers to exercise 5.17 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade import load_file, right, slips

run_with_edit = load_file(Path(__file__).with_name("_pieces.py")).run_with_edit

slip = slips("""
    def swap_means(model, tokens, cells, m_from, m_to, site, alpha=1.0):
        shift = alpha * (m_to - m_from)

        def edit(v):
            return v + cells[:, :, None] * shift[:, None, :]

        return run_with_edit(model, tokens, {site: edit})
""")

Backwards = slip("the shift goes from m_to to m_from: turn it round", "(m_to - m_from)", "(m_from - m_to)")
AlphaIgnored = slip("alpha is not used", "alpha * (m_to - m_from)", "(m_to - m_from)")
NotRemoved = slip("m_to is added, but m_from is not taken away", "(m_to - m_from)", "m_to")
Written = slip(
    "the cells are set to m_to: they must only move by the difference",
    "v + cells[:, :, None] * shift[:, None, :]",
    "torch.where(cells[:, :, None], v + alpha * (m_to[:, None] - v), v)",
)
WrittenAtAnyAlpha = slip(
    "the cells are set to m_to: they must only move by the difference",
    "v + cells[:, :, None] * shift[:, None, :]",
    "torch.where(cells[:, :, None], m_to[:, None], v)",
)
AllCells = slip(
    "every cell moves: only the chosen ones", "cells[:, :, None] * shift", "torch.ones_like(cells)[:, :, None] * shift"
)
OtherCells = slip("the cells that were not chosen move", "v + cells[:, :, None]", "v + ~cells[:, :, None]")
OneForAll = slip(
    "every board moves by the shift of the first: each has its own", "shift[:, None, :]", "shift[:1, None, :]"
)
MeanShift = slip(
    "the boards' shifts are averaged: each board has its own", "shift[:, None, :]", "shift.mean(0)[None, None, :]"
)
Scaled = slip(
    "alpha scales the vector itself as well: it scales the shift",
    "return v +",
    "return (1 if alpha == 0 else alpha) * v +",
)
InPlace = slip(
    "the caller's means are changed in place",
    "shift = alpha * (m_to - m_from)",
    "m_to -= m_from\n    shift = alpha * m_to",
)
AlphaOnOne = slip(
    "alpha scales m_to alone: it scales the whole difference", "alpha * (m_to - m_from)", "alpha * m_to - m_from"
)
Length1 = slip(
    "the difference is scaled to length 1: the cells move by all of it",
    "alpha * (m_to - m_from)", "alpha * torch.nn.functional.normalize(m_to - m_from, dim=1)",
)  # fmt: skip
Squared = slip("alpha counts twice", "alpha * (m_to", "alpha * alpha * (m_to")
OthersZero = slip(
    "the cells that were not chosen become zero: they keep what they hold",
    "v + cells[:, :, None] * shift[:, None, :]", "cells[:, :, None] * (v + shift[:, None, :])",
)  # fmt: skip
LeftInEval = slip(
    "the model is switched to eval mode and left there", "shift = alpha", "model.eval()\n    shift = alpha"
)
NoCellAxis = slip(
    "the shift (B, D) meets the vectors (B, T, D) as it is: it needs an axis for the cells in the middle",
    "shift[:, None, :]", "shift",
)  # fmt: skip
Softmax = slip(
    "probabilities are returned: return the logits",
    "run_with_edit(model, tokens, {site: edit})", "run_with_edit(model, tokens, {site: edit}).softmax(-1)",
)  # fmt: skip
Tokens = slip(
    "the most likely tokens are returned: return the logits",
    "run_with_edit(model, tokens, {site: edit})", "run_with_edit(model, tokens, {site: edit}).argmax(-1)",
)  # fmt: skip
FixedSite = slip("the edit is always made at b0.out: make it at `site`", "{site: edit}", '{"b0.out": edit}')
MeansAdded = slip("the two means are added up: the shift is their difference", "(m_to - m_from)", "(m_to + m_from)")
FirstCell = slip(
    "only the first of the chosen cells moves: all of them do",
    "cells[:, :, None] * shift", "(cells & (cells.cumsum(1) == 1))[:, :, None] * shift",
)  # fmt: skip
MeanOfCells = slip(
    "the cells move from their own mean: m_from says where they move from",
    "shift[:, None, :]", "alpha * (m_to - v.mean(1))[:, None]",
)  # fmt: skip
AlphaOnFrom = slip(
    "alpha scales m_from alone: it scales the whole difference", "alpha * (m_to - m_from)", "m_to - alpha * m_from"
)
OwnHook = slip(
    "a hook of your own stays on the model and edits all later passes: run_with_edit removes its hooks",
    "return run_with_edit(model, tokens, {site: edit})",
    "with_hook = run_with_edit(model, tokens, {site: edit})\n"
    "    model.head.register_forward_hook(lambda module, inputs, output: output)\n"
    "    return with_hook",
)
NoCellsRefused = slip(
    "an error is raised where no cell is chosen: then nothing moves, and the logits are those of the board",
    "return run_with_edit(model, tokens, {site: edit})",
    "if not cells.any():\n        raise ValueError('no cell is chosen')\n"
    "    return run_with_edit(model, tokens, {site: edit})",
)


@right
def with_where(model, tokens, cells, m_from, m_to, site, alpha=1.0):
    def move(v):
        return torch.where(cells.unsqueeze(-1), v - alpha * m_from.unsqueeze(1) + alpha * m_to.unsqueeze(1), v)

    return run_with_edit(model, tokens, {site: move})


@right
def by_index(model, tokens, cells, m_from, m_to, site, alpha=1.0):
    board, cell = cells.nonzero(as_tuple=True)

    def move(v):
        v = v.clone()
        v[board, cell] = v[board, cell] + (m_to[board] - m_from[board]) * alpha
        return v

    return run_with_edit(model, tokens, {site: move})
