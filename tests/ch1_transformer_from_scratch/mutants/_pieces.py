"""Right pieces, written compactly, for the known wrong answers to build on: each of those differs in one thing."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def normal(config, *shape):
    """A trainable weight matrix drawn as the chapter does."""
    return nn.Parameter(torch.randn(*shape) * config.weight_initialization_range)


def zeros(*shape):
    return nn.Parameter(torch.zeros(*shape))


def causal(scores):
    """Scores with the future hidden; query i stands at position i + T_K - T_Q."""
    queries, keys = scores.shape[-2:]
    visible = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
    return scores.masked_fill(~visible, float("-inf"))


def gelu(x):
    return F.gelu(x, approximate="tanh")


class Embedding(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.W_E = normal(config, config.vocabulary_size, config.embedding_dimension)

    def forward(self, tokens):
        return self.W_E[tokens]


class PositionalEmbedding(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.W_P = normal(config, config.context_length, config.embedding_dimension)

    def forward(self, tokens):
        return self.W_P[: tokens.shape[1]].expand(len(tokens), -1, -1)


class LayerNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = zeros(config.embedding_dimension)

    @property
    def eps(self):
        return self.config.layer_normalization_epsilon

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.w, self.b, self.eps)


class Attention(nn.Module):
    """Multi-head causal self-attention in steps, each of which a wrong answer can replace."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        width, heads, head = (
            config.embedding_dimension,
            config.num_attention_heads,
            config.attention_head_dimension,
        )
        self.W_Q, self.W_K, self.W_V = (normal(config, heads, width, head) for _ in range(3))
        self.b_Q, self.b_K, self.b_V = (zeros(heads, head) for _ in range(3))
        self.W_O = normal(config, heads, head, width)
        self.b_O = zeros(width)

    def queries(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_Q) + self.b_Q[:, None]

    def keys(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_K) + self.b_K[:, None]

    def values(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_V) + self.b_V[:, None]

    def scores(self, q, k):
        return q @ k.transpose(-1, -2) / math.sqrt(self.config.attention_head_dimension)

    def pattern(self, scores):
        return causal(scores).softmax(-1)

    def output(self, z):
        return torch.einsum("bnth,nhe->bte", z, self.W_O) + self.b_O

    def forward(self, x):
        pattern = self.pattern(self.scores(self.queries(x), self.keys(x)))
        return self.output(pattern @ self.values(x))


class GELU(nn.Module):
    def forward(self, x):
        return gelu(x)


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.W_in = normal(config, config.embedding_dimension, config.mlp_dimension)
        self.b_in = zeros(config.mlp_dimension)
        self.W_out = normal(config, config.mlp_dimension, config.embedding_dimension)
        self.b_out = zeros(config.embedding_dimension)

    def forward(self, x):
        return gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


class TransformerBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.layer_norm_1 = LayerNorm(config)
        self.attention = Attention(config)
        self.layer_norm_2 = LayerNorm(config)
        self.mlp = MLP(config)

    def forward(self, x):
        x = x + self.attention(self.layer_norm_1(x))
        return x + self.mlp(self.layer_norm_2(x))


class Unembedding(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.W_U = normal(config, config.embedding_dimension, config.vocabulary_size)
        self.b_U = nn.Parameter(torch.zeros(config.vocabulary_size), requires_grad=False)

    def forward(self, x):
        return x @ self.W_U + self.b_U


class Transformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.positional_embedding = PositionalEmbedding(config)
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.num_transformer_layers))
        self.final_layer_norm = LayerNorm(config)
        self.unembedding = Unembedding(config)

    def start(self, tokens):
        return self.embedding(tokens) + self.positional_embedding(tokens)

    def end(self, x):
        return self.unembedding(self.final_layer_norm(x))

    def forward(self, tokens):
        x = self.start(tokens)
        for block in self.blocks:
            x = block(x)
        return self.end(x)
