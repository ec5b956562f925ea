"""The 18 models of chapter 4 (13 of which the paper compares): three parameterisations x three attentions x two FFs."""

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .model import build_reparam, forward


class OneLayer(nn.Module):
    """One attention layer and one linear layer, from zero: `model(tokens)` -> (xi, xi_A, xi_F), each (B, N).

    `model_type`: "origin" trains W, V and F; "reparam" trains lam alone, "reparamW" the whole W, both with V = I and F
    as in the paper's construction. `kappa` 1: the feed-forward layer sees what attention read ("FA"), 0: it does not
    ("F"). Without noise a reparameterised model has no feed-forward layer: xi is xi_A. `alpha`: the noise it is told.
    Source: Nguyen and Nguyen-Tang 2025, sections 3 to 5.
    """

    def __init__(
        self,
        cfg,
        model_type: Literal["origin", "reparam", "reparamW"] = "origin",
        kind: Literal["linear", "softmax", "relu"] = "linear",
        kappa: int = 1,
        noisy: bool = False,
        alpha: float = 0.0,
    ):
        super().__init__()
        self.cfg, self.model_type, self.kind, self.kappa, self.noisy = cfg, model_type, kind, kappa, noisy
        self.gamma = math.log(alpha / (1 - alpha)) if noisy else 0.0
        lam = torch.zeros(()) if noisy else torch.zeros(cfg.Q)
        W, V, F = build_reparam(lam, cfg, noisy, self.gamma)
        if model_type == "origin":
            self.W, self.V, self.F = (nn.Parameter(torch.zeros_like(value)) for value in (W, V, F))
            return
        self.register_buffer("V", V)
        self.register_buffer("F", F)
        if model_type == "reparamW":
            self.W = nn.Parameter(W)
        else:
            self.lam = nn.Parameter(lam)

    def params(self) -> dict[str, Float[Tensor, "d d"]]:
        """W, V and F as they are now; gradients reach whatever is trained."""
        if self.model_type == "reparam":
            return {"W": build_reparam(self.lam, self.cfg, self.noisy, self.gamma)[0], "V": self.V, "F": self.F}
        return {"W": self.W, "V": self.V, "F": self.F}

    def forward(
        self, tokens: Int[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "B N"], Float[Tensor, "B N"], Float[Tensor, "B N"]]:
        xi, xi_A, xi_F = forward(self.params(), tokens, self.kappa, self.kind)
        if self.model_type != "origin" and not self.noisy:
            xi = xi_A
        return xi, xi_A, xi_F
