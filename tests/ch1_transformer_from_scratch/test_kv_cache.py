"""Hidden tests of exercise 1.22: what is appended comes back in order, layer by layer, and length counts tokens."""

import torch

from utils.grade import close, equal, require

B, N, H, LAYERS, CONTEXT = 2, 3, 5, 4, 16
CONFIG = {
    "embedding_dimension": 12,
    "vocabulary_size": 11,
    "context_length": CONTEXT,
    "attention_head_dimension": H,
    "num_attention_heads": N,
    "num_transformer_layers": LAYERS,
    "mlp_dimension": 20,
    "layer_normalization_epsilon": 1e-5,
    "weight_initialization_range": 0.02,
    "device": "cpu",
}


def probe_cache(KVCache, config, batch_size, chunks, others):
    """Append chunks {"keys", "values"} (L, B, T, N, H) to one cache, `others` to a second one in between.

    Returns what came back of each append and the length after each chunk (and before the first).
    """

    def length(cache):
        return int(cache.length() if callable(cache.length) else cache.length)

    cache, second = KVCache(SimpleNamespace(**config), batch_size), KVCache(SimpleNamespace(**config), batch_size)
    lengths, keys, values = [length(cache)], [], []
    for number, chunk in enumerate(chunks):
        back = [
            cache.append(layer, k, v) for layer, (k, v) in enumerate(zip(chunk["keys"], chunk["values"], strict=True))
        ]
        keys.append([pair[0].clone() for pair in back])
        values.append([pair[1].clone() for pair in back])
        lengths.append(length(cache))
        if number < len(others):
            for layer, (k, v) in enumerate(zip(others[number]["keys"], others[number]["values"], strict=True)):
                second.append(layer, k, v)
    return {"keys": keys, "values": values, "lengths": lengths, "second": length(second)}


def chunk(draw, size, layers=LAYERS):
    return {"keys": draw.normal(layers, B, size, N, H), "values": draw.normal(layers, B, size, N, H)}


def run(KVCache, draw, sizes, others=(), config=CONFIG):
    chunks = [chunk(draw, size, config["num_transformer_layers"]) for size in sizes]
    return KVCache.run(probe_cache, config, B, chunks, [chunk(draw, size) for size in others]), chunks


def check(got, chunks, says):
    for kind in ("keys", "values"):
        for number in range(len(chunks)):
            right = torch.cat([c[kind] for c in chunks[: number + 1]], dim=2)
            for layer, back in enumerate(got[kind][number]):
                close(back, right[layer], says, name=f"the tensor of all {kind} of a layer")


def test_first_chunk_comes_back(KVCache, draw):
    got, chunks = run(KVCache, draw, [4 + draw.index], config={**CONFIG, "num_transformer_layers": 1})
    check(got, chunks, "what was appended to an empty cache must come back as it is, keys first")


def test_chunks_follow_each_other(KVCache, draw):
    got, chunks = run(KVCache, draw, [3, 2 + draw.index, 1], config={**CONFIG, "num_transformer_layers": 1})
    check(got, chunks, "new keys and values must stand after the earlier ones along the sequence")


def test_layers_are_kept_apart(KVCache, draw):
    got, chunks = run(KVCache, draw, [3, 1, 2])
    check(got, chunks, "with several layers, one gets back what belongs to another, or in the wrong place")


def test_length(KVCache, draw):
    sizes = [3, 1 + draw.index, 4]
    got, _ = run(KVCache, draw, sizes)
    right = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    equal(got["lengths"], right, f"after chunks of {sizes} tokens through all layers, length must count the tokens")


def test_caches_are_independent(KVCache, draw):
    got, chunks = run(KVCache, draw, [3, 2], others=[4])
    check(got, chunks, "a second cache changes what the first one holds")
    equal(got["second"], 4, "the length of a second cache counts the first one's tokens")
    equal(got["lengths"], [0, 3, 5], "the length of a cache counts another one's tokens")


def test_full_context(KVCache, draw):
    got, chunks = run(KVCache, draw, [CONTEXT - 5, 4, 1])
    check(got, chunks, "the cache must hold as many tokens as the context")
    require(got["lengths"][-1] == CONTEXT, "the length of a full cache must be context_length")
