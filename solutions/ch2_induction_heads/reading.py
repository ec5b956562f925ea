"""What both models of chapter 2 let one look at: streams, patterns, best guesses, feed-forward branches alone."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Reading:
    """Mixin of a model with `embed`, `layers` (block(x, skip) -> (x, pattern)) and `read_out`."""

    def stream(self, tokens: Int[Tensor, "B T"], layer: int, before_ffn: bool = False) -> Float[Tensor, "B T d"]:
        """The residual stream after `layer` layers (0: the embeddings), or before the last one's feed-forward."""
        x = self.embed(tokens)
        for i, block in enumerate(self.layers[:layer], start=1):
            x, _ = block(x, skip="ff" if before_ffn and i == layer else None)
        return x

    def layer_scores(self, tokens: Int[Tensor, "B T"], n: int) -> Float[Tensor, "B *H T T"]:
        """The attention pattern of layer n, counted from 0: (B, T, T), or (B, H, T, T) of a model with heads."""
        return self.layers[n](self.stream(tokens, n))[1]

    def top_preds(
        self, tokens: Int[Tensor, "*B T"], n: int = 4
    ) -> tuple[Float[Tensor, "*B T n"], Int[Tensor, "*B T n"]]:
        """The n largest logits and their tokens; tokens (T,) or (B, T)."""
        batch = tokens if tokens.ndim == 2 else tokens[None]
        with torch.no_grad():
            top = self(batch).topk(n, dim=-1)
        values, indices = top.values, top.indices
        return (values, indices) if tokens.ndim == 2 else (values[0], indices[0])

    def forward_ff_only(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits where no layer attends: feed-forward branches alone, where there are any."""
        x = self.embed(tokens)
        for block in self.layers:
            x, _ = block(x, skip="attention")
        return self.read_out(x)
