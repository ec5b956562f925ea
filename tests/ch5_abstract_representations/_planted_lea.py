"""A small LEA with weights from the judge, for the probes of exercises 5.23 to 5.29, and what it computes."""

import torch
from torch import nn

B, T, S, E, K, V = 3, 5, 2, 4, 7, 6  # boards, cells, words in a sentence, width, words, tokens
UNK = V - 1


def planted(weights):
    """A model with the methods of TinyLEA whose networks are one matrix each; `calls` keeps what `read` was given."""

    class Planted(nn.Module):
        def __init__(self):
            super().__init__()
            self.look, self.hear, self.say = (nn.Parameter(weights[name].clone()) for name in ("look", "hear", "say"))
            self.head = nn.Linear(*weights["head"].T.shape, bias=False)
            self.head.weight.data.copy_(weights["head"])
            self.register_buffer("codebook", weights["codebook"].clone())
            (S, E), T = weights["blank"].shape[1:], self.hear.shape[2]
            sizes = dict(block_size=T, block_speech_size=S, n_embd=E, n_embd_pos=2, n_layer=1, n_head=1, dropout=0.0)
            sizes |= dict(
                vocab_size=len(self.look), vocab_speech_size=len(self.codebook), masking_token=len(self.look) - 1
            )
            sizes |= dict(commitment=float(weights["commitment"]), quantiser="ema", type="factor", blank="zeros")
            self.settings = self.cfg = SimpleNamespace(**sizes)
            # what else a TinyLEA has: here only so that an answer which takes it by mistake is told what is wrong
            self.tokens, self.slots = (
                nn.Embedding.from_pretrained(self.look.detach() * 0.5),
                nn.Parameter(torch.ones(S, E)),
            )
            self.reader_norm, self.composer_norm = nn.LayerNorm(E), nn.LayerNorm(E)
            self.cell_positions, self.word_positions = nn.Parameter(torch.ones(T, 2)), nn.Parameter(torch.ones(S, 2))
            self.register_buffer("started", torch.tensor(True))
            self.calls = []

        def read(self, tokens, sentence):
            self.calls.append((tokens.clone(), sentence.detach().clone()))
            mixed = torch.tensordot(sentence, self.hear, dims=([1, 2], [0, 1]))  # (B, T, E)
            return torch.tanh(self.look[tokens] + mixed)

        def compose(self, z):
            return torch.tensordot(z, self.say, dims=([1, 2], [0, 1]))  # (B, S, E)

        def blank(self, B):
            return weights["blank"].expand(B, -1, -1)

        def unseen(self, B):
            return torch.full((B, self.hear.shape[2]), self.look.shape[0] - 1)

    return Planted()


def planted_weights(draw):
    """Weights for `planted`; the blank sentence is not zero, so that leaving it out shows."""
    return {
        "look": draw.normal(V, E),
        "hear": draw.normal(S, E, T, E, std=0.7),
        "say": draw.normal(T, E, S, E, std=0.6),
        "head": draw.normal(V, E),
        "codebook": draw.normal(K, E, std=1.5),
        "blank": draw.normal(1, S, E),
        "commitment": torch.tensor(0.4),
    }


def reading(w, tokens, sentence):
    """The judge's own reading, as sums over words and widths."""
    return torch.tanh(w["look"][tokens] + torch.einsum("bsf,sfte->bte", sentence, w["hear"]))


def composing(w, z):
    return torch.einsum("btf,tfse->bse", z, w["say"])


def nearest(w, vectors):
    return (vectors[..., None, :] - w["codebook"]).square().sum(-1).argmin(-1)


def unseen(n):
    return torch.full((n, T), UNK)


def drawing(w, sentence):
    """Logits of a board of which only a sentence (B, S, E) is known."""
    return reading(w, unseen(len(sentence)), sentence) @ w["head"].T
