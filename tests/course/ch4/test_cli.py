"""The command line: the authors' commands as they write them, what they leave, and one sentence for what is wrong."""

import json
import subprocess
import sys

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from solutions.ch4_one_layer_icl import cli, files
from solutions.ch4_one_layer_icl.cli import SPELLINGS, main, readable
from solutions.ch4_one_layer_icl.config import DataConfig, Run, grid
from solutions.ch4_one_layer_icl.experiments import figures, runs, tables
from utils.course import ROOT, CourseError
from utils.train import read_tensors

TINY = ["--vocab-size", "14", "--H", "9", "--Q", "2", "--Y", "3", "--batch-size", "16"]
CFG = DataConfig(14, 9, 2, 3)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def works(command: str) -> None:
    assert main([*command.split(), *TINY]) == 0


def fails(capsys, command: str, *more: str) -> str:
    """The sentence on standard error of a command that must exit with 2."""
    capsys.readouterr()
    assert main([*command.split(), *more]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 and "Traceback" not in shown.err and shown.out == ""
    return shown.err


@pytest.mark.parametrize("noise", ["--n 0", "--n 1 --alpha 0.2", "--n 1 --alpha 0.5", "--n 1 --alpha 0.8"])
def test_generation_as_the_authors_write_it(elsewhere, noise):
    works(f"-g 1 --s 0 {noise} -nst 3")
    alpha = noise.split()[-1] if "alpha" in noise else "0.0"
    sentences = np.load(elsewhere / "data" / f"seed0-noise{'alpha' in noise}-alpha{alpha}-nsteps3-train-sentences.npy")
    assert sentences.shape == (48, 9)


@pytest.mark.parametrize(
    "command",
    [
        "-s 0 -n 0 -m origin -a softmax -k 1 -lr 0.5",
        "-s 0 -n 1 -m reparam -a linear -k 0 -alpha 0.2 -lr 0.1",
        "--s 1 --n 1 --m reparamW --a relu --k 1 --alpha 0.3 --lr 0.05",
        "--seed 2 --noise 0 --model_type reparamW --att_type linear --kappa 0 --lr 0.25",
    ],
)
def test_training_as_the_authors_write_it(elsewhere, capsys, command):
    works(f"{command} --nst 6")
    assert "Bayes risk" in capsys.readouterr().out
    (settings,) = (elsewhere / "logs").glob("*.json")
    stem = settings.with_suffix("")
    saved = json.loads(settings.read_text(encoding="utf-8"))
    assert saved["finished"] and saved["steps"] == 6
    lines = [json.loads(line) for line in stem.with_suffix(stem.suffix + ".metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all({"loss", "risk", "ood_loss", "ood_prob"} <= set(line) for line in lines)
    weights, _ = read_tensors(settings.parent / f"{settings.stem}.safetensors")
    assert weights["W"].shape == weights["V"].shape == weights["F"].shape == (28, 28)


def test_finite_run_as_the_authors_write_it(elsewhere):
    works("-f 1 -n 1 -m reparam -a relu -k 1 -alpha 0.5 --fnst 3 --epochs 4")
    works("--f 1 -n 1 -m reparam -a relu -k 1 -alpha 0.5 -fnst 2 --epochs 4")
    names = sorted(path.name for path in (elsewhere / "logs").glob("*.json"))
    assert len(names) == 2 and all(name.startswith("finite-") for name in names)
    assert "-fnsteps2-" in names[0] and "-fnsteps3-" in names[1]


def test_every_setting_is_in_the_name():
    base = Run()
    others = [
        {"model_type": "reparam"},
        {"kind": "relu"},
        {"kappa": 0},
        {"alpha": 0.25},
        {"lr": 0.05},
        {"seed": 1},
        {"nsteps": 7},
        {"batch_size": 9},
        {"finite_nsteps": 2},
        {"rule": "gd"},
        {"source": "files"},
        {"data": DataConfig(61)},
        {"data": DataConfig(H=9)},
        {"data": DataConfig(Q=2)},
        {"data": DataConfig(Y=2)},
        {"alpha": 0.2},
        {"lr": 0.01},
        {"lr": 0.049999},
    ]
    names = {Run(**other).name for other in others} | {base.name}
    assert len(names) == len(others) + 1
    assert {key for other in others for key in other} == set(base.settings())


def test_training_on_files(elsewhere):
    works("-g 1 --s 0 --n 1 --alpha 0.2 -nst 4 -fnst 2")
    works("-s 0 -n 1 -m origin -a linear -k 1 -alpha 0.2 -nst 4 --from-files")
    works("-s 0 -n 1 -m origin -a linear -k 1 -alpha 0.2 -nst 4 -fnst 2 -f 1 --epochs 2 --from-files")
    assert len(list((elsewhere / "logs").glob("*-files.json"))) == 2


def test_sweep_table_and_figures(elsewhere, capsys):
    works("sweep --nsteps 2 --lrs 0.1 --eval-every 2")
    assert "52 runs trained" in capsys.readouterr().out
    works("sweep --nsteps 2 --lrs 0.1")
    assert "0 runs trained" in capsys.readouterr().out
    works("table --nsteps 2")
    rows = capsys.readouterr().out.strip().splitlines()
    assert len(rows) == 15 and all(row.count("|") == 6 for row in rows[2:])
    works("sweep --models finite --lrs 0.1 --epochs 2")
    for plot, count in ((0, 6), (1, 2), (2, 26), (3, 27)):
        works(f"-v 1 -pl {plot} --nsteps 2 --epochs 2 --format html --figure-folder viz{plot}")
        drawn = list((elsewhere / f"viz{plot}").glob("*.html"))
        assert len(drawn) == count, plot


def test_a_run_by_the_exercises_themselves_and_a_look_inside_it(elsewhere, capsys):
    model = "-n 1 -alpha 0.3 -m reparam -a linear -k 1 --form plain --nsteps 25"
    works(model)
    said = capsys.readouterr().out
    assert "Bayes risk" in said and len(list((elsewhere / "logs").glob("*-plain.json"))) == 1
    works(f"look {model}")
    lines = dict(line.strip().rsplit(": ", 1) for line in capsys.readouterr().out.splitlines()[1:])
    assert len(lines) == 7 and lines["attention votes y"] == lines["looks at a token after the trigger"] == "1.000"
    assert float(lines["loss on unseen outputs, as trained"]) < float(lines["loss on unseen outputs, after surgery"])
    works("-n 0 -m origin -a softmax -k 1 --nsteps 3")
    works("look -n 0 -m origin -a softmax -k 1 --nsteps 3")
    assert "votes tau" not in capsys.readouterr().out


def test_theory_and_plateau(capsys):
    works("theory --alphas 0.2 --steps 50")
    said = capsys.readouterr().out
    assert "| Bayes risk | 0.5004 |" in said and "lam is 3.5" in said and "linear attention" in said
    works("plateau --seeds 2 --nsteps 60 --lr 0.5")
    said = capsys.readouterr().out.splitlines()
    assert "log 3 = 1.099" in said[0] and [line[:7] for line in said[1:]] == ["seed 0:", "seed 1:"]


def test_figures_say_what_they_show():
    base = Run(nsteps=3, data=CFG, batch_size=16, finite_nsteps=2, alpha=0.5)
    names = ("loss", "risk", "ood_loss", "ood_prob", "train_loss", "pop_loss", "xiA_y", "xiA_max", "xiF_tau", "xiF_max")
    curves = {name: [1.0, float("nan"), 0.5] for name in names}
    for plot in range(4):
        read = []
        drawn = figures.figures(plot, base, lambda run, read=read: read.append(run) or curves)
        assert {run.name for run in read} == {run.name for run in figures.needed(plot, base)}
        for picture in drawn.values():
            assert picture.alt and picture.caption.endswith(".")
            for trace in picture.figure.data:
                assert list(trace.x) == [1, 3]  # what was not measured leaves no gap
            assert len({trace.line.dash for trace in picture.figure.data}) == len(picture.figure.data)


def test_ctrl_c_keeps_what_was_learned(elsewhere, monkeypatch, capsys):
    class Asked:
        def __init__(self):
            self.count = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        @property
        def asked(self):
            self.count += 1
            return self.count > 3

    monkeypatch.setattr(cli, "Interrupt", Asked)
    assert main(["-n", "0", "-m", "origin", "-a", "relu", "-k", "1", "-nst", "50", *TINY]) == 130
    (settings,) = (elsewhere / "logs").glob("*.json")
    assert json.loads(settings.read_text())["steps"] == 3 and "what was learned" in capsys.readouterr().err
    with pytest.raises(CourseError, match="train it first"):
        files.curves(Run("origin", "relu", nsteps=50, batch_size=16, data=CFG), elsewhere / "logs")


@pytest.mark.slow
def test_two_processes_and_a_cluster_give_the_same_numbers():
    distributed = pytest.importorskip("distributed", reason="Dask is in the course's extra class")
    wanted = grid(
        (("origin", "linear", 1), ("reparam", "softmax", 0)), (0.0, 0.3), (0.5,), nsteps=3, batch_size=16, data=CFG
    )
    alone = {r.run.name: r.curves["loss"] for results, _ in runs.sweep(wanted, quiet=True) for r in results}
    assert len(alone) == 4
    spread = {
        r.run.name: r.curves["loss"] for results, _ in runs.sweep(wanted, 2, quiet=True, at_most=1) for r in results
    }
    assert spread.keys() == alone.keys()
    for name, losses in alone.items():
        assert spread[name] == pytest.approx(losses, abs=1e-5)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        found = {
            r.run.name: r.curves["loss"]
            for results, _ in runs.sweep(wanted, cluster=address, quiet=True)
            for r in results
        }
    assert found == alone


def test_no_cluster_there(monkeypatch, capsys):
    distributed = pytest.importorskip("distributed", reason="Dask is in the course's extra class")
    monkeypatch.setattr("utils.train.sweeps.PATIENCE", 1)
    assert distributed.Client
    said = fails(capsys, "sweep --nsteps 1 --cluster tcp://127.0.0.1:9", *TINY)
    assert "cannot be reached" in said


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("-n 1 -m origin -a relu -k 1 -alpha 0", "alpha must lie between 0 and 1"),
        ("-n 1 -m origin -a relu -k 1 -alpha 1", "alpha must lie between 0 and 1"),
        ("-n 1 -m origin -a relu -k 1 -alpha -0.5", "alpha must lie between 0 and 1"),
        ("-g 1 -n 1 --alpha 1.5", "alpha must lie between 0 and 1"),
        ("-n 0 -m transformer -a relu -k 1", "no model_type 'transformer'"),
        ("-n 0 -m origin -a cosine -k 1", "no att_type 'cosine'"),
        ("-n 0 -m origin -a relu -k 2", "no kappa 2"),
        ("-n 0 -m origin -a relu -k 1 --H 3", "H must be at least 4"),
        ("-n 1 -m origin -a relu -k 1 --H 5", "H of at least 6"),
        ("-g 1 -n 1 --H 5", "H of at least 6"),
        ("-n 0 -m origin -a relu -k 1 --Q 58", "need a vocab_size of"),
        ("-n 0 -m origin -a relu -k 1 --Q 0", "Q must be above zero"),
        ("-n 0 -m origin -a relu -k 1 -lr 0", "lr must be above zero"),
        ("-n 0 -m origin -a relu -k 1 -lr nan", "lr must be above zero"),
        ("-n 0 -m origin -a relu -k 1 -nst 0", "nsteps must be above zero"),
        ("-n 0 -m origin -a relu -k 1 --batch-size 0", "batch_size must be above zero"),
        ("-n 1 -f 1 -m origin -a relu -k 1 -fnst 0", "finite_nsteps must be above zero"),
        ("-n 0 -f 1 -m origin -a relu -k 1", "they need -n 1"),
        ("-n 0 -m origin -a relu -k 1 --rule adam", "no rule 'adam'"),
        ("-n 0 -m origin -a relu -k 1 -s -1", "seed must be zero or above zero"),
        ("-n 0 -m origin -a relu -k 1 --device nonsense", "'nonsense' is not there"),
        ("-n 0 -m origin -a relu -k 1 --threads 0", "threads must be above zero"),
        ("-n 0 -m origin -a relu -k 1 --from-files", "make it with -g 1"),
        ("-m origin -a relu -k 1", "-n 0 or -n 1"),
        ("-n 0 -a relu -k 1", "model_type is missing"),
        ("-v 1", "no plot type -1"),
        ("-v 1 -pl 0", "train it first"),
        ("-v 1 -pl 3", "train it first"),
        ("table", "train it first"),
        ("look -n 0 -m origin -a relu -k 1", "train it first"),
        ("look -n 0 -a relu -k 1", "model_type is missing"),
        ("-n 1 -f 1 -m origin -a relu -k 1 --form plain", "leave out -f"),
        ("theory --alphas 0.2 1", "alphas must lie between 0 and 1"),
        ("plateau --seeds 0", "seeds must be above zero"),
        ("sweep --jobs 0", "jobs must be above zero"),
        ("sweep --alphas 0.2 1.0", "alpha must lie between 0 and 1"),
    ],
)
def test_bad_input(elsewhere, capsys, command, says):
    assert says in fails(capsys, command)
    assert not (elsewhere / "logs").exists() and not (elsewhere / "data").exists()


def test_a_finite_set_without_noise_labels(capsys):
    said = fails(capsys, "-f 1 -n 1 -m reparam -a relu -k 1 -alpha 0.001 -fnst 1", *TINY)
    assert "none is noise at alpha 0.001: take more samples" in said


def test_damaged_files(elsewhere, capsys):
    works("-g 1 --s 0 --n 0 -nst 4")
    path = elsewhere / "data" / "seed0-noiseFalse-alpha0.0-nsteps4-train-sentences.npy"
    path.write_bytes(path.read_bytes()[:150])
    train = "-s 0 -n 0 -m origin -a linear -k 1 -nst 4 --from-files"
    assert "is damaged" in fails(capsys, train, *TINY)
    works("-g 1 --s 0 --n 0 -nst 4")
    assert "are needed" in fails(capsys, train, *TINY, "--H", "10")


def test_unwritable_folder(elsewhere, capsys):
    (elsewhere / "logs").write_text("a file")
    assert "cannot be written" in fails(capsys, "-n 0 -m reparam -a relu -k 1 -nst 2", *TINY)


def test_spellings_are_options_and_do_not_clash():
    flat = [spelling for spellings in SPELLINGS.values() for spelling in spellings]
    assert len(flat) == len(set(flat))
    assert readable(["-lr=0.5", "--nst", "7", "-1"]) == ["--lr=0.5", "--nsteps", "7", "-1"]


def test_as_a_program_without_traceback(elsewhere):
    command = [sys.executable, "-m", "solutions.ch4_one_layer_icl", "-n", "1", "-m", "origin", "-a", "relu", "-k", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "There is no kappa 7: choose 0, 1.\n"


def test_shapes_are_enforced_here():
    with pytest.raises(TypeCheckError):
        tables.end("not a curve of numbers")
