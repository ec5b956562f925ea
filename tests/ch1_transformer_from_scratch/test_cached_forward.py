"""Hidden tests of exercise 1.23: logits of new tokens, with keys and values of the earlier ones taken from a cache.

The model and the cache are built in the probe, of the chapter's names; the model cannot be called as a whole.
"""

from pathlib import Path

from utils.grade import close, equal, load_file, raises, takes_along

ours = load_file(Path(__file__).with_name("_stand_in.py"))
CONFIG = ours.CONFIG

B = 2


@takes_along(ours.stand_in, ours.whole_logits)
def probe_chunks(cached_forward, config, weights, tokens, sizes):
    """Hand the tokens over in chunks of the given sizes; logits of each chunk and the cache's length after it."""
    model, layers = stand_in(config, weights, in_parts=True), config["num_transformer_layers"]

    class Cache:
        def __init__(self):
            self.kept = [[] for _ in range(layers)]

        def append(self, layer, keys, values):
            self.kept[layer].append((keys, values))
            return tuple(torch.cat(parts, dim=1) for parts in zip(*self.kept[layer], strict=True))

        @property
        def length(self):
            return min(sum(keys.shape[1] for keys, _ in parts) for parts in self.kept)

    cache, logits, lengths = Cache(), [], []
    for part in tokens.split(sizes, dim=1):
        logits.append(cached_forward(model, part.clone(), cache))
        lengths.append(cache.length)
    return {"logits": logits, "lengths": lengths}


def check(cached_forward, draw, sizes, says, config=CONFIG):
    weights = ours.random_weights(draw, config)
    tokens = draw.integers(0, config["vocabulary_size"], B, sum(sizes))
    got = cached_forward.run(probe_chunks, config, weights, tokens, sizes)
    right = ours.whole_logits(weights, config, tokens).split(sizes, dim=1)
    for logits, expected in zip(got["logits"], right, strict=True):
        close(logits, expected, says, name="the logits of a chunk", rtol=1e-3, atol=1e-3, inputs={"tokens": tokens})
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    equal(got["lengths"], ends, "after each chunk the cache must hold its keys and values, of every layer, once")


def test_one_layer_first_chunk(cached_forward, draw):
    says = "with an empty cache and one layer the logits already differ from the model's own"
    check(cached_forward, draw, [5 + draw.index], says, {**CONFIG, "num_transformer_layers": 1})


def test_second_chunk_of_one_token(cached_forward, draw):
    says = "the first chunk is right, but a single token after it gets wrong logits"
    check(cached_forward, draw, [4 + draw.index, 1], says, {**CONFIG, "num_transformer_layers": 1})


def test_token_by_token_through_all_layers(cached_forward, draw):
    check(cached_forward, draw, [1] * 6, "token by token through several layers the logits go wrong")


def test_chunks_of_several_tokens(cached_forward, draw):
    sizes = [[5, 7], [2, 3, 1, 6]][draw.index]
    says = "when a chunk of several tokens meets a filled cache the logits are wrong"
    check(cached_forward, draw, sizes, says)


def test_up_to_the_context_length(cached_forward, draw):
    says = "the last positions of the context get wrong logits"
    check(cached_forward, draw, [6, CONFIG["context_length"] - 7 - draw.index, 1 + draw.index], says)


def test_past_the_context(cached_forward, draw):
    context = CONFIG["context_length"]
    sizes = [[context + 1], [context - 4, 5]][draw.index]  # at once, then what is in the cache and the new ones
    tokens = draw.integers(0, CONFIG["vocabulary_size"], B, sum(sizes))
    says = f"chunks of {sizes} tokens do not fit the context of {context}, so a ValueError must be raised"
    with raises(says, "ValueError"):
        cached_forward.run(probe_chunks, CONFIG, ours.random_weights(draw, CONFIG), tokens, sizes)
