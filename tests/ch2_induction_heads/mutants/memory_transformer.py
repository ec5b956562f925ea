"""Wrong answers to exercise 2.14 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_memory_pieces.py"))
Base, Block, MemoryAttention = pieces.MemoryTransformer, pieces.Block, pieces.MemoryAttention


def cached(A1, A2, h0, h1, h2):
    return {"A1": A1, "A2": A2, "h0": h0, "h1": h1, "h2": h2}


@wrong("no layer adds to the residual stream: a layer's output is added to what it read, it does not replace it")
class NoResidual(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0].attention(h0)
        h2, A2 = self.layers[1].attention(h1)
        return cached(A1, A2, h0, h1, h2)


@wrong("the first layer's output replaces the stream: it is added to what the layer read")
class FirstReplaces(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0].attention(h0)
        h2, A2 = self.layers[1](h1)
        return cached(A1, A2, h0, h1, h2)


@wrong("the second layer's output replaces the stream: it is added to what the layer read")
class SecondReplaces(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        h2, A2 = self.layers[1].attention(h1)
        return cached(A1, A2, h0, h1, h2)


@wrong("the second layer's output is added to h0: what the first layer wrote is lost from the end of the stream")
class SecondAddsToStart(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        out, A2 = self.layers[1].attention(h1)
        return cached(A1, A2, h0, h1, h0 + out)


@wrong("both layers read h0: the second must read the stream that the first has written to")
class SideBySide(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        out, A2 = self.layers[1].attention(h0)
        return cached(A1, A2, h0, h1, h1 + out)


@wrong("the stream is added twice around a layer")
class ResidualTwice(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        h1 = h0 + h1
        h2, A2 = self.layers[1](h1)
        return cached(A1, A2, h0, h1, h1 + h2)


@wrong("the first layer runs twice and the second never")
class FirstLayerTwice(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        h2, A2 = self.layers[0](h1)
        return cached(A1, A2, h0, h1, h2)


@wrong("the layers run in reverse order")
class Reversed(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[1](h0)
        h2, A2 = self.layers[0](h1)
        return cached(A1, A2, h0, h1, h2)


@wrong("only the first layer counts: the second is never run, or its result not used")
class SecondLayerIgnored(Base):
    def end(self, h2):
        return super().end(h2)

    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        _, A2 = self.layers[1](h1)
        return cached(A1, A2, h0, h1, h1)


@wrong("the positions are added again before the second layer: they are added once, at the start")
class PositionsTwice(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        h1 = h1 + self.pe[: tokens.shape[1]]
        h2, A2 = self.layers[1](h1)
        return cached(A1, A2, h0, h1, h2)


@wrong("the positions are added twice at the start: once is enough")
class PositionsDoubled(Base):
    def start(self, tokens):
        return super().start(tokens) + self.pe[: tokens.shape[1]]


@wrong("the positions are never added: the model could not tell where a token stands")
class NoPositions(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens)


@wrong("the token embeddings are never added: the model sees positions only")
class NoTokens(Base):
    def start(self, tokens):
        return 0 * self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]


@wrong("embeddings and positions are multiplied: they must be added")
class PositionsMultiplied(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) * self.pe[: tokens.shape[1]]


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


@wrong("freeze_embeddings and freeze_output are not looked at: both tables always learn")
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


@wrong("there is a LayerNorm: this model has none")
class Normed(Base):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.norm = nn.LayerNorm(cfg.dim)

    def end(self, h2):
        return self.output(self.norm(h2))


@wrong("the stream is normalised before the output map: this model has no LayerNorm")
class NormedWithoutWeights(Base):
    def end(self, h2):
        return self.output(F.layer_norm(h2, h2.shape[-1:]))


@wrong("these are probabilities, after a softmax: logits are wanted")
class Softmax(Base):
    def end(self, h2):
        return self.output(h2).softmax(-1)


@wrong("these are log-probabilities, after a log-softmax: logits are wanted")
class LogSoftmax(Base):
    def end(self, h2):
        return self.output(h2).log_softmax(-1)


@wrong("the output map is missing: what is returned is still the residual stream")
class NoOutput(Base):
    def end(self, h2):
        return h2


@wrong("only the last position gets logits: every position predicts its next token")
class LastPositionOnly(Base):
    def end(self, h2):
        return self.output(h2)[:, -1]


@wrong("the stream is cut off from the gradient between the layers (detach or no_grad)")
class Detached(Base):
    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        h2, A2 = self.layers[1](h1.detach())
        return cached(A1, A2, h0, h1, h2)


@wrong("the cache is returned whether it is asked for or not: without return_cache only the logits are")
class AlwaysCache(Base):
    def forward(self, tokens, return_cache=True):
        return super().forward(tokens, True)


@wrong("return_cache is not looked at: with it the pair (logits, cache) is wanted")
class NeverCache(Base):
    def forward(self, tokens, return_cache=False):
        return super().forward(tokens)


@wrong("the pair is returned the wrong way round: logits first, then the cache")
class PairExchanged(Base):
    def forward(self, tokens, return_cache=False):
        got = super().forward(tokens, return_cache)
        return got[::-1] if return_cache else got


@wrong("A1 and A2 have changed places in the cache")
class PatternsExchanged(Base):
    def forward(self, tokens, return_cache=False):
        cache = self.stream(tokens)
        logits = self.end(cache["h2"])
        cache["A1"], cache["A2"] = cache["A2"], cache["A1"]
        return (logits, cache) if return_cache else logits


@wrong("h1 and h2 in the cache are what the layers add: the whole residual stream is wanted")
class CachesOutputs(Base):
    def forward(self, tokens, return_cache=False):
        cache = self.stream(tokens)
        logits = self.end(cache["h2"])
        cache |= {"h1": cache["h1"] - cache["h0"], "h2": cache["h2"] - cache["h1"]}
        return (logits, cache) if return_cache else logits


@wrong("h0 in the cache is the token embedding alone: the stream that enters the first layer holds the position too")
class CachesTokensOnly(Base):
    def forward(self, tokens, return_cache=False):
        cache = self.stream(tokens)
        logits = self.end(cache["h2"])
        cache["h0"] = self.tok_embeddings(tokens)
        return (logits, cache) if return_cache else logits


@wrong("the stream is changed in place (+=): h0, h1 and h2 are then one tensor, and there is no way back for gradients")
class AddsInPlace(Base):
    def stream(self, tokens):
        h0 = h1 = h2 = self.start(tokens)
        out, A1 = self.layers[0].attention(h0)
        h1 += out
        out, A2 = self.layers[1].attention(h1)
        h2 += out
        return cached(A1, A2, h0, h1, h2)


@wrong("the cache lacks a part: its keys are A1, A2, h0, h1, h2")
class CacheLacks(Base):
    def forward(self, tokens, return_cache=False):
        got = super().forward(tokens, return_cache)
        if return_cache:
            del got[1]["h0"]
        return got


@wrong("the cache has a list of patterns and one of streams: its keys are A1, A2, h0, h1, h2")
class CacheOfLists(Base):
    def forward(self, tokens, return_cache=False):
        cache = self.stream(tokens)
        logits = self.end(cache["h2"])
        lists = {"A": [cache["A1"], cache["A2"]], "h": [cache["h0"], cache["h1"], cache["h2"]]}
        return (logits, lists) if return_cache else logits


@right
class Unrolled(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        layers = []
        for i in range(2):
            layer = nn.Module()
            layer.attention = MemoryAttention(cfg.dim, freeze_wo=i == 0)
            layers.append(layer)
        self.layers = nn.ModuleList(layers)
        self.output = nn.Linear(cfg.dim, cfg.vocab_size, bias=False)
        self.output.weight.requires_grad = not cfg.freeze_output
        table = torch.randn(cfg.vocab_size, cfg.dim)
        self.tok_embeddings = nn.Embedding.from_pretrained(table, freeze=cfg.freeze_embeddings)
        self.register_buffer("pe", torch.empty(cfg.max_length, cfg.dim).normal_())
        self.register_buffer("steps_seen", torch.zeros(()))

    def forward(self, tokens, return_cache=False):
        x = F.embedding(tokens, self.tok_embeddings.weight) + self.pe.narrow(0, 0, tokens.size(1)).unsqueeze(0)
        cache = {"h0": x}
        for number, layer in enumerate(self.layers, start=1):
            out, cache[f"A{number}"] = layer.attention(x)
            x = x + out
            cache[f"h{number}"] = x
        logits = torch.einsum("btd,vd->btv", x, self.output.weight)
        return (logits, cache) if return_cache else logits


@right
class OwnBlock(Base):
    def blocks(self, cfg):
        return nn.Sequential(Block(cfg.dim, freeze_wo=True), Block(cfg.dim))

    def start(self, tokens):
        places = torch.arange(tokens.shape[1], device=tokens.device)
        return F.embedding(places, self.pe) + self.tok_embeddings.weight[tokens]

    def forward(self, tokens, return_cache=False):
        logits, cache = super().forward(tokens, return_cache=True)
        if not return_cache:
            return logits
        return logits, {key: value.detach() for key, value in cache.items()} | {"logits": logits}


@right
class ModuleDicts(Base):
    def blocks(self, cfg):
        first = MemoryAttention(cfg.dim, False, True, True)
        second = MemoryAttention(cfg.dim)
        return nn.ModuleList([nn.ModuleDict({"attention": first}), nn.ModuleDict({"attention": second})])

    def stream(self, tokens):
        h0 = self.start(tokens)
        first, A1 = self.layers[0]["attention"](h0)
        second, A2 = self.layers[1]["attention"](h0 + first)
        return cached(A1, A2, h0, h0 + first, h0 + first + second)
