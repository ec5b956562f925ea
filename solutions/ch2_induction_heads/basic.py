"""The simplified transformer with every setting of ModelArgs (chapter 2).

With the settings that the exercises use it is MemoryTransformer: same parameters by name, same logits.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.course import CourseError

from .config import ModelArgs
from .positions import rotate, sinusoids
from .reading import Reading
from .simplified import MemoryAttention


class BasicAttention(MemoryAttention):
    """MemoryAttention with rotary positions and without the scale, where asked for.

    Shapes: x (B, T, d) -> output (B, T, d), pattern (B, T, T).
    """

    def __init__(self, dim: int, freeze_wo: bool, rotary: bool = False, scaled: bool = True):
        super().__init__(dim, freeze_wo=freeze_wo)
        self.rotary, self.scale = rotary, dim**-0.5 if scaled else 1.0

    def forward(self, x: Float[Tensor, "B T d"]) -> tuple[Float[Tensor, "B T d"], Float[Tensor, "B T T"]]:
        queries, keys = x, self.wk(x)
        if self.rotary:
            queries, keys = rotate(queries), rotate(keys)
        scores = torch.einsum("btd,bsd->bts", queries, keys) * self.scale
        future = torch.ones(scores.shape[1:], dtype=torch.bool, device=x.device).triu(1)
        A = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
        return self.wo(torch.einsum("bts,bsd->btd", A, self.wv(x))), A


class BasicBlock(nn.Module):
    """x + attention(x), then plus a feed-forward branch of that, where there is one. Shapes: (B, T, d) -> (B, T, d)."""

    def __init__(self, attention: BasicAttention, ff: nn.Module | None):
        super().__init__()
        self.attention, self.ff = attention, ff

    def forward(self, x: Float[Tensor, "B T d"], skip: str | None = None) -> tuple[Tensor, Tensor | None]:
        """New stream and pattern. `skip`: leave out the "ff" or the "attention" branch."""
        A = None
        if skip != "attention":
            out, A = self.attention(x)
            x = x + out
        if self.ff is not None and skip != "ff":
            x = x + self.ff(x)
        return x, A


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


class BasicTransformer(Reading, nn.Module):
    """Two layers, one head each, W_Q = 1; W_V of both layers and W_O of the first keep their random start.

    Shapes: tokens (B, T), T <= max_length -> logits (B, T, V); with return_cache also "A1", "A2", "h0", "h1", "h2".
    `pe` is a buffer (max_length, d), None with rotary positions. Raises CourseError for settings that cannot be built.
    Source: Bietti et al. 2023, section 4.2.
    """

    def __init__(self, args: ModelArgs):
        super().__init__()
        _check(args)
        self.args = args
        V, d = args.vocab_size, args.dim
        shrink = d**-0.5 if args.sqrtd_embeddings else 1.0
        self.tok_embeddings = nn.Embedding(V, d)
        with torch.no_grad():
            self.tok_embeddings.weight *= shrink
        self.tok_embeddings.weight.requires_grad_(not args.freeze_embeddings)
        if args.tie_output:
            scale = 1.0 if args.sqrtd_embeddings else d**-0.5
            self.output = TiedOutput(self.tok_embeddings, scale, args.freeze_output)
        else:
            self.output = nn.Linear(d, V, bias=False)
            self.output.weight.requires_grad_(not args.freeze_output)
        pe = None
        if not args.use_rope:
            pe = sinusoids(args.max_length, d) if args.sin_cos else torch.randn(args.max_length, d)
            pe = pe * shrink
        self.register_buffer("pe", pe)
        kinds = (args.first_ffn, args.linear_first_ffn), (args.final_ffn, args.linear_final_ffn)
        self.layers = nn.ModuleList(
            BasicBlock(
                BasicAttention(d, freeze_wo=i == 0, rotary=args.use_rope and i == 0, scaled=not args.no_sqrtd),
                feed_forward(d, linear) if there else None,
            )
            for i, (there, linear) in enumerate(kinds)
        )

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T d"]:
        """The residual stream before the first layer."""
        x = self.tok_embeddings(tokens)
        return x if self.pe is None else x + self.pe[: tokens.shape[1]]

    def read_out(self, x: Float[Tensor, "B T d"]) -> Float[Tensor, "B T V"]:
        return self.output(x)

    def forward(self, tokens: Int[Tensor, "B T"], return_cache: bool = False):
        x = self.embed(tokens)
        cache = {"h0": x}
        for i, layer in enumerate(self.layers, start=1):
            x, A = layer(x)
            cache |= {f"A{i}": A, f"h{i}": x}
        logits = self.output(x)
        return (logits, cache) if return_cache else logits


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
