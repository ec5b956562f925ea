"""Hidden tests of exercise 1.23: logits of new tokens, with keys and values of the earlier ones taken from a cache.

The model and the cache are built in the probe, of the chapter's names; the model cannot be called as a whole.
"""

import torch.nn.functional as F

from utils.grade import close, equal

B = 2
CONFIG = {
    "embedding_dimension": 12,
    "vocabulary_size": 17,
    "context_length": 13,
    "attention_head_dimension": 5,
    "num_attention_heads": 3,
    "num_transformer_layers": 2,
    "mlp_dimension": 20,
    "layer_normalization_epsilon": 1e-5,
    "weight_initialization_range": 0.02,
    "device": "cpu",
}


def probe_chunks(cached_forward, config, weights, tokens, sizes):
    """Hand the tokens over in chunks of the given sizes; logits of each chunk and the cache's length after it."""
    settings = SimpleNamespace(**config)

    class Part(nn.Module):
        def __init__(self, prefix):
            super().__init__()
            self.config = settings
            for name, value in weights.items():
                if name.startswith(prefix) and "." not in name[len(prefix) :]:
                    self.register_parameter(
                        name[len(prefix) :], nn.Parameter(value, requires_grad=not name.endswith("b_U"))
                    )

    class Embedding(Part):
        def forward(self, tokens):
            return F.embedding(tokens, self.W_E)

    class PositionalEmbedding(Part):
        def forward(self, tokens):
            return self.W_P[: tokens.shape[1]].expand(len(tokens), -1, -1)

    class LayerNorm(Part):
        def forward(self, x):
            return F.layer_norm(x, x.shape[-1:], self.w, self.b, settings.layer_normalization_epsilon)

    class MLP(Part):
        def forward(self, x):
            return F.gelu(x @ self.W_in + self.b_in, approximate="tanh") @ self.W_out + self.b_out

    class Unembedding(Part):
        def forward(self, x):
            return x @ self.W_U + self.b_U

    class OnlyParts(Part):
        def forward(self, *_):
            raise RuntimeError("this part cannot be called as a whole: it knows nothing of the cache")

    model, layers = OnlyParts("-"), settings.num_transformer_layers
    model.embedding, model.positional_embedding = Embedding("embedding."), PositionalEmbedding("positional_embedding.")
    model.blocks = nn.ModuleList(OnlyParts("-") for _ in range(layers))
    for i, block in enumerate(model.blocks):
        block.layer_norm_1, block.layer_norm_2 = (
            LayerNorm(f"blocks.{i}.layer_norm_1."),
            LayerNorm(f"blocks.{i}.layer_norm_2."),
        )
        block.attention, block.mlp = OnlyParts(f"blocks.{i}.attention."), MLP(f"blocks.{i}.mlp.")
    model.final_layer_norm, model.unembedding = LayerNorm("final_layer_norm."), Unembedding("unembedding.")

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


def random_weights(draw, config):
    """Weights whose attention scores have a standard deviation of about 1.5; random gains and biases."""
    E, V, N, H = (
        config[k] for k in ("embedding_dimension", "vocabulary_size", "num_attention_heads", "attention_head_dimension")
    )
    M, std = config["mlp_dimension"], (1.5 / E) ** 0.5
    weights = {"embedding.W_E": draw.normal(V, E), "positional_embedding.W_P": draw.normal(config["context_length"], E)}
    for i in range(config["num_transformer_layers"]):
        at = f"blocks.{i}"
        for norm in ("layer_norm_1", "layer_norm_2"):
            weights |= {f"{at}.{norm}.w": draw.normal(E, mean=1, std=0.3), f"{at}.{norm}.b": draw.normal(E, std=0.3)}
        for letter in "QKV":
            weights[f"{at}.attention.W_{letter}"] = draw.normal(N, E, H, std=std)
            weights[f"{at}.attention.b_{letter}"] = draw.normal(N, H, std=0.5)
        weights |= {
            f"{at}.attention.W_O": draw.normal(N, H, E, std=std),
            f"{at}.attention.b_O": draw.normal(E, std=0.5),
        }
        weights |= {f"{at}.mlp.W_in": draw.normal(E, M, std=std), f"{at}.mlp.b_in": draw.normal(M, std=0.5)}
        weights |= {f"{at}.mlp.W_out": draw.normal(M, E, std=M**-0.5), f"{at}.mlp.b_out": draw.normal(E, std=0.5)}
    weights |= {"final_layer_norm.w": draw.normal(E, mean=1, std=0.3), "final_layer_norm.b": draw.normal(E, std=0.3)}
    return weights | {"unembedding.W_U": draw.normal(E, V, std=std * 1), "unembedding.b_U": draw.normal(V, std=0.5)}


def whole_logits(weights, config, tokens):
    """The oracle: all positions at once, with torch's own layer norm, attention and GELU."""

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.w"], weights[f"{name}.b"], 1e-5)

    x = weights["embedding.W_E"][tokens] + weights["positional_embedding.W_P"][: tokens.shape[1]]
    for i in range(config["num_transformer_layers"]):
        a = {k: weights[f"blocks.{i}.attention.{k}"] for k in ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O")}
        y = norm(x, f"blocks.{i}.layer_norm_1")[:, None]
        q, k, v = (y @ a[f"W_{letter}"] + a[f"b_{letter}"][:, None] for letter in "QKV")
        x = x + (F.scaled_dot_product_attention(q, k, v, is_causal=True) @ a["W_O"]).sum(1) + a["b_O"]
        m = {k: weights[f"blocks.{i}.mlp.{k}"] for k in ("W_in", "b_in", "W_out", "b_out")}
        hidden = F.gelu(norm(x, f"blocks.{i}.layer_norm_2") @ m["W_in"] + m["b_in"], approximate="tanh")
        x = x + hidden @ m["W_out"] + m["b_out"]
    return norm(x, "final_layer_norm") @ weights["unembedding.W_U"] + weights["unembedding.b_U"]


def check(cached_forward, draw, sizes, says, config=CONFIG):
    weights = random_weights(draw, config)
    tokens = draw.integers(0, config["vocabulary_size"], B, sum(sizes))
    got = cached_forward.run(probe_chunks, config, weights, tokens, sizes)
    right = whole_logits(weights, config, tokens).split(sizes, dim=1)
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
