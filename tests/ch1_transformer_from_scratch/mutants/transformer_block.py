"""Wrong answers to exercise 1.8 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

Base = load_file(Path(__file__).with_name("_pieces.py")).TransformerBlock


@wrong("the first residual is missing: what attention writes must be added to the stream, not replace it")
class NoFirstResidual(Base):
    def forward(self, x):
        x = self.attention(self.layer_norm_1(x))
        return x + self.mlp(self.layer_norm_2(x))


@wrong("the second residual is missing: what the MLP writes must be added to the stream, not replace it")
class NoSecondResidual(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        return self.mlp(self.layer_norm_2(x))


@wrong("both residuals are missing: each half must be added to the stream, not replace it")
class NoResiduals(Base):
    def forward(self, x):
        return self.mlp(self.layer_norm_2(self.attention(self.layer_norm_1(x))))


@wrong("the layer norms come after the additions (post-norm): GPT-2 normalises what each half reads (pre-norm)")
class PostNorm(Base):
    def forward(self, x):
        x = self.layer_norm_1(x + self.attention(x))
        return self.layer_norm_2(x + self.mlp(x))


@wrong("the layer norms stand on what the halves write: they stand on what each half reads")
class NormOnTheOutput(Base):
    def forward(self, x):
        x = x + self.layer_norm_1(self.attention(x))
        return x + self.layer_norm_2(self.mlp(x))


@wrong("the stream itself is normalised before the addition: only the copy that a half reads is")
class StreamNormalised(Base):
    def forward(self, x):
        x = self.layer_norm_1(x)
        x = x + self.attention(x)
        x = self.layer_norm_2(x)
        return x + self.mlp(x)


@wrong("neither layer norm is used")
class NoNorms(Base):
    def forward(self, x):
        x = x + self.attention(x)
        return x + self.mlp(x)


@wrong("attention reads the stream as it is: layer_norm_1 is missing")
class NoFirstNorm(Base):
    def forward(self, x):
        x = x + self.attention(x)
        return x + self.mlp(self.layer_norm_2(x))


@wrong("the MLP reads the stream as it is: layer_norm_2 is missing")
class NoSecondNorm(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        return x + self.mlp(x)


@wrong("the two layer norms have changed places")
class NormsSwapped(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_2(x))
        return x + self.mlp(self.layer_norm_1(x))


@wrong("layer_norm_1 is used for both halves: the MLP has a layer norm of its own")
class FirstNormTwice(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        return x + self.mlp(self.layer_norm_1(x))


@wrong("attention and MLP read the same stream, in parallel: the MLP must read what attention has written too")
class Parallel(Base):
    def forward(self, x):
        return x + self.attention(self.layer_norm_1(x)) + self.mlp(self.layer_norm_2(x))


@wrong("what attention wrote is lost: the second half is added to the block's input, not to the stream")
class LosesAttention(Base):
    def forward(self, x):
        middle = x + self.attention(self.layer_norm_1(x))
        return x + self.mlp(self.layer_norm_2(middle))


@wrong("the input of the block is added a second time: each half is added to the stream once")
class InputTwice(Base):
    def forward(self, x):
        middle = x + self.attention(self.layer_norm_1(x))
        return x + middle + self.mlp(self.layer_norm_2(middle))


@wrong("the MLP comes before attention: the order is attention first")
class MlpFirst(Base):
    def forward(self, x):
        x = x + self.mlp(self.layer_norm_2(x))
        return x + self.attention(self.layer_norm_1(x))


@wrong("the MLP reads only what attention wrote: it must read the whole stream after the addition")
class MlpReadsAttention(Base):
    def forward(self, x):
        written = self.attention(self.layer_norm_1(x))
        return x + written + self.mlp(self.layer_norm_2(written))


@wrong("the MLP is never used")
class NoMlp(Base):
    def forward(self, x):
        return x + self.attention(self.layer_norm_1(x))


@wrong("attention is never used")
class NoAttention(Base):
    def forward(self, x):
        return x + self.mlp(self.layer_norm_2(x))


@wrong("the residual stream was changed in place: add into a new tensor")
class InPlace(Base):
    def forward(self, x):
        x += self.attention(self.layer_norm_1(x))
        return x + self.mlp(self.layer_norm_2(x))


@wrong("the stream is cut off from the gradient between the halves (detach or no_grad), so the first never learns")
class Detached(Base):
    def forward(self, x):
        x = (x + self.attention(self.layer_norm_1(x))).detach()
        return x + self.mlp(self.layer_norm_2(x))


@wrong("two calls on the same input differ: nothing random (dropout) belongs into this block")
class Dropout(Base):
    def forward(self, x):
        x = x + F.dropout(self.attention(self.layer_norm_1(x)), 0.1)
        return x + F.dropout(self.mlp(self.layer_norm_2(x)), 0.1)


@wrong("layer_norm_2 is used for both halves: attention has a layer norm of its own")
class SecondNormTwice(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_2(x))
        return x + self.mlp(self.layer_norm_2(x))


@wrong("the MLP comes before attention: the order is attention first")
class MlpFirstWithItsNorm(Base):
    def forward(self, x):
        x = x + self.mlp(self.layer_norm_1(x))
        return x + self.attention(self.layer_norm_2(x))


@wrong(
    "attention and MLP read the same normalised copy: the MLP reads the stream after attention, through layer_norm_2"
)
class ParallelOneNorm(Base):
    def forward(self, x):
        copy = self.layer_norm_1(x)
        return x + self.attention(copy) + self.mlp(copy)


@wrong("the stream itself is normalised before the addition: only the copy that a half reads is")
class StreamNormalisedFirst(Base):
    def forward(self, x):
        x = self.layer_norm_1(x)
        x = x + self.attention(x)
        return x + self.mlp(self.layer_norm_2(x))


@wrong("the stream itself is normalised before the addition: only the copy that a half reads is")
class StreamNormalisedSecond(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        x = self.layer_norm_2(x)
        return x + self.mlp(x)


@wrong("attention is applied twice: each half runs once")
class AttentionTwice(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        x = x + self.attention(self.layer_norm_1(x))
        return x + self.mlp(self.layer_norm_2(x))


@wrong("the result is normalised at the end: the stream leaves the block as it is")
class NormAtTheEnd(Base):
    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        return self.layer_norm_2(x + self.mlp(self.layer_norm_2(x)))


@wrong("two parts of the block are one and the same: two layer norms, attention and MLP, each with its own weights")
class SharedNorm(Base):
    def __init__(self, config):
        super().__init__(config)
        self.layer_norm_2 = self.layer_norm_1


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
class InSequentials(Base):
    def __init__(self, config):
        super().__init__(config)
        first = nn.Sequential(self.layer_norm_1, self.attention)
        self.halves = nn.ModuleList([first, nn.Sequential(self.layer_norm_2, self.mlp)])

    def forward(self, x):
        for half in self.halves:
            x = x + half(x)
        return x
