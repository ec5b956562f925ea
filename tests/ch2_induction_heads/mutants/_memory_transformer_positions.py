"""More wrong answers to exercise 2.14: the positions."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_memory_pieces.py"))
Base = pieces.MemoryTransformer


@wrong("the last positions are used for a short input: take the first T rows of pe")
class LastPositions(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) + self.pe[-tokens.shape[1] :]


@wrong("the positions are taken by token number: they go by place, 0 to T - 1")
class PositionsByToken(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) + self.pe[tokens % len(self.pe)]


@wrong("one position's vector serves all places: position t gets row t of pe")
class OnePosition(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) + self.pe[tokens.shape[1] - 1]


@wrong("pe is cut to the number of sequences: its rows are positions, so the first T of them are added")
class CutToTheBatch(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) + self.pe[: len(tokens)]


@wrong("the whole table pe is added: a shorter input takes its first T rows")
class NotSliced(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) + self.pe


# Seen from outside all that is drawn in forward is one mistake.
RANDOM = "two calls on the same tokens differ: nothing random belongs in forward, and positions are drawn in __init__"


@wrong(RANDOM)
class PositionsRedrawn(Base):
    def start(self, tokens):
        self.pe = torch.randn_like(self.pe)
        return super().start(tokens)


@wrong(RANDOM)
class PositionsRedrawnLocally(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) + torch.randn(tokens.shape[1], self.pe.shape[1])


@wrong(RANDOM)
class Dropout(Base):
    def start(self, tokens):
        return F.dropout(super().start(tokens), 0.2)


@wrong("the positions are a parameter: they are a buffer, which no optimizer touches")
class TrainedPositions(Base):
    def positions(self, cfg):
        self.pe = nn.Parameter(torch.randn(cfg.max_length, cfg.dim))


@wrong("the positions are a parameter, if a frozen one: they are a buffer, which is never listed among the parameters")
class FrozenParameter(Base):
    def positions(self, cfg):
        self.pe = nn.Parameter(torch.randn(cfg.max_length, cfg.dim), requires_grad=False)


@wrong("the positions are a plain attribute: as a buffer they move and are saved with the model")
class PlainPositions(Base):
    def positions(self, cfg):
        self.pe = torch.randn(cfg.max_length, cfg.dim)


@wrong("the positions are not saved with the model (persistent=False): reloaded, it would have drawn others")
class UnsavedPositions(Base):
    def positions(self, cfg):
        self.register_buffer("pe", torch.randn(cfg.max_length, cfg.dim), persistent=False)


@wrong("all positions are alike (zeros or ones): each is a random vector of its own")
class ZeroPositions(Base):
    def positions(self, cfg):
        self.register_buffer("pe", torch.zeros(cfg.max_length, cfg.dim))


# Rounded as the probe rounds them, these start alike.
NOT_NORMAL = "the positions are not standard normal numbers (mean 0, standard deviation 1)"


@wrong(NOT_NORMAL)
class UniformPositions(Base):
    def positions(self, cfg):
        self.register_buffer("pe", torch.rand(cfg.max_length, cfg.dim))


@wrong(NOT_NORMAL)
class SmallPositions(Base):
    def positions(self, cfg):
        self.register_buffer("pe", torch.randn(cfg.max_length, cfg.dim) / cfg.dim**0.5)


@wrong("the position table has one row per token of the vocabulary: it has max_length rows")
class RowsPerToken(Base):
    def positions(self, cfg):
        self.register_buffer("pe", torch.randn(cfg.vocab_size, cfg.dim))
