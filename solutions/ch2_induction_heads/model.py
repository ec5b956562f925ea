"""The simplified two-layer transformer: one head per layer, no W_Q, some maps frozen at random (chapter 2).

`MemoryTransformer` is the exercise; `BasicTransformer` is the same model with every setting of ModelArgs, and runs the
same forward pass.
"""

from functools import partial

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.course import CourseError

from .config import ModelArgs


class MemoryAttention(nn.Module):
    """One causal attention head of full width whose queries are the residual stream itself (W_Q = 1).

    Shapes: x (B, T, d) -> output (B, T, d) and attention pattern A (B, T, T). Scores are divided by sqrt(d). A frozen
    map keeps its random initial values. Source: Bietti et al. 2023, section 4.2.
    """

    def __init__(self, dim: int, freeze_wk: bool = False, freeze_wv: bool = True, freeze_wo: bool = False):
        super().__init__()
        self.dim = dim
        self.wk = nn.Linear(dim, dim, bias=False)
        self.wv = nn.Linear(dim, dim, bias=False)
        self.wo = nn.Linear(dim, dim, bias=False)
        # solution
        self.wk.weight.requires_grad_(not freeze_wk)
        self.wv.weight.requires_grad_(not freeze_wv)
        self.wo.weight.requires_grad_(not freeze_wo)
        # end solution

    def forward(self, x: Float[Tensor, "B T d"]) -> tuple[Float[Tensor, "B T d"], Float[Tensor, "B T T"]]:
        # solution
        T = x.shape[1]
        keys, values = self.wk(x), self.wv(x)
        scores = einsum(x, keys, "B T_Q d, B T_K d -> B T_Q T_K") / self.dim**0.5
        future = torch.ones(T, T, dtype=torch.bool, device=x.device).triu(1)
        A = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
        mixed = einsum(A, values, "B T_Q T_K, B T_K d -> B T_Q d")
        return self.wo(mixed), A
        # end solution


class MemoryTransformer(nn.Module):
    """Two layers of MemoryAttention on a residual stream, with random positions that are never trained.

    Shapes: tokens (B, T) -> logits (B, T, V); with return_cache also {"A1", "A2": (B, T, T), "h0", "h1", "h2":
    (B, T, d)}: the patterns, and the residual stream before, between and after the layers. T <= max_length.
    W_V of both layers and W_O of the first are frozen. Source: Bietti et al. 2023, section 4.2.
    """

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        V, d, T = cfg.vocab_size, cfg.dim, cfg.max_length
        self.tok_embeddings = nn.Embedding(V, d)
        self.output = nn.Linear(d, V, bias=False)
        self.tok_embeddings.weight.requires_grad_(not cfg.freeze_embeddings)
        self.output.weight.requires_grad_(not cfg.freeze_output)
        # solution
        self.register_buffer("pe", torch.randn(T, d))
        attentions = MemoryAttention(d, freeze_wo=True), MemoryAttention(d)
        self.layers = nn.ModuleList(nn.ModuleDict({"attention": attention}) for attention in attentions)
        # end solution

    def forward(
        self, tokens: Int[Tensor, "B T"], return_cache: bool = False
    ) -> Float[Tensor, "B T V"] | tuple[Float[Tensor, "B T V"], dict[str, Tensor]]:
        # solution
        h0 = self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]
        out1, A1 = self.layers[0].attention(h0)
        h1 = h0 + out1
        out2, A2 = self.layers[1].attention(h1)
        h2 = h1 + out2
        logits = self.output(h2)
        if return_cache:
            return logits, {"A1": A1, "A2": A2, "h0": h0, "h1": h1, "h2": h2}
        return logits
        # end solution


def sinusoids(length: int, d: int) -> Float[Tensor, "T d"]:
    """Sines in the even dimensions and cosines in the odd ones, with wavelengths up to 10000 * 2 pi; d is even.

    Shapes: -> (length, d). Source: Vaswani et al. 2017, section 3.5.
    """
    angles = _angles(length, d)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def rotate(x: Float[Tensor, "B T d"]) -> Float[Tensor, "B T d"]:
    """Turn each pair of dimensions by an angle that grows with the position, so that scores only see distances.

    Shapes: (B, T, d) -> the same. Source: Su et al. 2021, section 3.2.
    """
    angles = _angles(x.shape[-2], x.shape[-1]).to(x)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()
    return torch.stack(turned, dim=-1).flatten(-2)


def _angles(length: int, d: int) -> Float[Tensor, "T half_d"]:
    rates = 10000 ** (-torch.arange(0, d, 2) / d)
    return torch.arange(length)[:, None] * rates


class RotaryAttention(MemoryAttention):
    """MemoryAttention whose queries and keys are rotated by their positions before they are compared.

    Shapes: x (B, T, d) -> output (B, T, d), pattern (B, T, T).
    """

    def forward(self, x: Float[Tensor, "B T d"]) -> tuple[Float[Tensor, "B T d"], Float[Tensor, "B T T"]]:
        scores = einsum(rotate(x), rotate(self.wk(x)), "B T_Q d, B T_K d -> B T_Q T_K") / x.shape[-1] ** 0.5
        future = torch.ones(scores.shape[1:], dtype=torch.bool, device=x.device).triu(1)
        A = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
        return self.wo(A @ self.wv(x)), A


class Reading:
    """What both models let one look at. A model has `embed`, `read_out` and `block(i, x, skip)`, where skip leaves out
    the "ff" or the "attention" branch of layer i.
    """

    def stream(self, tokens: Int[Tensor, "B T"], layer: int, before_ffn: bool = False) -> Float[Tensor, "B T d"]:
        """The residual stream after `layer` layers (0: the embeddings), or before the last one's feed-forward."""
        cache = self(tokens, return_cache=True)[1]
        return self.block(layer - 1, cache[f"h{layer - 1}"], "ff") if before_ffn else cache[f"h{layer}"]

    def layer_scores(self, tokens: Int[Tensor, "B T"], n: int) -> Float[Tensor, "B *H T T"]:
        """The attention pattern of layer n, counted from 0: (B, T, T), or (B, H, T, T) of a model with heads."""
        return self(tokens, return_cache=True)[1][f"A{n + 1}"]

    def top_preds(
        self, tokens: Int[Tensor, "*B T"], n: int = 4
    ) -> tuple[Float[Tensor, "*B T n"], Int[Tensor, "*B T n"]]:
        """The n largest logits and their tokens; tokens (T,) or (B, T)."""
        with torch.no_grad():
            top = self(tokens if tokens.ndim == 2 else tokens[None]).topk(n, dim=-1)
        values, indices = top.values, top.indices
        return (values, indices) if tokens.ndim == 2 else (values[0], indices[0])

    def forward_ff_only(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits where no layer attends: only the feed-forward branches, where there are any."""
        x = self.embed(tokens)
        for i in range(len(self.layers)):
            x = self.block(i, x, "attention")
        return self.read_out(x)


class TiedOutput(nn.Module):
    """Unembedding by the embedding table itself, its rows brought to variance 1/d.

    Shapes: (B, T, d) -> (B, T, V). `frozen`: no gradient reaches the table from here.
    """

    def __init__(self, embedding: nn.Embedding, scale: float, frozen: bool):
        super().__init__()
        self._embedding = [embedding]  # in a list, so that the table is registered once
        self.scale, self.frozen = scale, frozen

    @property
    def weight(self) -> Float[Tensor, "V d"]:
        weight = self._embedding[0].weight * self.scale
        return weight.detach() if self.frozen else weight

    def forward(self, x: Float[Tensor, "*T d"]) -> Float[Tensor, "*T V"]:
        return nn.functional.linear(x, self.weight)


class BasicTransformer(Reading, MemoryTransformer):
    """MemoryTransformer with every setting of ModelArgs; its forward pass is inherited.

    Shapes: tokens (B, T), T <= max_length -> logits (B, T, V); with return_cache also "A1", "A2", "h0", "h1", "h2".
    `pe` is a buffer (max_length, d), zero with rotary positions. Raises CourseError for settings that cannot be built.
    Source: Bietti et al. 2023, section 4.2.
    """

    def __init__(self, args: ModelArgs):
        _check(args)
        super().__init__(args)
        self.args, d = args, args.dim
        if args.sin_cos:
            self.pe = sinusoids(args.max_length, d)
        if args.sqrtd_embeddings:
            with torch.no_grad():
                self.tok_embeddings.weight *= d**-0.5
                self.pe *= d**-0.5
        if args.tie_output:
            scale = 1.0 if args.sqrtd_embeddings else d**-0.5
            self.output = TiedOutput(self.tok_embeddings, scale, args.freeze_output)
        if args.use_rope:
            self.pe.zero_()
            self.layers[0].attention = RotaryAttention(d, freeze_wo=True)
        if args.no_sqrtd:  # the attention divides its scores by sqrt(d), so its keys are made longer by as much
            for layer in self.layers:
                layer.attention.wk.register_forward_hook(partial(_longer, d**0.5))
        kinds = (args.first_ffn, args.linear_first_ffn), (args.final_ffn, args.linear_final_ffn)
        for layer, (there, linear) in zip(self.layers, kinds, strict=True):
            if there:  # what a layer adds to the stream is then the attention's output and the branch's
                layer["ff"] = feed_forward(d, linear)
                layer.attention.register_forward_hook(partial(_and_feed_forward, layer["ff"]))

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T d"]:
        """The residual stream before the first layer."""
        return self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]

    def read_out(self, x: Float[Tensor, "B T d"]) -> Float[Tensor, "B T V"]:
        return self.output(x)

    def block(self, i: int, x: Float[Tensor, "B T d"], skip: str) -> Float[Tensor, "B T d"]:
        layer = self.layers[i]
        if skip == "ff":
            return x + layer.attention.forward(x)[0]  # called past its hook
        return x + layer["ff"](x) if "ff" in layer else x


def _longer(factor: float, module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
    return factor * output


def _and_feed_forward(ff: nn.Module, module: nn.Module, inputs: tuple, output: tuple) -> tuple:
    (x,), (out, A) = inputs, output
    return out + ff(x + out), A


def feed_forward(d: int, linear: bool) -> nn.Module:
    """Bias-free feed-forward branch: one d x d map, or two with a ReLU between them, 4 d wide."""
    if linear:
        return nn.Linear(d, d, bias=False)
    return nn.Sequential(nn.Linear(d, 4 * d, bias=False), nn.ReLU(), nn.Linear(4 * d, d, bias=False))


def _check(args: ModelArgs) -> None:
    for name in ("vocab_size", "dim", "max_length"):
        if getattr(args, name) < 1:
            raise CourseError(f"model_args.{name} must be above zero, but it is {getattr(args, name)}.")
    if args.dim % 2 and (args.use_rope or args.sin_cos):
        what = "rotary positions turn" if args.use_rope else "sinusoidal positions fill"
        raise CourseError(f"model_args.dim is {args.dim}, but {what} dimensions two by two: it must be even.")
