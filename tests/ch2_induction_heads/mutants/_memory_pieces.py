"""Pieces that several mutants of the memory exercises share."""

import math
from pathlib import Path

import torch
from torch import nn

from utils.grade.suite import load_file


class MemoryAttention(nn.Module):
    """One head with W_Q = I; each step can be replaced by a wrong one."""

    def __init__(self, dim, freeze_wk=False, freeze_wv=True, freeze_wo=False):
        super().__init__()
        self.wk, self.wv, self.wo = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.freeze(wk=freeze_wk, wv=freeze_wv, wo=freeze_wo)

    def freeze(self, **frozen):
        for name, yes in frozen.items():
            getattr(self, name).weight.requires_grad_(not yes)

    def scores(self, x):
        return x @ self.wk(x).transpose(-1, -2) / math.sqrt(x.shape[-1])

    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return scores.masked_fill(hidden, float("-inf")).softmax(-1)

    def mix(self, A, x):
        return self.wo(A @ self.wv(x))

    def forward(self, x):
        A = self.pattern(self.scores(x))
        return self.mix(A, x), A


class Block(nn.Module):
    def __init__(self, dim, **frozen):
        super().__init__()
        self.attention = MemoryAttention(dim, **frozen)

    def forward(self, x):
        out, A = self.attention(x)
        return x + out, A


class MemoryTransformer(nn.Module):
    """Two blocks on one residual stream; each step can be replaced by a wrong one."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.tok_embeddings = nn.Embedding(cfg.vocab_size, cfg.dim)
        self.positions(cfg)
        self.layers = self.blocks(cfg)
        self.output = nn.Linear(cfg.dim, cfg.vocab_size, bias=False)
        self.freeze(cfg)

    def positions(self, cfg):
        self.register_buffer("pe", torch.randn(cfg.max_length, cfg.dim))

    def blocks(self, cfg):
        return nn.ModuleList([Block(cfg.dim, freeze_wo=True), Block(cfg.dim)])

    def freeze(self, cfg):
        self.tok_embeddings.weight.requires_grad_(not cfg.freeze_embeddings)
        self.output.weight.requires_grad_(not cfg.freeze_output)

    def start(self, tokens):
        return self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]

    def end(self, h2):
        return self.output(h2)

    def stream(self, tokens):
        h0 = self.start(tokens)
        h1, A1 = self.layers[0](h0)
        h2, A2 = self.layers[1](h1)
        return {"A1": A1, "A2": A2, "h0": h0, "h1": h1, "h2": h2}

    def forward(self, tokens, return_cache=False):
        cache = self.stream(tokens)
        logits = self.end(cache["h2"])
        return (logits, cache) if return_cache else logits


def marked(file_name):
    """The marked answers of a second file of mutants beside this one."""
    found = vars(load_file(Path(__file__).with_name(file_name))).items()
    return {name: obj for name, obj in found if "_mutant" in getattr(obj, "__dict__", {})}
