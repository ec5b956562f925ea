"""Wrong answers to exercise 3.28 that learners write, and right ones written differently.

The plan and the encoder that an answer reads are put in by the test's probe.
"""

import torch  # noqa: F401  (the answers below are text)
import torch.nn.functional as F  # noqa: F401

from utils.ch3.compiled import CompiledModel  # noqa: F401
from utils.grade import slips

HEAD = """
def compile_rasp(sop, vocab, max_len, causal=False):
    plan = Plan(sop, vocab, max_len, (selector_to_head, aggregate_to_ov, lookup_mlp, step_mlp), causal)
    encoder = empty_encoder(plan, causal)
"""
slip = slips(
    HEAD
    + """
    encoder.embedding.W_E[:] = plan.W_E
    encoder.positional_embedding.W_P[:] = plan.W_P
    for layer, block in enumerate(encoder.blocks):
        n = 0
        for W_Q, W_K, W_V, W_O in plan.heads_of(layer):
            D, D_V = W_Q.shape[1], W_V.shape[1]
            factor = (plan.head_width / D) ** 0.5
            block.attention.W_Q[n, :, :D] = W_Q * factor
            block.attention.W_K[n, :, :D] = W_K
            block.attention.W_V[n, :, :D_V] = W_V
            block.attention.W_O[n, :D_V] = W_O
            n += 1
        taken = 0
        for W_in, W_out in plan.units_of(layer):
            M = W_in.shape[1]
            block.mlp.W_in[:, taken : taken + M] = W_in
            block.mlp.W_out[taken : taken + M] = W_out
            taken += M
    encoder.unembedding.W_U[:] = plan.W_U
    encoder.unembedding.b_U[:] = plan.b_U
    return CompiledModel(encoder, vocab, max_len, plan.values)
"""
)

NoFactor = slip(
    "a narrow head's scores are too small: attention divides by the root of head_width, not of D",
    "(plan.head_width / D) ** 0.5", "1.0",
)  # fmt: skip
NoRoot = slip(
    "the scores of a narrow head are multiplied by head_width / D: its root makes up for the division",
    "(plan.head_width / D) ** 0.5", "plan.head_width / D",
)  # fmt: skip
FactorTwice = slip(
    "queries and keys are both multiplied by the factor, so that the scores get it twice",
    "= W_K\n", "= W_K * factor\n",
)  # fmt: skip
UpsideDown = slip(
    "the factor is upside down: a narrow head's queries have to grow, not shrink",
    "(plan.head_width / D) ** 0.5", "(D / plan.head_width) ** 0.5",
)  # fmt: skip
FirstFunction = slip(
    "only the first function of a layer is written: all of them must be, side by side", "taken += M", "break"
)
FirstHead = slip("only the first head of a layer is written: all of them must be", "n += 1", "break")
Exchanged = slip(
    "queries and keys are exchanged: a head comes as W_Q, W_K, W_V, W_O",
    "for W_Q, W_K, W_V, W_O in", "for W_K, W_Q, W_V, W_O in",
)  # fmt: skip
ScaledValues = slip(
    "the values are multiplied by the factor as well: only the scores are divided", "= W_V\n", "= W_V * factor\n"
)
NoHeads = slip("no attention head is written", "in plan.heads_of(layer):", "in ():")
NoFunctions = slip("no function of the MLPs is written", "in plan.units_of(layer):", "in ():")
LastLayerMissing = slip("the last layer is left at 0", "enumerate(encoder.blocks):", "enumerate(encoder.blocks[:-1]):")
NotZero = slip(
    "coordinates that no head uses are not left at 0",
    "            block.attention.W_V[n, :, :D_V] = W_V",
    "            block.attention.W_V[n] = 1.0\n            block.attention.W_V[n, :, :D_V] = W_V",
)
OnePlace = slip("all heads of a layer are written into head 0, and only the last one is left", "n += 1", "pass")
FirstLayer = slip(
    "every layer gets the heads of layer 0: ask the plan for each layer's own",
    "plan.heads_of(layer)", "plan.heads_of(0)",
)  # fmt: skip
QueriesForKeys = slip(
    "queries and keys are exchanged: a selector would be transposed",
    "W_Q[n, :, :D] = W_Q", "W_K[n, :, :D] = W_Q",
    "attention.W_K[n, :, :D] = W_K\n", "attention.W_Q[n, :, :D] = W_K\n",
)  # fmt: skip
OneOverTheOther = slip(
    "the functions of an MLP are written over each other: their hidden units lie side by side",
    "taken += M", "pass",
)  # fmt: skip
UnitsOfFirst = slip(
    "every layer gets the hidden units of layer 0: ask the plan for each layer's own",
    "plan.units_of(layer)", "plan.units_of(0)",
)  # fmt: skip
NeverCountedAnew = slip(
    "the count of hidden units goes on from layer to layer: each layer's MLP begins at 0",
    "        taken = 0\n",
    "",
    "    for layer, block",
    "    taken = 0\n    for layer, block",
)
OneUnitEach = slip(
    "each function is taken for one hidden unit: the next one begins behind all of its units",
    "taken += M",
    "taken += 1",
)
RootOfHeadWidth = slip(
    "the queries are multiplied by the root of head_width: the plan's matrices expect a division by the root of D",
    "(plan.head_width / D) ** 0.5",
    "plan.head_width ** 0.5",
)
NoPositions = slip(
    "the position embedding is left at 0, so that indices are unknown",
    "    encoder.positional_embedding.W_P[:] = plan.W_P\n", "",
)  # fmt: skip
NoTokens = slip(
    "the token embedding is left at 0, so that the input is unknown", "    encoder.embedding.W_E[:] = plan.W_E\n", ""
)
NoBias = slip(
    "the bias of the unembedding is left at 0: a constant in the program would be lost",
    "    encoder.unembedding.b_U[:] = plan.b_U\n", "",
)  # fmt: skip
NoOutput = slip(
    "the unembedding is left at 0, so that no result is read", "    encoder.unembedding.W_U[:] = plan.W_U\n", ""
)
EveryHead = slip(
    "heads that the plan does not need get the last head's W_O: they must stay 0",
    "        taken = 0\n", "        block.attention.W_O[n:, :D_V] = W_O\n        taken = 0\n",
)  # fmt: skip

InKeys = slips(
    HEAD
    + """
    H = encoder.config.attention_head_dimension
    encoder.embedding.W_E.data.copy_(plan.W_E)
    encoder.positional_embedding.W_P.data.copy_(plan.W_P)
    encoder.unembedding.W_U.data.copy_(plan.W_U)
    encoder.unembedding.b_U.data.copy_(plan.b_U)
    for layer in range(plan.layers):
        attention = encoder.blocks[layer].attention
        for n, (Q, K, V, O) in enumerate(plan.heads_of(layer)):
            attention.W_Q[n] = F.pad(Q, (0, H - Q.shape[1]))
            attention.W_K[n] = F.pad(K, (0, H - K.shape[1])) * H**0.5 / K.shape[1] ** 0.5
            attention.W_V[n] = F.pad(V, (0, H - V.shape[1]))
            attention.W_O[n] = F.pad(O, (0, 0, 0, H - O.shape[0]))
        if plan.units_of(layer):
            W_in = torch.cat([W for W, _ in plan.units_of(layer)], dim=1)
            encoder.blocks[layer].mlp.W_in[:, : W_in.shape[1]] = W_in
            encoder.blocks[layer].mlp.W_out[: W_in.shape[1]] = torch.cat([W for _, W in plan.units_of(layer)])
    return CompiledModel(encoder, vocab, max_len, plan.values)
"""
)
FromTheEnd = slips(
    HEAD
    + """
    pairs = ((encoder.embedding.W_E, plan.W_E), (encoder.positional_embedding.W_P, plan.W_P))
    for weight, value in (*pairs, (encoder.unembedding.W_U, plan.W_U), (encoder.unembedding.b_U, plan.b_U)):
        weight += value
    for layer, block in enumerate(encoder.blocks):
        for n, head in enumerate(reversed(plan.heads_of(layer)), start=1):
            root = (plan.head_width / head[0].shape[1]) ** 0.25
            for name, W in zip(("W_Q", "W_K", "W_V"), head, strict=False):
                getattr(block.attention, name)[-n, :, -W.shape[1] :] += W * (root if name != "W_V" else 1)
            block.attention.W_O[-n, -len(head[3]) :] += head[3]
        end = plan.mlp_width
        for W_in, W_out in plan.units_of(layer):
            start = end - len(W_out)
            block.mlp.W_in[:, start:end], block.mlp.W_out[start:end] = W_in, W_out
            end = start
    return CompiledModel(encoder, vocab, max_len, plan.values)
"""
)
