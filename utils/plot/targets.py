"""Attention patterns next to what they should be: the keys that a query ought to find are outlined."""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.plot.figures import attention_figure, label
from utils.plot.picture import Picture
from utils.plot.widget import Explorer, explore

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
