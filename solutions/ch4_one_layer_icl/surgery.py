"""What a trained model has learned, by cutting: values and feed-forward layer replaced, votes counted (chapter 4)."""

from copy import deepcopy

import torch
from jaxtyping import Int
from torch import Tensor, nn


def surgery(model: nn.Module) -> nn.Module:
    """A copy of the model with V = c I and F = 0, c the mean of the learned diagonal of V on the outputs seen.

    The model has W, V, F, each (2N, 2N), and cfg. W stays, and the given model is left as it is.
    """
    # solution
    cfg = model.cfg
    repaired = deepcopy(model)
    with torch.no_grad():
        c = model.V.diagonal()[cfg.Q : cfg.Q + cfg.Y].mean()
        repaired.V.copy_(c * torch.eye(len(model.V)).to(model.V))
        repaired.F.zero_()
    return repaired
    # end solution


def layer_votes(model: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
    """Which token each layer alone would predict: (votes of the attention layer, votes of the feed-forward layer).

    `batch`: (tokens, labels, outputs); `model(tokens)` returns (xi, xi_A, xi_F). Shapes: two times (B,), token ids.
    """
    # solution
    tokens, _, _ = batch
    with torch.no_grad():
        _, xi_A, xi_F = model(tokens)
    return xi_A.argmax(dim=-1), xi_F.argmax(dim=-1)
    # end solution
