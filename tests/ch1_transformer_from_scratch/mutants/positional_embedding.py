"""Wrong answers to exercise 1.2 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

Base = load_file(Path(__file__).with_name("_pieces.py")).PositionalEmbedding


@wrong("the batch axis is missing: the same positions must come once for each row of the batch")
class NoBatch(Base):
    def forward(self, tokens):
        return self.W_P[: tokens.shape[1]]


@wrong("the batch axis has length 1: the same positions must come once for each row of the batch")
class BatchOfOne(Base):
    def forward(self, tokens):
        return self.W_P[: tokens.shape[1]][None]


@wrong("the tokens index the table: W_P is indexed by where a token is, not by which token it is")
class ByToken(Base):
    def forward(self, tokens):
        return self.W_P[tokens]


@wrong("the positions start at 1: the first token is at position 0")
class StartsAtOne(Base):
    def forward(self, tokens):
        return self.W_P[(torch.arange(tokens.shape[1]) + 1) % len(self.W_P)].expand(len(tokens), -1, -1)


@wrong("the number of rows taken from W_P is the batch size: the length of the sequence is the other axis of tokens")
class BatchForLength(Base):
    def forward(self, tokens):
        return self.W_P[: len(tokens)].expand(len(tokens), -1, -1)


@wrong("all of W_P is returned: a sequence shorter than the context takes the first rows only")
class WholeContext(Base):
    def forward(self, tokens):
        return self.W_P.expand(len(tokens), -1, -1)


@wrong("the last rows of W_P are taken: a short sequence starts at position 0")
class LastRows(Base):
    def forward(self, tokens):
        return self.W_P[-tokens.shape[1] :].expand(len(tokens), -1, -1)


@wrong("the positions run backwards: the first token is at position 0")
class Backwards(Base):
    def forward(self, tokens):
        return self.W_P[: tokens.shape[1]].flip(0).expand(len(tokens), -1, -1)


@wrong("positions are mixed between the rows of the batch: repeating and then reshaping puts them out of order")
class MixedRows(Base):
    def forward(self, tokens):
        rows, length = tokens.shape
        return self.W_P[:length].repeat_interleave(rows, dim=0).reshape(rows, length, -1)


@wrong("only the first row of the batch gets its positions: the others need the same ones")
class FirstRowOnly(Base):
    def forward(self, tokens):
        first = F.pad(self.W_P[: tokens.shape[1]][None], (0, 0, 0, 0, 0, len(tokens) - 1))
        return first


@wrong("a sequence as long as the context fails or loses a position: positions run up to context_length - 1")
class LosesTheLast(Base):
    def forward(self, tokens):
        positions = torch.arange(tokens.shape[1]).clamp(max=self.config.context_length - 2)
        return self.W_P[positions].expand(len(tokens), -1, -1)


@wrong("the table is cut off from the gradient (detach, .data or no_grad), so W_P would never be trained")
class Detached(Base):
    def forward(self, tokens):
        with torch.no_grad():
            return self.W_P[: tokens.shape[1]].expand(len(tokens), -1, -1)


@wrong("these are the fixed sines and cosines: GPT-2 learns its positional embedding, the rows of W_P")
class Sinusoidal(Base):
    def forward(self, tokens):
        time = torch.arange(tokens.shape[1])[:, None]
        channel = torch.arange(self.W_P.shape[1])[None]
        angle = time / 10000 ** (2 * (channel // 2) / self.W_P.shape[1])
        wave = torch.where(channel % 2 == 0, angle.sin(), angle.cos())
        return wave.expand(len(tokens), -1, -1)


@right
class Repeated(Base):
    def forward(self, tokens):
        return self.W_P[: tokens.size(-1)].repeat(tokens.size(0), 1, 1)


@right
class ByIndex(Base):
    def forward(self, tokens):
        return F.embedding(torch.arange(tokens.shape[1]).expand_as(tokens), self.W_P)


@right
class RowByRow(Base):
    def forward(self, tokens):
        return torch.stack([torch.stack([self.W_P[t] for t, _ in enumerate(row)]) for row in tokens])
