"""What TinyLEA is made of, written compactly for the wrong answers to build on, and the judge's own reading of it."""

import torch
import torch.nn.functional as F
from torch import nn

SIZES = dict(vocab_size=9, block_size=5, n_layer=2, n_head=2, n_embd=6, n_embd_pos=4, vocab_speech_size=8)
SIZES |= dict(block_speech_size=3, commitment=0.25, blank="zeros", masking_token=8, quantiser="ema", dropout=0.0)


class Heads(nn.Module):
    def __init__(self, width_in, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width_in, width) for _ in range(3))
        self.output = nn.Linear(width, width)

    def forward(self, x, source):
        q, k, v = (
            t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for t in (self.query(x), self.key(source), self.value(source))
        )
        return self.output(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))


class DecoderBlock(nn.Module):
    def __init__(self, settings):
        super().__init__()
        width, self.positions = settings.n_embd, settings.type == "factor"
        wide = width + settings.n_embd_pos if self.positions else width
        self.norm_self, self.norm_cross, self.norm_other, self.norm_mlp = (nn.LayerNorm(wide) for _ in range(4))
        self.self_attention, self.cross_attention = (Heads(wide, width, settings.n_head) for _ in range(2))
        self.mlp = nn.Sequential(nn.Linear(wide, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, other, position, other_position):
        def put(x, position):
            return torch.cat([x, position.expand(len(x), -1, -1)], -1) if self.positions else x

        here = self.norm_self(put(x, position))
        x = x + self.self_attention(here, here)
        x = x + self.cross_attention(self.norm_cross(put(x, position)), self.norm_other(put(other, other_position)))
        return x + self.mlp(self.norm_mlp(put(x, position)))


class Base(nn.Module):
    """TinyLEA's given parts: __init__ and the small helpers."""

    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        cells, places, width = settings.block_size, settings.block_speech_size, settings.n_embd
        position = settings.n_embd_pos if settings.type == "factor" else width
        self.tokens = nn.Embedding(settings.vocab_size, width)
        self.cell_positions = nn.Parameter(torch.empty(cells, position))
        self.reader = nn.ModuleList(DecoderBlock(settings) for _ in range(settings.n_layer))
        self.reader_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, settings.vocab_size, bias=False)
        self.slots = nn.Parameter(torch.empty(places, width))
        self.word_positions = nn.Parameter(torch.empty(places, position))
        self.composer = nn.ModuleList(DecoderBlock(settings) for _ in range(settings.n_layer))
        self.composer_norm = nn.LayerNorm(width)

    def placed(self, x, position):
        return x + position if self.settings.type == "vanilla" else x


def shapes(kind):
    """Names and shapes of all weights that reading and composing use."""
    model = Base(_Settings(kind))
    return {name: tuple(p.shape) for name, p in model.named_parameters() if not name.startswith("head")}


class _Settings:
    def __init__(self, kind):
        vars(self).update(SIZES, type=kind)


def weights(draw, kind):
    return {name: draw.normal(*shape, std=0.6) for name, shape in shapes(kind).items()}


def attend(w, name, x, source, heads=2):
    q = F.linear(x, w[f"{name}.query.weight"], w[f"{name}.query.bias"])
    k = F.linear(source, w[f"{name}.key.weight"], w[f"{name}.key.bias"])
    v = F.linear(source, w[f"{name}.value.weight"], w[f"{name}.value.bias"])
    mixed = []
    for a, b, c in zip(q.chunk(heads, -1), k.chunk(heads, -1), v.chunk(heads, -1), strict=True):
        mixed.append((torch.einsum("bqh,bkh->bqk", a, b) / a.shape[-1] ** 0.5).softmax(-1) @ c)
    return F.linear(torch.cat(mixed, -1), w[f"{name}.output.weight"], w[f"{name}.output.bias"])


def norm(w, name, x):
    return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"])


def run_blocks(w, kind, network, x, other):
    """The judge's own forward pass of "reader" or "composer": a stream x that listens to `other`."""
    here, there = ("cell", "word") if network == "reader" else ("word", "cell")
    p, q = w[f"{here}_positions"], w[f"{there}_positions"]
    if kind == "vanilla":
        x, other = x + p, other + q

    def wide(x, position):
        return torch.cat([x, position.expand(len(x), -1, -1)], -1) if kind == "factor" else x

    for i in range(SIZES["n_layer"]):
        b = f"{network}.{i}"
        a = norm(w, f"{b}.norm_self", wide(x, p))
        x = x + attend(w, f"{b}.self_attention", a, a)
        a, c = norm(w, f"{b}.norm_cross", wide(x, p)), norm(w, f"{b}.norm_other", wide(other, q))
        x = x + attend(w, f"{b}.cross_attention", a, c)
        a = F.gelu(F.linear(norm(w, f"{b}.norm_mlp", wide(x, p)), w[f"{b}.mlp.0.weight"], w[f"{b}.mlp.0.bias"]))
        x = x + F.linear(a, w[f"{b}.mlp.2.weight"], w[f"{b}.mlp.2.bias"])
    return norm(w, f"{network}_norm", x)
