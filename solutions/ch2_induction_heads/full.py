"""The full transformer of chapter 2: heads, LayerNorm, MLPs, learned positions, and what each is without."""

import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.course import CourseError

from .config import FullModelArgs
from .model import Reading, feed_forward, sinusoids


class FullAttention(nn.Module):
    """Causal attention of N heads without biases. Shapes: x (B, T, d) -> output (B, T, d), pattern (B, N, T, T)."""

    def __init__(self, args: FullModelArgs):
        super().__init__()
        d = args.dim
        self.n_heads = args.n_heads
        self.wq = nn.Linear(d, d, bias=False)
        self.wk = nn.Linear(d, d, bias=False)
        self.wv = nn.Identity() if args.no_wv else nn.Linear(d, d, bias=False)
        self.wo = nn.Identity() if args.no_wo else nn.Linear(d, d, bias=False)
        for frozen, module in ((args.freeze_wv, self.wv), (args.freeze_wo, self.wo)):
            module.requires_grad_(not frozen)

    def forward(self, x: Float[Tensor, "B T d"]) -> tuple[Float[Tensor, "B T d"], Float[Tensor, "B N T T"]]:
        q, k, v = (rearrange(w(x), "B T (N H) -> B N T H", N=self.n_heads) for w in (self.wq, self.wk, self.wv))
        scores = einsum(q, k, "B N T_Q H, B N T_K H -> B N T_Q T_K") / q.shape[-1] ** 0.5
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        A = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
        mixed = einsum(A, v, "B N T_Q T_K, B N T_K H -> B N T_Q H")
        return self.wo(rearrange(mixed, "B N T H -> B T (N H)")), A


class FullBlock(nn.Module):
    """Attention, then the feed-forward branch; LayerNorm before each (pre_norm) or after each.

    Shapes: (B, T, d) -> (B, T, d). With `parallel_ffn` the pre-norm feed-forward reads the block's input.
    """

    def __init__(self, args: FullModelArgs, first: bool):
        super().__init__()
        d = args.dim
        self.pre_norm, self.parallel = args.pre_norm, args.parallel_ffn
        self.attention = FullAttention(args)
        without = args.no_ffn or (first and args.no_first_layer_ffn)
        self.ff = None if without else feed_forward(d, args.linear_ffn)
        self.attention_norm = nn.Identity() if args.no_norm else nn.LayerNorm(d)
        self.ff_norm = nn.Identity() if args.no_norm or without else nn.LayerNorm(d)

    def forward(self, x: Float[Tensor, "B T d"], skip: str | None = None) -> tuple[Tensor, Tensor | None]:
        """New stream and pattern. `skip`: leave out the "ff" or the "attention" branch."""
        A, h = None, x
        if skip != "attention":
            out, A = self.attention(self.attention_norm(x) if self.pre_norm else x)
            h = x + out if self.pre_norm else self.attention_norm(x + out)
        if self.ff is None or skip == "ff":
            return h, A
        if self.pre_norm:
            return h + self.ff(self.ff_norm(x if self.parallel else h)), A
        return self.ff_norm(h + self.ff(h)), A


class FullTransformer(Reading, nn.Module):
    """A decoder of n_layers. Shapes: tokens (B, T), T <= max_length -> logits (B, T, V).

    With return_cache also {"A1", ...: (B, N, T, T), "h0", "h1", ...: (B, T, d)}. Raises CourseError for settings that
    cannot be built.
    """

    def __init__(self, args: FullModelArgs):
        super().__init__()
        _check(args)
        self.args = args
        V, d = args.vocab_size, args.dim
        self.tok_embeddings = nn.Embedding(V, d)
        self.tok_embeddings.weight.requires_grad_(not args.freeze_embeddings)
        if args.sin_cos:
            self.register_buffer("pe", sinusoids(args.max_length, d))
        else:
            self.pe = nn.Parameter(torch.randn(args.max_length, d), requires_grad=not args.freeze_embeddings)
        self.layers = nn.ModuleList(FullBlock(args, first=i == 0) for i in range(args.n_layers))
        self.norm = nn.LayerNorm(d) if args.pre_norm and not args.no_norm else nn.Identity()
        self.output = nn.Linear(d, V, bias=False)
        if args.freeze_output:
            self.output.weight.requires_grad_(False)
        elif args.tie_output:
            self.output.weight = self.tok_embeddings.weight

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T d"]:
        """The residual stream before the first layer."""
        return self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]

    def read_out(self, x: Float[Tensor, "B T d"]) -> Float[Tensor, "B T V"]:
        return self.output(self.norm(x))

    def block(self, i: int, x: Float[Tensor, "B T d"], skip: str) -> Float[Tensor, "B T d"]:
        return self.layers[i](x, skip)[0]

    def forward(self, tokens: Int[Tensor, "B T"], return_cache: bool = False):
        x = self.embed(tokens)
        cache = {"h0": x}
        for i, layer in enumerate(self.layers, start=1):
            x, A = layer(x)
            cache |= {f"A{i}": A, f"h{i}": x}
        logits = self.read_out(x)
        return (logits, cache) if return_cache else logits


def _check(args: FullModelArgs) -> None:
    for name in ("vocab_size", "n_layers", "dim", "n_heads", "max_length"):
        if getattr(args, name) < 1:
            raise CourseError(f"model_args.{name} must be above zero, but it is {getattr(args, name)}.")
    if args.dim % args.n_heads:
        raise CourseError(f"model_args.dim is {args.dim}, but it must be a multiple of n_heads = {args.n_heads}.")
    if args.dim % 2 and args.sin_cos:
        raise CourseError(
            f"model_args.dim is {args.dim}, but sinusoidal positions fill dimensions two by two: it must be even."
        )
