"""Patterns are those of the forward pass, however it is written; the explorer's figure follows its controls."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from utils.plot import attention_patterns, attention_viewer, widget
from utils.plot.attention import first_tokens

CONFIG = SimpleNamespace(L=2, N=3, E=12, H=4, context_length=16)


def by_hand(scores):
    weights = (scores - scores.amax(-1, keepdim=True)).exp()
    return weights / weights.sum(-1, keepdim=True)


WAYS = {"module": nn.Softmax(dim=-1), "method": lambda scores: scores.softmax(-1), "by hand": by_hand}


class Attention(nn.Module):
    def __init__(self, softmax):
        super().__init__()
        N, E, H = CONFIG.N, CONFIG.E, CONFIG.H
        for name in ("W_Q", "W_K", "W_V"):
            self.register_parameter(name, nn.Parameter(torch.randn(N, E, H)))
        for name in ("b_Q", "b_K", "b_V"):
            self.register_parameter(name, nn.Parameter(torch.randn(N, H)))
        self.softmax, self.seen = softmax, None

    def forward(self, x):
        q, k, v = (
            torch.einsum("bte,neh->bnth", x, getattr(self, f"W_{c}")) + getattr(self, f"b_{c}")[:, None] for c in "QKV"
        )
        scores = q @ k.transpose(-1, -2) / math.sqrt(CONFIG.H)
        scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), float("-inf"))
        self.seen = self.softmax(scores)
        return (self.seen @ v).transpose(1, 2).flatten(2)


class Model(nn.Module):
    def __init__(self, softmax):
        super().__init__()
        self.config = CONFIG
        self.table = nn.Embedding(50, CONFIG.E)
        self.blocks = nn.ModuleList(nn.ModuleDict({"attention": Attention(softmax)}) for _ in range(CONFIG.L))
        for block in self.blocks:
            block.attention = block["attention"]

    def forward(self, tokens):
        x = self.table(tokens)
        for block in self.blocks:
            x = x + block["attention"](x)
        return x.softmax(-1)  # another softmax, of another shape: it must not be taken for a pattern


class Letters:
    def encode(self, text):
        return [ord(letter) % 50 for letter in text]

    def decode(self, numbers):
        return "".join(chr(97 + number % 26) for number in numbers)


@pytest.mark.parametrize("way", WAYS)
def test_patterns_are_those_of_the_forward_pass(way):
    model = Model(WAYS[way]).train()
    patterns = attention_patterns(model, torch.randint(0, 50, (7,)))
    assert patterns.shape == (2, 3, 7, 7) and not patterns.requires_grad
    for block, pattern in zip(model.blocks, patterns, strict=True):
        assert torch.allclose(pattern, block["attention"].seen[0], atol=1e-5)
    assert model.training  # the mode it had


def test_a_model_without_attention_is_refused_in_a_sentence():
    model = nn.Sequential(nn.Embedding(50, 4))
    with pytest.raises(ValueError, match="No attention patterns"):
        attention_patterns(model, torch.tensor([1, 2, 3]))


def test_only_the_first_tokens_of_a_text_are_read():
    numbers, shown = first_tokens("abcdef", Letters(), 4)
    assert numbers.tolist() == [ord(c) % 50 for c in "abcd"]
    assert len(shown) == 4


@pytest.fixture
def explorer():
    return attention_viewer(Model(WAYS["method"]), Letters(), ["hello there", "what"], limit=12)


def test_the_plain_figure_is_complete_without_widgets(explorer, monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    shown = []
    monkeypatch.setattr("utils.plot.picture.Picture.show", lambda picture: shown.append(picture))
    explorer._ipython_display_()
    assert [tuple(picture.figure.data[0].z.shape) for picture in shown] == [(11, 11)]
    assert "Layer 0, head 0" in shown[0].alt


def test_widgets_are_refused_without_a_kernel():
    assert widget.widgets_work() is False


def test_every_control_changes_the_figure(explorer):
    explorer.start()
    view, controls = explorer.view, explorer.controls
    for name, value in (("layer", 1), ("head", 2), ("query", 3), ("text", "what"), ("or_your_own", "something else")):
        before = (view.figure, view.alt)
        controls[name].value = value
        assert (view.figure, view.alt) != before, name
    assert "Layer 1, head 2" in view.alt
    assert view.figure["layout"]["title"]["text"] in view.alt


def test_the_queries_are_those_of_the_text_and_an_own_text_goes_first(explorer):
    explorer.start()
    query = explorer.controls["query"]
    assert (len(query.options), query.value) == (11, 10)  # the last token of "hello there"
    explorer.controls["text"].value = "what"
    assert (len(query.options), query.value) == (4, 3)
    assert tuple(explorer.picture.figure.data[0].z.shape) == (4, 4)
    assert explorer.picture.figure.layout.shapes[0].y0 == 2.5
    explorer.controls["or_your_own"].value = "a longer text than twelve tokens"
    assert tuple(explorer.picture.figure.data[0].z.shape) == (12, 12)
    assert (len(query.options), query.value) == (12, 3)
    query.value = 11
    assert explorer.picture.figure.layout.shapes[0].y0 == 10.5
    explorer.controls["or_your_own"].value = " "
    assert tuple(explorer.picture.figure.data[0].z.shape) == (4, 4)


def test_plotly_js_is_carried_once_and_state_is_complete_at_the_start(explorer):
    explorer.start()
    first = widget._library
    other = widget.figure_view(explorer.picture.figure, "words")
    assert widget._library is first
    assert other.get_state()["figure"]["data"][0]["type"] == "heatmap"
    assert other.alt == "words"
    assert other.config["showSendToCloud"] is False
    assert len(str(other.get_state())) < 20_000
    assert len(first.get_state()["source"]) > 1_000_000  # plotly.js itself
