"""Wrong answers to exercise 1.1 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

Base = load_file(Path(__file__).with_name("_pieces.py")).Embedding


@wrong("the table is indexed by the position in the sequence: it must be indexed by the token at that position")
class ByPosition(Base):
    def forward(self, tokens):
        return self.W_E[torch.arange(tokens.shape[1])].expand(len(tokens), -1, -1)


@wrong("every row of the batch gets the vectors of the first row: look up the whole tokens tensor, not one row of it")
class FirstRowOnly(Base):
    def forward(self, tokens):
        return torch.stack([self.W_E[tokens[0]] for _ in tokens])


@wrong("the batch axis is lost: only one row of tokens is looked up")
class NoBatch(Base):
    def forward(self, tokens):
        return self.W_E[tokens[0]]


@wrong("the vectors are multiplied by the root of E: the original transformer did so, GPT-2 takes them as they are")
class ScaledByRoot(Base):
    def forward(self, tokens):
        return self.W_E[tokens] * self.config.embedding_dimension**0.5


@wrong("the token ids are shifted by one: ids start at 0, as rows do")
class OffByOne(Base):
    def forward(self, tokens):
        return self.W_E[tokens - 1]


@wrong("token 0 is treated as padding and given zeros: it is an ordinary token here")
class PaddingZero(Base):
    def forward(self, tokens):
        return self.W_E[tokens] * (tokens != 0)[..., None]


@wrong("token 0 is treated as padding and never learns: padding_idx stops the gradient of its row")
class PaddingIndex(Base):
    def forward(self, tokens):
        return F.embedding(tokens, self.W_E, padding_idx=0)


@wrong("the table is cut off from the gradient (detach, .data or no_grad), so W_E would never be trained")
class Detached(Base):
    def forward(self, tokens):
        return self.W_E.detach()[tokens]


@wrong("a new, random table is made at every call: W_E of this module is never used")
class NewTable(Base):
    def forward(self, tokens):
        torch.manual_seed(0)
        return nn.Embedding(self.config.vocabulary_size, self.config.embedding_dimension)(tokens)


@wrong("each vector is scaled to length 1: return the row of W_E unchanged")
class UnitLength(Base):
    def forward(self, tokens):
        return F.normalize(self.W_E[tokens], dim=-1)


@wrong("the tokens pick columns of W_E: the vector of a token is a row, and rows are counted along the first axis")
class Columns(Base):
    def forward(self, tokens):
        return self.W_E[:, tokens].permute(1, 2, 0)


@wrong("the one-hot table holds integers, and torch can't multiply it with floats: turn it into floats first")
class OneHotOfIntegers(Base):
    def forward(self, tokens):
        return F.one_hot(tokens, len(self.W_E)) @ self.W_E


@wrong("the token ids are shifted by one: ids start at 0, as rows do")
class OffByOneUp(Base):
    def forward(self, tokens):
        return self.W_E[(tokens + 1) % len(self.W_E)]


@right
class OneHot(Base):
    def forward(self, tokens):
        return F.one_hot(tokens, self.config.vocabulary_size).to(self.W_E.dtype) @ self.W_E


@right
class Select(Base):
    def forward(self, tokens):
        flat = torch.index_select(self.W_E, 0, tokens.reshape(-1))
        return flat.view(*tokens.shape, -1)


@right
class Functional(Base):
    def forward(self, tokens):
        return F.embedding(tokens, self.W_E)


@right
class TokenByToken(Base):
    def forward(self, tokens):
        result = torch.zeros(*tokens.shape, self.config.embedding_dimension)
        for b, row in enumerate(tokens):
            for t, token in enumerate(row):
                result[b, t] = self.W_E[token]
        return result
