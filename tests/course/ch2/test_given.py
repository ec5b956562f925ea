"""What the notebook of chapter 2 is given: the trained head that reads a typed sentence, and the figures."""

import json
import shlex

import pytest
import torch
from rounding import assert_same_but_rounding

from solutions.ch2_induction_heads import cli
from solutions.ch2_induction_heads.circuit import build_induction_head
from solutions.ch2_induction_heads.config import ModelArgs
from solutions.ch2_induction_heads.data import occurrence_counts
from solutions.ch2_induction_heads.model import MemoryTransformer
from utils.ch2 import figures, head

TOKENS = torch.randint(65, (3, 20), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_induction_head(MemoryTransformer(ModelArgs(vocab_size=65, dim=64, max_length=64)))


def test_the_given_head_is_the_chapters_model(model):
    logits, cache = model(TOKENS, return_cache=True)
    given = head.GivenHead(model.state_dict())
    found, patterns = given(TOKENS, return_cache=True)
    assert_same_but_rounding(found, logits)
    assert_same_but_rounding(given(TOKENS), logits)
    for name in ("A1", "A2"):
        assert_same_but_rounding(patterns[name], cache[name])


def test_the_shipped_head_copies_what_followed():
    """On 100 random sentences of different words, the last of which is one of the earlier ones."""
    draws = torch.Generator().manual_seed(0)
    right = 0
    for _ in range(100):
        length = int(torch.randint(5, 25, (), generator=draws))
        words = [f"w{n}" for n in range(length)]
        place = int(torch.randint(length - 1, (), generator=draws))
        right += head.look([*words, words[place]], head.shipped_head())["says"] == words[place + 1]
    assert right >= 95


def test_the_command_that_trained_it_is_a_command(monkeypatch):
    stored = json.loads((head.FOLDER / "checkpoints" / "head.json").read_text(encoding="utf-8"))
    seen = []
    monkeypatch.setattr(cli.Basic, "run", lambda self: seen.append(self.args) or 0)
    assert cli.main(shlex.split(stored["command"])[3:]) == 0
    assert seen[0].max_iters == stored["step"] and not seen[0].data_args.fixed_special_toks
    assert {w.shape[-1] for w in head.shipped_head().buffers()} == {seen[0].model_args.dim}


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        (head.SENTENCE, "gives"),
        ("Nothing here comes back", "has not occurred before"),
        ("", "gives"),  # too short: an example takes its place
        ("word " * 80, "gives"),
        (" ".join(f"word{n}" for n in range(90)), "has not occurred before"),
        ("<b>to</b> be & to", "gives"),
    ],
)
def test_whatever_is_typed_is_read(model, sentence, words):
    for one in (head.shipped_head(), model):
        picture = head.draw(sentence, one)
        assert words in picture.caption and picture.figure.layout.title.text in picture.alt


def test_the_field_draws_the_sentence_that_is_typed():
    field = head.read()
    assert "“Orlova”" in field.draw().figure.layout.title.text
    assert "“Miro”" in field.draw(sentence="my cat Miro sleeps . my dog barks . my cat").figure.layout.title.text


def test_right_keys():
    """The position before in layer 1; in layer 2 whatever follows an earlier copy, where the mask asks for it."""
    x = torch.tensor([[3, 1, 2, 3, 1]])
    mask = torch.tensor([[False, False, False, True, True]])
    found = figures.right_keys(x, mask)
    assert found["layer 1"][0].nonzero().tolist() == [[1, 0], [2, 1], [3, 2], [4, 3]]
    assert found["layer 2"][0].nonzero().tolist() == [[3, 1], [4, 2]]


def test_figures_of_sequences_and_betas(model):
    triggers = torch.tensor([[1, 2]]).expand(3, 2)
    counts = occurrence_counts(TOKENS, triggers)
    drawn = figures.sequences(TOKENS, counts, [chr(97 + n % 26) for n in range(65)]).draw(sequence=1)
    assert f"at {int((counts[1] >= 2).sum())} of 20 positions" in drawn.figure.layout.title.text
    names = {"W_K¹ looks back": 0.1, "W_K² matches": 0.2, "W_O² copies": 0.3}
    explorer = figures.betas(lambda d, beta: model, lambda one: names, (TOKENS, TOKENS, TOKENS > 40), [64])
    picture = explorer.draw(beta_3=5)
    assert "W_K¹, W_K², W_O²" in picture.caption and list(picture.figure.data[0].x)[:3] == list(names)


def test_heat_maps_name_their_axes_and_say_what_they_show():
    shares = {16: [1.0, 0.25], 64: [1.0, 0.75]}
    capacity = figures.capacity(shares, [8, 512])
    assert "With 512 pairs, recall is 0.25 at d = 16 and 0.75 at d = 64" in capacity.caption
    assert capacity.figure.data[0].z.tolist() == [[1.0, 0.25], [1.0, 0.75]]
    scores = figures.induction(torch.tensor([[0.01, 0.03]]), 0.022, 0.9, 1500)
    assert "The highest score is 0.030, evenly spread attention gives 0.022" in scores.caption
    assert "after 1,500 steps" in scores.figure.layout.title.text
    gram = figures.products(torch.eye(5), 16, 1.0, 0.2, 0.5)
    assert "1/√d = 0.250" in gram.figure.layout.title.text and "5 by 5 inner products" in gram.alt
    table = figures.successors(torch.eye(3), ["a", "b", "␣"])
    assert "the 3 most frequent characters" in table.caption and "In 3 of the 3 rows" in table.caption
    assert list(table.figure.layout.xaxis.ticktext) == ["a", "b", "␣"]
