"""The command line: the published command word for word, options, tables, figures, a sentence for each mistake."""

import json
import shlex
import subprocess
import sys

import pytest
import torch

from solutions.ch2_induction_heads import cli, config
from solutions.ch2_induction_heads.bigrams import shakespeare_table
from solutions.ch2_induction_heads.cli import main
from solutions.ch2_induction_heads.config import FullTrainerArgs, TrainerArgs
from solutions.ch2_induction_heads.experiments.published import VALUES
from solutions.ch2_induction_heads.experiments.tables import PARTS
from utils.course import ROOT, CourseError

PUBLISHED = """max_iters=1000 log_probes=True eval_delta=5 loss_head_only=True
    data_args.k=5 data_args.fixed_special_toks=True
    optim_args.use_sgd=True optim_args.learning_rate=0.03 optim_args.weight_decay=1e-4 optim_args.batch_size=512
    model_args.final_ffn=False model_args.freeze_embeddings=True model_args.freeze_output=True model_args.dim=256"""
SMALLER = "max_iters=11 optim_args.batch_size=8 model_args.dim=16 data_args.seq_length=16 model_args.max_length=16"
TINY = ["max_iters=3", "data_args.k=2", "data_args.seq_length=8", "model_args.max_length=8", "model_args.dim=8"]
TINY += ["optim_args.batch_size=4", "device=cpu", "save_dir=null"]


def fails(capsys, *arguments) -> str:
    """The sentence on standard error of a command that must exit with 2."""
    assert main([str(argument) for argument in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 and "Traceback" not in shown.err
    return shown.err


def test_the_published_command(tmp_path, capsys):
    """Its own words, then smaller numbers for the same names: the last value of a name counts."""
    arguments = ["basic", *shlex.split(PUBLISHED), *SMALLER.split(), f"save_dir={tmp_path}"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "W_K^1 (wk0_acc)" in out and "W_K^2 (wk1_acc)" in out and "W_O^2 (wo1_acc)" in out
    lines = [json.loads(line) for line in (tmp_path / "res.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines] == [0, 5, 10]
    assert {"wk0_acc", "wk1_acc", "wo1_acc", "acc_end_test"} <= set(lines[0])
    stored = json.loads((tmp_path / "params.json").read_text(encoding="utf-8"))
    assert stored["optim_args"]["learning_rate"] == 0.03 and stored["optim_args"]["weight_decay"] == 1e-4
    assert stored["data_args"]["k"] == 5 and stored["model_args"]["dim"] == 16
    trained = [name for name in lines[0] if name.startswith("norm_")]
    assert len(trained) == 3  # W_K^1, W_K^2, W_O^2


def test_the_published_words_all_arrive(monkeypatch):
    """Unchanged, down to the size of the run."""
    seen = []
    monkeypatch.setattr(cli.Basic, "run", lambda self: seen.append(self.args) or 0)
    assert main(["basic", *shlex.split(PUBLISHED)]) == 0
    (args,) = seen
    assert (args.max_iters, args.eval_delta, args.optim_args.batch_size, args.model_args.dim) == (1000, 5, 512, 256)
    assert args.log_probes and args.loss_head_only and args.data_args.fixed_special_toks and args.data_args.k == 5
    assert args.data_args.seq_length == args.model_args.max_length == 256 and not args.model_args.final_ffn


@pytest.mark.parametrize("style", ["basic", "full"])
def test_options_say_the_same_as_assignments(monkeypatch, style):
    seen = []
    for command in (cli.Basic, cli.Full):
        monkeypatch.setattr(command, "run", lambda self: seen.append(self) or 0)
    assigned = ["data_args.k=4", "optim_args.use_sgd=False", "data_args.no_repeat=yes", "seed=7"]
    options = ["--data-args.k", "4", "--no-use-sgd", "--no-repeat", "--seed=7", "--text", "a=b.txt"]
    assert main([style, *assigned, "text=a=b.txt"]) == 0 and main([style, *options]) == 0
    assert seen[0] == seen[1] and str(seen[1].machine.text) == "a=b.txt" and not seen[1].args.optim_args.use_sgd


@pytest.mark.parametrize("kind", [TrainerArgs, FullTrainerArgs])
def test_every_setting_can_be_assigned(kind):
    args = kind()
    for name, (holder, field) in config.named(args).items():
        value = getattr(holder, field.name)
        text = {bool: str(not value), int: "3", float: "0.25", str: "some"}.get(field.type, "3")
        config.assign(args, [f"{name}={text}"])
        assert str(getattr(holder, field.name)) == text
    config.assign(args, ["max_iters=None", "save_dir=null"])
    assert args.max_iters is None and args.save_dir is None


def test_full_model_by_options(tmp_path, capsys):
    out = ["--save-dir", str(tmp_path), "--device", "cpu", "--log-norms", "--threads", str(torch.get_num_threads())]
    size = ["--dim", "8", "--max-length", "8", "--seq-length", "8", "--batch-size", "4"]
    assert main(["full", "--max-iters", "2", "--k", "2", *size, *out, "--freeze-wo"]) == 0
    assert "gradnorm_" in capsys.readouterr().out and (tmp_path / "exp.safetensors").is_file()
    assert main(["full", "--max-iters", "6", "--k", "2", *size, *out, "--freeze-wo", "--resume"]) == 0
    assert json.loads((tmp_path / "res.jsonl").read_text(encoding="utf-8").splitlines()[-1])["step"] == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["basic", "data_args.kk=5"], "'data_args.k'"),
        (["basic", "model_args.n_heads=2"], "There is no setting 'model_args.n_heads'"),
        (["full", "optim_args.lerning_rate=1"], "'optim_args.learning_rate'"),
        (["basic", "--data-args.kk", "5"], "nearest is --data-args.k"),
        (["basic", "--lerning-rate", "5"], "nearest is --learning-rate"),
        (["basic", "data_args.k=five"], "a whole number"),
        (["basic", "optim_args.learning_rate=fast"], "a number"),
        (["basic", "log_probes=maybe"], "True or False"),
        (["basic", *TINY, "data_args.k=66"], "only 65 tokens"),
        (["basic", *TINY, "data_args.seq_length=9"], "set both"),
        (["basic", *TINY, "data_args.seq_length=0"], "1 or more"),
        (["basic", *TINY, "freeze_until=3:layers.0.attention.wkk.weight"], "layers.0.attention.wk.weight"),
        (["basic", *TINY, "freeze_until=wk"], "an iteration and a name"),
        (["basic", *TINY, "model_args.dim=7", "model_args.sin_cos=True"], "must be even"),
        (["full", *TINY, "model_args.dim=7"], "multiple of n_heads"),
        (["basic", *TINY, "device=abacus"], "'abacus'"),
        (["basic", *TINY, "threads=0"], "threads must be"),
        (["basic", *TINY, "text=/nowhere.txt"], "UTF-8"),
        (["basic", *TINY, "--resume"], "save_dir"),
        (["tables", "z"], "no part 'z'"),
        (["tables", "m", "--seeds", "0"], "1 or more"),
        (["figures", "F11"], "no figure 'F11'"),
        (["counts", "--folder", "/nowhere"], "unpacked package"),
    ],
)
def test_one_sentence_for_each_mistake(capsys, arguments, words):
    assert words in fails(capsys, *arguments)


def test_a_text_with_one_character_and_a_checkpoint_of_another_size(tmp_path, capsys):
    (tmp_path / "text.txt").write_text("aaa", encoding="utf-8")
    assert "at least 2" in fails(capsys, "basic", *TINY, f"text={tmp_path / 'text.txt'}")
    run = [*TINY, f"save_dir={tmp_path / 'run'}"]
    assert main(["basic", *run]) == 0
    capsys.readouterr()
    assert "does not fit this model" in fails(capsys, "basic", *run, "model_args.dim=10", "--resume")


def test_one_position_and_an_empty_mask(capsys):
    assert main(["basic", *TINY, "data_args.seq_length=1", "model_args.max_length=1"]) == 0
    shown = capsys.readouterr()
    assert "in context 0.000" in shown.out and "nan" not in shown.out.lower()


def test_from_another_folder_without_a_traceback(tmp_path):
    """As a program, from elsewhere: the statistics are found, and no file is a pickle."""
    command = [sys.executable, "-m", "solutions.ch2_induction_heads", "basic", *TINY]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert not list((ROOT / "chapters" / "ch2_induction_heads").rglob("*.pkl"))


def test_every_row_of_the_tables_has_a_value_and_quick_parts_are_met(tmp_path, capsys):
    assert set(VALUES) == set(PARTS)
    assert all(0 < tolerance < 0.5 for rows in VALUES.values() for _, tolerance in rows.values())
    assert main(["tables", "m", "n", "--seeds", "1", "--output", str(tmp_path / "rows.json")]) == 0
    out = capsys.readouterr().out
    assert "OFF" not in out and f"{len(VALUES['m']) + len(VALUES['n'])} rows, 0 off" in out
    stored = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))["rows"]
    assert all(row["met"] for row in stored) and {row["part"] for row in stored} == {"m", "n"}


def test_a_row_that_is_off_is_said_and_counts(monkeypatch, capsys):
    monkeypatch.setitem(VALUES, "n", {"d = 128, pi_u: tokens": (0.9, 0.01)})
    assert main(["tables", "n", "--seeds", "1"]) == 1
    assert "OFF" in capsys.readouterr().out


def test_figures_that_need_no_training(tmp_path, capsys):
    assert main(["figures", "F1", "F9", "--output", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"F1.html", "F9.html", "plotly.min.js"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["F2", "F3", "F4", "F5", "F6", "F7", "F8"])
def test_figures_of_training(name, monkeypatch):
    """Each drawn from runs of a few steps: what it shows is looked at, not tested."""
    from solutions.ch2_induction_heads import experiments
    from solutions.ch2_induction_heads.experiments import figures

    def short(kind):
        return lambda iters, seed, **changes: kind(
            min(iters, 4), seed, **{"eval_delta": 1, "dim": 16} | changes | {"dim": 16}
        )

    monkeypatch.setattr("solutions.ch2_induction_heads.training.TEST_SIZE", 8)
    monkeypatch.setattr(figures, "lesson", short(experiments.lesson))
    monkeypatch.setattr(figures, "full_lesson", short(experiments.full_lesson))
    if name == "F5":
        monkeypatch.setattr("solutions.ch2_induction_heads.experiments.tables.lesson", short(experiments.lesson))
    if name == "F8":
        picture = figures.memory_maps(shakespeare_table(), 0, (0, 2))
    else:
        picture = figures.FIGURES[name](shakespeare_table(), 0)
    assert picture.caption and picture.alt and len(picture.figure.data) >= 2


def test_an_unknown_holder_is_no_setting():
    with pytest.raises(CourseError, match="There is no setting 'data_args'"):
        config.assign(TrainerArgs(), ["data_args=5"])


def test_flags_and_settings_come_in_any_order(monkeypatch):
    seen = []
    monkeypatch.setattr(cli.Basic, "run", lambda self: seen.append(self) or 0)
    for words in ("--resume max_iters=4", "max_iters=4 --resume", "--no-fast --resume max_iters=4 --log-probes k=3"):
        words = words.replace(" k=3", " data_args.k=3")
        assert main(["basic", *words.split()]) == 0
    assert [(run.resume, run.args.max_iters) for run in seen] == [(True, 4)] * 3
    assert not seen[2].fast and seen[2].args.log_probes and seen[2].args.data_args.k == 3


def test_data_workers_are_spoken_of_when_asked_for(capsys):
    assert main(["basic", *TINY]) == 0
    assert "num_data_workers" not in capsys.readouterr().out
    assert main(["basic", *TINY, "num_data_workers=4"]) == 0
    assert "num_data_workers has no effect" in capsys.readouterr().out
