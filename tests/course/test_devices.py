"""A device without float64, as Apple's MPS: chapters that draw in float64 never choose it, the others never need it."""

import pytest
import torch

from utils import train
from utils.course import CourseError

SMALL_5 = "train --epoch 1 --dataset-len 64 --device cpu --run-name a --runs"
SMALL_1 = (
    "train --num-epochs 1 --max-steps-per-epoch 2 --device cpu --batch-size 2 --context-length 16 "
    "--num-transformer-layers 1 --output"
)


@pytest.fixture
def without_float64(monkeypatch):
    """The CPU, whose `.to` refuses float64 as MPS does."""
    to = torch.Tensor.to

    def refusing(self, *args, **kwargs):
        wanted = [*args, *kwargs.values()]
        double = torch.float64 in wanted or (self.dtype is torch.float64 and torch.float32 not in wanted)
        if double and any(isinstance(each, (torch.device, str)) for each in wanted):
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework has none.")
        return to(self, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "to", refusing)


def test_a_chapter_with_float64_defaults_to_a_device_that_has_it(monkeypatch):
    from solutions.ch2_induction_heads.cli import Machine
    from solutions.ch4_one_layer_icl.cli import Common

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert train.best_device() == "mps" and train.best_device(double=True) == "cpu"
    assert Machine().device == "cpu" and Common().device == "cpu"


def test_asked_for_it_is_refused_in_one_sentence(without_float64, tmp_path, capsys):
    from solutions.ch2_induction_heads.cli import main as chapter_2
    from solutions.ch4_one_layer_icl.cli import main as chapter_4

    with pytest.raises(CourseError, match="has no float64"):
        train.usable_device("cpu", double=True)
    assert train.usable_device("cpu") == torch.device("cpu")
    assert chapter_2(["basic", f"save_dir={tmp_path / 'a'}", "max_iters=1", "device=cpu"]) == 2
    assert chapter_4(["-n", "0", "-m", "origin", "-a", "linear", "-k", "0", "--device", "cpu"]) == 2
    assert capsys.readouterr().err.count("has no float64") == 2


@pytest.mark.slow
def test_the_other_chapters_train_on_it(without_float64, tmp_path):
    from solutions.ch1_transformer_from_scratch.cli import main as chapter_1
    from solutions.ch5_abstract_representations.cli import main as chapter_5

    assert chapter_1([*SMALL_1.split(), str(tmp_path / "one")]) == 0
    assert chapter_5([*SMALL_5.split(), str(tmp_path / "five")]) == 0
