"""Wrong answers to exercise 1.8 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade import load_file, right, slips

Base = load_file(Path(__file__).with_name("_pieces.py")).TransformerBlock

FIRST, SECOND = "x + self.attention(self.layer_norm_1(x))", "x + self.mlp(self.layer_norm_2(x))"
BOTH = f"x = {FIRST}\n    return {SECOND}"
slip = slips(
    Base,
    """
    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        return x + self.mlp(self.layer_norm_2(x))
    """,
)

NoFirstResidual = slip(
    "the first residual is missing: what attention writes must be added to the stream, not replace it",
    "x + self.attention", "self.attention",
)  # fmt: skip
NoSecondResidual = slip(
    "the second residual is missing: what the MLP writes must be added to the stream, not replace it",
    "x + self.mlp", "self.mlp",
)  # fmt: skip
NoResiduals = slip(
    "both residuals are missing: each half must be added to the stream, not replace it",
    "x + self.attention", "self.attention", "x + self.mlp", "self.mlp",
)  # fmt: skip
PostNorm = slip(
    "the layer norms come after the additions (post-norm): GPT-2 normalises what each half reads (pre-norm)",
    FIRST, "self.layer_norm_1(x + self.attention(x))", SECOND, "self.layer_norm_2(x + self.mlp(x))",
)  # fmt: skip
NormOnTheOutput = slip(
    "the layer norms are applied to what the halves write: apply them to what each half reads",
    FIRST, "x + self.layer_norm_1(self.attention(x))", SECOND, "x + self.layer_norm_2(self.mlp(x))",
)  # fmt: skip
STREAM_NORMALISED = "the stream itself is normalised before the addition: normalise only the copy that a half reads"
StreamNormalised = slip(
    STREAM_NORMALISED,
    f"x = {FIRST}", "x = self.layer_norm_1(x)\n    x = x + self.attention(x)\n    x = self.layer_norm_2(x)",
    SECOND, "x + self.mlp(x)",
)  # fmt: skip
StreamNormalisedFirst = slip(
    STREAM_NORMALISED, f"x = {FIRST}", "x = self.layer_norm_1(x)\n    x = x + self.attention(x)"
)
StreamNormalisedSecond = slip(
    STREAM_NORMALISED, f"return {SECOND}", "x = self.layer_norm_2(x)\n    return x + self.mlp(x)"
)
NoNorms = slip("neither layer norm is used", "self.layer_norm_1(x)", "x", "self.layer_norm_2(x)", "x")
NoFirstNorm = slip(
    "attention reads the raw stream: layer_norm_1 is missing", "self.layer_norm_1(x)", "x"
)  # fmt: skip
NoSecondNorm = slip("the MLP reads the raw stream: layer_norm_2 is missing", "self.layer_norm_2(x)", "x")
NormsSwapped = slip(
    "the two layer norms are swapped",
    "norm_1", "norm_3", "norm_2", "norm_1", "norm_3", "norm_2",
)  # fmt: skip
FirstNormTwice = slip(
    "layer_norm_1 is used for both halves: the MLP has a layer norm of its own", "layer_norm_2", "layer_norm_1"
)
SecondNormTwice = slip(
    "layer_norm_2 is used for both halves: attention has a layer norm of its own", "layer_norm_1", "layer_norm_2"
)
Parallel = slip(
    "attention and MLP read the same stream, in parallel: the MLP must read what attention has written too",
    BOTH, f"return {FIRST} + self.mlp(self.layer_norm_2(x))",
)  # fmt: skip
ParallelOneNorm = slip(
    "attention and MLP read the same normalised copy: the MLP reads the stream after attention, through layer_norm_2",
    BOTH, "copy = self.layer_norm_1(x)\n    return x + self.attention(copy) + self.mlp(copy)",
)  # fmt: skip
LosesAttention = slip(
    "what attention wrote is lost: the second half is added to the block's input, not to the stream",
    BOTH, f"middle = {FIRST}\n    return x + self.mlp(self.layer_norm_2(middle))",
)  # fmt: skip
InputTwice = slip(
    "the input of the block is added a second time: each half is added to the stream once",
    BOTH, f"middle = {FIRST}\n    return x + middle + self.mlp(self.layer_norm_2(middle))",
)  # fmt: skip
MLP_FIRST = "the MLP comes before attention: attention comes first"
MlpFirst = slip(MLP_FIRST, BOTH, f"x = {SECOND}\n    return {FIRST}")
MlpFirstWithItsNorm = slip(
    MLP_FIRST, "self.attention", "self.other", "self.mlp", "self.attention", "self.other", "self.mlp"
)
MlpReadsAttention = slip(
    "the MLP reads only what attention wrote: it must read the whole stream after the addition",
    BOTH,
    "written = self.attention(self.layer_norm_1(x))\n    return x + written + self.mlp(self.layer_norm_2(written))",
)  # fmt: skip
NoMlp = slip("the MLP is never used", f"return {SECOND}", "return x")
NoAttention = slip("attention is never used", f"x = {FIRST}\n    ", "")
InPlace = slip("the residual stream was changed in place: add into a new tensor", "x = x +", "x +=")
Detached = slip(
    "the stream is cut off from the gradient between the halves (detach or no_grad), so the first never learns",
    FIRST, f"({FIRST}).detach()",
)  # fmt: skip
Dropout = slip(
    "two calls on the same input differ: use the parts made in __init__ and nothing random, such as dropout",
    "self.attention(self.layer_norm_1(x))", "F.dropout(self.attention(self.layer_norm_1(x)), 0.1)",
    "self.mlp(self.layer_norm_2(x))", "F.dropout(self.mlp(self.layer_norm_2(x)), 0.1)",
)  # fmt: skip
AttentionTwice = slip(
    "attention is applied twice: each half runs once", f"x = {FIRST}", f"x = {FIRST}\n    x = {FIRST}"
)
NormAtTheEnd = slip(
    "the result is normalised at the end: the stream leaves the block without a norm",
    f"return {SECOND}", f"return self.layer_norm_2({SECOND})",
)  # fmt: skip
SharedNorm = slip(
    "two parts of the block are one and the same: two layer norms, attention and MLP, each with its own weights",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.layer_norm_2 = self.layer_norm_1

def forward""",
)  # fmt: skip
HeldTwice = slip(
    "a part is held a second time, under another name: the state dict then has its weights twice, and saved ones no "
    "longer fit",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.first = nn.Sequential(self.layer_norm_1, self.attention)

def forward""", "self.attention(self.layer_norm_1(x))", "self.first(x)",
)  # fmt: skip
OwnMask = slip(
    "a tensor that the block keeps (a mask, say) goes into the state dict: saved weights would no longer fit",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.register_buffer("mask", torch.ones(config.context_length, config.context_length).tril())

def forward""",
)  # fmt: skip


@right
class InSteps(Base):
    def forward(self, residual):
        normalized = self.layer_norm_1(residual)
        after_attention = torch.add(self.attention(normalized), residual)
        normalized = self.layer_norm_2(after_attention)
        return torch.add(self.mlp(normalized), after_attention)


@right
class Looped(Base):
    def forward(self, x):
        for norm, layer in ((self.layer_norm_1, self.attention), (self.layer_norm_2, self.mlp)):
            x = sum([x, layer(norm(x))])
        return x


@right
class ByModules(Base):
    def forward(self, x):
        first = nn.Sequential(self.layer_norm_1, self.attention)(x)
        return x + first + nn.Sequential(self.layer_norm_2, self.mlp)(first + x)


@right
class InPlaceOnACopy(Base):
    def forward(self, x):
        x = x.clone()
        x += self.attention(self.layer_norm_1(x))
        x += self.mlp(self.layer_norm_2(x))
        return x


@right
class BothNormsFunctional(Base):
    def forward(self, x):
        read = lambda part, norm, stream: part(norm(stream))  # noqa: E731
        x = read(self.attention, self.layer_norm_1, x) + x
        return F.threshold(read(self.mlp, self.layer_norm_2, x), -1e30, 0.0) + x
