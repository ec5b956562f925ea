"""The transformer, put together from its layers (chapter 1)."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from .attention import Attention
from .layers import MLP, Embedding, LayerNorm, PositionalEmbedding, Unembedding


class TransformerBlock(nn.Module):
    """One block: attention and MLP, each on a normalised copy of the residual stream and added back to it.

    Shapes: residual (B, T, E) -> (B, T, E). Source: Radford et al. 2019, section 2.3 (pre-LayerNorm).
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.layer_norm_1 = LayerNorm(config)
        self.attention = Attention(config)
        self.layer_norm_2 = LayerNorm(config)
        self.mlp = MLP(config)

    def forward(self, residual: Float[Tensor, "B T E"]) -> Float[Tensor, "B T E"]:
        # solution
        residual = residual + self.attention(self.layer_norm_1(residual))
        return residual + self.mlp(self.layer_norm_2(residual))
        # end solution


class Transformer(nn.Module):
    """A GPT-2-style language model: logits at position t are about the token at t + 1.

    Shapes: tokens (B, T) -> logits (B, T, V). Raises ValueError for T > context_length.
    Source: Radford et al. 2019, section 2.3.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.positional_embedding = PositionalEmbedding(config)
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.num_transformer_layers))
        self.final_layer_norm = LayerNorm(config)
        self.unembedding = Unembedding(config)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        if tokens.shape[-1] > self.config.context_length:
            raise ValueError(f"{tokens.shape[-1]} tokens do not fit the context of {self.config.context_length}.")
        # solution
        residual = self.embedding(tokens) + self.positional_embedding(tokens)
        for block in self.blocks:
            residual = block(residual)
        return self.unembedding(self.final_layer_norm(residual))
        # end solution
