"""Wrong answers to exercise 3.21 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips

slip = slips(
    None,
    """
    def attention_loss(patterns, selectors, mask):
        block = mask[:, :, None] & mask[:, None, :]
        size = block.sum((1, 2))
        total = 0.0
        for (layer, head), selector in selectors.items():
            chosen = selector & block
            empty = ~chosen.any(-1, keepdim=True)
            chosen = (chosen | empty & block).float()
            wanted = chosen / chosen.sum(-1, keepdim=True).clamp(min=1)
            squares = (patterns[layer][:, head] - wanted) ** 2 * block
            total = total + (squares.sum((1, 2)) / size).mean()
        return total / len(selectors)
    """,
)

NotScaled = slip(
    "the selector's rows are compared as zeros and ones: scale each row to sum to 1",
    "wanted = chosen / chosen.sum(-1, keepdim=True).clamp(min=1)",
    "wanted = chosen",
)
Columns = slip(
    "the columns are scaled to sum to 1: it is the rows, one for each query",
    "chosen.sum(-1, keepdim",
    "chosen.sum(-2, keepdim",
)
Absolute = slip("absolute differences are averaged: take squares", "wanted) ** 2", "wanted).abs()")
NoSquare = slip("the differences are averaged without squares, so that they cancel", "wanted) ** 2", "wanted)")
Rooted = slip(
    "the root of the mean is taken: leave the mean square as it is", "/ size).mean()", "/ size).sqrt().mean()"
)
Summed = slip(
    "the squares are summed over the block: take their mean", "(squares.sum((1, 2)) / size)", "squares.sum((1, 2))"
)
OverRows = slip(
    "the squares are divided by the length, not by the size of the l x l block",
    "size = block.sum((1, 2))",
    "size = mask.sum(1)",
)
SummedOverSequences = slip("the sequences are summed: take their mean", "/ size).mean()", "/ size).sum()")
SummedOverHeads = slip("the heads are summed: take their mean", "return total / len(selectors)", "return total")
OverAllHeads = slip(
    "the sum is divided by the number of all heads: only the given ones count",
    "total / len(selectors)",
    "total / sum(pattern.shape[1] for pattern in patterns)",
)
OverLayers = slip(
    "the sum is divided by the number of layers: divide it by the number of the given heads",
    "total / len(selectors)",
    "total / len(patterns)",
)
FirstHead = slip(
    "head 0 is taken every time: each selector names its head", "patterns[layer][:, head]", "patterns[layer][:, 0]"
)
FirstLayer = slip("layer 0 is taken every time: each selector names its layer", "patterns[layer]", "patterns[0]")
Swapped = slip("layer and head are swapped", "patterns[layer][:, head]", "patterns[head][:, layer]")
OneHeadOnly = slip(
    "only one of the given heads counts: take the mean over all of them",
    "total = total + (squares",
    "total = len(selectors) * (squares",
)
EmptyStaysEmpty = slip(
    "a row that selects nothing is compared with zeros: it must be uniform",
    "(chosen | empty & block).float()",
    "chosen.float()",
)
EmptyLeftOut = slip(
    "rows that select nothing are left out: they are compared with a uniform row",
    "** 2 * block",
    "** 2 * block * ~empty",
)
NanRows = slip(
    "a row of zeros is divided by its sum, which gives nan",
    "(chosen | empty & block).float()",
    "chosen.float()",
    ".clamp(min=1)",
    "",
)
UniformOverPadding = slip(
    "a row that selects nothing is uniform over padding too: only over the real keys",
    "(chosen | empty & block)",
    "(chosen | empty)",
)
PaddingCounts = slip(
    "padding counts: the squares are averaged over the whole T x T square",
    "size = block.sum((1, 2))",
    "size = block[0].numel()",
)
PaddedQueries = slip(
    "padded queries count: an entry counts only where query and key are both real",
    "** 2 * block",
    "** 2 * mask[:, None, :]",
)
LongerWeighMore = slip(
    "long sequences weigh more: take the mean in each sequence first, then over sequences",
    "(squares.sum((1, 2)) / size).mean()",
    "squares.sum() / size.sum()",
)
SelectorOfPadding = slip(
    "what the selector says about padding changes the loss", "chosen = selector & block", "chosen = selector.clone()"
)
CutOff = slip(
    "the patterns are detached, so that nothing can be learned from this loss",
    "patterns[layer][:, head]",
    "patterns[layer].detach()[:, head]",
)
PlainNumber = slip(
    "a Python number is returned: no gradient flows through it",
    "return total / len(selectors)",
    "return (total / len(selectors)).item()",
)
ChangesSelectors = slip(
    "the caller's selectors are changed in place",
    "chosen = selector & block",
    "chosen = selector.logical_or_(~selector.any(-1, keepdim=True) & block) & block",
)


@right
def sequence_by_sequence(patterns, selectors, mask):
    losses = []
    for (layer, head), selector in selectors.items():
        for b, n in enumerate(mask.sum(-1).tolist()):
            rows = selector[b, :n, :n].float() + 1e-8
            rows = rows / rows.sum(1, keepdim=True)
            losses.append(F.mse_loss(patterns[layer][b, head, :n, :n], rows))
    return sum(losses) / len(losses)


@right
def by_weights(patterns, selectors, mask):
    real = mask.float()
    weights = torch.einsum("bq,bk->bqk", real, real) / real.sum(1)[:, None, None] ** 2 / len(mask)
    found = []
    for (layer, head), selector in selectors.items():
        chosen = selector.masked_fill(~mask[:, None], False).to(real.dtype)
        chosen = chosen + (chosen.sum(-1, keepdim=True) == 0) * real[:, None]
        chosen = chosen / chosen.sum(-1, keepdim=True)
        found.append(torch.einsum("bqk,bqk->", (patterns[layer].select(1, head) - chosen).pow(2), weights))
    return torch.stack(found).mean()
