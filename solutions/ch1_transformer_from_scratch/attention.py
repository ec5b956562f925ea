"""Causal multi-head attention (chapter 1)."""

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn


def apply_causal_mask(scores: Float[Tensor, "B N T_Q T_K"]) -> Float[Tensor, "B N T_Q T_K"]:
    """Hide the future: query i sees key j only if j <= i + T_K - T_Q, so the last query sees every key.

    Shapes: scores (B, N, T_Q, T_K) -> the same, as a new tensor; what is hidden gets probability 0 after softmax.
    Source: Vaswani et al. 2017, section 3.2.3.
    """
    # solution
    T_Q, T_K = scores.shape[-2:]
    hidden = scores.new_full((T_Q, T_K), -torch.inf).triu(T_K - T_Q + 1)  # 0 where query i may look
    return scores + hidden
    # end solution


class Attention(nn.Module):
    """Causal multi-head attention: each position reads from itself and from those before it.

    Shapes: residual (B, T, E) -> (B, T, E); scores are scaled by 1 / sqrt(H), and N * H need not equal E.
    Source: Vaswani et al. 2017, section 3.2.2.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        N, E, H = config.num_attention_heads, config.embedding_dimension, config.attention_head_dimension
        self.W_Q = nn.Parameter(torch.randn(N, E, H) * config.weight_initialization_range)
        self.W_K = nn.Parameter(torch.randn(N, E, H) * config.weight_initialization_range)
        self.W_V = nn.Parameter(torch.randn(N, E, H) * config.weight_initialization_range)
        self.W_O = nn.Parameter(torch.randn(N, H, E) * config.weight_initialization_range)
        self.b_Q = nn.Parameter(torch.zeros(N, H))
        self.b_K = nn.Parameter(torch.zeros(N, H))
        self.b_V = nn.Parameter(torch.zeros(N, H))
        self.b_O = nn.Parameter(torch.zeros(E))

    def forward(self, residual: Float[Tensor, "B T E"]) -> Float[Tensor, "B T E"]:
        # solution
        queries = einsum(residual, self.W_Q, "B T E, N E H -> B T N H") + self.b_Q
        keys = einsum(residual, self.W_K, "B T E, N E H -> B T N H") + self.b_K
        values = einsum(residual, self.W_V, "B T E, N E H -> B T N H") + self.b_V

        queries = queries / self.config.attention_head_dimension**0.5
        scores = einsum(queries, keys, "B T_Q N H, B T_K N H -> B N T_Q T_K")
        pattern = apply_causal_mask(scores).softmax(dim=-1)

        mixed = einsum(pattern, values, "B N T_Q T_K, B T_K N H -> B T_Q N H")
        return einsum(mixed, self.W_O, "B T N H, N H E -> B T E") + self.b_O
        # end solution
