"""The transformer that a program is written into: chapter 1's parts, without layer norm and mask (chapter 3)."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn

from .model import Encoder, EncoderConfig
from .values import Atom, RaspError, read_input


class CompiledModel(nn.Module):
    """An encoder with weights written by hand, its vocabulary, and what its outputs mean.

    Calling it on an input gives the program's values: the value of the largest logit, or the number itself where
    `values` is None. BOS is put in front of the input and its output is dropped.
    """

    def __init__(self, encoder: Encoder, vocab: list, max_len: int):
        super().__init__()
        self.encoder, self.vocab, self.max_len = encoder, vocab, max_len
        self.values: list[Atom] | None = None

    @property
    def layers(self) -> int:
        return self.encoder.config.num_transformer_layers

    @property
    def heads(self) -> list[int]:
        """How many heads of each layer are in use."""
        return [int((block.attention.W_O != 0).flatten(1).any(1).sum()) for block in self.encoder.blocks]

    def ids(self, x: Sequence[Atom]) -> Tensor:
        """Token numbers of an input, BOS first. Raises RaspError for an unknown token or an input that is too long."""
        items = read_input(x)
        if len(items) > self.max_len:
            raise RaspError(f"the model was compiled for at most {self.max_len} tokens, but the input has {len(items)}")
        keys = [(type(token), token) for token in self.vocab]
        for item in items:
            if (type(item), item) not in keys:
                raise RaspError(f"{item!r} is not in the vocabulary that the model was compiled for")
        return torch.tensor([[0, *(1 + keys.index((type(item), item)) for item in items)]])

    @torch.no_grad()
    def forward(self, x: Sequence[Atom]) -> list[Atom]:
        logits, _ = self.encoder(self.ids(x))
        if self.values is None:
            return logits[0, 1:, 0].tolist()
        return [self.values[i] for i in logits[0, 1:].argmax(dim=-1).tolist()]

    @torch.no_grad()
    def patterns(self, x: Sequence[Atom]) -> list[Tensor]:
        """The attention patterns of every layer, (N, T + 1, T + 1) each, BOS included."""
        return [pattern[0] for pattern in self.encoder(self.ids(x))[1]]

    @classmethod
    def empty(cls, plan, layers: int, classes: int, causal: bool = False) -> "CompiledModel":
        """A model of the size that the plan needs, with every weight zero."""
        per_layer = [[head for head in plan.heads if head.layer == layer + 1] for layer in range(layers)]
        widths = [sum(W_K.shape[1] for _, _, W_K, _ in head.terms) for head in plan.heads]
        widths += [sum(W.shape[1] for W, _, _ in head.reads) for head in plan.heads]
        hidden = [sum(u.W_in.shape[1] for u in plan.units if u.layer == layer + 1) for layer in range(layers)]
        config = EncoderConfig(
            vocabulary_size=len(plan.vocab) + 1,
            classes=classes,
            embedding_dimension=plan.width,
            num_attention_heads=max([1, *map(len, per_layer)]),
            attention_head_dimension=max([1, *widths]),
            num_transformer_layers=layers,
            mlp_dimension=max([1, *hidden]),
            context_length=plan.n + 1,
            positions="embed",
            norm="none",
            activation="relu",
            causal=causal,
        )
        encoder = Encoder(config)
        for parameter in encoder.parameters():
            parameter.requires_grad_(False).zero_()
        return cls(encoder, plan.vocab, plan.n)

    @torch.no_grad()
    def with_gelu(self, scale: float = 50.0) -> "CompiledModel":
        """The same model for an MLP with GELU: far from 0 it is ReLU, so `scale` what goes in and undo it behind."""
        found = deepcopy(self)
        found.encoder = Encoder(replace(self.encoder.config, activation="gelu"))
        found.encoder.load_state_dict(self.encoder.state_dict())
        for block in found.encoder.blocks:
            block.mlp.W_in *= scale
            block.mlp.W_out /= scale
        return found

    @torch.no_grad()
    def with_layer_norm(self, norm: str = "post", large: float = 1000.0) -> "CompiledModel":
        """The same model for an encoder with layer norm, "post" or "pre".

        Each coordinate r is there twice, as r and as -r, beside the pair `large` and -`large`. So the mean is 0, the
        variance is nearly 2 large^2 / E whatever the coordinates are, and one gain undoes the division.
        """
        old, E = self.encoder, self.encoder.config.embedding_dimension
        config = replace(old.config, norm=norm, embedding_dimension=2 * E + 2)
        found = CompiledModel(Encoder(config), self.vocab, self.max_len)
        found.values = self.values
        for parameter in found.encoder.parameters():
            parameter.requires_grad_(False).zero_()

        def twice(W: Tensor, pair: float = 0.0) -> Tensor:
            """What writes into the residual stream."""
            return torch.cat([W, -W, torch.tensor([pair, -pair]).expand(*W.shape[:-1], 2)], dim=-1)

        def once(W: Tensor) -> Tensor:
            """What reads from it."""
            return torch.cat([W, torch.zeros(*W.shape[:-2], E + 2, W.shape[-1])], dim=-2)

        new = found.encoder
        new.embedding.W_E.copy_(twice(old.embedding.W_E, large))
        new.positional_embedding.W_P.copy_(twice(old.positional_embedding.W_P))
        for ours, theirs in zip(new.blocks, old.blocks, strict=True):
            for name in ("W_Q", "W_K", "W_V"):
                getattr(ours.attention, name).copy_(once(getattr(theirs.attention, name)))
            ours.attention.W_O.copy_(twice(theirs.attention.W_O))
            ours.mlp.W_in.copy_(once(theirs.mlp.W_in))
            ours.mlp.W_out.copy_(twice(theirs.mlp.W_out))
            for layer_norm in (ours.layer_norm_1, ours.layer_norm_2):
                layer_norm.w += large * (2 / config.embedding_dimension) ** 0.5
        new.unembedding.W_U.copy_(once(old.unembedding.W_U))
        new.unembedding.b_U.copy_(old.unembedding.b_U)
        return found

    def write_embedding(self, plan) -> None:
        """Tokens and positions as one-hot vectors, the constant 1, the BOS flag, and what the embedding computes."""
        W_E, W_P = self.encoder.embedding.W_E, self.encoder.positional_embedding.W_P
        W_E[:, plan.one] = 1
        W_E[0, plan.bos] = 1
        for source, table in ((plan.tokens, W_E), (plan.indices, W_P)):
            places = torch.arange(source.size)
            table[1 + places, source.start + places] = 1
            for origin, block, columns in plan.embedded:
                if origin is source:
                    table[1 + places, block.start + torch.tensor(columns)] = 1

    def write_attention(self, layer: int, heads: list, plan) -> None:
        """One layer's heads: for each, its terms side by side in the head's coordinates."""
        attention = self.encoder.blocks[layer].attention
        width = self.encoder.config.attention_head_dimension
        for n, head in enumerate(heads):
            used = sum(W_K.shape[1] for _, _, W_K, _ in head.terms)
            at = 0
            for W_Q, query, W_K, key in head.terms:
                columns = slice(at, at + W_K.shape[1])
                scale = (width / used) ** 0.5  # the head is wider than these terms
                _add(attention.W_Q[n], query, W_Q[:-1] * scale, columns, plan, everywhere=True)
                attention.W_Q[n, plan.one, columns] += W_Q[-1] * scale
                _add(attention.W_K[n], key, W_K[:-1], columns, plan)
                attention.W_K[n, plan.bos, columns] += W_K[-1]
                at += W_K.shape[1]
            at = 0
            for W, rows, start in head.reads:
                columns = torch.arange(at, at + W.shape[1])
                attention.W_V[n, torch.tensor(rows)[:, None], columns] = W
                attention.W_O[n, columns, start + torch.arange(W.shape[1])] = 1
                at += W.shape[1]

    def write_mlp(self, layer: int, units: list) -> None:
        """One layer's hidden units, those of all its functions side by side."""
        mlp, at = self.encoder.blocks[layer].mlp, 0
        for part in units:
            columns = torch.arange(at, at + part.W_in.shape[1])
            mlp.W_in[torch.tensor(part.rows)[:, None], columns] = part.W_in.float()
            out = part.start + torch.arange(part.W_out.shape[1])
            mlp.W_out[columns[:, None], out] = part.W_out.float()
            at += len(columns)

    def write_output(self, rows: list[int], W_U: Tensor, constant: float, values: list[Atom] | None) -> None:
        """Read the logits off the rows of the residual stream that hold the result."""
        self.encoder.unembedding.W_U[torch.tensor(rows)] = W_U
        self.encoder.unembedding.b_U += constant
        self.values = values


def _add(W: Tensor, block, part: Tensor, columns: slice, plan, everywhere: bool = False) -> None:
    """Write the rows of a block; a constant is the 1 that every position has, but BOS only `everywhere`."""
    if block.start >= 0:
        W[block.start : block.start + block.size, columns] += part
        return
    W[plan.one, columns] += part[0]
    if not everywhere:
        W[plan.bos, columns] -= part[0]
