"""Wrong answers to exercise 5.7 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips

slip = slips("""
    def masked_ce(logits, target, mask, where="all"):
        if where not in ("all", "masked"):
            raise ValueError("all or masked")
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)
        if where == "all":
            return loss.mean()
        return (loss * mask).sum() / mask.sum().clamp(min=1)
""")

SoftmaxFirst = slip(
    "softmax is applied before the cross-entropy, which has it inside: hand it the logits",
    "F.cross_entropy(logits.flatten(0, 1)", "F.cross_entropy(logits.softmax(-1).flatten(0, 1)",
)  # fmt: skip
MeanOfBoards = slip(
    "a mean of the boards' means: a hidden cell counts more on a board with few of them",
    "return (loss * mask).sum() / mask.sum().clamp(min=1)",
    "return ((loss * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()",
)  # fmt: skip
OverAllCells = slip(
    "the sum over hidden cells is divided by the number of all cells: divide by that of the hidden ones",
    "(loss * mask).sum() / mask.sum().clamp(min=1)", "(loss * mask).mean()",
)  # fmt: skip
MaskTurned = slip(
    "the visible cells are counted: the mask is true where a cell is hidden",
    "(loss * mask).sum() / mask.sum().clamp(min=1)", "(loss * ~mask).sum() / (~mask).sum().clamp(min=1) * mask.any()",
)  # fmt: skip
Nan = slip("without a hidden cell the result is nan, 0 / 0: it must be 0", ".clamp(min=1)", "")
Sum = slip("the loss is summed over the cells: take the mean", "return loss.mean()", "return loss.sum()")
MaskIgnored = slip(
    'with where="masked" all cells still count',
    "(loss * mask).sum() / mask.sum().clamp(min=1)",
    "loss.mean() * mask.any()",
)
InBits = slip(
    "the loss is in bits: it must be in nats", "return loss.mean()", "return loss.mean() / 0.6931471805599453"
)
AlwaysMasked = slip('with where="all" only hidden cells count', 'if where == "all":', "if False:")
NoRefusal = slip(
    "an unknown `where` is taken for masked: raise a ValueError", 'raise ValueError("all or masked")', "pass"
)
DefaultMasked = slip('without `where` only hidden cells count: the default is "all"', 'where="all"', 'where="masked"')
Detached = slip(
    "the loss is a plain number: keep the tensor, so that it can be differentiated",
    "return loss.mean()",
    "return loss.mean().item()",
)
OtherCase = slip(
    "where is made lower case first: any other spelling must be refused with a ValueError",
    "if where not in", "where = str(where).lower()\n    if where not in",
)  # fmt: skip
OneMore = slip(
    "1 is added to the number of hidden cells: divide by at least 1, and else by their number itself",
    "mask.sum().clamp(min=1)", "(mask.sum() + 1)",
)  # fmt: skip
Exponentials = slip(
    "exp of large logits becomes infinity, and the loss nan: use cross_entropy or log_softmax",
    'F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)',
    "-(logits.exp().gather(-1, target[..., None])[..., 0] / logits.exp().sum(-1)).log()",
)  # fmt: skip
TargetChanged = slip(
    "the caller's target is changed: work on a copy",
    "return (loss * mask).sum()", "target[~mask] = -100\n    return (loss * mask).sum()",
)  # fmt: skip
UnkIgnored = slip(
    "cells with the largest token are left out: every cell of the target counts",
    'reduction="none")', 'reduction="none", ignore_index=logits.shape[-1] - 1)',
)  # fmt: skip
Reshaped = slip(
    "view or reshape puts tokens and cells in a heap: the axes must be exchanged, or B and T flattened",
    "F.cross_entropy(logits.flatten(0, 1), target.flatten()",
    "F.cross_entropy(logits.reshape(len(logits), logits.shape[2], -1), target",
)  # fmt: skip
ProbabilityLoss = slip(
    "the loss is 1 minus the probability: it is minus its logarithm",
    'F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)',
    "1 - logits.softmax(-1).gather(-1, target[..., None])[..., 0]",
)  # fmt: skip
NoGradientAtZero = slip(
    "where no cell is hidden, a new tensor is returned, and no gradient flows: keep the loss linked to the logits",
    'if where == "all":',
    'if where == "masked" and not mask.any():\n        return torch.tensor(0.0)\n    if where == "all":',
)  # fmt: skip
NanMean = slip(
    "without a hidden cell the result is nan, 0 / 0: it must be 0",
    "(loss * mask).sum() / mask.sum().clamp(min=1)", "loss[mask].mean()",
)  # fmt: skip
SumOfMasked = slip(
    "the losses of the hidden cells are summed: divide by how many there are", " / mask.sum().clamp(min=1)", ""
)
VisibleCells = slip(
    "the visible cells are counted: the mask is true where a cell is hidden",
    "(loss * mask).sum() / mask.sum().clamp(min=1)", "(loss * ~mask).sum() / (~mask).sum().clamp(min=1)",
)  # fmt: skip
AlwaysInBits = slip(
    "the loss is in bits: it must be in nats", ".view(target.shape)", ".view(target.shape) / 0.6931471805599453"
)
CutOff = slip(
    "the logits are detached: no gradient could flow through the loss",
    "F.cross_entropy(logits.flatten(0, 1)", "F.cross_entropy(logits.detach().flatten(0, 1)",
)  # fmt: skip
BranchesExchanged = slip(
    'the two choices are exchanged: "all" counts every cell, "masked" only the hidden ones',
    'if where == "all":', 'if where == "masked":',
)  # fmt: skip
OnePerBoard = slip(
    "one loss for each board is returned: take the mean over the boards, too",
    "return loss.mean()",
    "return loss.mean(1)",
)
AlwaysAll = slip(
    'with where="masked" all cells still count', "(loss * mask).sum() / mask.sum().clamp(min=1)", "loss.mean()"
)
LogitsMasked = slip(
    "the logits of visible cells are set to 0, and those cells still count: choose among the losses",
    "return (loss * mask).sum() / mask.sum().clamp(min=1)",
    "return F.cross_entropy((logits * mask[..., None]).flatten(0, 1), target.flatten())",
)  # fmt: skip
NotNegated = slip(
    "the loss is the logarithm of the probability: it is minus this logarithm",
    ".view(target.shape)", ".view(target.shape).neg()",
)  # fmt: skip
SoftmaxOverCells = slip(
    "the softmax runs over the cells: it runs over the tokens, the last axis",
    'F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)',
    "-logits.log_softmax(1).gather(-1, target[..., None])[..., 0]",
)  # fmt: skip

OneOnEachBoard = slip(
    "a board without hidden cells must not count: the mean is that over the hidden cells of all boards",
    "mask.sum().clamp(min=1)", "mask.sum(1).clamp(min=1).sum()",
)  # fmt: skip


@right
def by_hand(logits, target, mask, where="all"):
    logp = logits.log_softmax(dim=-1).gather(-1, target[..., None])[..., 0]
    if where == "all":
        return -logp.mean()
    if where == "masked":
        return -torch.where(mask, logp, torch.zeros_like(logp)).sum() / max(int(mask.sum()), 1)
    raise ValueError(where)


@right
def chosen(logits, target, mask, where="all"):
    cells = {"all": torch.ones_like(mask), "masked": mask}
    if where not in cells:
        raise ValueError(f"no such choice: {where}")
    logits, target = logits[cells[where]], target[cells[where]]
    return F.cross_entropy(logits, target) if len(target) else logits.sum() * 0
