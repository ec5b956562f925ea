"""Wrong answers to exercise 1.5 that learners write, and right ones written differently."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade import load_file, right, slips

pieces = load_file(Path(__file__).with_name("_pieces.py"))
Base, causal = pieces.Attention, pieces.causal

slip = slips(
    Base,
    """
    def forward(self, x):
        q = torch.einsum("bte,neh->bnth", x, self.W_Q) + self.b_Q[:, None]
        k = torch.einsum("bte,neh->bnth", x, self.W_K) + self.b_K[:, None]
        v = torch.einsum("bte,neh->bnth", x, self.W_V) + self.b_V[:, None]
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        pattern = causal(scores).softmax(-1)
        z = pattern @ v
        return torch.einsum("bnth,nhe->bte", z, self.W_O) + self.b_O
    """,
)
PATTERN, OUTPUT = "causal(scores).softmax(-1)", 'torch.einsum("bnth,nhe->bte", z, self.W_O)'
SCALE, B_Q, B_K, B_V = "math.sqrt(q.shape[-1])", " + self.b_Q[:, None]", " + self.b_K[:, None]", " + self.b_V[:, None]"


def own_mask(diagonal: int, fill: str = "-torch.inf", side: str = "triu") -> str:
    """A pattern that hides what a triangle of ones marks."""
    return f"scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).{side}({diagonal}), {fill}).softmax(-1)"


NoScale = slip(
    "the scores are not scaled: without dividing by the root of the head width H the softmax is too sharp",
    f" / {SCALE}", "",
)  # fmt: skip
ScaledByWidth = slip("the scores are divided by H itself: divide by its square root", SCALE, "q.shape[-1]")
ScaledByEmbedding = slip(
    "the scores are scaled by E, the width of the residual stream: use H, the width of one head",
    SCALE, "math.sqrt(x.shape[-1])",
)  # fmt: skip
ScaledByFixedNumber = slip(
    "the scale is a fixed number that fits another head width: compute it from H, the width of one head here",
    SCALE,
    "8",
)
ScaledByHeads = slip(
    "the scores are scaled by the number of heads N: use H, the width of one head",
    SCALE, "math.sqrt(q.shape[1])",
)  # fmt: skip
ScaledByAllHeads = slip(
    "the scores are scaled by N * H, the width of all heads together: use H, the width of one head",
    SCALE, "math.sqrt(q.shape[1] * q.shape[-1])",
)  # fmt: skip
ScaledByLength = slip(
    "the scores are scaled by the length T of the text: use H, the width of one head",
    SCALE, "math.sqrt(x.shape[1])",
)  # fmt: skip
ScaledTheWrongWay = slip(
    "the scores are multiplied by the root of H: they must be divided by it", f" / {SCALE}", f" * {SCALE}"
)
ScaledAfterSoftmax = slip(
    "the scaling comes after softmax: scale the scores, before softmax",
    f" / {SCALE}", "", PATTERN, f"{PATTERN} / {SCALE}",
)  # fmt: skip
QueriesForKeys = slip("queries and keys are swapped: each row of scores belongs to one query", "q @ k.mT", "k @ q.mT")
KeysFromQueryWeights = slip(
    "the keys are made with W_Q: they have weights of their own",
    "x, self.W_K)", "x, self.W_Q) + 0 * self.W_K.sum()",
)  # fmt: skip
KeysFromQueryWeightsOnly = slip(
    "the keys are made with W_Q: they have weights of their own", "x, self.W_K)", "x, self.W_Q)"
)
ScaledByShareOfWidth = slip(
    "the scores are scaled by E / N: here the width of one head is H, and N times H need not equal E",
    SCALE, "math.sqrt(x.shape[-1] / q.shape[1])",
)  # fmt: skip
FLATTENED = "the weights (N, E, H) are reshaped to (E, N * H), which mixes heads and rows: exchange the axes first"
AS_FLATTENED = [
    part
    for letter in "QKV"
    for part in (
        f'torch.einsum("bte,neh->bnth", x, self.W_{letter})',
        f"(x @ self.W_{letter}.reshape(x.shape[-1], -1)).unflatten(-1, (len(self.W_Q), -1)).transpose(1, 2)",
    )
]
Flattened = slip(FLATTENED, *AS_FLATTENED)
BiasesExchanged = slip(
    "the biases b_Q and b_K are swapped: each belongs to the weights of the same letter",
    B_Q, " + self.b_other", B_K, B_Q, " + self.b_other", B_K,
)  # fmt: skip
QueryAndKeyWeightsExchanged = slip(
    "the weights W_Q and W_K are swapped, but their biases are not: each belongs to its own bias",
    "self.W_Q", "self.W_other", "self.W_K", "self.W_Q", "self.W_other", "self.W_K",
)  # fmt: skip
VIEWED = (
    "queries, keys and values are viewed as (B, N, T, H): view and reshape do not swap axes, so heads and positions "
    "are mixed up; use transpose, rearrange or the order of the letters in einsum"
)
AS_VIEWED = [
    part
    for letter in "QKV"
    for part in (
        f'torch.einsum("bte,neh->bnth", x, self.W_{letter}) + self.b_{letter}[:, None]',
        f'(torch.einsum("bte,neh->btnh", x, self.W_{letter}) + self.b_{letter})'
        ".reshape(len(x), -1, x.shape[1], self.W_Q.shape[-1])",
    )
]
Viewed = slip(VIEWED, *AS_VIEWED)
ViewedBack = slip(
    VIEWED, *AS_VIEWED, OUTPUT, "z.reshape(len(x), x.shape[1], -1) @ self.W_O.flatten(0, 1)"
)  # fmt: skip
Uniform = slip("queries and keys are ignored: every earlier position gets the same weight", "q @ k.mT", "0 * q @ k.mT")
SoftmaxOverQueries = slip(
    "the softmax runs over the queries: for each query the weights of the keys must sum to one", "(-1)\n", "(-2)\n"
)
OVER_HEADS = "the softmax runs over the heads: for each query the weights of the keys must sum to one"
SoftmaxOverHeads = slip(OVER_HEADS, PATTERN, "causal(scores).softmax(1).nan_to_num(0.0)")
SoftmaxOverHeadsWithNan = slip(OVER_HEADS, PATTERN, "causal(scores).softmax(1)")
SoftmaxOverBatch = slip(
    "the softmax runs over the batch: for each query the weights of the keys must sum to one",
    PATTERN, "causal(scores).softmax(0)",
)  # fmt: skip
MASK_LATE = "the mask comes after the softmax: hidden keys have already received weight"
MaskAfterSoftmax = slip(MASK_LATE, PATTERN, "scores.softmax(-1).tril()")
MaskAfterSoftmaxFully = slip(MASK_LATE, PATTERN, "causal(scores.softmax(-1))")
NoMask = slip("there is no causal mask: every position reads the future", PATTERN, "scores.softmax(-1)")
PeeksAhead = slip("the mask lets each position read one ahead", PATTERN, own_mask(2))
HIDES_ITSELF = "each position is hidden from itself: it may read itself"
HidesItself = slip(HIDES_ITSELF, PATTERN, own_mask(0))
HidesItselfSoftly = slip(HIDES_ITSELF, PATTERN, own_mask(0, "-1e9"))
FillsWithZero = slip(
    "hidden scores are set to 0 before the softmax: a score of 0 still gets weight",
    PATTERN, "scores.tril().softmax(-1)",
)  # fmt: skip
UpsideDown = slip(
    "the mask is upside down: the past is hidden and the future is read", PATTERN, own_mask(-1, side="tril")
)
SharesWithoutSoftmax = slip(
    "the weights are the scores divided by their sum: they must come from softmax",
    PATTERN, "scores.tril() / scores.tril().sum(-1, keepdim=True)",
)  # fmt: skip
NoSoftmax = slip("there is no softmax: the scores themselves are used as weights", PATTERN, "scores.tril()")
NoQueryBias = slip("the query bias b_Q is never added", B_Q, "")
NoKeyBias = slip(
    "the key bias b_K is never added: the softmax hides the difference, yet it is a parameter of the layer", B_K, ""
)
NoValueBias = slip("the value bias b_V is never added", B_V, "")
NoHeadBiases = slip("none of the three biases b_Q, b_K, b_V is added", B_Q, "", B_K, "", B_V, "")
NoOutputBias = slip("the output bias b_O is never added", " + self.b_O", "")
OutputBiasPerHead = slip(
    "the output bias b_O is added once for each head: it is one vector for the sum of all heads",
    f"{OUTPUT} + self.b_O", '(torch.einsum("bnth,nhe->bnte", z, self.W_O) + self.b_O).sum(1)',
)  # fmt: skip
HeadsAveraged = slip(
    "the heads are averaged: add up what they write",
    OUTPUT, 'torch.einsum("bnth,nhe->bnte", z, self.W_O).mean(1)',
)  # fmt: skip
FirstHeadOnly = slip("only the first head is used", OUTPUT, "z[:, 0] @ self.W_O[0]")
HeadsMixed = slip(
    "heads and positions are mixed up: reshaping (N, T, H) to (T, N * H) needs the axes exchanged first",
    OUTPUT, "z.reshape(len(z), z.shape[2], -1) @ self.W_O.flatten(0, 1)",
)  # fmt: skip
HeadsReversed = slip(
    "each head's result goes through the output matrix of another head", 'nhe->bte", z', 'nhe->bte", z.flip(1)'
)
KeysOfTheFirstRow = slip(
    "the keys of the first row of the batch are used for all rows", "x, self.W_K", "x[:1].expand_as(x), self.W_K"
)
ValuesOfTheFirstRow = slip(
    "the values of the first row of the batch are used for all rows", "x, self.W_V", "x[:1].expand_as(x), self.W_V"
)
ValuesFromKeyWeights = slip(
    "the values are made with W_K and b_K, as the keys are: they have weights of their own",
    "pattern @ v", "pattern @ (k + 0 * v.sum())",
)  # fmt: skip
ValuesFromKeyWeightsOnly = slip(
    "the values are made with W_K: they have weights of their own", "x, self.W_V)", "x, self.W_K)"
)
ValuesWithKeyBias = slip(
    "the bias of the values is that of the keys: each belongs to the weights of the same letter",
    B_V, f"{B_K} + 0 * self.b_V.sum()",
)  # fmt: skip
OwnResidual = slip(
    "the input is added to the result: the block adds the residual, attention does not", "return ", "return x + "
)
DetachedPattern = slip(
    "the pattern is cut off from the gradient (detach or no_grad), so queries and keys would never be trained",
    PATTERN, f"{PATTERN}.detach()",
)  # fmt: skip
Dropout = slip(
    "two calls on the same input differ: use the parameters unchanged and nothing random, such as dropout",
    PATTERN, f"F.dropout({PATTERN}, 0.1)",
)  # fmt: skip
InPlace = slip(
    "the residual stream was changed in place: later layers still need it",
    f"return {OUTPUT} + self.b_O", f"return x.copy_({OUTPUT} + self.b_O)",
)  # fmt: skip
PatternTransposed = slip(
    "the pattern is used the wrong way round: each query mixes the values by its own row, not by a column",
    "pattern @ v", "pattern.mT @ v",
)  # fmt: skip
NormalisedAgain = slip(
    "the input is normalised once more: layer_norm_1 of the block has done that before attention",
    "q = torch", "x = F.layer_norm(x, x.shape[-1:])\n    q = torch",
)  # fmt: skip
PersistentMask = slip(
    "the mask goes into the state dict, so saved weights no longer fit: register it with persistent=False",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.register_buffer("mask", torch.ones(config.context_length, config.context_length).tril())

def forward""", PATTERN, "scores.masked_fill(self.mask[: x.shape[1], : x.shape[1]] == 0, -torch.inf).softmax(-1)",
)  # fmt: skip
MASK_KEPT = "the mask is made once, for the length of the first text: a text of another length needs another mask"
MaskOfTheFirstCall = slip(
    MASK_KEPT,
    PATTERN, "scores.masked_fill(self.hidden, -torch.inf).softmax(-1)",
    "scores = q", """if not hasattr(self, "hidden"):
        self.hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    scores = q""",
)  # fmt: skip


@right
class Fused(Base):
    def forward(self, x):
        q, k, v = (
            torch.einsum("bte,neh->bnth", x, getattr(self, f"W_{c}")) + getattr(self, f"b_{c}")[:, None] for c in "QKV"
        )
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return torch.einsum("bnth,nhe->bte", z, self.W_O) + self.b_O


@right
class MaskMadeOnce(Base):
    def __init__(self, config):
        super().__init__(config)
        hidden = torch.ones(config.context_length, config.context_length, dtype=torch.bool).triu(1)
        self.register_buffer("hidden", hidden, persistent=False)

    def forward(self, x):
        q, k, v = (torch.einsum("bte,neh->btnh", x, getattr(self, f"W_{c}")) + getattr(self, f"b_{c}") for c in "QKV")
        scores = torch.einsum("bqnh,bknh->bnqk", q, k) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(self.hidden[: x.shape[1], : x.shape[1]], -torch.inf)
        z = torch.einsum("bnqk,bknh->bqnh", scores.softmax(dim=-1), v)
        return torch.einsum("bqnh,nhe->bqe", z, self.W_O) + self.b_O


@right
class FlatMatrices(Base):
    def forward(self, x):
        rows, length, _ = x.shape
        heads, _, width = self.W_Q.shape

        def project(weight, bias):
            flat = x @ weight.permute(1, 0, 2).reshape(x.shape[-1], -1) + bias.reshape(-1)
            return flat.view(rows, length, heads, width).transpose(1, 2)

        q, k, v = project(self.W_Q, self.b_Q), project(self.W_K, self.b_K), project(self.W_V, self.b_V)
        scores = (q * width**-0.5) @ k.mT + torch.full((length, length), -1e9).triu(1)
        z = (F.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(rows, length, -1)
        return F.linear(z, self.W_O.reshape(-1, x.shape[-1]).T, self.b_O)


@right
class HeadByHead(Base):
    def forward(self, x):
        written = []
        for n in range(len(self.W_Q)):
            q, k, v = x @ self.W_Q[n] + self.b_Q[n], x @ self.W_K[n] + self.b_K[n], x @ self.W_V[n] + self.b_V[n]
            rows = []
            for t in range(x.shape[1]):
                share = torch.einsum("bh,bkh->bk", q[:, t], k[:, : t + 1]) / math.sqrt(q.shape[-1])
                rows.append(torch.einsum("bk,bkh->bh", torch.exp(share.log_softmax(-1)), v[:, : t + 1]))
            written.append(torch.stack(rows, dim=1) @ self.W_O[n])
        return sum(written) + self.b_O
