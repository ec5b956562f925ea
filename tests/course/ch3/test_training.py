"""Runs of the training commands: files, interruption, sweeps, heat maps, tables, and bad input in one sentence."""

import json
import signal

import pytest
import torch

from solutions.ch3_rasp import cli, runs, training
from solutions.ch3_rasp.experiments import attention_match, show_table, size_table, sizes_of, small_runs, sweep
from solutions.ch3_rasp.fast import fuse
from solutions.ch3_rasp.model import Encoder, EncoderConfig
from solutions.ch3_rasp.plots import blind_match, selector_match
from solutions.ch3_rasp.runs import Tagger, load_run, train_run
from solutions.ch3_rasp.settings import RunArgs, options_of
from utils.course import CourseError

TINY = ["dim=8", "epochs=2", "traincrop=60", "--n-train", "200", "--n-valid", "20", "--n-test", "20", "--longest", "6"]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(lang="reverse_10", **more) -> RunArgs:
    settings = {"d_model": 8, "n_epochs": 2, "n_train": 60, "n_valid": 20, "n_test": 20, "longest": 6}
    return RunArgs(lang, **{**settings, "no_timestamp": True, **more})


def test_files_of_a_run_and_what_is_drawn_from_it(tmp_path, capsys):
    words = ["train", "lang=sort_10_bos_with_attns", "heads=1", "layers=2", "subfolder=one", *TINY, "--no-timestamp"]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "saved checkpoint" in said and "attention" in said and "test: loss" in said
    (folder,) = (tmp_path / "lms" / "one" / "sort_10_bos_with_attns").iterdir()
    assert folder.name.startswith(
        "L2_H1_D8_FF16_drop0.0_epochs2_pos-sin_lr-start0.0003_gamma0.98_max-len5000_res-index0_1"
    )
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.safetensors", "run.json", "training_prints.txt", "dataset_prints.txt", "training_plots"}
    assert {"loss.html", "accuracy.html", "others"} <= {path.name for path in (folder / "training_plots").iterdir()}
    assert "are in the training set too" in (folder / "dataset_prints.txt").read_text(encoding="utf-8")
    assert (folder / "training_prints.txt").read_text(encoding="utf-8").strip() in said.replace("\r", "\n")
    assert len(load_run(folder).history) == 2

    draw = ["draw-attention", "--lang", "sort_10_bos_with_attns", "--from-subfolder", "one", "--with-numbers", "1"]
    assert cli.main([*draw, "--sequence", "§cab"]) == 0
    (place,) = (tmp_path / "maps" / "sort_10_bos_with_attns" / "§cab" / "one").glob("L2*")
    found = sorted(str(path.relative_to(place)) for path in place.rglob("layer*.html"))
    assert found == [f"{kind}/layer {layer}.html" for kind in ("distributions", "scores") for layer in (0, 1)]
    assert "target: § a b c" in (place / "in_out.txt").read_text(encoding="utf-8")
    assert "target: § a b c" in (place.parent / "ins_outs.txt").read_text(encoding="utf-8")
    capsys.readouterr()
    assert cli.main([*draw, "--sequence", "cab"]) == 2
    assert "write '§cab' instead" in capsys.readouterr().err

    assert cli.main(["summary", "--from-subfolder", "one", "--epoch", "2"]) == 0
    assert "2 layers, 1 heads (1 runs): test accuracy best // mean // worst" in capsys.readouterr().out
    assert len(list((tmp_path / "summaries" / "one").iterdir())) == 3
    assert cli.main(words) == 2
    assert "is there already" in capsys.readouterr().err


def test_same_seed_same_numbers():
    one, again, other = (train_run(tiny(seed=seed), save=False) for seed in (1, 1, 2))
    assert [e["valid_loss"] for e in one.history] == [e["valid_loss"] for e in again.history]
    assert one.final == again.final != other.final


def test_interruption_in_the_first_epoch_keeps_a_run(tmp_path, monkeypatch):
    def interrupted(model, *rest):
        def once(*_):  # Ctrl-C during the first step
            hook.remove()
            signal.raise_signal(signal.SIGINT)

        hook = model.register_forward_hook(once)
        return training.train(model, *rest)

    monkeypatch.setattr(runs, "train", interrupted)
    found = train_run(tiny("sort_10", n_train=300, n_epochs=50))
    assert found.interrupted and not found.history
    (folder,) = (tmp_path / "lms" / "sort_10").iterdir()
    assert load_run(folder).interrupted and load_run(folder).final == found.final


def test_overfit_small_and_crops():
    found = train_run(tiny(overfit=True, n_epochs=1), save=False)
    assert found.facts["leaked"] == {"valid": 1, "test": 1}
    assert options_of(["lang=sort_10", "small=true", "heads=2"]) == [
        "--nheads", "4", "--d-model", "16", "--ff", "20", "--nlayers", "2", "--tiny", "100",
        "--lang", "sort_10", "--nheads", "2",
    ]  # fmt: skip


def test_learns_a_little():
    args = tiny("sort_10", d_model=32, n_train=2000, n_epochs=4, initial_lr=3e-3, batch_size=32, bucket=1, clip=1.0)
    found = train_run(args, save=False)
    assert found.test_accuracy > found.facts["baselines"]["token"] + 0.05


@pytest.mark.parametrize("more", [{"add_BOS": True}, {"with_causal_mask": True}, {"positional_encoding_type": "embed"}])
def test_switches_train(more):
    found = train_run(tiny(max_len=40, dropout=0.1, **more), save=False)
    assert len(found.history) == 2


def test_causal_mask_and_padding_hide_what_they_should():
    torch.manual_seed(0)
    for causal in (False, True):
        model = Encoder(EncoderConfig(5, 4, 8, 2, 4, 2, 16, causal=causal)).eval()
        tokens, mask = torch.randint(5, (1, 6)), torch.arange(6)[None] < 4
        logits, patterns = model(tokens, mask)
        assert len(patterns) == 2 and patterns[0][..., 4:].max() == 0
        padded, other = tokens.clone(), tokens.clone()
        padded[0, 4:], other[0, 3] = 0, (tokens[0, 3] + 1) % 5
        assert torch.allclose(model(padded, mask)[0][:, :4], logits[:, :4], atol=1e-6)
        assert torch.allclose(model(other, mask)[0][:, :3], logits[:, :3], atol=1e-6) is causal


def test_add_bos_prepends_and_drops():
    model = Tagger(tiny(add_BOS=True)).eval()
    tokens, mask = torch.randint(10, (2, 5)), torch.ones(2, 5, dtype=torch.bool)
    logits, patterns = model(tokens, mask)
    assert logits.shape == (2, 5, 10) and patterns[0].shape == (2, 1, 5, 5)
    assert patterns[0].sum(-1).max() < 1


def test_fused_layer_norm_is_the_same_function():
    torch.manual_seed(0)
    plain = Encoder(EncoderConfig(5, 4, 8, 2, 4, 2, 16))
    with torch.no_grad():
        for block in plain.blocks:
            for norm in (block.layer_norm_1, block.layer_norm_2):
                norm.w.normal_()
                norm.b.normal_()
    fused = fuse(Encoder(EncoderConfig(5, 4, 8, 2, 4, 2, 16)))
    fused.load_state_dict(plain.state_dict())
    tokens = torch.randint(5, (3, 6))
    one, other = plain(tokens)[0], fused(tokens)[0]
    assert torch.allclose(one, other, atol=1e-5)
    for model, logits in ((plain, one), (fused, other)):
        (logits**2).sum().backward()
        assert model.embedding.W_E.grad is not None
    assert torch.allclose(plain.embedding.W_E.grad, fused.embedding.W_E.grad, atol=1e-4)


def test_selector_match():
    selector = torch.tensor([[[True, False, False], [False, False, False], [True, True, False]]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    pattern = torch.tensor([[[1.0, 0, 0], [0, 0, 1], [0.25, 0.25, 0.5]]])
    assert selector_match(pattern, selector, mask) == pytest.approx(0.75)
    assert blind_match(selector, mask) == pytest.approx((1 / 3 + 2 / 3) / 2)


def test_sizes_of_multirun():
    assert sizes_of(1, 1, 256) == [(1, 1, 256)]
    assert sizes_of(2, 1, 256) == [(2, 1, 256), (1, 1, 256), (1, 2, 512)]
    assert sizes_of(3, 2, 256) == [(3, 2, 256), (3, 1, 256), (2, 2, 256), (2, 4, 512)]


@pytest.mark.slow
def test_multirun_in_two_processes(tmp_path, capsys):
    words = ["multirun", "lang=reverse_10", "heads=1", "layers=2", *TINY, "--lrs", "0.001", "--gammas", "0.9", "0.8"]
    assert cli.main([*words, "--jobs", "2"]) == 0
    assert capsys.readouterr().out.count("test accuracy") == 6
    assert len(list((tmp_path / "lms" / "reverse_10").glob("*/run.json"))) == 6


@pytest.mark.slow
def test_sweep_on_dask_gives_the_same_numbers():
    distributed = pytest.importorskip("distributed")
    runs = [tiny(seed=seed) for seed in range(2)]
    here = {outcome.args.seed: outcome.accuracy for outcome in sweep(runs, save=False)}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        there = {o.args.seed: o.accuracy for o in sweep(runs, cluster=cluster.scheduler_address, save=False)}
    assert there == here


def test_table_of_sizes(tmp_path, monkeypatch, capsys):
    def short(tasks, seeds):
        return [tiny("sort_10", nlayers=layers, seed=seed, longer=8) for layers in (1, 2) for seed in range(seeds)]

    assert len(small_runs((), 3)) == 27
    monkeypatch.setattr("solutions.ch3_rasp.experiments.small_runs", short)
    assert cli.main(["table", "--seeds", "2", "--output", "table.json"]) == 0
    rows = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["layers"], row["seeds"]) for row in rows] == [(2, 2), (1, 2)]
    assert show_table(rows) in capsys.readouterr().out
    assert size_table(list(sweep(short((), 1), save=False)))[0]["mean"] == rows[0]["mean"] or rows[0]["seeds"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "lang=revers_10"], "There is no language 'revers_10'"),
        (["train", "lang=sort_10_with_attns", "layers=1"], "supervises head (1, 0): it needs 2 layers"),
        (["train", "lang=hist2_10_with_attns", "layers=2", "heads=1"], "supervises head (0, 1)"),
        (["train", "lang=sort_10", "haeds=2"], "no setting 'haeds'; the nearest is 'heads'"),
        (["train", "lang=sort_10", "dim=10", "heads=3"], "must be a multiple of nheads"),
        (["train", "lang=sort_10", "epochs=0"], "n_epochs must be above zero"),
        (["train", "lang=sort_10", "overfit=maybe"], "overfit must be true or false"),
        (["train", "lang=sort_10", "subfolder=../x"], "subfolder must lie inside"),
        (["train", "lang=sort_10", "--device", "tpu9"], "The device 'tpu9'"),
        (["train", "lang=sort_10", "--longer", "50"], "longer must be above longest"),
        (["train", "lang=sort_10", "--max-len", "20"], "max_len (20) is too short"),
        (["multirun", "lang=sort_10", "--jobs", "0", *TINY], "jobs must be 1 or more"),
        (["multirun", "lang=sort_10", "--cluster", "nowhere", *TINY], "nowhere"),
        (["table", "tetris"], "no row 'tetris'"),
        (["table", "--seeds", "0"], "seeds must be 1 or more"),
        (["draw-attention", "--lang", "sort_10", "--sequence", "abc"], "no saved run"),
        (["draw-attention", "--lang", "sort_10", "--sequence", "a/c"], "'/' in 'a/c' is not a symbol"),
        (["draw-attention", "--lang", "sort_10", "--sequence", "-a"], "'-' in '-a' is not a symbol"),
        (["peep", "nothing"], "There is no language 'nothing'"),
        (["summary"], "no finished runs"),
        (["summary", "--lang", "sort"], "There is no language 'sort'"),
    ],
)
def test_bad_input_is_one_sentence(words, said, capsys, monkeypatch):
    monkeypatch.setattr("utils.train.sweeps.PATIENCE", 2)
    assert cli.main(words) == 2
    error = capsys.readouterr().err.strip()
    assert said in error and "Traceback" not in error


def test_damaged_run_is_one_sentence(tmp_path):
    train_run(tiny("sort_10"))
    (folder,) = (tmp_path / "lms" / "sort_10").iterdir()
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(CourseError, match="is damaged"):
        load_run(folder)


def test_match_compares_every_head_of_the_program_with_the_model():
    accuracy, found = attention_match(tiny("sort_10_bos_with_attns", nlayers=2, nheads=1), n=20)
    assert 0 <= accuracy <= 1
    assert [entry["selector"] for entry in found] == [(0, 0), (1, 0)]
    assert all(entry["head"] in [(0, 0), (1, 0)] and 0 <= entry["score"] <= 1 for entry in found)
    assert all(0 < entry["blind"] < 1 for entry in found)
