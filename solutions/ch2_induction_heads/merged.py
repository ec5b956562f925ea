"""The simplified transformer computed faster, to the same logits: constant products are made once (chapter 2).

Layer 1 reads a table of V + T rows, so its keys and its values (W_O^1 W_V^1 of a row) are looked up. Layer 2 scores
h W_K^2 against h itself, and its values go to logits at once by U W_O^2 W_V^2. Where only some positions count for the
loss, layer 2 asks for those alone.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .basic import BasicTransformer


def can_merge(model: nn.Module) -> bool:
    """Whether `merged_forward` knows this model: no rotation, and no MLP with a ReLU after the second layer."""
    if not isinstance(model, BasicTransformer):
        return False
    return not model.args.use_rope and (model.layers[1].ff is None or isinstance(model.layers[1].ff, nn.Linear))


def merged_forward(
    model: BasicTransformer, tokens: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"] | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits and patterns. Without mask: (B, T, V) and {"A1", "A2": (B, T, T)}.

    With mask: the logits of the masked positions only, (n, V) in the order of logits[mask], and {"A1"}.
    """
    first, second = (layer.attention for layer in model.layers)
    T = tokens.shape[1]
    E, P = model.tok_embeddings.weight, model.pe[:T]
    future = torch.full((T, T), -torch.inf, device=E.device, dtype=E.dtype).triu(1)

    h0 = F.embedding(tokens, E) + P
    W_K1 = first.wk.weight * first.scale
    keys = F.embedding(tokens, E @ W_K1.T) + P @ W_K1.T
    A1 = torch.baddbmm(future, h0, keys.transpose(1, 2)).softmax(dim=-1)
    W_OV1 = first.wo.weight @ first.wv.weight
    values = F.embedding(tokens, E @ W_OV1.T) + P @ W_OV1.T
    h1 = torch.baddbmm(h0, A1, values)
    if model.layers[0].ff is not None:
        h1 = h1 + model.layers[0].ff(h1)

    U = model.output.weight
    if model.layers[1].ff is not None:
        U = U + U @ model.layers[1].ff.weight
    M2 = U @ second.wo.weight @ second.wv.weight  # from an attended stream to logits
    W_K2 = second.wk.weight * second.scale
    asked, hidden = (h1, future) if mask is None else _only(h1, future, mask)
    A2 = torch.baddbmm(hidden, asked @ W_K2, h1.transpose(1, 2)).softmax(dim=-1)
    logits = torch.baddbmm(asked @ U.T, A2, h1 @ M2.T)
    if mask is None:
        return logits, {"A1": A1, "A2": A2}
    counts = mask.sum(dim=1)
    kept = torch.arange(logits.shape[1], device=mask.device) < counts[:, None]
    return logits[kept], {"A1": A1}


def _only(
    h: Float[Tensor, "B T d"], future: Float[Tensor, "T T"], mask: Bool[Tensor, "B T"]
) -> tuple[Float[Tensor, "B Q d"], Float[Tensor, "B Q T"]]:
    """The masked positions of each row, moved to its front and padded to the longest, and what is hidden from them."""
    longest = int(mask.sum(dim=1).max())
    places = mask.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :longest]
    return h.gather(1, places[:, :, None].expand(-1, -1, h.shape[2])), future[places]
