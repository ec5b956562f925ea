"""The one-layer transformer of chapter 4, step by step and as a whole, in the paper's notation.

x_h = E(z_h) + Ebar(z_{h-1}) is one-hot twice: the current token in the first N columns, the previous one in the last N.
"""

import math
from types import SimpleNamespace
from typing import Literal

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor, nn


def embed(tokens: Int[Tensor, "B T"], cfg) -> Float[Tensor, "B T d"]:
    """Current token and previous token of each position, one-hot side by side; position 0 has no previous token.

    Shapes: tokens (B, T) -> (B, T, 2N), in torch's default float type.
    """
    # solution
    N = cfg.vocab_size
    one_hot = torch.eye(N, device=tokens.device)
    current = one_hot[tokens]
    previous = torch.zeros_like(current)
    previous[:, 1:] = current[:, :-1]
    return torch.cat([current, previous], dim=-1)
    # end solution


def last_token_scores(x: Float[Tensor, "B T d"], W: Float[Tensor, "d d"]) -> Float[Tensor, "B T"]:
    """Attention scores of the last position, the query: s_h = x_last . W x_h, without scaling.

    Shapes: x (B, T, d), W (d, d) -> (B, T).
    """
    # solution
    u = einsum(x[:, -1], W, "B i, i j -> B j")  # u = W^T x_last, once a sentence and not once a position
    return einsum(u, x, "B j, B T j -> B T")
    # end solution


def attend(
    x: Float[Tensor, "B T d"], W: Float[Tensor, "d d"], kind: str
) -> tuple[Float[Tensor, "B d"], Float[Tensor, "B T"]]:
    """What the last position reads: w = sum over h of a_h x_h, and the weights a.

    `kind`: "linear" a = s, "softmax" over the positions, "relu" a = max(0, s + 1e-8); the 1e-8 keeps relu's
    derivative at 1 where every score is zero. Another kind raises an error.
    Shapes: x (B, T, d), W (d, d) -> w (B, d), a (B, T).
    """
    # solution
    s = last_token_scores(x, W)
    if kind == "linear":
        a = s
    elif kind == "softmax":
        a = s.softmax(dim=-1)
    elif kind == "relu":
        a = torch.relu(s + 1e-8)
    else:
        raise ValueError(f"kind is linear, softmax or relu, but not {kind!r}.")
    return einsum(a, x, "B T, B T d -> B d"), a
    # end solution


def forward(
    params: dict[str, Tensor], tokens: Int[Tensor, "B T"], kappa: int, kind: str
) -> tuple[Float[Tensor, "B N"], Float[Tensor, "B N"], Float[Tensor, "B N"]]:
    """Logits of the next token: (xi, xi_A, xi_F) with xi = xi_A + xi_F.

    xi_A = U^T V w comes from the attention layer, xi_F = U^T F (x_last + kappa w) from the feed-forward layer, which
    is linear here; U^T keeps the first N coordinates. `params` holds W, V and F, each (2N, 2N), acting from the left.
    Shapes: tokens (B, T) -> three times (B, N).
    """
    # solution
    W, V, F = params["W"], params["V"], params["F"]
    N = len(W) // 2
    x = embed(tokens, SimpleNamespace(vocab_size=N)).to(W)
    w, _ = attend(x, W, kind)
    xi_A = einsum(V[:N], w, "N d, B d -> B N")
    xi_F = einsum(F[:N], x[:, -1] + kappa * w, "N d, B d -> B N")
    return xi_A + xi_F, xi_A, xi_F
    # end solution


def build_reparam(
    lam: Float[Tensor, "*Q"], cfg, noisy: bool, gamma: float
) -> tuple[Float[Tensor, "d d"], Float[Tensor, "d d"], Float[Tensor, "d d"]]:
    """W, V and F of the reparameterised model, as functions of lam alone.

    Without noise W = sum over q of lam_q E(q) Ebar(q)^T, F = 0; lam has shape (Q,). With noise, for q = 0 and lam
    with one element, W = lam E(q) (Ebar(q) - E(tau))^T and F = E(tau) (gamma E(q) + Ebar(q))^T. V is the identity.
    Shapes: each (2N, 2N), of lam's type; gradients reach lam.
    Source: Nguyen and Nguyen-Tang 2025, sections 3 and 5.
    """
    # solution
    N, Q = cfg.vocab_size, cfg.Q
    V = torch.eye(2 * N).to(lam)
    E, Ebar = V[:N], V[N:]  # row k is the embedding of token k
    if not noisy:
        W = einsum(lam, E[:Q], Ebar[:Q], "q, q i, q j -> i j")
        return W, V, torch.zeros_like(V)
    tau = N - 1
    W = lam.reshape(()) * einsum(E[0], Ebar[0] - E[tau], "i, j -> i j")
    F = einsum(E[tau], gamma * E[0] + Ebar[0], "i, j -> i j")
    return W, V, F
    # end solution


class OneLayer(nn.Module):
    """One attention layer and one linear layer, from zero: `model(tokens)` -> (xi, xi_A, xi_F), each (B, N).

    `model_type`: "origin" trains W, V and F; "reparam" trains lam alone, "reparamW" the whole W, both with V = I and
    F as in the paper's construction. `kappa` 1: the feed-forward layer sees what attention read ("FA"), 0: it does
    not ("F"). Without noise a reparameterised model has no feed-forward layer: xi is xi_A. `alpha`: its noise.
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
