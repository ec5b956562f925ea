"""A memory transformer of the judge's own, which the probes of several exercises build beside the learner's code."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn


def stand_in(weights):
    """A small MemoryTransformer with these weights (a state dict); only the three memories are trainable."""

    class Attention(nn.Module):
        def __init__(self, number):
            super().__init__()
            for name in ("wk", "wv", "wo"):
                weight = weights[f"layers.{number}.attention.{name}.weight"]
                layer = nn.Linear(*weight.shape, bias=False)
                layer.weight = nn.Parameter(weight.clone(), requires_grad=name == "wk" or (number, name) == (1, "wo"))
                setattr(self, name, layer)

        def forward(self, x):
            hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
            A = (x @ self.wk(x).mT / x.shape[-1] ** 0.5).masked_fill(hidden, -torch.inf).softmax(-1)
            return self.wo(A @ self.wv(x)), A

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            (vocab_size, dim), table = weights["tok_embeddings.weight"].shape, weights["pe"]
            self.cfg = SimpleNamespace(vocab_size=vocab_size, dim=dim, max_length=len(table))
            self.tok_embeddings = nn.Embedding.from_pretrained(weights["tok_embeddings.weight"].clone(), freeze=True)
            self.register_buffer("pe", table.clone())
            self.layers = nn.ModuleList(nn.ModuleDict({"attention": Attention(i)}) for i in range(2))
            self.output = nn.Linear(dim, vocab_size, bias=False)
            self.output.weight = nn.Parameter(weights["output.weight"].clone(), requires_grad=False)

        def forward(self, tokens):
            x = self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]
            for layer in self.layers:
                x = x + layer.attention(x)[0]
            return self.output(x)

    return Model()


def maps() -> list[str]:
    """Names of the six attention matrices."""
    return [f"layers.{i}.attention.{name}.weight" for i in (0, 1) for name in ("wk", "wv", "wo")]


def layer(weights, i, x):
    """What layer i adds to the stream x (B, T, d), by torch's fused attention."""
    wk, wv, wo = (weights[f"layers.{i}.attention.{name}.weight"] for name in ("wk", "wv", "wo"))
    return F.scaled_dot_product_attention(x, x @ wk.T, x @ wv.T, is_causal=True) @ wo.T


def logits(weights, x):
    """Logits (B, T, V) of the model with these weights."""
    h0 = weights["tok_embeddings.weight"][x] + weights["pe"][: x.shape[1]]
    h1 = h0 + layer(weights, 0, h0)
    return (h1 + layer(weights, 1, h1)) @ weights["output.weight"].T
