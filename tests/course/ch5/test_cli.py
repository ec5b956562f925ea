"""The command line: run folders, resuming to the same numbers, data sets, tables, one sentence for each mistake."""

import json

import pytest
import torch

from solutions.ch5_abstract_representations.checkpoints import load_checkpoint
from solutions.ch5_abstract_representations.cli import main
from solutions.ch5_abstract_representations.config import SMALL_MODEL, SMALL_WORLD, RunConfig
from solutions.ch5_abstract_representations.lea import draw, speak
from solutions.ch5_abstract_representations.splits import Boards, load_splits
from solutions.ch5_abstract_representations.trainer import Run
from utils.course import CourseError
from utils.train import read_tensors

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


def test_help_fits_the_terminal(monkeypatch, capsys):
    """As `python -m` calls it: the arguments are the process's own."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.argv", ["solutions.ch5_abstract_representations", "train", "--help"])
    with pytest.raises(SystemExit) as end:
        main()
    page = capsys.readouterr().out
    options = page[page.index("--epoch") :]  # the words above them are not wrapped
    assert end.value.code == 0 and "--masking-p" in options and max(map(len, options.splitlines())) <= 80


def test_a_run_leaves_settings_metrics_and_a_model(tmp_path, capsys):
    assert train(tmp_path, "--run-name", "one", "--epoch", "2", "--seed", "3", "--save", "1", "--epoch2save", "1") == 0
    lines = [json.loads(line) for line in (tmp_path / "one" / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["step"] for line in lines] == [1, 2] and {"loss", "masked_object", "board"} <= set(lines[0])
    found = load_checkpoint(tmp_path / "one" / "model")
    assert found.settings["seed"] == 3 and found.settings["run"]["masking_patch_epoch"] == 750
    assert found.model.cfg.d_content == 16 and not found.model.training
    assert (tmp_path / "one" / "checkpoints" / "model_1.safetensors").is_file()
    splits = load_splits(tmp_path / "one" / "dataset.safetensors", Boards(found.library))
    assert len(splits.sets["singleRoot_test"]) == 40
    names = {file.name for file in (tmp_path / "one").iterdir()}
    assert train(tmp_path, "--run-name", "one", "--seed", "4") == 0
    earlier = tmp_path / "one" / "earlier-1"
    assert str(earlier) in capsys.readouterr().err and {file.name for file in earlier.iterdir()} == names
    assert load_checkpoint(tmp_path / "one" / "model").settings["seed"] == 4
    assert load_checkpoint(earlier / "model").settings["seed"] == 3


def test_held_out_boards_are_tested_by_kind(tmp_path):
    more = ["--epoch", "3", "--split-method", "stringent", "--save", "1", "--epoch2save", "2", "--epoch2test", "2"]
    assert train(tmp_path, "--run-name", "one", *more) == 0
    rows = [json.loads(line) for line in (tmp_path / "one" / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [any(name.startswith("test_") for name in row) for row in rows] == [False, True, True]
    kinds = ("", "_single", "_double", "_composition")
    assert {f"{part}_board{kind}" for part in ("test", "train") for kind in kinds} <= set(rows[-1])
    assert {"test_masked", "train_masked_object"} <= set(rows[-1]) and "test_masked_single" not in rows[-1]
    counts = [rows[-1][f"test_board{kind}"] for kind in kinds]
    assert min(counts[1:]) <= counts[0] <= max(counts[1:])


def test_every_epoch_is_tested_alike():
    """Whatever the masking and the kinds of boards of that epoch: else a curve could not be compared with itself."""
    torch.manual_seed(0)
    run = Run(SMALL_WORLD, SMALL_MODEL, RunConfig(), 1000, measured=20)
    first = run._examine()
    run.epoch = 900
    assert run._examine() == first and run.run_config.masking(0) != run.run_config.masking(900)


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


ISLAND = "--board-dim 5 --abs-dim 2 --abs-n 5 --comp-n 0 --vocab-bck 5 --vocab-token 5 --board-types-proba 1 0 0"
ISLAND += " --no-board-curriculum --dataset-len 60 --n-layer 1 --n-embd 16 --n-embd-pos 8 --vocab-speech-size 12"
ISLAND += " --block-speech-size 3 --batch-size 30 --device cpu --threads 1"
HEARD = ["--loss-rfs-epoch-start", "0", "--loss-rfs-epoch-end", "0"]


def train_lea(folder, *more):
    return main(["train-lea", "--runs", str(folder), *ISLAND.split(), *HEARD, *more])


def test_a_run_of_lea_leaves_all_its_parts_and_can_be_asked(tmp_path, capsys):
    more = ["--continuous-epoch", "1", "--blur", "0.3", "--save", "1", "--epoch2save", "1", "--usage-cost", "0.5"]
    assert train_lea(tmp_path, "--run-name", "one", "--epoch", "2", *more) == 0
    folder = tmp_path / "one"
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [row["vq"] > 0 for row in rows] == [False, True] and {"speech_board", "words", "most"} <= set(rows[0])
    assert {path.name for path in (folder / "figures").iterdir()} >= {"losses.html", "accuracies.html"}
    assert (folder / "checkpoints" / "model_1.safetensors").is_file()
    found = load_checkpoint(folder / "model")
    assert found.is_lea and bool(found.model.started) and found.settings["run"]["masking_patch_epoch"] == 2
    model = str(folder / "model")
    assert main(["analyse", "--checkpoint", model, "--boards", "200", "--out", str(tmp_path / "tables.json")]) == 0
    tables = json.loads((tmp_path / "tables.json").read_text("utf-8"))
    assert set(tables["information"]) == {"word 1", "word 2", "word 3"} and "all words" in tables["steering"]
    assert main(["figures", "--checkpoint", model, "--out", str(tmp_path / "figures")]) == 0
    capsys.readouterr()
    assert main(["talk", "--checkpoint", model, "--boards", "2"]) == 0
    assert capsys.readouterr().out.count("it says:") == 2
    assert main(["talk", "--checkpoint", model, "--words", "1", "2", "11"]) == 0
    assert len(capsys.readouterr().out.strip().splitlines()) == 5
    assert "3 words, each from 0 to 11" in fails(capsys, "talk", "--checkpoint", model, "--words", "1", "2", "12")


def test_a_run_of_lea_goes_on_as_if_it_had_not_been_stopped(tmp_path):
    fixed = ["--masking-patch-epoch", "0", "--continuous-epoch", "2", "--blur", "0.3"]
    for name, epochs in (("whole", (3,)), ("parts", (1, 3))):
        for number, epoch in enumerate(epochs):
            more = ["--resume"] if number else []
            assert train_lea(tmp_path, "--run-name", name, "--epoch", str(epoch), *fixed, *more) == 0
    whole, parts = (load_checkpoint(tmp_path / name / "model").model.state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("more", [["--type", "vanilla"], ["--vq-type", "vanilla", "--bool-blank-speech"],
                                  ["--loss-speech-end", "1", "--loss-speech-epoch-end", "0"]])  # fmt: skip
def test_every_kind_of_lea_trains(tmp_path, more):
    assert train_lea(tmp_path, "--run-name", "run", *more) == 0
    assert load_checkpoint(tmp_path / "run" / "model").is_lea


def test_figures_of_the_shipped_model(tmp_path, capsys):
    assert main(["figures", "--names", "embedding_pos", "attention_variance", "--out", str(tmp_path)]) == 0
    for name in ("embedding_pos", "attention_variance"):
        assert "role=" in (tmp_path / f"{name}.html").read_text("utf-8")
    assert "choose from" in fails(capsys, "figures", "--names", "none", "--out", tmp_path)
    assert "has no words" in fails(capsys, "talk", "--checkpoint", "half")


def test_the_ceiling_of_a_world(capsys):
    assert main(["ceiling", "--board-dim", "6", "--abs-dim", "2", "--boards", "40", "--masking-p", "0.1"]) == 0
    rows = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()]
    assert rows == ["", "---", "ideal observer", "copy and background"]


def test_activations_are_exported(tmp_path):
    file = tmp_path / "seen.safetensors"
    assert main(["export", "--boards", "5", "--kind", "double", "--masking-patch-p", "1", "--out", str(file)]) == 0
    found, metadata = read_tensors(file)
    model = load_checkpoint("half").model
    assert metadata["command"] and set(found) >= {"label.root", "label.offset", "b2.value"}
    assert found["b1.pattern"].shape == (5, 2, 64, 64) and found["b0.norm_1"].shape == (5, 64, 32)
    assert torch.allclose(found["logits"], model(found["masked"])) and bool(
        (found["masked"][found["mask"]] == 20).all()
    )
    mixed = found["b1.pattern"] @ found["b1.value"].unflatten(-1, (2, 16)).transpose(1, 2)
    update = model.blocks[1].attention.output(mixed.transpose(1, 2).flatten(2))
    assert torch.allclose(update, found["b1.attn"], atol=1e-5)
    assert main(["export", "--checkpoint", "talker", "--boards", "4", "--out", str(file)]) == 0
    found, talker = read_tensors(file)[0], load_checkpoint("talker").model
    assert torch.equal(found["words"], speak(talker, found["masked"]))
    assert torch.allclose(found["heard.logits"], draw(talker, found["words"]))
    assert torch.allclose(found["seen.b1.out"], found["seen.b0.out"] + sum(
        found[f"seen.b1.{part}"] for part in ("self_attention", "cross_attention", "mlp")), atol=1e-4)  # fmt: skip


@pytest.mark.parametrize(("arguments", "says"), [
    (["train-lea", "--n-embd", "33"], "heads"),
    (["train-lea", "--vocab-speech-size", "1"], "two words"),
    (["train-lea", "--type", "other"], "factor or vanilla"),
    (["train-lea", "--usage-cost", "-1"], "negative"),
    (["train-lea", "--blur", "-1"], "negative"),
    (["train-lea", "--learning-rate", "0"], "learning_rate"),
    (["train", "--beta2", "1"], "beta2"),
    (["train", "--epoch2save", "0"], "epoch2save"),
    (["train-lea", "--epoch2test", "0"], "epoch2test"),
    (["ceiling", "--masking-p", "2"], "masking_p"),
    (["export", "--boards", "0"], "boards"),
    (["train", "--n-layer", "0"], "at least 1"),
    (["train", "--comp-dim", "3"], "composite of side"),
    (["train", "--abs-dim", "9"], "does not fit"),
    (["train", "--abs-c", "10"], "9 cells"),
    (["train", "--vocab-token", "1"], "different"),
    (["train", "--board-types-proba", "0.5", "0.1", "0.1"], "add up to 1"),
    (["train", "--n-head", "3"], "heads"),
    (["train", "--attn-pdrop", "1"], "attn_pdrop"),
    (["train", "--n-unmasked", "65"], "64 cells"),
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
