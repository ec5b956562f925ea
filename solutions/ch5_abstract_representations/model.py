"""The factorised transformer, and its vanilla counterpart, in which position is added to the content once."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.course import CourseError

from .config import ModelConfig


class FactorizedAttention(nn.Module):
    """Multi-head attention that reads content and position side by side and writes content only.

    Shapes: x (B, T, D), pos (1, T, P) -> (B, T, D). Queries, keys and values are linear maps of the concatenation
    (B, T, D + P); each of the N heads is H = D / N wide. Every cell sees every cell: there is no mask.
    Source: the published factorised transformer (Ferry, Ching, Kawai 2023).
    """

    def __init__(self, d_content: int, d_pos: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(d_content + d_pos, d_content)
        self.key = nn.Linear(d_content + d_pos, d_content)
        self.value = nn.Linear(d_content + d_pos, d_content)
        self.output = nn.Linear(d_content, d_content)

    def forward(self, x: Float[Tensor, "B T D"], pos: Float[Tensor, "1 T P"]) -> Float[Tensor, "B T D"]:
        # solution
        both = torch.cat([x, pos.expand(len(x), -1, -1)], dim=-1)
        q, k, v = (
            rearrange(linear(both), "B T (N H) -> B N T H", N=self.n_heads)
            for linear in (self.query, self.key, self.value)
        )
        scores = einsum(q, k, "B N T_Q H, B N T_K H -> B N T_Q T_K") / q.shape[-1] ** 0.5
        mixed = einsum(scores.softmax(dim=-1), v, "B N T_Q T_K, B N T_K H -> B N T_Q H")
        return self.output(rearrange(mixed, "B N T H -> B T (N H)"))
        # end solution


class Block(nn.Module):
    """The parts of one block: two norms, attention, an MLP, and two taps.

    A tap hands on what it is given. The residual stream passes through it, so that a later experiment can read or
    change the stream at that place: `z_attn` after the attention's update, `out` after the MLP's.
    """

    def __init__(self, cfg):
        super().__init__()
        D, P = cfg.d_content, cfg.d_pos
        self.norm_1 = nn.LayerNorm(D)
        self.attention = FactorizedAttention(D, P, cfg.n_heads)
        self.z_attn = nn.Identity()
        self.norm_2 = nn.LayerNorm(D)
        self.mlp = nn.Sequential(nn.Linear(D + P, 4 * D), nn.GELU(), nn.Linear(4 * D, D), nn.Dropout(cfg.dropout))
        self.out = nn.Identity()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


class FactorizedTransformer(nn.Module):
    """Fills in hidden cells: tokens (B, T) -> logits (B, T, V).

    The residual stream starts as the token embedding and stays D wide. Each block adds two updates to it: attention,
    then the MLP. Each reads a normalised copy of the stream beside the position vectors, which themselves are never
    normalised and never added to the stream. After the last block: the final norm, then a linear map to the logits.
    Source: the published factorised transformer (Ferry, Ching, Kawai 2023).
    """

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.token_embedding = nn.Embedding(cfg.vocab, cfg.d_content)
        self.position = nn.Parameter(torch.zeros(1, cfg.cells, cfg.d_pos))
        self.blocks = nn.ModuleList(Block(cfg) for _ in range(cfg.n_layers))
        self.final_norm = nn.LayerNorm(cfg.d_content)
        self.head = nn.Linear(cfg.d_content, cfg.vocab, bias=False)
        self.apply(_initialise)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        # solution
        x = self.token_embedding(tokens)
        pos = self.position
        for block in self.blocks:
            x = block.z_attn(x + block.attention(block.norm_1(x), pos))
            both = torch.cat([block.norm_2(x), pos.expand(len(x), -1, -1)], dim=-1)
            x = block.out(x + block.mlp(both))
        return self.head(self.final_norm(x))
        # end solution


class PlacedEmbedding(nn.Embedding):
    """Token embeddings with a position vector added to each: tokens (B, T) -> (B, T, D)."""

    def __init__(self, cfg: ModelConfig):
        super().__init__(cfg.vocab, cfg.d_content)
        self.position = nn.Parameter(torch.empty(1, cfg.cells, cfg.d_content))
        nn.init.normal_(self.weight, std=0.02)
        nn.init.normal_(self.position, std=0.02)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        return super().forward(tokens) + self.position


class VanillaTransformer(FactorizedTransformer):
    """The same task and the same places to look at, with position added to the token embedding: (B, T) -> (B, T, V).

    It is the factorised transformer with no position vectors beside the stream (P = 0), and positions in the embedding.
    """

    def __init__(self, cfg: ModelConfig):
        super().__init__(replace(cfg, d_pos=0))
        self.cfg = cfg
        self.token_embedding = PlacedEmbedding(cfg)
        del self.position
        self.register_buffer("position", torch.empty(1, cfg.cells, 0), persistent=False)


class RestrictedAttention(nn.Module):
    """A FactorizedAttention with the published script's dropout of weights and updates, and its causal mask.

    The first `n_unmasked` cells see each other; every other cell sees itself and the cells before it.
    """

    def __init__(self, attention: FactorizedAttention, cfg: ModelConfig):
        super().__init__()
        self.n_heads, self.attn_pdrop = attention.n_heads, cfg.attn_pdrop
        self.query, self.key, self.value = attention.query, attention.key, attention.value
        self.output = attention.output
        self.dropout = nn.Dropout(cfg.dropout)
        free = cfg.cells if cfg.n_unmasked is None else cfg.n_unmasked
        seen = torch.ones(cfg.cells, cfg.cells, dtype=torch.bool).tril()
        seen[:free, :free] = True
        self.register_buffer("seen", seen, persistent=False)

    def forward(self, x: Float[Tensor, "B T D"], pos: Float[Tensor, "1 T P"]) -> Float[Tensor, "B T D"]:
        both = torch.cat([x, pos.expand(len(x), -1, -1)], dim=-1)
        split = "B T (N H) -> B N T H"
        q, k, v = (rearrange(linear(both), split, N=self.n_heads) for linear in (self.query, self.key, self.value))
        share = self.attn_pdrop if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self.seen, dropout_p=share)
        return self.dropout(self.output(rearrange(mixed, "B N T H -> B T (N H)")))


def position_vectors(model: nn.Module) -> Float[Tensor, "T D"]:
    """The learned position vectors of either form."""
    return getattr(model.token_embedding, "position", model.position).detach()[0]


MODELS = {"factor": FactorizedTransformer, "vanilla": VanillaTransformer}


def build_model(kind: str, cfg: ModelConfig) -> nn.Module:
    """A model of that kind with fresh weights. Raises CourseError for an unknown kind."""
    if kind not in MODELS:
        raise CourseError(f"There is no model of type {kind!r}: choose factor or vanilla.")
    model = MODELS[kind](cfg)
    if cfg.restricted:
        for block in model.blocks:
            block.attention = RestrictedAttention(block.attention, cfg)
    if cfg.embd_pdrop:
        model.token_embedding.register_forward_hook(
            lambda embedding, tokens, x: F.dropout(x, cfg.embd_pdrop, embedding.training)
        )
    return model
