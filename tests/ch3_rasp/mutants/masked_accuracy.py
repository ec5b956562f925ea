"""Wrong answers to exercise 3.22 that learners write, and right ones written differently."""

import torch  # noqa: F401  (the answers below are text)

from utils.grade import right, slips

slip = slips(
    None,
    """
    def masked_accuracy(logits, targets, bos=False):
        if bos:
            logits, targets = logits[:, 1:], targets[:, 1:]
        real = targets != -100
        right = (logits.argmax(-1) == targets) & real
        return (right.sum() / real.sum()).item()
    """,
)

OverAll = slip("padding counts as wrong: divide by the number of real positions", "/ real.sum()", "/ real.numel()")
PaddingIsRight = slip(
    "padding counts as right: leave it out of both numbers",
    "== targets) & real",
    "== targets) | ~real",
    "/ real.sum()",
    "/ real.numel()",
)
RowsFirst = slip(
    "the rows' accuracies are averaged, so that short rows weigh more: divide once, for the whole batch",
    "(right.sum() / real.sum())",
    "(right.sum(1) / real.sum(1)).mean()",
)
WholeRows = slip(
    "a row counts only when all of it is right: every position counts by itself",
    "(right.sum() / real.sum())",
    "(right | ~real).all(1).float().mean()",
)
AsTensor = slip("a tensor is returned: .item() turns it into a Python float", ".item()", "")
BosInDenominator = slip(
    "with bos, position 0 is left out of the right answers only: leave it out of the number of positions, too",
    "    if bos:\n        logits, targets = logits[:, 1:], targets[:, 1:]\n",
    "    first = torch.arange(targets.shape[1]) == 0\n",
    "== targets) & real",
    "== targets) & real & ~(first & bos)",
)
FirstRow = slip(
    "with bos, the first row is left out: § is at position 0 of every row",
    "logits[:, 1:], targets[:, 1:]",
    "logits[1:], targets[1:]",
)
LastClassIsPadding = slip(
    "the last class is taken for padding: padding has the target -100",
    "targets != -100",
    "(targets != -100) & (targets != logits.shape[-1] - 1)",
)
Counted = slip("the right positions are counted: return a share", "(right.sum() / real.sum())", "right.sum()")
Percent = slip(
    "the accuracy is in percent: return a share from 0 to 1",
    "(right.sum() / real.sum())",
    "(100 * right.sum() / real.sum())",
)
Errors = slip(
    "the share of wrong positions is returned", "(right.sum() / real.sum())", "(1 - right.sum() / real.sum())"
)
SmallestLogit = slip(
    "the smallest logit is taken as the guess: it is the largest", "logits.argmax(-1)", "logits.argmin(-1)"
)
ZeroIsPadding = slip("class 0 is taken for padding: padding has the target -100", "targets != -100", "targets > 0")
Returns = slip(
    "nothing is returned: the line with return is missing",
    "return (right.sum() / real.sum()).item()",
    "(right.sum() / real.sum()).item()",
)
PerRow = slip(
    "one share for each row is returned: return one for the batch",
    "(right.sum() / real.sum()).item()",
    "right.sum(1) / real.sum(1)",
)
BosCounts = slip("with bos, position 0 still counts, where § is easy to predict", "if bos:", "if False:")
BosAlways = slip("position 0 is left out without bos too", "if bos:", "if True:")
BosTargetsOnly = slip(
    "with bos, only the targets lose position 0, so that logits are compared with the next target",
    "logits, targets = logits[:, 1:], targets[:, 1:]",
    "logits, targets = logits[:, :-1], targets[:, 1:]",
)
BosLast = slip(
    "with bos, the last position is left out: § is at position 0",
    "logits, targets = logits[:, 1:], targets[:, 1:]",
    "logits, targets = logits[:, :-1], targets[:, :-1]",
)
BosInPlace = slip(
    "with bos, the caller's targets are changed in place",
    "logits, targets = logits[:, 1:], targets[:, 1:]",
    "targets[:, 0] = -100",
)
BosOfRight = slip(
    "with bos, position 0 is left out of the right answers only: leave it out of the number of positions, too",
    "    if bos:\n        logits, targets = logits[:, 1:], targets[:, 1:]\n",
    "",
    "    return",
    "    right = right[:, 1:] if bos else right\n    return",
)
OverBatch = slip(
    "the right positions are divided by the number of rows: divide by the number of real positions",
    "/ real.sum()",
    "/ len(targets)",
)
MaxForPlace = slip(
    "the largest logit itself is compared with the target: argmax gives its place among the classes",
    "logits.argmax(-1)",
    "logits.max(-1)",
)
LargestLogit = slip(
    "the largest logit itself is compared with the target: argmax gives its place among the classes",
    "logits.argmax(-1)",
    "logits.max(-1).values",
)
WholeDivision = slip(
    "the share is cut to 0 or 1: divide with /",
    "(right.sum() / real.sum()).item()",
    "int(right.sum()) // int(real.sum())",
)
OverPositions = slip(
    "argmax runs over the positions: take it over the classes, the last axis", "argmax(-1)", "argmax(1)"
)
MeanOfBools = slip(
    "a tensor of bools has no mean: make it one of floats, or sum it",
    "(right.sum() / real.sum()).item()",
    "right[real].mean().item()",
)
OnlyPadding = slip(
    "padding is counted, and nothing else: the real positions are those whose target isn't -100",
    "targets != -100",
    "targets == -100",
)
ClassZero = slip("class 0 is taken for padding: padding has the target -100", "targets != -100", "targets != 0")
OnlyTargetsCut = slip(
    "with bos, only one of the logits and the targets loses position 0: both must",
    "logits, targets = logits[:, 1:], targets[:, 1:]",
    "targets = targets[:, 1:]",
)
OnlyLogitsCut = slip(
    "with bos, only one of the logits and the targets loses position 0: both must",
    "logits, targets = logits[:, 1:], targets[:, 1:]",
    "logits = logits[:, 1:]",
)
ByProbability = slip(
    "a position counts as right where its target has more than half of the probability: the largest logit decides",
    "logits.argmax(-1) == targets",
    "logits.softmax(-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0] > 0.5",
)
MeanProbability = slip(
    "the mean probability of the targets is returned: count the positions whose largest logit is at the target",
    "(right.sum() / real.sum())",
    "logits.softmax(-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0][real].mean()",
)

AtLeastTen = slip(
    "the number of real positions is raised where it is small: divide by the number itself, however few there are",
    "/ real.sum())",
    "/ real.sum().clamp(min=10))",
)
AtLeastTwo = slip(
    "the number of real positions is raised where it is small: divide by the number itself, however few there are",
    "/ real.sum())",
    "/ max(real.sum(), 2))",
)
Smoothed = slip(
    "something is added to the number of real positions: divide by the number itself",
    "/ real.sum())",
    "/ (real.sum() + 1))",
)
FourDigits = slip(
    "the accuracy is rounded: return the share as it is",
    "(right.sum() / real.sum()).item()",
    "round((right.sum() / real.sum()).item(), 4)",
)


@right
def no_positions_are_none_right(logits, targets, bos=False):
    real = targets != -100
    real[:, : int(bos)] = False
    return float(((logits.argmax(-1) == targets) & real).sum() / real.sum().clamp(min=1))


@right
def by_loop(logits, targets, bos=False):
    hits = []
    for row, wanted in zip(logits.tolist(), targets.tolist(), strict=True):
        for t in range(1 if bos else 0, len(wanted)):
            if wanted[t] != -100:
                hits.append(max(range(len(row[t])), key=row[t].__getitem__) == wanted[t])
    return sum(hits) / len(hits)


@right
def by_index(logits, targets, bos=False):
    start = int(bos)
    flat, wanted = logits[:, start:].flatten(0, 1), targets[:, start:].flatten()
    kept = wanted.ne(-100).nonzero()[:, 0]
    return flat[kept].max(-1).indices.eq(wanted[kept]).double().mean().item()
