"""The trainer: exact step counts, what is written, Ctrl-C, resume; the faults seen in the wild; evaluation."""

import json
import math
import os
import signal

import pytest
import torch
import torch.nn.functional as F

from solutions.ch1_transformer_from_scratch import trainer as trainer_module
from solutions.ch1_transformer_from_scratch.checkpoints import load_checkpoint
from solutions.ch1_transformer_from_scratch.config import TrainingArgs, TransformerConfig
from solutions.ch1_transformer_from_scratch.evaluation import evaluate
from solutions.ch1_transformer_from_scratch.model import Transformer
from solutions.ch1_transformer_from_scratch.objective import accuracy, next_token_loss
from solutions.ch1_transformer_from_scratch.text_data import tokenise
from solutions.ch1_transformer_from_scratch.tokenizer import train_tokenizer
from solutions.ch1_transformer_from_scratch.trainer import Trainer, batches
from solutions.ch1_transformer_from_scratch.training import train, train_step
from utils.ch1.recipe import learning_rate_factor, scheduled_adamw
from utils.ch1.text import Corpus, ngram_levels
from utils.course import CourseError
from utils.train import read_metrics

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "what", "is", "meaning", "of", "life", "in", "it"]


def config(**changes) -> TransformerConfig:
    sizes = {
        "embedding_dimension": 16,
        "vocabulary_size": 300,
        "context_length": 48,
        "attention_head_dimension": 4,
        "num_attention_heads": 3,
        "num_transformer_layers": 2,
        "mlp_dimension": 20,
        "device": "cpu",
    }
    return TransformerConfig(**{**sizes, **changes})


def args(**changes) -> TrainingArgs:
    few = {"learning_rate": 1e-2, "batch_size": 4, "num_epochs": 2, "max_steps_per_epoch": 3, "num_processes": 1}
    return TrainingArgs(**{**few, "text_sample_frequency": 3, "table_log_frequency": 2, **changes})


@pytest.fixture(scope="module")
def data():
    draws = torch.Generator().manual_seed(0)
    lines = [" ".join(WORDS[i] for i in torch.randint(len(WORDS), (300,), generator=draws)) for _ in range(6)]
    return tokenise(Corpus("words", lines[:5], lines[5:]), train_tokenizer(lines[:5], 300), config())


@pytest.mark.parametrize("fast", [False, True])
def test_exactly_the_steps_asked_for_and_what_is_written(data, tmp_path, fast):
    run = Trainer(config(), args(), data, tmp_path, fast=fast)
    assert run.run(quiet=True) and run.step == 6
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in lines if "held_out_loss" in line] == [2, 3, 4, 6]
    assert [line["step"] for line in lines if "sample" in line] == [3, 6]
    assert all(line["sample"].startswith("What is the meaning of life?") for line in lines if "sample" in line)
    found = load_checkpoint(tmp_path / "model", "cpu")
    assert found.settings["training"]["max_steps_per_epoch"] == 3 and found.settings["step"] == 6
    for name, value in found.model.state_dict().items():
        assert torch.equal(value, run.model.state_dict()[name]), name
    assert not found.model.training
    assert sorted(f.name for f in tmp_path.iterdir()) == [
        "metrics.jsonl", "model.json", "model.safetensors", "tokenizer.json", "training_state.safetensors",
    ]  # fmt: skip


def test_same_seed_same_numbers_another_seed_others(data):
    def losses(seed):
        run = Trainer(config(), args(seed=seed), data)
        run.run(quiet=True)
        return [line["loss"] for line in run.metrics.history if "loss" in line]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("stop", [2, 3, 5])
def test_ctrl_c_saves_and_resume_goes_on_as_if_nothing_had_been(data, tmp_path, monkeypatch, stop, fast):
    whole = Trainer(config(), args(), data, fast=fast)
    whole.run(quiet=True)

    count = 0
    name = "fast_train_step" if fast else "one_step"
    take_step = getattr(trainer_module, name)

    def step(*arguments):
        nonlocal count
        count += 1
        if count == stop:
            os.kill(os.getpid(), signal.SIGINT)
        return take_step(*arguments)

    monkeypatch.setattr(trainer_module, name, step)
    first = Trainer(config(), args(), data, tmp_path, fast=fast)
    assert first.run(quiet=True) is False and first.step == stop
    second = Trainer(config(), args(), data, tmp_path, fast=fast, resume=True)
    assert second.step == stop
    assert second.run(quiet=True) is True
    for parameter, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[parameter]), parameter
    plain = [{k: v for k, v in line.items() if k != "tokens_per_second"} for line in whole.metrics.history]
    resumed = [
        {k: v for k, v in line.items() if k != "tokens_per_second"} for line in read_metrics(tmp_path / "metrics.jsonl")
    ]
    assert resumed == plain


def test_resume_refuses_another_run(data, tmp_path):
    with pytest.raises(CourseError, match="no file"):
        Trainer(config(), args(), data, tmp_path, resume=True)
    with pytest.raises(CourseError, match="which folder"):
        Trainer(config(), args(), data, resume=True)
    Trainer(config(), args(num_epochs=1, max_steps_per_epoch=1), data, tmp_path).run(quiet=True)
    with pytest.raises(CourseError, match="had seed 0, and this one has 7"):
        Trainer(config(), args(seed=7), data, tmp_path, resume=True)
    with pytest.raises(CourseError, match="does not fit this model"):
        Trainer(config(mlp_dimension=21), args(), data, tmp_path, resume=True)
    state = tmp_path / "training_state.safetensors"
    state.write_bytes(state.read_bytes()[:-100])
    with pytest.raises(CourseError, match="damaged"):
        Trainer(config(), args(), data, tmp_path, resume=True)


def test_batches_go_through_the_text_in_a_new_order_each_pass():
    rows = torch.arange(11)[:, None].expand(11, 3)
    endless = batches(rows, args(batch_size=5))
    passes = [torch.cat([next(endless)[:, 0], next(endless)[:, 0]]).tolist() for _ in range(3)]
    assert all(len(set(order)) == 10 for order in passes)
    assert passes[0] != passes[1] != passes[2]
    later = batches(rows, args(batch_size=5), first=3)
    assert next(later)[:, 0].tolist() == passes[1][5:]
    with pytest.raises(CourseError, match="fewer than batch_size 12"):
        next(batches(rows, args(batch_size=12)))


def test_loss_is_about_shifted_targets():
    tokens = torch.randint(0, 300, (3, 9))
    knows_next = F.one_hot(tokens.roll(-1, dims=1), 300) * 50.0
    echoes = F.one_hot(tokens, 300) * 50.0
    assert next_token_loss(knows_next, tokens).item() < 1e-3 < 20 < next_token_loss(echoes, tokens).item()
    assert accuracy(knows_next, tokens) == 1.0 and accuracy(echoes, tokens) < 0.2


def test_gradients_do_not_pile_up():
    tokens = torch.randint(0, 300, (2, 9))
    stale, clean = (Transformer(config()) for _ in range(2))
    clean.load_state_dict(stale.state_dict())
    next_token_loss(stale(tokens), tokens).backward()  # left over from before
    for model in (stale, clean):
        train_step(model, tokens, torch.optim.SGD(model.parameters(), lr=0.5))
    for ours, theirs in zip(stale.parameters(), clean.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("mode", [True, False])
def test_modes_are_restored(mode):
    tokens = torch.randint(0, 300, (2, 9))
    model = Transformer(config()).train(mode)
    seen = []
    model.register_forward_pre_hook(lambda module, _: seen.append(module.training))
    assert len(train(model, iter([tokens] * 9), torch.optim.SGD(model.parameters(), lr=0.1), 4)) == 4
    assert seen == [True] * 4 and model.training is mode
    evaluate(model, tokens)
    assert seen[4:] == [False] and model.training is mode


def test_evaluate_is_the_mean_over_all_rows():
    tokens = torch.randint(0, 300, (7, 9))
    model = Transformer(config(weight_initialization_range=0.5))
    result = evaluate(model, tokens, batch_size=3)
    with torch.no_grad():
        assert result["loss"] == pytest.approx(next_token_loss(model(tokens), tokens).item(), abs=1e-5)
        assert result["accuracy"] == pytest.approx(accuracy(model(tokens), tokens), abs=1e-6)


def test_counting_models_against_a_slow_count():
    V = 5
    train_rows, held = torch.randint(0, 4, (9, 8)), torch.randint(0, V, (4, 8))  # token 4 is never seen in training
    result = ngram_levels(train_rows, held, V)
    flat = train_rows.flatten().tolist()
    unigram = [(flat.count(v) + 1) / (len(flat) + V) for v in range(V)]

    def probability(context, b):
        """Of b after the tokens in `context`, by the definition."""
        if not context:
            return unigram[b]
        n = len(context)
        after = [r[i + n] for r in train_rows.tolist() for i in range(8 - n) if r[i : i + n] == context]
        kinds, shorter = len(set(after)), probability(context[1:], b)
        return (after.count(b) + kinds * shorter) / (len(after) + kinds) if after else shorter

    assert list(result) == ["uniform", "unigram", "bigram", "trigram", "4-gram"]
    assert result["uniform"] == pytest.approx(math.log(V))
    for size, name in enumerate(("unigram", "bigram", "trigram", "4-gram")):
        judged = [probability(row[max(0, i - size) : i], row[i]) for row in held.tolist() for i in range(1, 8)]
        assert result[name] == pytest.approx(-sum(map(math.log, judged)) / len(judged))
    for context in ([0], [0, 1], [3, 2, 1]):
        assert sum(probability(context, b) for b in range(V)) == pytest.approx(1)


def test_the_learning_rate_rises_stays_and_falls():
    factors = [learning_rate_factor(step, 10, warmup_steps=3, decay_steps=4) for step in range(10)]
    assert factors == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])
    assert [learning_rate_factor(step, 3) for step in range(3)] == [1, 1, 1]
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = scheduled_adamw([weight], 3, learning_rate=1.0, decay_steps=3, gradient_clip=0.5, weight_decay=0.0)
    rates, norms = [], []
    for _ in range(3):
        weight.grad = torch.tensor([4.0])
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])
        norms.append(weight.grad.item())
    assert rates == pytest.approx([0.75, 0.5, 0.25]) and norms == pytest.approx([0.5] * 3, abs=1e-5)


def test_a_run_that_is_stopped_early_can_be_brought_to_its_end(data, tmp_path):
    """With a level part, a later session may go on to any number of steps: the last ones bring the rate down."""
    first = Trainer(config(), args(num_epochs=1, decay_steps=2), data, tmp_path)
    first.steps = 50  # as if it had been started for long, and stopped after its first epoch
    first.batches = iter([next(first.batches) for _ in range(3)])
    with pytest.raises(StopIteration):
        first.run(quiet=True)
    first.save()
    assert first.optimizer.param_groups[0]["lr"] == 1e-2
    again = Trainer(config(), args(num_epochs=2, decay_steps=2), data, tmp_path, resume=True)
    assert again.run(quiet=True) and again.step == 6
    assert again.optimizer.param_groups[0]["lr"] == pytest.approx(1e-2 / 3)


def test_tracker_gets_the_same_numbers(data, monkeypatch):
    logged = []

    class Run:
        def log(self, values, step):
            logged.append((step, values))

        def finish(self):
            logged.append("finished")

    monkeypatch.setattr("utils.train.files._wandb", lambda *_: Run())
    run = Trainer(config(), args(tracker_project="course", run_name="x"), data)
    run.run(quiet=True)
    assert logged[-1] == "finished"
    assert [{"step": step, **values} for step, values in logged[:-1]] == run.metrics.history


def test_a_tracker_that_is_not_installed(data, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(CourseError, match="wandb is not installed"):
        Trainer(config(), args(tracker_project="course"), data)


def test_metrics_lines_are_json(data, tmp_path):
    Trainer(config(), args(), data, tmp_path).run(quiet=True)
    for text in (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        assert math.isfinite(json.loads(text).get("loss", 0.0))
