"""What chapter 1's notebook is given: the model without a mask, shipped models, measures, games, figures."""

import json
import math

import pytest
import torch

from solutions.ch1_transformer_from_scratch.checkpoints import save_checkpoint
from solutions.ch1_transformer_from_scratch.config import TransformerConfig
from solutions.ch1_transformer_from_scratch.model import Transformer
from solutions.ch1_transformer_from_scratch.objective import next_token_loss
from solutions.ch1_transformer_from_scratch.sampling import apply_temperature
from solutions.ch1_transformer_from_scratch.tokenizer import train_tokenizer
from solutions.ch1_transformer_from_scratch.variants import build_model
from utils.ch1 import figures, measure, play, shipped
from utils.ch1.shipped import GivenTransformer, without_mask
from utils.course import CourseError

V, T = 300, 12


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Transformer(TransformerConfig(16, V, T, 5, 3, 2, 20, weight_initialization_range=0.5, device="cpu")).eval()


@pytest.fixture
def rows():
    return torch.randint(0, V, (6, T), generator=torch.Generator().manual_seed(1))


def test_the_given_model_equals_the_reference_with_and_without_mask(model, rows):
    torch.testing.assert_close(
        GivenTransformer(model.config, model.state_dict())(rows), model(rows), atol=1e-4, rtol=1e-4
    )
    unmasked = build_model(model.config, "no_mask")
    unmasked.load_state_dict(model.state_dict())
    torch.testing.assert_close(without_mask(model)(rows), unmasked(rows), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(unmasked(rows), model(rows), atol=1e-2)


def test_shipped_models_fit_a_learners_class(model, rows, tmp_path):
    for name in ("base", "small", "no_positions"):
        found = shipped.shipped(name, Transformer)
        assert isinstance(found.model, Transformer) and not found.model.training
    assert isinstance(shipped.shipped("no_mask", Transformer).model, GivenTransformer)
    with pytest.raises(CourseError, match="no trained model 'nothing'"):
        shipped.shipped("nothing")


def test_gpt2_in_the_notebook(model, rows, tmp_path, capsys):
    """A folder as `from-gpt2` leaves it, with random weights; without one, a sentence."""
    assert shipped.gpt2(Transformer, tmp_path / "none") is None
    assert "from-gpt2" in capsys.readouterr().out
    save_checkpoint(tmp_path / "model", model, train_tokenizer(["the cat sat on the mat"], V), {})
    found = shipped.gpt2(Transformer, tmp_path)
    torch.testing.assert_close(found.model(rows), model(rows))
    assert found.tokenizer.decode(found.tokenizer.encode("the cat").ids) == "the cat"


def test_demo_continues_the_prompt(capsys):
    shipped.demo("KING.\n", new=4)
    assert capsys.readouterr().out.startswith("KING.\n")
    shipped.demo("", new=4)
    assert "at least one character" in capsys.readouterr().out


def test_head_measures():
    pattern = torch.zeros(2, 6, 6)
    pattern[0, torch.arange(1, 6), torch.arange(5)] = 1.0  # each looks at the one before
    pattern[1, 4, 2] = pattern[1, 5, 3] = 1.0  # the second half looks at what followed the copy
    pattern[1, 3, 1] = 0.5
    assert measure.looks_back(pattern, 1).tolist() == [1.0, 0.0]
    assert measure.looks_back(pattern, 2)[1].item() == pytest.approx(2.5 / 4)
    assert measure.induction(pattern)[1].item() == pytest.approx(2.5 / 3)
    twice = measure.repeated_rows(V, 4, 3)
    assert twice.shape == (3, 8) and torch.equal(twice[:, :4], twice[:, 4:])


def test_known_words():
    assert measure.words("Thou'rt A-bed; o'er\nIT") == ["thou'rt", "a", "bed", "o'er", "it"]
    assert measure.share_of_known_words("the dog sat", ["The cat sat."]) == pytest.approx(2 / 3)


def test_the_hunt_knows_the_best_head_and_takes_no_guess_for_none(model, rows, capsys):
    assert play.find_head(model, rows, None) is None
    assert "as (layer, head)" in capsys.readouterr().out
    assert play.find_head(model, rows, (7, 0)) is None
    assert "layers 0 to 1 and heads 0 to 2" in capsys.readouterr().out
    scores = measure.looks_back(measure.mean_patterns(model, rows), 1)
    best, worst = (divmod(int(x), 3) for x in (scores.argmax(), scores.argmin()))
    state = torch.random.get_rng_state()
    picture = play.find_head(model, rows, best)
    assert torch.equal(torch.random.get_rng_state(), state)  # the control's random weights leave the seed alone
    assert "0.0" not in picture.caption or "random weights" in picture.caption
    said = capsys.readouterr().out
    assert f"Head {best[0]}.{best[1]}" in said
    play.find_head(model, rows, worst)
    assert "Some head does this more" in capsys.readouterr().out


def test_a_head_that_is_knocked_out_writes_nothing(model, rows):
    damaged = play.knock_out(model, 1, 2)
    assert not damaged.blocks[1].attention.W_O[2].any() and model.blocks[1].attention.W_O[2].any()
    picture = play.knock_out_each(model, rows, next_token_loss)
    whole, without = (next_token_loss(m(rows), rows).item() for m in (model, damaged))
    assert picture.figure.data[0].z[1][2] == pytest.approx(without - whole, abs=1e-4)


def test_letters_are_the_tokens_first_characters(model):
    tokenizer = train_tokenizer(["the cat sat on the mat " * 9], V)
    letters = play.next_letters(model(torch.tensor([[70, 71]]))[0, -1], tokenizer)
    assert sum(letters.values()) <= 1 + 1e-5 and all(len(letter) == 1 for letter in letters)
    assert "Hat" in play.spell(model, tokenizer, "Hat", before="the ").figure.layout.title.text


def test_the_scoreboard_keeps_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path))
    play.record_run("deep", 2.0, 61.0, steps=3)
    play.scoreboard({"uniform": 6.0, "bigram": 3.5, "trigram": 1.0})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[4] for line in lines] == ["trigram", "deep", "bigram"]
    assert json.loads((tmp_path / "ch1-runs.jsonl").read_text(encoding="utf-8"))["steps"] == 3
    (tmp_path / "ch1-runs.jsonl").write_text("{", encoding="utf-8")
    play.scoreboard({"bigram": 3.5})
    assert "cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize("end, says", [(3.0, "the bigram"), (4.5, "the unigram"), (1.0, "all models that only count")])
def test_the_curves_caption_is_true_of_the_run(end, says):
    levels = {"uniform": 6.2, "unigram": 5.2, "bigram": 3.5, "trigram": 2.8, "4-gram": 2.6}
    caption = figures.learning_curve([6.0, end], {1: 6.0, 2: end}, levels).caption
    assert f"below {says}" in caption and f"{end:.2f}" in caption
    assert ("above the" in caption) == (end > 2.6)


def test_figures_say_what_they_show():
    tokenizer = train_tokenizer(["the cat"], V)
    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05] + [1e-9] * (V - 4)))
    assert "keeps 2 tokens" in figures.kept(logits, tokenizer, k=3, p=0.7).caption
    assert "at temperature 0.3, 50% at 1.0" in figures.temperatures(logits, tokenizer, apply_temperature, "a").caption
    over = figures.overfitting([6.0, 1.0, 0.5], [6.0, 5.0, 7.0], [0, 10, 20]).caption
    assert "lowest at step 10 (5.00)" in over and "gap of 6.50" in over
    both = {"small": (3.0, 3.0), "no_mask": (0.1, 9.0)}
    said = figures.reading_and_writing(both, math.log(512)).caption
    assert "0.10 while the answer is in view and 9.00" in said and "unmasked" not in said
    said = figures.reading_and_writing(both | {"yours, unmasked": (4.0, 3.2)}, math.log(512)).caption
    assert "Yours, unmasked, has 4.00 and 3.20: later tokens only disturb" in said
    said = figures.reading_and_writing(both | {"yours, unmasked": (3.2, 3.2)}, math.log(512)).caption
    assert said.endswith("Yours, unmasked, has 3.20 and 3.20.")
