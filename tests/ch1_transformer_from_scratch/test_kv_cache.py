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


def probe_cache(KVCache, config, batch_size, chunks):
    """Append chunks {"keys", "values"} (L, B, T, N, H) to a cache: what came back of each append, the lengths before
    and after each, whether an earlier result has changed, and whether two caches share what they hold.
    """
    kinds = []

    def length(cache):
        found = cache.length
        kinds.append(type(found).__name__)
        return int(found() if callable(found) else found)

    def fill(cache, chunk):
        parts = enumerate(zip(chunk["keys"], chunk["values"], strict=True))
        return [cache.append(layer, keys, values) for layer, (keys, values) in parts]

    def two_tensors(back):
        return isinstance(back, (tuple, list)) and len(back) == 2 and all(torch.is_tensor(part) for part in back)

    one, other = KVCache(SimpleNamespace(**config), batch_size), KVCache(SimpleNamespace(**config), batch_size)
    fill(one, chunks[0])
    (kept, *_) = fill(other, chunks[0])
    if not two_tensors(kept):
        inside = [type(part).__name__ for part in kept] if isinstance(kept, (tuple, list)) else []
        return {"shared": False, "returned": type(kept).__name__, "inside": sorted(set(inside))}
    if kept[0].numel() > chunks[0]["keys"][0].numel():
        length_of_three = length(KVCache(SimpleNamespace(**config), batch_size))
        if length_of_three:  # a cache of its own would be empty: what a class keeps grows from call to call
            return {"shared": True}
    cache = KVCache(SimpleNamespace(**config), batch_size)
    lengths, keys, values, held = [length(cache)], [], [], []
    for chunk in chunks:
        back = fill(cache, chunk)
        held += [part for pair in back for part in pair]
        keys.append([pair[0].clone() for pair in back])
        values.append([pair[1].clone() for pair in back])
        lengths.append(length(cache))
    copies = [part for pair in zip(keys, values, strict=True) for two in zip(*pair, strict=True) for part in two]
    changed = any(not torch.equal(now, then) for now, then in zip(held, copies, strict=True))
    told = {"shared": False, "changed": changed, "kind": kinds[0]}
    return {**told, "keys": keys, "values": values, "lengths": lengths}


def chunk(draw, size, layers=LAYERS):
    return {"keys": draw.normal(layers, B, size, N, H), "values": draw.normal(layers, B, size, N, H)}


def run(KVCache, draw, sizes, config=CONFIG):
    chunks = [chunk(draw, size, config["num_transformer_layers"]) for size in sizes]
    got = KVCache.run(probe_cache, config, B, chunks)
    says = "a new cache already holds what another one was given: make its store in __init__, not once for the class"
    require(not got["shared"], says)
    returned = got.get("returned", "")
    says = "append must return two tensors, all keys and all values of the layer"
    if returned:
        of = f" of {' and '.join(got['inside'])}" if got["inside"] else ""
        require(False, f"{says}, but it returns {'nothing' if returned == 'NoneType' else f'a {returned}{of}'}")
    return got, chunks


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
    check(got, chunks, "new keys and values must come after the earlier ones along the sequence")


def test_layers_are_kept_apart(KVCache, draw):
    got, chunks = run(KVCache, draw, [3, 1, 2])
    check(
        got, chunks, "with several layers, one layer gets back what belongs to another, or gets it in the wrong place"
    )


def test_length(KVCache, draw):
    sizes = [3, 1 + draw.index, 4]
    got, _ = run(KVCache, draw, sizes)
    method = got["kind"] in ("method", "function")
    require(not method, "length is read without brackets, but it is a method: keep @property above it")
    require(got["kind"] == "int", f"length must be a Python int, but it is a {got['kind']}")
    right = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    equal(got["lengths"], right, f"after chunks of {sizes} tokens through all layers, length must count the tokens")


def test_what_was_returned_stays(KVCache, draw):
    got, _ = run(KVCache, draw, [3, 2 + draw.index, 4])
    says = "keys or values that an earlier append returned have changed since: the caller may still need them"
    require(not got["changed"], says)


def test_full_context(KVCache, draw):
    got, chunks = run(KVCache, draw, [CONTEXT - 5, 4, 1])
    check(got, chunks, "the cache must hold as many tokens as the context")
    require(got["lengths"][-1] == CONTEXT, "the length of a full cache must be context_length")
