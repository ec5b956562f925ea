"""The one faster form of chapter 3: layer norm by torch's fused kernel, with chapter 1's parameters."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from solutions.ch1_transformer_from_scratch.layers import LayerNorm

from .model import Encoder


class FusedLayerNorm(LayerNorm):
    """Chapter 1's layer norm in one call: same parameters, same function, about a quarter of the time.

    Shapes: residual (B, T, E) -> (B, T, E).
    """

    def forward(self, residual: Float[Tensor, "B T E"]) -> Float[Tensor, "B T E"]:
        return F.layer_norm(residual, residual.shape[-1:], self.w, self.b, self.config.layer_normalization_epsilon)


def fuse(encoder: Encoder) -> Encoder:
    """Put the fused layer norm in the place of every other one, in a model that isn't trained yet; returns it."""
    for block in encoder.blocks:
        for name in ("layer_norm_1", "layer_norm_2"):
            if not isinstance(getattr(block, name), nn.Identity):
                setattr(block, name, FusedLayerNorm(encoder.config))
    return encoder
