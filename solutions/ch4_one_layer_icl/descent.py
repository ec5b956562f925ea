"""Normalised gradient descent (chapter 4): each tensor moves by exactly the learning rate."""

from collections.abc import Mapping

import torch
from torch import Tensor


def ngd_step(params: Mapping[str, Tensor], grads: Mapping[str, Tensor | None], lr: float) -> dict[str, Tensor]:
    """Move each tensor by lr against its own gradient, divided by that gradient's own Frobenius norm.

    A tensor whose gradient is None or zero stays. Returns a new dict under the same keys; the arguments are left as
    they are.
    """
    # solution
    moved = {}
    for name, value in params.items():
        gradient = grads[name]
        norm = 0.0 if gradient is None else torch.linalg.vector_norm(gradient)
        moved[name] = value.detach().clone() if norm == 0 else value.detach() - lr * gradient / norm
    return moved
    # end solution
