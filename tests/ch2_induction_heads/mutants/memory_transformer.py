"""Wrong answers to exercise 2.14 that learners write, and right ones written differently."""

from collections import OrderedDict
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


@wrong("the positions are never added: the model could not tell where a token is")
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


PADDING = "token 0 is a token like any other: with padding_idx=0 its embedding is zero and gets no gradient"


@wrong(PADDING)
class PaddingIndex(Base):
    def start(self, tokens):
        return F.embedding(tokens, self.tok_embeddings.weight, padding_idx=0) + self.pe[: tokens.shape[1]]


@wrong("token 0 is taken for a blank, and its embedding for zero: it is a token like any other")
class TokenZeroIsBlank(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) * (tokens != 0)[..., None] + self.pe[: tokens.shape[1]]


@wrong("the embeddings or the unembedding are set to zero: both keep the random start of the given lines")
class EmptyEmbeddings(Base):
    def __init__(self, cfg):
        super().__init__(cfg)
        torch.nn.init.zeros_(self.tok_embeddings.weight)


@wrong("the embeddings are multiplied by the root of d: the stream begins with embedding plus position as they are")
class ScaledEmbeddings(Base):
    def start(self, tokens):
        return self.tok_embeddings(tokens) * self.cfg.dim**0.5 + self.pe[: tokens.shape[1]]


@wrong("the positions are added again before the second layer: they come in once, at the bottom")
class PositionsForBothLayers(Base):
    def stream(self, tokens):
        pe = self.pe[: tokens.shape[1]]
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        out, A2 = self.layers[1].attention(h1 + pe)
        return {"A1": A1, "A2": A2, "h0": h0, "h1": h1, "h2": h1 + out}


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


@right
class OrderedCache(pieces.MemoryTransformer):
    def forward(self, tokens, return_cache=False):
        cache = OrderedDict(self.stream(tokens))
        logits = self.end(cache["h2"])
        return (logits, cache) if return_cache else logits


globals().update(pieces.marked("_memory_transformer_parts.py"))


globals().update(pieces.marked("_memory_transformer_positions.py"))


globals().update(pieces.marked("_memory_transformer_cache.py"))
