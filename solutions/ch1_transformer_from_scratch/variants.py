"""The model and its two controls: without positions, and without the causal mask (chapter 1)."""

from typing import Literal, get_args

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from utils.course import CourseError

from .attention import Attention
from .config import TransformerConfig
from .model import Transformer

Variant = Literal["base", "no_positions", "no_mask"]


class UnmaskedAttention(Attention):
    """Attention whose queries see every key, also those after them: what the causal mask is there to prevent.

    Shapes: residual (B, T, E) -> (B, T, E).
    """

    def forward(self, residual: Float[Tensor, "B T E"]) -> Float[Tensor, "B T E"]:
        queries = einsum(residual, self.W_Q, "B T E, N E H -> B T N H") + self.b_Q
        keys = einsum(residual, self.W_K, "B T E, N E H -> B T N H") + self.b_K
        values = einsum(residual, self.W_V, "B T E, N E H -> B T N H") + self.b_V
        queries = queries / self.config.attention_head_dimension**0.5
        pattern = einsum(queries, keys, "B T_Q N H, B T_K N H -> B N T_Q T_K").softmax(dim=-1)
        mixed = einsum(pattern, values, "B N T_Q T_K, B T_K N H -> B T_Q N H")
        return einsum(mixed, self.W_O, "B T N H, N H E -> B T E") + self.b_O


def build_model(config: TransformerConfig, variant: Variant = "base") -> Transformer:
    """A fresh model; each variant has the same parameters by name and shape, and starts from the same random numbers.

    "no_positions": the positional embedding is a constant zero; "no_mask": attention sees the future as well.
    Raises CourseError for another variant.
    """
    if variant not in get_args(Variant):
        raise CourseError(f"There is no variant {variant!r}: choose one of {', '.join(get_args(Variant))}.")
    model = Transformer(config)
    if variant == "no_positions":
        torch.nn.init.zeros_(model.positional_embedding.W_P)
        model.positional_embedding.W_P.requires_grad = False
    if variant == "no_mask":
        for block in model.blocks:
            masked, block.attention = block.attention, UnmaskedAttention(config)
            block.attention.load_state_dict(masked.state_dict())
    return model
