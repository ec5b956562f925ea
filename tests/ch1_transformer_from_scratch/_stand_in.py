"""A transformer of the judge's own, of the chapter's names, which probes build beside the learner's code."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

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


def stand_in(config, weights, in_parts=False):
    """A small Transformer with these weights (a state dict).

    `in_parts`: attention, blocks and the whole cannot be called, since they know nothing of a cache.
    """
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

    class Whole(Part):
        def __call__(self, *given):
            if in_parts:
                raise RuntimeError("this part cannot be called as a whole: it knows nothing of the cache")
            return super().__call__(*given)

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

    class Attention(Whole):
        def forward(self, x):
            q, k, v = (
                torch.einsum("bte,neh->bnth", x, getattr(self, "W_" + c)) + getattr(self, "b_" + c)[:, None]
                for c in "QKV"
            )
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return torch.einsum("bnth,nhe->bte", mixed, self.W_O) + self.b_O

    class Block(Whole):
        def forward(self, x):
            x = x + self.attention(self.layer_norm_1(x))
            return x + self.mlp(self.layer_norm_2(x))

    class Transformer(Whole):
        def forward(self, tokens):
            x = self.embedding(tokens) + self.positional_embedding(tokens)
            for block in self.blocks:
                x = block(x)
            return self.unembedding(self.final_layer_norm(x))

    model = Transformer("-")
    model.embedding, model.positional_embedding = Embedding("embedding."), PositionalEmbedding("positional_embedding.")
    model.blocks = nn.ModuleList(Block("-") for _ in range(settings.num_transformer_layers))
    for i, block in enumerate(model.blocks):
        block.layer_norm_1, block.layer_norm_2 = (
            LayerNorm(f"blocks.{i}.layer_norm_1."),
            LayerNorm(f"blocks.{i}.layer_norm_2."),
        )
        block.attention, block.mlp = Attention(f"blocks.{i}.attention."), MLP(f"blocks.{i}.mlp.")
    model.final_layer_norm, model.unembedding = LayerNorm("final_layer_norm."), Unembedding("unembedding.")
    return model


def random_weights(draw, config, sharpness=1.0):
    """Weights whose attention scores have a standard deviation of about 1.5; random gains and biases.

    `sharpness`: the scale of the logits, 1 for a spread of about 1.2.
    """
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
    return weights | {
        "unembedding.W_U": draw.normal(E, V, std=std * sharpness),
        "unembedding.b_U": draw.normal(V, std=0.5),
    }


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
