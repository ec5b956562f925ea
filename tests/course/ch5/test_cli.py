"""The command line: run folders, resuming to the same numbers, data sets, tables, one sentence for each mistake."""

import json

import pytest
import torch

from solutions.ch5_abstract_representations.checkpoints import load_checkpoint
from solutions.ch5_abstract_representations.cli import main
from solutions.ch5_abstract_representations.splits import Boards, load_splits
from utils.course import CourseError

TINY = ["--board-dim", "6", "--abs-dim", "2", "--n-embd", "16", "--n-embd-pos", "8", "--dataset-len", "20"]
TINY += ["--batch-size", "8", "--device", "cpu", "--threads", "1"]


def train(folder, *more):
    return main(["train", "--runs", str(folder), *TINY, *more])


def fails(capsys, *arguments) -> str:
    """The sentence on standard error of a command that must exit with 2."""
    assert main([str(argument) for argument in arguments]) == 2
    shown = capsys.readouterr().err
    assert shown.strip().count("\n") == 0 and "Traceback" not in shown
    return shown


def test_a_run_leaves_settings_metrics_and_a_model(tmp_path):
    assert train(tmp_path, "--run-name", "one", "--epoch", "2", "--seed", "3", "--save", "1", "--epoch2save", "1") == 0
    lines = [json.loads(line) for line in (tmp_path / "one" / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["step"] for line in lines] == [1, 2] and {"loss", "masked_object", "board"} <= set(lines[0])
    found = load_checkpoint(tmp_path / "one" / "model")
    assert found.settings["seed"] == 3 and found.settings["run"]["masking_patch_epoch"] == 750
    assert found.model.cfg.d_content == 16 and not found.model.training
    assert (tmp_path / "one" / "checkpoints" / "model_1.safetensors").is_file()
    splits = load_splits(tmp_path / "one" / "dataset.safetensors", Boards(found.library))
    assert len(splits.sets["singleRoot_test"]) == 40


def test_a_resumed_run_is_the_one_that_was_stopped(tmp_path):
    fixed = ["--masking-patch-epoch", "0", "--no-board-curriculum"]
    for name, epochs in (("whole", (3,)), ("parts", (1, 3))):
        for number, epoch in enumerate(epochs):
            more = ["--resume"] if number else []
            assert train(tmp_path, "--run-name", name, "--epoch", str(epoch), *fixed, *more) == 0
    whole, parts = (load_checkpoint(tmp_path / name / "model").model.state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("more", [["--type", "vanilla"], ["--abs-w-c", "1", "--abs-w-m", "2", "--comp-c", "3"],
                                  ["--no-bool-split", "--double-rule", "original"], ["--split-method", "stringent"],
                                  ["--batch", "2"]])  # fmt: skip
def test_every_kind_of_world_and_model_trains(tmp_path, more):
    assert train(tmp_path, "--run-name", "run", *more) == 0
    assert len(list(tmp_path.iterdir())) == (2 if "--batch" in more else 1)


def test_the_data_set_is_small(tmp_path, capsys):
    assert main(["dataset", "--double-rule", "original", "--out", str(tmp_path)]) == 0
    assert "doubleRoot_train: 899600" in capsys.readouterr().out
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 5e6


def test_tables_of_the_shipped_model(tmp_path, capsys):
    assert main(["analyse", "--boards", "150", "--out", str(tmp_path / "tables.json")]) == 0
    assert "| b2.z_attn |" in capsys.readouterr().out
    assert set(json.loads((tmp_path / "tables.json").read_text("utf-8"))) >= {"profile", "causal", "contexts"}
    assert main(["analyse", "--opening", str(tmp_path / "opening.json")]) == 0
    opening = json.loads((tmp_path / "opening.json").read_text("utf-8"))
    assert len(opening["scenes"]) == 6 and len(opening["painted"][0]) == 36


@pytest.mark.parametrize(("arguments", "says"), [
    (["train", "--abs-dim", "9"], "does not fit"),
    (["train", "--abs-c", "10"], "9 cells"),
    (["train", "--vocab-token", "1"], "different"),
    (["train", "--board-types-proba", "0.5", "0.1", "0.1"], "add up to 1"),
    (["train", "--n-head", "3"], "heads"),
    (["train", "--epoch", "0"], "epoch"),
    (["train", "--type", "other"], "factor or vanilla"),
    (["train", "--device", "nowhere"], "device"),
    (["train", "--resume"], "run-name"),
    (["analyse", "--checkpoint", "none/there"], "none/there"),
])  # fmt: skip
def test_a_mistake_is_told_in_a_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in fails(capsys, *arguments)


def test_a_checkpoint_of_another_size_is_refused(tmp_path):
    assert train(tmp_path, "--run-name", "run") == 0
    file = tmp_path / "run" / "model.json"
    settings = json.loads(file.read_text("utf-8"))
    settings["model"]["d_content"] = 32
    file.write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(CourseError, match="do not fit"):
        load_checkpoint(tmp_path / "run" / "model")
