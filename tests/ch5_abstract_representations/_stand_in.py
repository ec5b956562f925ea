"""Stand-ins of the judge's own, which probes build beside the learner's code: a library, a model with the taps."""

from types import SimpleNamespace

import torch
from torch import nn


def a_library(library):
    """A library with the attributes that the chapter documents, from plain data."""
    roots = library["roots"]
    unk = library["n_bg"] + library["n_obj"]
    sizes = {"d": roots.shape[1], "unk": unk, "vocab": unk + 1, "modes": None}
    return SimpleNamespace(**library, **sizes)


def make_library_data(draw, R=4, d=2, C=3, n_bg=3, n_obj=5, side=6, margin=1, empty=False):
    """Plain data for `a_library`: random objects; with `empty`, some slots of the composites are -1."""
    roots = n_bg + draw.integers(0, n_obj, R, d, d)
    comps = draw.integers(0, R, C, 2, 2)
    if empty:
        comps[:, 0, draw.integer(0, 2)] = -1
    return {"roots": roots, "comps": comps, "n_bg": n_bg, "n_obj": n_obj, "side": side, "margin": margin}


def a_model(weights):
    """A small model with the sites of the chapter: each block adds tanh of a linear map to the stream, twice.

    Weights: embedding (V, D), head (V, D), and for each block attention and mlp (D, D).
    """

    class Part(nn.Module):
        def __init__(self, matrix):
            super().__init__()
            self.matrix = nn.Parameter(matrix)

        def forward(self, x, *_):
            mixed = x + x.roll(1, dims=1)  # each cell reads its neighbour
            return torch.tanh(mixed @ self.matrix.T)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.token_embedding = nn.Embedding.from_pretrained(weights["embedding"], freeze=False)
            self.blocks = nn.ModuleList()
            for attention, mlp in zip(weights["attention"], weights["mlp"]):  # noqa: B905
                block = nn.Module()
                block.attention, block.mlp = Part(attention), Part(mlp)
                block.z_attn, block.out = nn.Identity(), nn.Identity()
                self.blocks.append(block)
            self.final_norm = nn.LayerNorm(weights["embedding"].shape[1])
            self.head = nn.Linear(*weights["embedding"].shape[::-1], bias=False)
            self.head.weight.data.copy_(weights["head"])

        def forward(self, tokens):
            self.passes = getattr(self, "passes", 0) + 1
            x = self.token_embedding(tokens)
            for block in self.blocks:
                x = block.z_attn(x.add_(block.attention(x)))  # in place: what was recorded before must not change
                x = block.out(x.add_(block.mlp(x)))
            return self.head(self.final_norm(x))

    return Model()


def watched(model, training):
    """Put the model into this mode and a hook of the judge's on it: what `traces` needs afterwards."""
    model.train(training)
    return model, training, model.blocks[0].out.register_forward_hook(lambda module, inputs, output: None)


def traces(watch):
    """What the learner's function left on a watched model: how many hooks, and a sentence for all that is changed."""
    model, training, hook = watch
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    mine = hook.id in model.blocks[0].out._forward_hooks
    changed = {
        "a hook that somebody else had put on the model is gone: remove your own, by their handles": not mine,
        "the model's mode has changed: it must stay in train or eval mode, as it was": model.training != training,
        "the model's parameters have lost requires_grad: it could no longer be trained": not all(
            p.requires_grad for p in model.parameters()
        ),
        "gradients are switched off for all that follows: use torch.no_grad() as a with block": (
            not torch.is_grad_enabled()
        ),
    }
    torch.set_grad_enabled(True)
    return {"hooks": hooks - mine, "changed": [says for says, wrong in changed.items() if wrong]}


def model_weights(draw, V=7, D=6, L=2):
    """Random weights for `a_model`."""
    return {
        "embedding": draw.normal(V, D),
        "head": draw.normal(V, D),
        "attention": [draw.normal(D, D, std=0.7) for _ in range(L)],
        "mlp": [draw.normal(D, D, std=0.7) for _ in range(L)],
    }


def by_hand(weights, tokens, edits=None):
    """The oracle: every activation by site, and the logits; `edits` {site: function} replace activations on the way."""
    found = {}

    def at(site, value):
        found[site] = (edits or {}).get(site, lambda v: v)(value)
        return found[site]

    def part(x, matrix):
        return torch.tanh((x + x.roll(1, dims=1)) @ matrix.T)

    x = at("embedding", weights["embedding"][tokens])
    for i, (attention, mlp) in enumerate(zip(weights["attention"], weights["mlp"], strict=True)):
        x = at(f"b{i}.z_attn", x + at(f"b{i}.attn", part(x, attention)))
        x = at(f"b{i}.out", x + at(f"b{i}.mlp", part(x, mlp)))
    x = at("z_out", nn.functional.layer_norm(x, x.shape[-1:]))
    return found, x @ weights["head"].T
