"""More wrong answers to exercise 2.14: the cache and the form of the result."""

from pathlib import Path

from utils.grade.mutants import wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_memory_pieces.py"))
Base = pieces.MemoryTransformer


@wrong("the cache is returned whether it is asked for or not: without return_cache only the logits are")
class AlwaysCache(Base):
    def forward(self, tokens, return_cache=True):
        return super().forward(tokens, True)


@wrong("return_cache is ignored: with it the pair (logits, cache) is wanted")
class NeverCache(Base):
    def forward(self, tokens, return_cache=False):
        return super().forward(tokens)


@wrong("the pair is returned the wrong way round: logits first, then the cache")
class PairExchanged(Base):
    def forward(self, tokens, return_cache=False):
        got = super().forward(tokens, return_cache)
        return got[::-1] if return_cache else got


@wrong("A1 and A2 are swapped in the cache")
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


@wrong("h0, h1 and h2 in the cache are one and the same tensor, since += changes it in place: add into a new one")
class CachesOneTensor(Base):
    def forward(self, tokens, return_cache=False):
        h = self.start(tokens)
        cache = {"h0": h}
        for i in (0, 1):
            out, cache[f"A{i + 1}"] = self.layers[i].attention(h.clone())
            h += out
            cache[f"h{i + 1}"] = h
        logits = self.end(h)
        return (logits, cache) if return_cache else logits
