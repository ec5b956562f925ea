"""Positions that are not learned: sinusoids, and rotations of queries and keys (chapter 2)."""

import torch
from jaxtyping import Float
from torch import Tensor


def sinusoids(length: int, d: int) -> Float[Tensor, "T d"]:
    """Sines in the even dimensions, cosines in the odd ones, of wavelengths up to 10000 * 2 pi; d is even.

    Shapes: -> (length, d). Source: Vaswani et al. 2017, section 3.5.
    """
    angles = _angles(length, d)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def rotate(x: Float[Tensor, "B T d"]) -> Float[Tensor, "B T d"]:
    """Turn each pair of dimensions by an angle that grows with the position, so that scores see distances only.

    Shapes: (B, T, d) -> the same. Source: Su et al. 2021, section 3.2.
    """
    angles = _angles(x.shape[-2], x.shape[-1]).to(x)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()
    return torch.stack(turned, dim=-1).flatten(-2)


def _angles(length: int, d: int) -> Float[Tensor, "T half_d"]:
    rates = 10000 ** (-torch.arange(0, d, 2) / d)
    return torch.arange(length)[:, None] * rates
