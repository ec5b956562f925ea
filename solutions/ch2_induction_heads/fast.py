"""The fast form of the simplified transformer: the same numbers with less work (chapter 2).

Products of constant matrices are made once, and layer 2 computes nothing at positions that the loss doesn't ask for.
`merged_logits` is the exercise (every position, for measuring), `masked_logits` the form for training, and `Asked` is
what the exercise `train` is given, so that both forms have one loop. The tests compare each with MemoryTransformer.
"""

import torch
import torch.nn.functional as F
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .model import BasicTransformer


def merged_logits(model: nn.Module, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
    """Compute the model's logits without calling it, and with fewer multiplications.

    Shapes: tokens (B, T) -> (B, T, V). Layer 1 only ever reads rows of two tables, so its keys and values can be
    looked up; the values of layer 2 go straight to logits through one (V, d) matrix. Reads tok_embeddings, pe, output
    and the layers' wk, wv and wo.
    """
    # solution
    first, second = (layer.attention for layer in model.layers)
    E, U, P = model.tok_embeddings.weight, model.output.weight, model.pe[: tokens.shape[1]]
    root = E.shape[1] ** 0.5
    future = torch.ones(len(P), len(P), dtype=torch.bool, device=tokens.device).triu(1)

    def looked_up(W):  # W (E + P) for every position, from V + T products
        return (E @ W.T)[tokens] + P @ W.T

    def attend(queries, keys):
        scores = einsum(queries, keys, "B T_Q d, B T_K d -> B T_Q T_K") / root
        return scores.masked_fill(future, -torch.inf).softmax(dim=-1)

    h0 = E[tokens] + P
    h1 = h0 + attend(h0, looked_up(first.wk.weight)) @ looked_up(first.wo.weight @ first.wv.weight)
    to_logits = U @ second.wo.weight @ second.wv.weight
    return h1 @ U.T + attend(h1 @ second.wk.weight, h1) @ (h1 @ to_logits.T)
    # end solution


ROWS = 28  # rows of a batch that layer 2 reads together


def masked_logits(model: nn.Module, tokens: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "masked V"]:
    """merged_logits(model, tokens)[mask], where layer 2 is asked at the masked positions only.

    Layer 2 scores h W_K^2 against h itself, so that its keys need no map of their own. It takes the rows by the number
    of their masked positions, a few at a time, because each group is padded to its longest row.
    """
    first, second = (layer.attention for layer in model.layers)
    E, U, P = model.tok_embeddings.weight, model.output.weight, model.pe[: tokens.shape[1]]
    scale, (T, _) = E.shape[1] ** -0.5, P.shape
    future = torch.full((T, T), -torch.inf, device=E.device, dtype=E.dtype).triu(1)
    W_K1, W_OV1 = first.wk.weight * scale, first.wo.weight @ first.wv.weight
    W_K2, to_logits = second.wk.weight * scale, U @ second.wo.weight @ second.wv.weight

    order = mask.sum(dim=1).argsort()
    tokens, sorted_mask = tokens[order], mask[order]
    h0 = F.embedding(tokens, E) + P
    keys, values = (F.embedding(tokens, E @ W.T) + P @ W.T for W in (W_K1, W_OV1))
    A1 = torch.baddbmm(future, h0, keys.transpose(1, 2)).softmax(dim=-1)
    h1 = torch.baddbmm(h0, A1, values)

    logits = []
    for h, asked in zip(h1.split(ROWS), sorted_mask.split(ROWS), strict=True):
        counts = asked.sum(dim=1)
        places = asked.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, : int(counts.max())]
        queries = h.gather(1, places[:, :, None].expand(-1, -1, h.shape[2]))
        A2 = torch.baddbmm(future[places], queries @ W_K2, h.transpose(1, 2)).softmax(dim=-1)
        real = (torch.arange(places.shape[1], device=mask.device) < counts[:, None]).flatten().nonzero()[:, 0]
        own, read = (part.flatten(0, 1).index_select(0, real) for part in (queries, A2 @ h))
        logits.append(own @ U.T + read @ to_logits.T)

    numbers = torch.zeros(mask.shape, dtype=torch.long, device=mask.device)
    numbers[mask] = torch.arange(int(mask.sum()), device=mask.device)
    return torch.cat(logits).index_select(0, numbers[order][sorted_mask].argsort())


def can_merge(model: nn.Module) -> bool:
    """Whether the fast form knows this model: the simplified one without feed-forward branches, with its scale."""
    if not isinstance(model, BasicTransformer):
        return False
    args = model.args
    return not (args.use_rope or args.no_sqrtd or args.first_ffn or args.final_ffn)


class Asked(nn.Module):
    """A model as `train` sees it in the fast form: it gives the logits of the masked positions only.

    `ask` takes the batch that comes next, and returns it in the form that belongs to these logits.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def ask(
        self, x: Int[Tensor, "B T"], y: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"]
    ) -> tuple[Int[Tensor, "B T"], Int[Tensor, "masked"], Bool[Tensor, "masked"]]:
        self.mask = mask
        labels = y[mask]
        return x, labels, torch.ones_like(labels, dtype=torch.bool)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "masked V"]:
        return masked_logits(self.model, tokens, self.mask)
