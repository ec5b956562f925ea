"""The transformer that a program is written into: chapter 1's parts, without layer norm and mask (chapter 3)."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn

from utils.course import CourseError


class CompiledModel(nn.Module):
    """An encoder with weights written by hand, its vocabulary, and what its outputs mean.

    Calling it on an input gives the program's values: the value of the largest logit, or the number itself where
    `values` is None. BOS is put in front of the input and its output is dropped.
    """

    def __init__(self, encoder: nn.Module, vocab: list, max_len: int, values: list | None):
        super().__init__()
        self.encoder, self.vocab, self.max_len = encoder, vocab, max_len
        self.values = values

    @property
    def layers(self) -> int:
        return self.encoder.config.num_transformer_layers

    @property
    def heads(self) -> list[int]:
        """How many heads of each layer are in use."""
        return [int((block.attention.W_O != 0).flatten(1).any(1).sum()) for block in self.encoder.blocks]

    def ids(self, x: Sequence) -> Tensor:
        """Token numbers of an input, BOS first. Raises CourseError for an unknown token or too long an input."""
        items = list(x)
        if not items:
            raise CourseError("an input must not be empty: it needs at least one token")
        if len(items) > self.max_len:
            raise CourseError(
                f"the model was compiled for at most {self.max_len} tokens, but the input has {len(items)}"
            )
        keys = [(type(token), token) for token in self.vocab]
        for item in items:
            if (type(item), item) not in keys:
                raise CourseError(f"{item!r} is not in the vocabulary that the model was compiled for")
        return torch.tensor([[0, *(1 + keys.index((type(item), item)) for item in items)]])

    @torch.no_grad()
    def forward(self, x: Sequence) -> list:
        logits, _ = self.encoder(self.ids(x))
        if self.values is None:
            return logits[0, 1:, 0].tolist()
        return [self.values[i] for i in logits[0, 1:].argmax(dim=-1).tolist()]

    @torch.no_grad()
    def patterns(self, x: Sequence) -> list[Tensor]:
        """The attention patterns of every layer, (N, T + 1, T + 1) each, BOS included."""
        return [pattern[0] for pattern in self.encoder(self.ids(x))[1]]

    @torch.no_grad()
    def with_gelu(self, scale: float = 50.0) -> "CompiledModel":
        """The same model for an MLP with GELU: far from 0 it is ReLU, so `scale` what goes in and undo it behind."""
        found = deepcopy(self)
        found.encoder = type(self.encoder)(replace(self.encoder.config, activation="gelu"))
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
        found = CompiledModel(type(old)(config), self.vocab, self.max_len, self.values)
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
