"""The simplified two-layer transformer: one head a layer, no W_Q, some maps frozen at random (chapter 2)."""

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor, nn


class MemoryAttention(nn.Module):
    """One causal attention head of full width whose queries are the residual stream itself (W_Q = 1).

    Shapes: x (B, T, d) -> output (B, T, d) and attention pattern A (B, T, T). Scores are divided by sqrt(d); a frozen
    map keeps its random start. Source: Bietti et al. 2023, section 4.2.
    """

    def __init__(self, dim: int, freeze_wk: bool = False, freeze_wv: bool = True, freeze_wo: bool = False):
        super().__init__()
        self.dim = dim
        self.wk = nn.Linear(dim, dim, bias=False)
        self.wv = nn.Linear(dim, dim, bias=False)
        self.wo = nn.Linear(dim, dim, bias=False)
        # solution
        self.wk.weight.requires_grad_(not freeze_wk)
        self.wv.weight.requires_grad_(not freeze_wv)
        self.wo.weight.requires_grad_(not freeze_wo)
        # end solution

    def forward(self, x: Float[Tensor, "B T d"]) -> tuple[Float[Tensor, "B T d"], Float[Tensor, "B T T"]]:
        # solution
        T = x.shape[1]
        keys, values = self.wk(x), self.wv(x)
        scores = einsum(x, keys, "B T_Q d, B T_K d -> B T_Q T_K") / self.dim**0.5
        future = torch.ones(T, T, dtype=torch.bool, device=x.device).triu(1)
        A = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
        mixed = einsum(A, values, "B T_Q T_K, B T_K d -> B T_Q d")
        return self.wo(mixed), A
        # end solution


class MemoryTransformer(nn.Module):
    """Two layers of MemoryAttention on a residual stream, with random positions that are never trained.

    Shapes: tokens (B, T) -> logits (B, T, V); with return_cache also {"A1", "A2": (B, T, T), "h0", "h1", "h2":
    (B, T, d)}, the patterns and the residual stream before, between and after the layers. T <= max_length.
    W_V of both layers and W_O of the first are frozen. Source: Bietti et al. 2023, section 4.2.
    """

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        V, d, T = cfg.vocab_size, cfg.dim, cfg.max_length
        self.tok_embeddings = nn.Embedding(V, d)
        self.output = nn.Linear(d, V, bias=False)
        self.tok_embeddings.weight.requires_grad_(not cfg.freeze_embeddings)
        self.output.weight.requires_grad_(not cfg.freeze_output)
        # solution
        self.register_buffer("pe", torch.randn(T, d))
        attentions = MemoryAttention(d, freeze_wo=True), MemoryAttention(d)
        self.layers = nn.ModuleList(nn.ModuleDict({"attention": attention}) for attention in attentions)
        # end solution

    def forward(
        self, tokens: Int[Tensor, "B T"], return_cache: bool = False
    ) -> Float[Tensor, "B T V"] | tuple[Float[Tensor, "B T V"], dict[str, Tensor]]:
        # solution
        h0 = self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]
        out1, A1 = self.layers[0].attention(h0)
        h1 = h0 + out1
        out2, A2 = self.layers[1].attention(h1)
        h2 = h1 + out2
        logits = self.output(h2)
        if return_cache:
            return logits, {"A1": A1, "A2": A2, "h0": h0, "h1": h1, "h2": h2}
        return logits
        # end solution
