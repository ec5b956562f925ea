"""Wrong answers to exercise 5.6 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade import load_file, right, slips

Base = load_file(Path(__file__).with_name("_pieces.py")).TransformerBase

slip = slips(Base, """
    def forward(self, tokens):
        x = self.token_embedding(tokens)
        pos = self.position
        for block in self.blocks:
            x = block.z_attn(x + block.attention(block.norm_1(x), pos))
            read = torch.cat([block.norm_2(x), pos.expand(len(x), -1, -1)], dim=-1)
            x = block.out(x + block.mlp(read))
        return self.head(self.final_norm(x))
""")  # fmt: skip

PositionAdded = slip(
    "position is added to the stream: it is only ever read beside it",
    "pos = self.position",
    "pos = self.position\n    x = x + torch.nn.functional.pad(pos, (0, x.shape[-1] - pos.shape[-1]))",
)  # fmt: skip
NoFinalNorm = slip("the final norm is missing before the head", "self.head(self.final_norm(x))", "self.head(x)")
NoNorm1 = slip(
    "attention reads the raw stream: it reads the copy that norm_1 makes",
    "block.attention(block.norm_1(x), pos)",
    "block.attention(x, pos)",
)
NoNorm2 = slip("the MLP reads the raw stream: it reads the copy that norm_2 makes", "[block.norm_2(x)", "[x")
NoNorms = slip(
    "both sub-layers read the raw stream: each reads a copy made by its own norm, norm_1 or norm_2",
    "block.norm_1(x)", "x", "[block.norm_2(x)", "[x",
)  # fmt: skip
PositionFirst = slip(
    "the MLP reads position before content: content comes first in the concatenation",
    "[block.norm_2(x), pos.expand(len(x), -1, -1)]", "[pos.expand(len(x), -1, -1), block.norm_2(x)]",
)  # fmt: skip
SameNorm = slip("the MLP reads through norm_1: its own norm is norm_2", "[block.norm_2(x)", "[block.norm_1(x)")
PostNorm = slip(
    "the stream itself is normalised: each sub-layer reads a normalised copy and adds to the raw stream",
    "x = block.z_attn(x + block.attention(block.norm_1(x), pos))",
    "x = block.norm_1(x)\n        x = block.z_attn(x + block.attention(x, pos))",
)  # fmt: skip
NoResidualAttention = slip(
    "attention's update replaces the stream: it must be added to it",
    "block.z_attn(x + block.attention",
    "block.z_attn(block.attention",
)
NoResidual = slip(
    "the updates replace the stream: attention's and the MLP's must be added to it",
    "block.z_attn(x + block.attention", "block.z_attn(block.attention",
    "block.out(x + block.mlp(read))", "block.out(block.mlp(read))",
)  # fmt: skip
NoResidualMlp = slip(
    "the MLP's update replaces the stream: it must be added to it",
    "block.out(x + block.mlp(read))",
    "block.out(block.mlp(read))",
)
MlpWithoutPosition = slip(
    "the MLP does not see position: it reads content and position side by side",
    "pos.expand(len(x), -1, -1)]", "0 * pos.expand(len(x), -1, -1)]",
)  # fmt: skip
PositionNormalised = slip(
    "the position vectors are normalised before they are read: only the content is",
    "pos = self.position", "pos = torch.nn.functional.layer_norm(self.position, self.position.shape[-1:])",
)  # fmt: skip
Parallel = slip(
    "the MLP reads the stream before attention's update: it comes after it",
    "read = torch.cat([block.norm_2(x), pos", "read = torch.cat([block.norm_2(before), pos",
    "x = block.z_attn(", "before = x\n        x = block.z_attn(",
)  # fmt: skip
OneBlock = slip("only one block is used", "for block in self.blocks:", "for block in self.blocks[:1]:")
NoTaps = slip(
    "the stream does not pass through the taps: later exercises read and change it there",
    "block.z_attn(x + block.attention(block.norm_1(x), pos))", "x + block.attention(block.norm_1(x), pos)",
    "block.out(x + block.mlp(read))", "x + block.mlp(read)",
)  # fmt: skip
TapsUnread = slip(
    "what the taps hand on is thrown away: the stream must be what comes out of them",
    "x = block.out(x + block.mlp(read))", "x = x + block.mlp(read)\n        block.out(x)",
)  # fmt: skip
Softmax = slip(
    "it returns probabilities: the loss expects logits",
    "return self.head(self.final_norm(x))",
    "return self.head(self.final_norm(x)).softmax(-1)",
)
NormsExchanged = slip(
    "norm_1 and norm_2 are exchanged: attention reads through norm_1, the MLP through norm_2",
    "block.attention(block.norm_1(x), pos)",
    "block.attention(block.norm_2(x), pos)",
    "[block.norm_2(x), pos",
    "[block.norm_1(x), pos",
)  # fmt: skip
TapOnUpdate = slip(
    "attention's update passes through the tap, not the stream: add it to the stream first",
    "block.z_attn(x + block.attention(block.norm_1(x), pos))",
    "x + block.z_attn(block.attention(block.norm_1(x), pos))",
)  # fmt: skip
TapOnMlp = slip(
    "the MLP's update passes through the tap, not the stream: add it to the stream first",
    "block.out(x + block.mlp(read))", "x + block.out(block.mlp(read))",
)  # fmt: skip
TapsExchanged = slip(
    "the two taps are exchanged: z_attn comes after attention, out after the MLP",
    "block.z_attn(x +", "block.OUT(x +", "block.out(x +", "block.z_attn(x +", "block.OUT(", "block.out(",
)  # fmt: skip
NoAttentionTap = slip(
    "the stream does not pass through z_attn: later exercises read and change it there",
    "block.z_attn(x + block.attention(block.norm_1(x), pos))", "x + block.attention(block.norm_1(x), pos)",
)  # fmt: skip
NoOutTap = slip(
    "the stream does not pass through out: later exercises read and change it there",
    "block.out(x + block.mlp(read))", "x + block.mlp(read)",
)  # fmt: skip
TwiceThroughTap = slip(
    "the stream passes through z_attn twice: an edit there would be made twice",
    "block.z_attn(x +",
    "block.z_attn(block.z_attn(x) +"
)  # fmt: skip
AttentionWithoutPosition = slip(
    "attention does not see position",
    "block.attention(block.norm_1(x), pos)",
    "block.attention(block.norm_1(x), 0 * pos)"
)  # fmt: skip
FirstBlockAgain = slip(
    "the first block is used again and again: each block has weights of its own",
    "for block in self.blocks:", "for block in [self.blocks[0]] * len(self.blocks):",
)  # fmt: skip
Backwards = slip("the blocks run from last to first", "for block in self.blocks:", "for block in self.blocks[::-1]:")
NormInside = slip(
    "the final norm is applied after every block: it comes once, after the last",
    "block.out(x + block.mlp(read))", "self.final_norm(block.out(x + block.mlp(read)))",
    "self.head(self.final_norm(x))", "self.head(x)",
)  # fmt: skip
LogSoftmax = slip(
    "it returns log-probabilities: the loss expects logits",
    "return self.head(self.final_norm(x))", "return self.head(self.final_norm(x)).log_softmax(-1)",
)  # fmt: skip
TiedHead = slip(
    "the logits come from the token embedding: the model has a head of its own",
    "self.head(self.final_norm(x))", "self.final_norm(x) @ self.token_embedding.weight.T",
)  # fmt: skip
Scaled = slip(
    "the token embedding is scaled: the stream starts as the embedding itself",
    "x = self.token_embedding(tokens)", "x = self.token_embedding(tokens) * self.cfg.d_content**0.5",
)  # fmt: skip
PositionDetached = slip(
    "the positions are detached: they are learned, too", "pos = self.position", "pos = self.position.detach()"
)
NoGrad = slip(
    "the whole pass runs without gradients: it could not be trained",
    "x = self.token_embedding(tokens)", "torch.set_grad_enabled(False)\n    x = self.token_embedding(tokens)",
    "return self.head(self.final_norm(x))",
    "x = self.head(self.final_norm(x))\n    torch.set_grad_enabled(True)\n    return x",
)  # fmt: skip
AddedInPlace = slip(
    "the update is added in place, and the norm before it can no longer be differentiated: make a new tensor",
    "x = block.z_attn(x + block.attention(block.norm_1(x), pos))",
    "x = block.z_attn(x.add_(block.attention(block.norm_1(x), pos)))",
)  # fmt: skip
AttentionTapUnread = slip(
    "what the taps hand on is thrown away: the stream must be what comes out of them",
    "x = block.z_attn(x + block.attention(block.norm_1(x), pos))",
    "x = x + block.attention(block.norm_1(x), pos)\n        block.z_attn(x)",
)  # fmt: skip
NormAfterEveryBlock = slip(
    "the final norm is applied after every block: it comes once, after the last",
    "block.out(x + block.mlp(read))", "self.final_norm(block.out(x + block.mlp(read)))",
)  # fmt: skip
NoHead = slip(
    "the head is missing: it turns the normed stream into V logits",
    "self.head(self.final_norm(x))",
    "self.final_norm(x)",
)
Tokens = slip(
    "the most likely tokens are returned: return the logits",
    "self.head(self.final_norm(x))", "self.head(self.final_norm(x)).argmax(-1)",
)  # fmt: skip
OtherTapToo = slip(
    "the stream passes through z_attn twice: an edit there would be made twice",
    "block.out(x + block.mlp(read))", "block.out(block.z_attn(x + block.mlp(read)))",
)  # fmt: skip
AttentionAgain = slip(
    "attention's update is added a second time, with the MLP's",
    "x + block.mlp(read)", "x + block.mlp(read) + block.attention(block.norm_1(x), pos)",
)  # fmt: skip
PostNormAfter = slip(
    "the stream is normalised after attention's update: each sub-layer reads a normalised copy of it",
    "block.z_attn(x + block.attention(block.norm_1(x), pos))",
    "block.norm_1(block.z_attn(x + block.attention(x, pos)))",
)

PositionDetachedInMlp = slip(
    "only a part of the gradient reaches position: attention and the MLP both train it, so nothing is detached",
    "pos.expand(len(x), -1, -1)", "pos.detach().expand(len(x), -1, -1)",
)  # fmt: skip
PositionDetachedInAttention = slip(
    "only a part of the gradient reaches position: attention and the MLP both train it, so nothing is detached",
    "block.norm_1(x), pos)", "block.norm_1(x), pos.data)",
)  # fmt: skip
MlpFirst = slip(
    "the MLP comes before attention: attention is first",
    "x = block.z_attn(x + block.attention(block.norm_1(x), pos))\n        ", "",
    "x = block.out(x + block.mlp(read))",
    "x = block.out(x + block.mlp(read))\n        x = block.z_attn(x + block.attention(block.norm_1(x), pos))",
)  # fmt: skip
PositionNormed = slip(
    "the position vectors are normalised: they are read as they are",
    "[block.norm_2(x), pos.expand",
    "[block.norm_2(x), torch.nn.functional.layer_norm(pos, pos.shape[-1:]).expand",
)  # fmt: skip
NormAfterTheSum = slip(
    "the sum of stream and update is normalised: the norm comes before attention, and the stream is added to as it is",
    "block.z_attn(x + block.attention(block.norm_1(x), pos))",
    "block.z_attn(block.norm_1(x + block.attention(x, pos)))",
)  # fmt: skip


@right
class InSteps(Base):
    def forward(self, tokens):
        stream = torch.nn.functional.embedding(tokens, self.token_embedding.weight)
        where = self.position.repeat(tokens.shape[0], 1, 1)
        for block in self.blocks:
            update = block.attention(block.norm_1(stream), self.position)
            stream = block.z_attn(stream.add(update))
            update = block.mlp(torch.cat((block.norm_2(stream), where), 2))
            stream = block.out(stream.add(update))
        return torch.matmul(self.final_norm(stream), self.head.weight.T)


@right
class WithHelper(Base):
    def forward(self, tokens):
        def one(block, x):
            x = block.z_attn(block.attention(block.norm_1(x), self.position) + x)
            wide = torch.zeros(*x.shape[:2], x.shape[2] + self.position.shape[2])
            wide = torch.cat([block.norm_2(x), wide[..., x.shape[2] :] + self.position], -1)
            return block.out(block.mlp(wide) + x)

        x = self.token_embedding(tokens)
        for number in range(len(self.blocks)):
            x = one(self.blocks[number], x)
        return self.head(self.final_norm(x))
