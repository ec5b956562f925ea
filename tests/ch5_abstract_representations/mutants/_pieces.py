"""Right answers and given parts that the mutants of several exercises share."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Library:
    roots: torch.Tensor
    comps: torch.Tensor
    n_bg: int
    n_obj: int
    side: int
    margin: int = 1
    modes: torch.Tensor | None = None

    @property
    def d(self):
        return self.roots.shape[1]

    @property
    def unk(self):
        return self.n_bg + self.n_obj

    @property
    def vocab(self):
        return self.unk + 1


def paint(lib, objects, bg):
    """Board by board: slow, and plain."""
    n, side, d = len(objects), lib.side, lib.d
    board = bg[:, None, None].repeat(1, side, side)
    root_id, offset = torch.full((2, n, side, side), -1)
    for b, row in enumerate(objects.tolist()):
        for root, top, left in row:
            if root >= 0:
                for i in range(d):
                    for j in range(d):
                        if lib.roots[root, i, j] >= 0:
                            board[b, top + i, left + j] = lib.roots[root, i, j]
                            root_id[b, top + i, left + j] = root
                            offset[b, top + i, left + j] = i * d + j
    return {"board": board, "root_id": root_id, "offset": offset, "bg": bg, "objects": objects}


def paint_fast(lib, objects, bg):
    """The same for objects that do not overlap and have no empty cells."""
    n, K, _ = objects.shape
    side, d = lib.side, lib.d
    cell = torch.arange(d * d)
    root, row, column = objects[..., None].unbind(2)
    at = (row + cell // d) * side + column + cell % d
    at = torch.where(root >= 0, at, side * side)
    if bool((at[root[..., 0] >= 0] >= side * side).any()):
        raise IndexError("an object lies beyond the board")
    layers = []
    for value, ground in (
        (lib.roots.flatten(1)[root[..., 0].clamp(min=0)], bg),
        (root.expand(n, K, d * d), torch.full((n,), -1)),
        (cell.expand(n, K, d * d), torch.full((n,), -1)),
    ):
        layer = ground[:, None].repeat(1, side * side + 1)
        for k in range(K):
            layer.scatter_(1, at[:, k], value[:, k])
        layers.append(layer[:, :-1].view(n, side, side))
    return dict(zip(("board", "root_id", "offset"), layers, strict=True)) | {"bg": bg, "objects": objects}


def site_module(model: nn.Module, site: str):
    if site == "embedding":
        return model.token_embedding
    if site == "z_out":
        return model.final_norm
    block, place = site.split(".")
    block = model.blocks[int(block[1:])]
    return block.attention if place == "attn" else getattr(block, place)


def record(model, tokens, sites):
    found = {}
    hooks = [
        site_module(model, site).register_forward_hook(
            lambda m, i, out, site=site: found.update({site: out.detach().clone()})
        )
        for site in sites
    ]
    try:
        with torch.no_grad():
            model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def run_with_edit(model, tokens, edits):
    hooks = []
    try:
        for site, edit in edits.items():
            hooks.append(site_module(model, site).register_forward_hook(lambda m, i, out, edit=edit: edit(out.clone())))
        with torch.no_grad():
            return model(tokens)
    finally:
        for hook in hooks:
            hook.remove()


class FactorizedAttention(nn.Module):
    def __init__(self, d_content, d_pos, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value = (nn.Linear(d_content + d_pos, d_content) for _ in range(3))
        self.output = nn.Linear(d_content, d_content)

    def forward(self, x, pos):
        both = torch.cat([x, pos.expand(len(x), -1, -1)], dim=-1)
        q, k, v = (
            m(both).unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for m in (self.query, self.key, self.value)
        )
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        D, P = cfg.d_content, cfg.d_pos
        self.norm_1, self.norm_2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.attention = FactorizedAttention(D, P, cfg.n_heads)
        self.z_attn, self.out = nn.Identity(), nn.Identity()
        self.mlp = nn.Sequential(nn.Linear(D + P, 4 * D), nn.GELU(), nn.Linear(4 * D, D), nn.Dropout(cfg.dropout))


class TransformerBase(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.token_embedding = nn.Embedding(cfg.vocab, cfg.d_content)
        self.position = nn.Parameter(torch.zeros(1, cfg.cells, cfg.d_pos))
        self.blocks = nn.ModuleList(Block(cfg) for _ in range(cfg.n_layers))
        self.final_norm = nn.LayerNorm(cfg.d_content)
        self.head = nn.Linear(cfg.d_content, cfg.vocab, bias=False)
