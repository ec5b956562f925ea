"""A transformer of the judge's own, which probes build beside the learner's code: torch's functions, and no answers."""

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
    """A small model with these weights (a state dict), its parts called as the chapter's: what torch has ready.

    Attention and blocks cannot be called, nor can the whole with `in_parts`, since they know nothing of a cache.
    """
    settings = SimpleNamespace(**config)

    class Part(nn.Module):
        def __init__(self, prefix, use=None):
            super().__init__()
            self.config, self.use = settings, use
            for name, value in weights.items():
                if name.startswith(prefix) and "." not in name[len(prefix) :]:
                    self.register_parameter(
                        name[len(prefix) :], nn.Parameter(value, requires_grad=not name.endswith("b_U"))
                    )

        def forward(self, *given):
            if self.use is None:
                raise RuntimeError("this part cannot be called as a whole, because it doesn't know about the cache")
            return self.use(self, *given)

    def rows(table):
        return lambda w, tokens: F.embedding(
            tokens if table == "W_E" else torch.arange(tokens.shape[1]).expand_as(tokens), getattr(w, table)
        )

    def normed(prefix):
        eps = settings.layer_normalization_epsilon
        return Part(prefix, lambda w, x: F.layer_norm(x, x.shape[-1:], w.w, w.b, eps))

    def twice(w, x):
        return F.linear(F.gelu(F.linear(x, w.W_in.mT, w.b_in), approximate="tanh"), w.W_out.mT, w.b_out)

    model = Part("-", None if in_parts else lambda w, tokens: whole_logits(weights, config, tokens))
    model.embedding = Part("embedding.", rows("W_E"))
    model.positional_embedding = Part("positional_embedding.", rows("W_P"))
    model.blocks = nn.ModuleList(Part("-") for _ in range(settings.num_transformer_layers))
    for i, block in enumerate(model.blocks):
        for name in ("layer_norm_1", "layer_norm_2"):
            setattr(block, name, normed(f"blocks.{i}.{name}."))
        block.attention, block.mlp = Part(f"blocks.{i}.attention."), Part(f"blocks.{i}.mlp.", twice)
    model.final_layer_norm = normed("final_layer_norm.")
    model.unembedding = Part("unembedding.", lambda w, x: F.linear(x, w.W_U.mT, w.b_U))
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
