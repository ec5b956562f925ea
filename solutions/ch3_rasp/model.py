"""The transformer of chapter 3: an encoder that sees the whole sequence, put together from chapter 1's parts."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solutions.ch1_transformer_from_scratch.attention import Attention
from solutions.ch1_transformer_from_scratch.layers import MLP, Embedding, LayerNorm, PositionalEmbedding, Unembedding
from utils.course import CourseError


@dataclass
class EncoderConfig:
    """Shape of the encoder; the sizes have chapter 1's names, and the last five fields are this chapter's switches.

    Raises CourseError for a size that is not above zero.
    """

    vocabulary_size: int  # V, symbols that go in
    classes: int  # C, classes that come out
    embedding_dimension: int = 64  # E
    num_attention_heads: int = 1  # N
    attention_head_dimension: int = 64  # H
    num_transformer_layers: int = 2  # L
    mlp_dimension: int = 128  # M
    context_length: int = 5000  # the longest sequence
    dropout: float = 0.0
    layer_normalization_epsilon: float = 1e-5
    weight_initialization_range: float = 0.02  # chapter 1's; the encoder then draws its weights anew
    positions: Literal["sin", "embed", "none"] = "sin"  # fixed sinusoids, a learned table, or nothing
    norm: Literal["post", "pre", "none"] = "post"  # layer norm after each addition, before each sub-layer, or never
    activation: Literal["relu", "gelu"] = "relu"
    causal: bool = False  # True: no position sees a later one
    position_period: float = 10_000.0  # of the slowest sinusoid, divided by 2 pi

    def __post_init__(self):
        may_be_zero = ("dropout", "causal", "num_transformer_layers")
        for name, value in vars(self).items():
            if isinstance(value, (int, float)) and not (value > 0 or (name in may_be_zero and value == 0)):
                raise CourseError(f"{name} must be {'zero or ' * (name in may_be_zero)}above zero; it is {value}.")
        if not self.dropout < 1:
            raise CourseError(f"dropout must be below 1, but it is {self.dropout}.")


def sinusoids(length: int, width: int, period: float = 10_000.0) -> Float[Tensor, "T E"]:
    """Fixed position vectors: sines at even coordinates and cosines at odd ones, of ever lower frequency.

    Source: Vaswani et al. 2017, section 3.5.
    """
    place = torch.arange(length)[:, None]
    frequency = period ** -(torch.arange(0, width, 2) / width)
    angles = place * frequency
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]


class EncoderAttention(Attention):
    """Chapter 1's attention with a mask of our choice; returns its attention pattern too.

    Shapes: residual (B, T, E), hidden (B, 1, T_Q or 1, T_K) -> (B, T, E), (B, N, T, T); hidden is True where a query
    may not look.
    """

    def __init__(self, config):
        super().__init__(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, residual: Float[Tensor, "B T E"], hidden: Bool[Tensor, "#B 1 #T_Q T_K"]
    ) -> tuple[Float[Tensor, "B T E"], Float[Tensor, "B N T T"]]:
        queries, keys, values = (
            einsum(residual, W, "B T E, N E H -> B N T H") + b[:, None]
            for W, b in ((self.W_Q, self.b_Q), (self.W_K, self.b_K), (self.W_V, self.b_V))
        )
        queries = queries / queries.shape[-1] ** 0.5
        scores = einsum(queries, keys, "B N T_Q H, B N T_K H -> B N T_Q T_K")
        pattern = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)
        mixed = einsum(self.dropout(pattern), values, "B N T_Q T_K, B N T_K H -> B N T_Q H")
        return einsum(mixed, self.W_O, "B N T H, N H E -> B T E") + self.b_O, pattern


class EncoderBlock(nn.Module):
    """Attention, then the MLP; each result is added to the residual stream; `config.norm` says where it is normed.

    Shapes: residual (B, T, E), hidden (B, 1, T_Q or 1, T_K) -> (B, T, E), pattern (B, N, T, T).
    """

    def __init__(self, config):
        super().__init__()
        self.norm = config.norm
        self.attention, self.mlp = EncoderAttention(config), MLP(config)
        activation = nn.ReLU() if config.activation == "relu" else self.mlp.gelu
        self.mlp.gelu = nn.Sequential(activation, nn.Dropout(config.dropout)) if config.dropout else activation
        self.dropout = nn.Dropout(config.dropout)
        normed = config.norm != "none"
        self.layer_norm_1, self.layer_norm_2 = (LayerNorm(config) if normed else nn.Identity() for _ in range(2))

    def forward(
        self, residual: Float[Tensor, "B T E"], hidden: Bool[Tensor, "#B 1 #T_Q T_K"]
    ) -> tuple[Float[Tensor, "B T E"], Float[Tensor, "B N T T"]]:
        if self.norm == "post":
            read, pattern = self.attention(residual, hidden)
            residual = self.layer_norm_1(residual + self.dropout(read))
            return self.layer_norm_2(residual + self.dropout(self.mlp(residual))), pattern
        read, pattern = self.attention(self.layer_norm_1(residual), hidden)
        residual = residual + self.dropout(read)
        return residual + self.dropout(self.mlp(self.layer_norm_2(residual))), pattern


class Encoder(nn.Module):
    """Logits of a class at every position, and the attention patterns of every layer.

    Shapes: tokens (B, T), mask (B, T), False at padding -> logits (B, T, C), a list of L patterns (B, N, T, T).
    Every position sees all real ones, or, with `causal`, those up to itself. Raises ValueError where T
    is larger than context_length.
    Source: Vaswani et al. 2017, section 3.1 (the encoder).
    """

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        if config.positions == "embed":
            self.positional_embedding = PositionalEmbedding(config)
        elif config.positions == "sin":
            table = sinusoids(config.context_length, config.embedding_dimension, config.position_period)
            self.register_buffer("sinusoids", table, persistent=False)
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(config.num_transformer_layers))
        self.unembedding = Unembedding(replace(config, vocabulary_size=config.classes))
        self.unembedding.b_U.requires_grad_(True)
        self._draw()

    @torch.no_grad()
    def _draw(self) -> None:
        """Weights as torch's own layers draw them: Xavier into queries, keys and values; embeddings of variance 1."""
        config = self.config
        E, width = config.embedding_dimension, config.num_attention_heads * config.attention_head_dimension
        self.embedding.W_E.normal_()
        if config.positions == "embed":
            self.positional_embedding.W_P.normal_()
        for block in self.blocks:
            xavier = (6 / (E + 3 * width)) ** 0.5  # one matrix of three in torch's layer
            for W in (block.attention.W_Q, block.attention.W_K, block.attention.W_V):
                W.uniform_(-xavier, xavier)
            for W, inputs in (
                (block.attention.W_O, width),
                (block.mlp.W_in, E),
                (block.mlp.W_out, config.mlp_dimension),
            ):
                W.uniform_(-(inputs**-0.5), inputs**-0.5)
            for b, inputs in ((block.mlp.b_in, E), (block.mlp.b_out, config.mlp_dimension)):
                b.uniform_(-(inputs**-0.5), inputs**-0.5)
        for parameter in (self.unembedding.W_U, self.unembedding.b_U):
            parameter.uniform_(-(E**-0.5), E**-0.5)

    def forward(
        self, tokens: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B T C"], list[Float[Tensor, "B N T T"]]]:
        T = tokens.shape[1]
        if T > self.config.context_length:  # noqa: SIM300
            raise ValueError(f"{T} tokens do not fit the context of {self.config.context_length}.")
        hidden = torch.zeros(1, 1, 1, T, dtype=torch.bool, device=tokens.device)
        if mask is not None:
            hidden = ~mask[:, None, None, :]
        if self.config.causal:
            hidden = hidden | torch.ones(T, T, dtype=torch.bool, device=tokens.device).triu(1)

        residual = self.embedding(tokens)
        if self.config.positions == "embed":
            residual = residual + self.positional_embedding(tokens)
        elif self.config.positions == "sin":
            residual = residual + self.sinusoids[:T]
        patterns = []
        for block in self.blocks:
            residual, pattern = block(residual, hidden)
            patterns.append(pattern)
        return self.unembedding(residual), patterns
