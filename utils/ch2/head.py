"""An induction head at work on a sentence that somebody types: the shipped one, or a learner's own (chapter 2)."""

import json
import re
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor, nn

from utils.course import ROOT
from utils.plot.figures import label
from utils.plot.picture import CATEGORIES, Picture, template
from utils.plot.widget import Explorer, explore
from utils.train import read_tensors

FOLDER = ROOT / "chapters" / "ch2_induction_heads"
SENTENCE = "Captain Orlova came aboard at dawn , and the crew saluted Captain"
WIDTH = 94  # of a line, in characters; a word takes its own and two more
LAYER_1, LAYER_2, SAYS = CATEGORIES[0], CATEGORIES[5], CATEGORIES[2]


class GivenHead(nn.Module):
    """A trained two-layer model of the chapter with these weights, by name; it shows the finished thing at the start.

    Shapes: tokens (B, T) -> logits (B, T, V); with return_cache also the patterns "A1" and "A2" (B, T, T).
    """

    def __init__(self, weights: dict[str, Tensor]):
        super().__init__()
        for name, weight in weights.items():
            self.register_buffer(name.replace(".", "/"), weight.float())

    def forward(self, tokens: Int[Tensor, "B T"], return_cache: bool = False):
        get = lambda name: self.get_buffer(name.replace(".", "/"))  # noqa: E731
        x, cache = F.embedding(tokens, get("tok_embeddings.weight")) + get("pe")[: tokens.shape[1]], {}
        hidden = torch.full((tokens.shape[1],) * 2, -torch.inf).triu(1)
        for i in (0, 1):
            key, value, out = (get(f"layers.{i}.attention.{name}.weight") for name in ("wk", "wv", "wo"))
            pattern = (x @ (x @ key.T).transpose(1, 2) / x.shape[2] ** 0.5 + hidden).softmax(dim=-1)
            x, cache[f"A{i + 1}"] = x + pattern @ x @ value.T @ out.T, pattern
        logits = x @ get("output.weight").T
        return (logits, cache) if return_cache else logits


@cache
def shipped_head() -> GivenHead:
    """The head that the course ships: trained by the command in checkpoints/head.json."""
    return GivenHead(read_tensors(FOLDER / "checkpoints" / "head.safetensors")[0]).eval()


@cache
def _ids() -> list[int]:
    """The model's tokens, the most frequent of its training first: the k-th different word becomes the k-th of them."""
    counts = json.loads((FOLDER / "data" / "shakespeare_bigrams.json").read_text(encoding="utf-8"))["unigrams"]
    return sorted(range(len(counts)), key=lambda i: -counts[i])


def read(sentence: str = SENTENCE, model: nn.Module | None = None) -> Explorer:
    """A field to type a sentence in, and what the head makes of its last word. Shown by ending a cell with it.

    `model`: tokens (1, T), return_cache=True -> logits and {"A1", "A2"}, with 65 tokens and 64 positions; without one,
    the shipped head.
    """
    return explore(lambda sentence: draw(sentence, model or shipped_head()), sentence=sentence)


def split(sentence: str) -> list[str]:
    """Words and punctuation marks, 60 at most: the last ones."""
    return re.findall(r"[\w'’-]+|[^\w\s]", sentence)[-60:]


@torch.no_grad()
def look(words: list[str], model: nn.Module) -> dict:
    """Where the head looks from the last word, what it says comes next, and how sure it is."""
    known = list(dict.fromkeys(word.lower() for word in words))
    ids = torch.tensor([_ids()[known.index(word.lower())] for word in words])
    logits, cache = model(ids[None], return_cache=True)
    chances = logits[0, -1].softmax(dim=-1)
    place = int(cache["A2"][0, -1].argmax())
    before = int(cache["A1"][0, place].argmax())
    best = int(chances.argmax())
    says = next((word for word, i in zip(words, ids.tolist(), strict=True) if i == best), None)
    return {
        "place": place,
        "weight": float(cache["A2"][0, -1, place]),
        "before": before,
        "weight_before": float(cache["A1"][0, place, before]),
        "says": says,
        "chance": float(chances.max()),
        "seen": words[-1].lower() in (word.lower() for word in words[:-1]),
    }


def draw(sentence: str, model: nn.Module) -> Picture:
    """The words in lines, with an arc from the last word to where layer 2 looks, and one from there for layer 1."""
    import plotly.graph_objects as go

    words = split(sentence)
    if len(words) < 2 or len({word.lower() for word in words}) > len(_ids()):
        words = ["type", "a", "sentence", "that", "ends", "with", "a", "word", "it", "has", "used", "before", ",", "a"]
    found = look(words, model)
    last, place, before = len(words) - 1, found["place"], found["before"]
    guess = f"{found['says']}?" if found["says"] else ""
    *at, (x, y) = _places([*words, guess])
    texts = [f"<b>{label(word)}</b>" if n in (last, place) else label(word) for n, word in enumerate(words)]
    xs, ys = zip(*at, strict=True)
    figure = go.Figure()
    for word_x, word_y, text in zip(xs, ys, texts, strict=True):  # annotations, which turn light in a dark notebook
        figure.add_annotation(x=word_x, y=word_y, text=text, font={"size": 16}, showarrow=False)
    for start, end, colour, height in ((last, place, LAYER_2, 0.62), (place, before, LAYER_1, 0.42)):
        (x0, y0), (x1, y1) = at[start], at[end]
        bend = f"M {x0},{y0 + 0.17} Q {(x0 + x1) / 2},{max(y0, y1) + 2 * height - 0.17} {x1},{y1 + 0.2}"
        figure.add_shape(type="path", path=bend, line={"color": colour, "width": 3})
        marker = {"symbol": "triangle-down", "size": 13, "color": colour}
        figure.add_scatter(x=[x1], y=[y1 + 0.2], mode="markers", marker=marker, hoverinfo="skip")
    lines, font = 1 - y, {"size": 16, "color": SAYS}
    figure.add_annotation(x=x, y=y, text=f"<b>{label(guess)}</b>" if guess else "", font=font, showarrow=False)
    says = f"“{found['says']}”" if found["says"] else "a word that is not in the sentence"
    figure.update_layout(
        template=template(), showlegend=False, height=150 + 75 * lines, margin={"t": 50, "b": 10, "l": 10}
    )
    figure.update_layout(
        title_text=f"After “{label(words[-1])}” the model expects {says}, with probability {found['chance']:.2f}"
    )
    figure.update_xaxes(visible=False, range=[-1, WIDTH + 1])
    figure.update_yaxes(visible=False, range=[-lines + 0.5, 1.0])
    if found["seen"]:
        looks, back = f"{found['weight']:.0%}", f"{found['weight_before']:.0%}"
        caption = (
            f"At the last word, layer 2 (orange arc) gives {looks} of its attention to “{words[place]}”. There, layer "
            f"1 (blue arc) had given {back} to “{words[before]}”."
        )
    else:
        caption = (
            f"“{words[-1]}” has not occurred before, so nothing in the sentence tells what follows it. End with a word "
            "that occurs earlier."
        )
    return Picture(figure, caption, f"The sentence word by word. {figure.layout.title.text}. {caption}")


def _places(words: list[str]) -> list[tuple[float, int]]:
    """The middle of each word, in lines of WIDTH characters: x, and y = 0, -1, ... for the lines."""
    found, end, line = [], 0, 0
    for word in words:
        size = len(word) + 2
        if end + size > WIDTH and end:
            end, line = 0, line - 1
        found.append((end + size / 2, line))
        end += size
    return found
