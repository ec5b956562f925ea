"""Wrong answers to exercise 5.5 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade import right, slips


class Base(nn.Module):
    def __init__(self, d_content, d_pos, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value = (nn.Linear(d_content + d_pos, d_content) for _ in range(3))
        self.output = nn.Linear(d_content, d_content)


slip = slips(Base, """
    def forward(self, x, pos):
        B, T, D = x.shape
        both = torch.cat([x, pos.expand(B, -1, -1)], dim=-1)
        q = self.query(both).view(B, T, self.n_heads, -1).transpose(1, 2)
        k = self.key(both).view(B, T, self.n_heads, -1).transpose(1, 2)
        v = self.value(both).view(B, T, self.n_heads, -1).transpose(1, 2)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        pattern = scores.softmax(dim=-1)
        mixed = (pattern @ v).transpose(1, 2).reshape(B, T, D)
        return self.output(mixed)
""")  # fmt: skip

CausalMask = slip(
    "there is a causal mask: a hidden cell must see the cells after it as well",
    "pattern = scores.softmax", "scores = scores + torch.full_like(scores, -1e9).triu(1)\n    pattern = scores.softmax",
)  # fmt: skip
ScaledByD = slip(
    "the scores are divided by the root of the content width: divide by that of a head's width, D / N",
    "q.shape[-1] ** 0.5", "D ** 0.5",
)  # fmt: skip
ScaledByInput = slip(
    "the scores are divided by the root of D + P, the width that goes in: divide by that of a head's width",
    "q.shape[-1] ** 0.5", "both.shape[-1] ** 0.5",
)  # fmt: skip
NotScaled = slip("the scores are not divided by the root of a head's width", " / q.shape[-1] ** 0.5", "")
WrongAxis = slip(
    "the softmax runs over the queries: the weights of one query over all keys add up to 1",
    "dim=-1)\n    mixed",
    "dim=-2)\n    mixed",
)
PositionFirst = slip(
    "position comes before content in the concatenation: the weights expect content first",
    "torch.cat([x, pos.expand(B, -1, -1)], dim=-1)", "torch.cat([pos.expand(B, -1, -1), x], dim=-1)",
)  # fmt: skip
PositionForgotten = slip(
    "position is left out: zeros take its place",
    "pos.expand(B, -1, -1)]",
    "torch.zeros_like(pos).expand(B, -1, -1)]",
)
ValuesWithoutPosition = slip(
    "the values do not see position: all three maps read content and position",
    "self.value(both)", "self.value(torch.cat([x, 0 * pos.expand(B, -1, -1)], dim=-1))",
)  # fmt: skip
NoOutput = slip(
    "the output map is missing: the heads' results go through self.output",
    "self.output(mixed)",
    "mixed + 0 * self.output(mixed)",
)
HeadsInterleaved = slip(
    "the heads are put together in the wrong order: bring the head axis back behind the cells before flattening",
    "(pattern @ v).transpose(1, 2).reshape(B, T, D)", "(pattern @ v).reshape(B, T, D)",
)  # fmt: skip
Residual = slip(
    "the input is added: the block does that, attention returns its update alone",
    "return self.output(mixed)",
    "return x + self.output(mixed)",
)
ScaledByH = slip(
    "the scores are divided by the width of a head: divide by its square root", "q.shape[-1] ** 0.5", "q.shape[-1]"
)
AcrossHeads = slip(
    "the softmax runs over the heads: the weights of one query over all keys add up to 1",
    "dim=-1)\n    mixed", "dim=1)\n    mixed",
)  # fmt: skip
OverAllPairs = slip(
    "the softmax runs over all pairs of cells at once: each query has weights of its own, which add up to 1",
    "scores.softmax(dim=-1)\n    mixed", "scores.flatten(2).softmax(-1).view_as(scores)\n    mixed",
)  # fmt: skip
CellsForHeads = slip(
    "the heads are cut out across the cells: split the width first, then bring the head axis before the cells",
    "q = self.query(both).view(B, T, self.n_heads, -1).transpose(1, 2)",
    "q = self.query(both).view(B, self.n_heads, T, -1)",
    "k = self.key(both).view(B, T, self.n_heads, -1).transpose(1, 2)",
    "k = self.key(both).view(B, self.n_heads, T, -1)",
    "v = self.value(both).view(B, T, self.n_heads, -1).transpose(1, 2)",
    "v = self.value(both).view(B, self.n_heads, T, -1)",
)  # fmt: skip
WidthBeforeHeads = slip(
    "a head takes every N-th number: its H numbers lie side by side, so split the width as (N H)",
    "q = self.query(both).view(B, T, self.n_heads, -1).transpose(1, 2)",
    "q = self.query(both).view(B, T, -1, self.n_heads).permute(0, 3, 1, 2)",
    "k = self.key(both).view(B, T, self.n_heads, -1).transpose(1, 2)",
    "k = self.key(both).view(B, T, -1, self.n_heads).permute(0, 3, 1, 2)",
    "v = self.value(both).view(B, T, self.n_heads, -1).transpose(1, 2)",
    "v = self.value(both).view(B, T, -1, self.n_heads).permute(0, 3, 1, 2)",
)  # fmt: skip
QueriesForKeys = slip(
    "queries and keys have exchanged places in the scores: queries go down, keys across",
    "q @ k.transpose(-1, -2)", "k @ q.transpose(-1, -2)",
)  # fmt: skip
KeysForValues = slip(
    "keys and values are exchanged",
    "k = self.key(both)",
    "k = self.value(both)",
    "v = self.value(both)",
    "v = self.key(both)"
)  # fmt: skip
NotItself = slip(
    "a cell may not read itself: every cell reads every cell, itself too",
    "pattern = scores",
    "scores = scores.masked_fill(torch.eye(T, dtype=torch.bool), float('-inf'))\n    pattern = scores",
)  # fmt: skip
Sigmoid = slip(
    "a sigmoid weighs every key on its own: softmax makes the weights of a query add up to 1",
    "scores.softmax(dim=-1)", "scores.sigmoid()",
)  # fmt: skip
Normalised = slip(
    "the content is normalised here: the block does that before",
    "both = torch.cat([x,",
    "both = torch.cat([F.layer_norm(x, (D,)),"
)  # fmt: skip
PlainExp = slip(
    "exp of large scores becomes infinity, and the result nan: use softmax, or take the largest score away first",
    "scores.softmax(dim=-1)", "scores.exp() / scores.exp().sum(-1, keepdim=True)",
)  # fmt: skip
TimesRoot = slip(
    "the scores are multiplied by the root of a head's width: divide by it",
    "/ q.shape[-1] ** 0.5", "* q.shape[-1] ** 0.5",
)  # fmt: skip
ScaledByInputHead = slip(
    "the scores are divided by the root of (D + P) / N: a head is D / N wide",
    "q.shape[-1] ** 0.5", "(both.shape[-1] / self.n_heads) ** 0.5",
)  # fmt: skip
NoOutputAtAll = slip(
    "the output map is missing: the heads' results go through self.output", "self.output(mixed)", "mixed"
)
KeysAsValues = slip(
    "the values come from the map of the keys: self.value makes them", "self.value(both)", "self.key(both)"
)
QueriesAsKeys = slip(
    "the keys come from the map of the queries: self.key makes them", "self.key(both)", "self.query(both)"
)
ValuesAsKeys = slip(
    "the keys come from the map of the values: self.key makes them", "self.key(both)", "self.value(both)"
)
QueriesWithoutPosition = slip(
    "the queries do not see position: all three maps read content and position",
    "self.query(both)", "self.query(torch.cat([x, 0 * pos.expand(B, -1, -1)], dim=-1))",
)  # fmt: skip
KeysWithoutPosition = slip(
    "the keys do not see position: all three maps read content and position",
    "self.key(both)", "self.key(torch.cat([x, 0 * pos.expand(B, -1, -1)], dim=-1))",
)  # fmt: skip
PatternDetached = slip(
    "the weights are detached: queries and keys would never be trained",
    "scores.softmax(dim=-1)", "scores.softmax(dim=-1).detach()",
)  # fmt: skip
HeadsAveraged = slip(
    "the heads are averaged: put their results side by side",
    "(pattern @ v).transpose(1, 2).reshape(B, T, D)", "(pattern @ v).mean(1).repeat(1, 1, self.n_heads)",
)  # fmt: skip
NotExpanded = slip(
    "pos has batch size 1 and x has B boards: repeat it for every board before the two are joined",
    "pos.expand(B, -1, -1)", "pos",
)  # fmt: skip
AlongTheCells = slip(
    "content and position are joined along the cells: join them along the last axis",
    "pos.expand(B, -1, -1)], dim=-1)", "pos.expand(B, -1, -1)], dim=1)",
)  # fmt: skip

TwoHeads = slip(
    "the number of heads is fixed: it is self.n_heads",
    "B, T, D = x.shape", "B, T, D = x.shape\n    self.n_heads = 2",
)  # fmt: skip
OneHead = slip(
    "there is a single head, as wide as the content: split the width into self.n_heads heads",
    "B, T, D = x.shape", "B, T, D = x.shape\n    self.n_heads = 1",
)  # fmt: skip
OneHeadScaledByH = slip(
    "there is a single head, as wide as the content: split the width into self.n_heads heads",
    "B, T, D = x.shape", "B, T, D = x.shape\n    H, self.n_heads = D // self.n_heads, 1",
    "q.shape[-1] ** 0.5", "H ** 0.5",
)  # fmt: skip
WeightsTurned = slip(
    "the values are mixed by the weights of the wrong axis: row i of the weights belongs to query i",
    "pattern @ v", "pattern.transpose(-1, -2) @ v",
)  # fmt: skip


@right
class WithTorch(Base):
    def forward(self, x, pos):
        both = torch.cat((x, pos.repeat(x.shape[0], 1, 1)), -1)
        heads = [m(both).unflatten(-1, (self.n_heads, -1)).movedim(2, 1) for m in (self.query, self.key, self.value)]
        return self.output(F.scaled_dot_product_attention(*heads).movedim(1, 2).flatten(2))


@right
class HeadByHead(Base):
    def forward(self, x, pos):
        both = torch.cat([x, pos + torch.zeros(len(x), 1, 1)], dim=2)
        size = x.shape[-1] // self.n_heads
        found = []
        for n in range(self.n_heads):
            cut = slice(n * size, (n + 1) * size)
            q, k, v = (part(both)[..., cut] for part in (self.query, self.key, self.value))
            found.append(torch.softmax(torch.einsum("bqh,bkh->bqk", q, k) * size**-0.5, -1) @ v)
        return self.output(torch.cat(found, -1))
