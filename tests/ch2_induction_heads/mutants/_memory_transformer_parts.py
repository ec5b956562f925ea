"""More wrong answers to exercise 2.14: which parts there are, and which of them learn."""

from pathlib import Path

from torch import nn

from utils.grade.mutants import wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_memory_pieces.py"))
Base, Block = pieces.MemoryTransformer, pieces.Block


@wrong("W_O of the first layer is trainable: it stays frozen, only W_K learns there")
class FirstOutputTrained(Base):
    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim), Block(cfg.dim)])


@wrong("W_O of the second layer is frozen: it is one of the three memories that learn")
class SecondOutputFrozen(Base):
    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim, freeze_wo=True), Block(cfg.dim, freeze_wo=True)])


@wrong("W_V is trainable: it stays frozen in both layers")
class ValuesTrained(Base):
    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim, freeze_wv=False, freeze_wo=True), Block(cfg.dim, freeze_wv=False)])


@wrong("W_V of the second layer is trainable: it stays frozen in both layers")
class SecondValueTrained(Base):
    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim, freeze_wo=True), Block(cfg.dim, freeze_wv=False)])


@wrong("W_O is frozen in the second layer and trained in the first: it must be the other way round")
class OutputsExchanged(Base):
    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim), Block(cfg.dim, freeze_wo=True)])


@wrong("W_K of the first layer is frozen: it is one of the three memories that learn")
class FirstKeyFrozen(Base):
    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim, freeze_wk=True, freeze_wo=True), Block(cfg.dim)])


@wrong("both layers are one and the same: each has matrices of its own")
class SharedLayer(Base):
    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim, freeze_wo=True)] * 2)


@wrong("the layers are kept in a plain list, where torch does not see them: they would not be trained or saved")
class PlainList(Base):
    def blocks(self, cfg):
        return list(super().blocks(cfg))


@wrong("freeze_embeddings and freeze_output are ignored: both tables always learn")
class FlagsIgnored(Base):
    def freeze(self, cfg):
        pass


@wrong("embeddings and output are always frozen: look at freeze_embeddings and freeze_output")
class AlwaysFrozen(Base):
    def freeze(self, cfg):
        self.tok_embeddings.weight.requires_grad_(False)
        self.output.weight.requires_grad_(False)


@wrong("freeze_embeddings freezes the output map, and the other way round")
class FlagsExchanged(Base):
    def freeze(self, cfg):
        self.tok_embeddings.weight.requires_grad_(not cfg.freeze_output)
        self.output.weight.requires_grad_(not cfg.freeze_embeddings)


@wrong("the flags are the wrong way round: requires_grad is True for what is to learn")
class FreezesTheOthers(Base):
    def freeze(self, cfg):
        self.tok_embeddings.weight.requires_grad_(cfg.freeze_embeddings)
        self.output.weight.requires_grad_(cfg.freeze_output)


@wrong("the output map has a bias: all maps are bias-free")
class OutputBias(Base):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.output = nn.Linear(cfg.dim, cfg.vocab_size)


@wrong("the output map uses the embedding table: it has a weight of its own")
class Tied(Base):
    def end(self, h2):
        return h2 @ self.tok_embeddings.weight.T + 0 * self.output(h2)
