"""Small tools that the whole course shares: whole files, optimizer states, the frame of a command line."""

import os
import subprocess
import sys

import pytest
import torch
from rounding import assert_same_but_rounding
from torch import nn

from utils.course import ROOT, CourseError
from utils.files import write_whole
from utils.train import Pointwise, load_optimizer, optimizer_tensors, pointwise, run_command


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "deep" / "naïve.txt"
    write_whole(file, "a\nb ü\n")
    assert file.read_bytes() == "a\nb ü\n".encode()
    write_whole(file, b"\x00\x01")
    write_whole(file, lambda part: part.write_text("by a function", encoding="utf-8"))
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "\ud800")
    with pytest.raises(ZeroDivisionError):
        write_whole(file, lambda part: (part.write_text("half"), 1 / 0))
    assert file.read_text(encoding="utf-8") == "by a function"
    assert list(file.parent.iterdir()) == [file]
    with pytest.raises(OSError):
        write_whole(file / "below", "a file cannot be a folder")


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_an_optimizer_goes_on_as_if_nothing_had_been(kind):
    options = {"lr": 0.1} | ({"momentum": 0.9} if kind is torch.optim.SGD else {})
    x = torch.randn(8, 3)

    def made():
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2)
        return model, kind(model.parameters(), **options)

    def step(model, optimizer):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()

    (model, optimizer), (other, fresh) = made(), made()
    step(model, optimizer)
    kept = {"model.weight": x} | optimizer_tensors(optimizer, "optimizer.")
    kept = {name: value.clone() for name, value in kept.items()}  # as a file would
    load_optimizer(fresh, kept, "optimizer.")
    other.load_state_dict(model.state_dict())
    step(model, optimizer)
    step(other, fresh)
    assert torch.equal(model.weight, other.weight)
    foreign = torch.optim.SGD(other.parameters(), lr=0.1, momentum=0.9) if kind is torch.optim.AdamW else None
    with pytest.raises(ValueError, match="another kind"):
        load_optimizer(foreign or torch.optim.AdamW(other.parameters()), kept, "optimizer.")


def test_what_a_command_ends_with(capsys):
    def refuses():
        raise CourseError("Say which.")

    def stopped():
        raise KeyboardInterrupt

    assert run_command(lambda: 7) == 7
    assert run_command(refuses) == 2 and capsys.readouterr().err == "Say which.\n"
    assert run_command(stopped) == 130


@pytest.mark.parametrize("argument", [b"yes", b"na\xefve"])
def test_a_terminal_and_arguments_outside_unicode(argument):
    code = "from utils.train import run_command\nexit(run_command(lambda: print('naïve 🙂', input()) or 0))"
    variables = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, argument], input=b"\x81", env=variables, capture_output=True)
    if argument == b"yes":
        assert done.returncode == 0 and done.stdout.decode("cp1252").strip() == "naïve ? ?" and not done.stderr
    else:
        assert done.returncode == 2 and done.stderr.strip() == b"The argument na?ve is not text in UTF-8."


@pytest.mark.parametrize("shape", [(5,), (3, 4, 5), (16, 5), (4, 8, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_pointwise_map_is_a_linear_map(shape, dtype):
    torch.manual_seed(3)
    ours, linear = Pointwise(5, 7).to(dtype), nn.Linear(5, 7).to(dtype)
    ours.load_state_dict(linear.state_dict())
    x = torch.randn(shape, dtype=dtype)
    found = []
    for layer in (ours, linear):
        read = x.clone().requires_grad_()
        y = layer(read)
        y.square().sum().backward()
        found.append((y, read.grad, layer.weight.grad, layer.bias.grad))
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        assert_same_but_rounding(one, other)


def test_a_pointwise_map_of_no_position():
    assert Pointwise(5, 7)(torch.zeros(0, 5)).shape == (0, 7)


def test_every_linear_map_of_a_model_becomes_pointwise():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.GELU(), nn.Linear(4, 2, bias=False)))
    x, before = torch.randn(16, 3), dict(model.state_dict())
    expected = model(x)
    assert pointwise(model) is model and [type(model[0]), type(model[1][1])] == [Pointwise, Pointwise]
    assert_same_but_rounding(model(x), expected)
    assert all(
        model.state_dict()[name] is value or torch.equal(model.state_dict()[name], value)
        for name, value in before.items()
    )
