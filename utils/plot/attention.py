"""Attention patterns of a model: the explorer that shows them, and one that outlines where a query ought to look."""

import html
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.plot.figures import attention_figure, label
from utils.plot.picture import Picture
from utils.plot.widget import Explorer, explore


@torch.no_grad()
def attention_patterns(model: nn.Module, tokens: Int[Tensor, "T"]) -> Float[Tensor, "L N T T"]:
    """The attention patterns of one text, computed from what each block's attention reads and its W_Q, W_K and biases.

    So it doesn't matter how an answer computes attention. Raises ValueError for a model without such blocks.
    """
    inputs: list[Tensor] = []
    attentions = [block.attention for block in getattr(model, "blocks", [])]
    hooks = [one.register_forward_pre_hook(lambda _, args: inputs.append(args[0])) for one in attentions]
    before = model.training
    model.eval()
    try:
        model(tokens[None])
    finally:
        model.train(before)
        for hook in hooks:
            hook.remove()
    if not attentions or len(inputs) != len(attentions):
        raise ValueError("No attention patterns were found: this model has no blocks with an attention of their own.")
    return torch.stack([_pattern(one, x[0]) for one, x in zip(attentions, inputs, strict=True)]).cpu()


def _pattern(attention: nn.Module, x: Float[Tensor, "T E"]) -> Float[Tensor, "N T T"]:
    queries = torch.einsum("te,neh->nth", x, attention.W_Q) + attention.b_Q[:, None]
    keys = torch.einsum("te,neh->nth", x, attention.W_K) + attention.b_K[:, None]
    scores = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(-1)


def first_tokens(text: str, tokenizer, limit: int) -> tuple[Int[Tensor, "T"], list[str]]:
    """The first `limit` tokens of a text, and each one's own text.

    `tokenizer`: one of the package `tokenizers`, or any object with `encode` to numbers and `decode` back.
    """
    encoded = tokenizer.encode(text)
    numbers = list(getattr(encoded, "ids", encoded))[:limit]
    return torch.tensor(numbers, dtype=torch.int64), [tokenizer.decode([number]) for number in numbers]


def attention_viewer(model: nn.Module, tokenizer, texts: Sequence[str], *, limit: int = 32) -> Explorer:
    """Look at any head of any layer on any text: drop-downs, a field for a text of your own, a slider for the query.

    Shown by ending a cell with it. `texts`: those to choose from; only the first `limit` tokens are drawn.
    """
    limit = min(limit, model.config.context_length)

    @cache
    def look_up(text: str) -> tuple[Tensor, list[str]]:
        numbers, shown = first_tokens(text, tokenizer, limit)
        return attention_patterns(model, numbers.to(next(model.parameters()).device)), shown

    def chosen(text: str, or_your_own: str) -> tuple[Tensor, list[str]]:
        return look_up(or_your_own if or_your_own.strip() else text)

    def queries(text: str, or_your_own: str, **_) -> range:
        return range(len(chosen(text, or_your_own)[1]))

    def draw(layer: int, head: int, text: str, or_your_own: str, query: int) -> Picture:
        patterns, shown = chosen(text, or_your_own)
        pattern = patterns[layer, head]
        most = pattern[query].topk(min(3, len(shown)))
        named = [
            f"“{label(shown[i])}” {w:.0%}" for w, i in zip(most.values.tolist(), most.indices.tolist(), strict=True)
        ]
        title = f"Layer {layer}, head {head}: “{label(shown[query])}” looks at {', '.join(named)}"
        figure = attention_figure(pattern, shown, title=title, query=query)
        words = f"Attention pattern, {html.unescape(title)}. {len(shown)} tokens; rows are queries, columns are keys."
        caption = "Each row shows where one token looks, in percent; the outlined row is the chosen query."
        return Picture(figure, caption, words)

    layers, heads, tokens = look_up(texts[0])[0].shape[:3]
    short = [(text if len(text) <= 60 else text[:57] + "...", text) for text in texts]
    choices = {"layer": range(layers), "head": range(heads), "text": short, "or_your_own": "", "query": queries}
    return explore(draw, choices, {"query": tokens - 1})


LIMIT = 64  # tokens
RIGHT = "#56B4E9"  # stands out on both ends of Cividis


def target_viewer(
    patterns: Mapping[str, object],
    right: Mapping[str, object],
    texts: Sequence[Sequence[str]],
) -> Explorer:
    """Choose a layer, a text and a query; the keys that this query should find are boxed. Shown as the end of a cell.

    `patterns` {layer: (B, T, T)}, `right` {layer: bool (B, T, T)}: is this key a right one for this query; `texts`: B
    lists of T tokens, of which the first LIMIT are drawn.
    """
    patterns = {name: np.asarray(values.detach().cpu())[:, :LIMIT, :LIMIT] for name, values in patterns.items()}
    right = {name: np.asarray(values.cpu())[:, :LIMIT, :LIMIT].astype(bool) for name, values in right.items()}
    texts = [list(text)[:LIMIT] for text in texts]
    queries = list(range(min(map(len, texts))))
    layers = list(patterns)
    first = next((t for t in reversed(queries) if right[layers[-1]][0, t].any()), queries[-1])

    def draw(layer: str, text: int, query: int) -> Picture:
        pattern, found = patterns[layer][text], np.nonzero(right[layer][text, query])[0]
        best = int(pattern[query].argmax())
        says = f"{layer}: “{label(texts[text][query])}” at {query} looks most at “{label(texts[text][best])}” at {best}"
        share = pattern[query, found].sum()
        goal = f"{share:.0%} of its attention is on the right keys" if len(found) else "no key is the right one here"
        figure = attention_figure(pattern, texts[text], title=f"{says}; {goal}", query=query, height=640)
        for key in found:
            box = {"x0": key - 0.5, "x1": key + 0.5, "y0": query - 0.5, "y1": query + 0.5}
            figure.add_shape(type="rect", line={"color": RIGHT, "width": 3}, **box)
        caption = "The outlined row is the chosen query; the small boxes are the keys that it should find."
        return Picture(figure, caption, f"Attention pattern, {says}; {goal}.")

    numbers = [(f"sequence {n}", n) for n in range(len(texts))]
    start = {"layer": layers[-1], "query": first}
    return explore(draw, {"layer": layers, "text": numbers, "query": queries}, start)
