"""Attention patterns taken from a model's own forward pass, and the explorer that shows them."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from utils.plot.figures import attention_figure, label
from utils.plot.picture import Picture
from utils.plot.widget import Explorer

BY_HAND = (
    "This attention does not call torch's softmax on whole scores, so the patterns are recomputed from its W_Q, W_K "
    "and biases, with a causal mask."
)


@dataclass
class Patterns:
    """Attention patterns of one text: `layers` holds L tensors (N, T, T); `note` is empty when they were captured."""

    layers: list[Tensor]
    note: str = ""


class _CatchSoftmax(TorchFunctionMode):
    """Keeps every result of a softmax that has the shape of attention patterns (1, N, T, T)."""

    CALLS = (torch.softmax, Tensor.softmax, F.softmax)

    def __init__(self, length: int):
        super().__init__()
        self.length = length
        self.caught: list[Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func in self.CALLS and result.ndim == 4 and result[0].shape[-2:] == (self.length, self.length):
            self.caught.append(result.detach()[0].cpu())
        return result


def attention_patterns(model: nn.Module, tokens: Tensor) -> Patterns:
    """The attention patterns of one text (T,), one tensor (N, T, T) a block, from the model's own forward pass.

    They are what its softmax calls return; where there is not one such call a block (softmax written by hand, or fused
    attention), they are computed anew from the parameters' names of the course. Raises ValueError where neither works.
    """
    blocks = list(getattr(model, "blocks", []))
    catch = _CatchSoftmax(len(tokens))
    inputs: list[Tensor] = []
    hooks = [
        block.attention.register_forward_pre_hook(lambda module, args: inputs.append(args[0].detach()))
        for block in blocks
        if hasattr(block, "attention")
    ]
    before = model.training
    model.eval()
    try:
        with torch.no_grad(), catch:
            model(tokens[None])
    finally:
        model.train(before)
        for hook in hooks:
            hook.remove()
    if catch.caught and len(catch.caught) == len(blocks or catch.caught):
        return Patterns(catch.caught)
    if not blocks or len(inputs) != len(blocks):
        raise ValueError("No attention patterns were found in this model: its blocks call no softmax that can be seen.")
    pairs = zip(blocks, inputs, strict=True)
    return Patterns([_recomputed(block.attention, residual) for block, residual in pairs], BY_HAND)


@torch.no_grad()
def _recomputed(attention: nn.Module, residual: Tensor) -> Tensor:
    queries = torch.einsum("bte,neh->bnth", residual, attention.W_Q) + attention.b_Q[:, None]
    keys = torch.einsum("bte,neh->bnth", residual, attention.W_K) + attention.b_K[:, None]
    scores = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5
    hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    return scores.masked_fill(hidden, float("-inf")).softmax(-1)[0].cpu()


def pieces_of(text: str, tokenizer, limit: int) -> tuple[Tensor, list[str]]:
    """The first `limit` tokens of a text as int64 (T,), and each one's own text.

    `tokenizer`: one of the package `tokenizers`, or any object with `encode` to numbers and `decode` back.
    """
    encoded = tokenizer.encode(text)
    numbers = list(getattr(encoded, "ids", encoded))[:limit]
    return torch.tensor(numbers, dtype=torch.int64), [tokenizer.decode([number]) for number in numbers]


def attention_viewer(
    model: nn.Module, tokenizer, texts: str | Sequence[str], *, limit: int = 32, caption: str | None = None
) -> Explorer:
    """Look at any head of any layer on any text: drop-downs, a box for a text of your own, a slider for the query.

    Shown by ending a cell with it. `texts`: one or several to choose from; only the first `limit` tokens are drawn.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    limit = min(limit, getattr(getattr(model, "config", None), "context_length", limit))
    known: dict[str, tuple[Patterns, list[str]]] = {}

    def look_up(text: str) -> tuple[Patterns, list[str]]:
        if text not in known:
            numbers, pieces = pieces_of(text, tokenizer, limit)
            known[text] = attention_patterns(model, numbers.to(next(model.parameters()).device)), pieces
        return known[text]

    def draw(
        layer: int = 0, head: int = 0, example: str = texts[0], text: str = "", query: int | None = None
    ) -> Picture:
        patterns, pieces = look_up(text if text.strip() else example)
        pattern = patterns.layers[layer][head]
        row = len(pieces) - 1 if query is None else min(query, len(pieces) - 1)
        most = pattern[row].topk(min(3, len(pieces)))
        named = [
            f"“{label(pieces[i])}” {w:.0%}" for w, i in zip(most.values.tolist(), most.indices.tolist(), strict=True)
        ]
        title = f"Layer {layer}, head {head}: “{label(pieces[row])}” looks at {', '.join(named)}"
        figure = attention_figure(pattern, pieces, title=title, query=row)
        words = f"Attention pattern, {html.unescape(title)}. {len(pieces)} tokens; rows are queries, columns are keys."
        under = caption or "Each row shows where one token looks, in percent; the outlined row is the chosen query."
        return Picture(figure, f"{under} {patterns.note}".strip(), words)

    return Explorer(draw, lambda: _controls(texts, *_sizes(look_up(texts[0])), limit), _on_change(look_up))


def _sizes(looked_up) -> tuple[int, int, int]:
    patterns, pieces = looked_up
    return len(patterns.layers), patterns.layers[0].shape[0], len(pieces)


def _controls(texts: list[str], layers: int, heads: int, length: int, limit: int) -> dict:
    import ipywidgets as widgets

    short = [(text if len(text) <= 60 else text[:57] + "...", text) for text in texts]
    wide = {"width": "24em"}
    own = f"your own text (its first {limit} tokens)"
    return {
        "layer": widgets.Dropdown(options=range(layers), description="layer", layout={"width": "11em"}),
        "head": widgets.Dropdown(options=range(heads), description="head", layout={"width": "11em"}),
        "example": widgets.Dropdown(options=short, description="text", layout=wide),
        "text": widgets.Text(placeholder=own, description="or", continuous_update=False, layout=wide),
        "query": widgets.IntSlider(value=length - 1, min=0, max=length - 1, description="query", layout=wide),
    }


def _on_change(look_up: Callable) -> Callable:
    def change(name: str, controls: dict) -> None:
        if name == "example":
            controls["text"].value = ""
        if name in ("example", "text"):
            text = controls["text"].value
            length = len(look_up(text if text.strip() else controls["example"].value)[1])
            controls["query"].max = max(length - 1, 0)
            controls["query"].value = controls["query"].max

    return change
