"""The fast path: the same model with fused attention and flat weights (chapter 1).

The reference (model.py) reads like the formulas; this one is what to train with when time matters. It differs in six
ways: queries, keys and values come out of one matrix product; softmax(QK / sqrt(H)) V is one fused kernel that never
builds the (T, T) pattern; layer norm and GELU are torch's own kernels; biases are added inside the products; the loss
passes over the last position instead of cutting it off, so that no logits are copied; and a CPU computes the products
as convolutions of width 1 (`Pointwise`).
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.train import Pointwise

from .config import TransformerConfig
from .model import Transformer


class FastTransformer(nn.Module):
    """A Transformer of the same function, faster to train; `read` takes its weights, `write` gives them back.

    Shapes: tokens (B, T) -> logits (B, T, V), equal to the reference's within float32 error. `causal` False leaves the
    mask out, `positions` False the positional embedding (the controls of chapter 1).
    """

    def __init__(self, config: TransformerConfig, causal: bool = True, positions: bool = True):
        super().__init__()
        self.config, self.causal, self.positions = config, causal, positions
        E, V, M = config.embedding_dimension, config.vocabulary_size, config.mlp_dimension
        heads = config.num_attention_heads * config.attention_head_dimension
        epsilon = config.layer_normalization_epsilon
        self.embedding = nn.Embedding(V, E)
        self.positional_embedding = nn.Parameter(torch.zeros(config.context_length, E), requires_grad=positions)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "layer_norm_1": nn.LayerNorm(E, epsilon),
                    "qkv": Pointwise(E, 3 * heads),
                    "out": Pointwise(heads, E),
                    "layer_norm_2": nn.LayerNorm(E, epsilon),
                    "widen": Pointwise(E, M),
                    "narrow": Pointwise(M, E),
                }
            )
            for _ in range(config.num_transformer_layers)
        )
        self.final_layer_norm = nn.LayerNorm(E, epsilon)
        self.unembedding = Pointwise(E, V)
        self.unembedding.bias.requires_grad = False
        self.read(Transformer(config))

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        return self.unembedding(self._stream(tokens))

    def loss(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
        """`next_token_loss` of this model's logits: the mean cross-entropy of token t + 1 given the tokens up to t."""
        targets = F.pad(tokens[:, 1:], (0, 1), value=-100)  # which cross_entropy leaves out
        return F.cross_entropy(rearrange(self(tokens), "B T V -> (B T) V"), rearrange(targets, "B T -> (B T)"))

    def _stream(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T E"]:
        """What the unembedding reads: the residual stream after all blocks and the final layer norm."""
        length, H = tokens.shape[1], self.config.attention_head_dimension
        if length > self.config.context_length:
            raise ValueError(f"{length} tokens do not fit the context of {self.config.context_length}.")
        residual = self.embedding(tokens)
        if self.positions:
            residual = residual + self.positional_embedding[:length]
        for block in self.blocks:
            qkv = block["qkv"](block["layer_norm_1"](residual))
            queries, keys, values = rearrange(qkv, "B T (three N H) -> three B N T H", three=3, H=H).unbind()
            mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=self.causal)
            residual = residual + block["out"](rearrange(mixed, "B N T H -> B T (N H)"))
            hidden = F.gelu(block["widen"](block["layer_norm_2"](residual)), approximate="tanh")
            residual = residual + block["narrow"](hidden)
        return self.final_layer_norm(residual)

    def _pairs(self, model: Transformer):
        """Each of our parameters with the reference's, in our layout (views: in-place copies reach the original)."""
        yield self.embedding.weight, model.embedding.W_E
        yield self.positional_embedding, model.positional_embedding.W_P
        heads = self.config.num_attention_heads * self.config.attention_head_dimension
        for ours, theirs in zip(self.blocks, model.blocks, strict=True):
            for name in ("layer_norm_1", "layer_norm_2"):
                yield ours[name].weight, getattr(theirs, name).w
                yield ours[name].bias, getattr(theirs, name).b
            sizes = {"N": self.config.num_attention_heads}
            for part, letter in enumerate("QKV"):
                rows = slice(part * heads, (part + 1) * heads)
                weight = rearrange(ours["qkv"].weight[rows], "(N H) E -> N E H", **sizes)
                yield weight, getattr(theirs.attention, f"W_{letter}")
                yield (
                    rearrange(ours["qkv"].bias[rows], "(N H) -> N H", **sizes),
                    getattr(theirs.attention, f"b_{letter}"),
                )
            yield rearrange(ours["out"].weight, "E (N H) -> N H E", **sizes), theirs.attention.W_O
            yield ours["out"].bias, theirs.attention.b_O
            yield ours["widen"].weight.T, theirs.mlp.W_in
            yield ours["widen"].bias, theirs.mlp.b_in
            yield ours["narrow"].weight.T, theirs.mlp.W_out
            yield ours["narrow"].bias, theirs.mlp.b_out
        yield self.final_layer_norm.weight, model.final_layer_norm.w
        yield self.final_layer_norm.bias, model.final_layer_norm.b
        yield self.unembedding.weight.T, model.unembedding.W_U
        yield self.unembedding.bias, model.unembedding.b_U

    @torch.no_grad()
    def read(self, model: Transformer) -> "FastTransformer":
        """Take over the weights of a reference model of the same config; returns itself."""
        for ours, theirs in self._pairs(model):
            ours.copy_(theirs)
        if not self.positions:
            self.positional_embedding.zero_()
        return self

    @torch.no_grad()
    def write(self, model: Transformer) -> Transformer:
        """Give the weights to a reference model of the same config; returns that model."""
        for ours, theirs in self._pairs(model):
            theirs.copy_(ours)
        return model


def fast_train_step(model: FastTransformer, tokens: Int[Tensor, "B T"], optimizer: torch.optim.Optimizer) -> float:
    """`train_step` by the model's own `loss`; returns the loss before the step."""
    optimizer.zero_grad()
    loss = model.loss(tokens)
    loss.backward()
    optimizer.step()
    return loss.item()
