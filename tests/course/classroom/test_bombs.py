"""What is small to hand in and large to read or to judge costs its own student; a killed grader leaves nothing."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from tests.course.classroom.submissions import statuses, write
from utils import course
from utils.grade.classroom.record import read_results
from utils.grade.limited import Exhausted, limited
from utils.grade.submission import read_cells, without_outputs

MOST = 500 * 2**20  # bytes that a process of the grader may hold
RETURNS = """class LayerNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))

    def forward(self, x):
        return {}"""
TENSORS = {  # what is given back for (B, T, E), and what is said of it
    "large": ("torch.zeros(8_000_000, 1, 1)", "returned more than 16 MiB"),
    "broadcasts": ("torch.zeros(2_000_000, 1, 1)", "it returns (2000000, 1, 1)"),
    "doubles": ("torch.zeros(1_000_000, 1, 1, dtype=torch.float64)", "it returns (1000000, 1, 1)"),
    "lists": ("[[0.0]] * 300_000", "a list"),
}


def packed(text: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("exercises.ipynb", text)
    return data.getvalue()


def watched(command: list) -> tuple[int, str, int]:
    """(exit status, what was said, most bytes of one process outside of the sandboxes)."""
    peak = 0
    with subprocess.Popen(
        list(map(str, command)), cwd=course.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        top = psutil.Process(process.pid)
        while process.poll() is None:
            for one in [top, *top.children(recursive=True)]:
                try:
                    told = dict(line.split(":", 1) for line in Path(f"/proc/{one.pid}/status").read_text().splitlines())
                except (OSError, psutil.Error):
                    continue
                if len(told["NSpid"].split()) == 1 and "VmHWM" in told:
                    peak = max(peak, int(told["VmHWM"].split()[0]) * 1024)
            time.sleep(0.02)
        return process.returncode, process.stdout.read(), peak


def grader(*arguments) -> list:
    return [sys.executable, "-m", "utils.grade", *arguments]


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_class_with_bombs(handed_in, tmp_path):
    top, out = tmp_path / "class", tmp_path / "out"
    right = handed_in.some("GELU", "accuracy")
    for student, (value, _) in TENSORS.items():
        handed_in.write(top / f"{student}.ipynb", {**right, "LayerNorm": RETURNS.format(value)})
    beside = handed_in.notebook(right)
    lines = {"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = (\n" + "\n" * 20_000 + "! y"}
    magic = {**lines, "source": "%time x\n" * 20_000 + "x ="}
    nodes = {**lines, "source": "x = [" + "-1," * 300_000 + "]"}
    write(top / "newlines.ipynb", {**beside, "cells": [*beside["cells"], lines, magic, nodes]})
    shown = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBOR\n" * 12_000_000}}
    outputs = handed_in.notebook(right)
    for cell in outputs["cells"]:
        mark = cell["metadata"].get("exercise", {})
        cell.update({"outputs": [shown]} if (mark.get("name"), mark.get("role")) == ("GELU", "answer") else {})
    write(top / "outputs.ipynb", outputs)
    for student, text in (("values", b"[" + b"[]," * 16_000_000), ("code", b'{"cells": [' + b'{"a":1},' * 6_000_000)):
        (top / f"{student}.zip").write_bytes(packed(text))
        assert (top / f"{student}.zip").stat().st_size < 300_000
    handed_in.write(top / "ch1.html.ipynb", right)
    handed_in.write(top / "zoe.ipynb", right)
    (out / "taken" / "ch1.json").mkdir(parents=True)
    handed_in.write(top / "taken.ipynb", right)
    status, said, peak = watched(grader(top, "--chapter", "ch1", "--out", out, "--jobs", "2", "--seconds", "4"))
    assert status == 1 and "FAILED taken: the record could not be written (Is a directory: move" in said, said
    assert "Traceback" not in said
    assert peak < MOST, f"{peak / 2**20:.0f} MB"
    records = {record.student: record for record in read_results(out, "ch1")}
    assert set(records) == {*TENSORS, "newlines", "outputs", "values", "code", "ch1.html", "zoe"}
    full = {"GELU": "full", "accuracy": "full"}
    for student in ("newlines", "outputs", "ch1.html", "zoe"):
        assert statuses(records[student]) == full, student
    for student, (_, says) in TENSORS.items():
        norm = next(exercise for exercise in records[student].exercises if exercise.name == "LayerNorm")
        assert norm.status in ("wrong", "crashed") and says in norm.says, (student, norm.says)
        assert statuses(records[student]) | full == statuses(records[student])
    for student in ("values", "code"):
        assert records[student].score == 0 and "is too large to be read" in records[student].problem, records[
            student
        ].problem
    done = subprocess.run(grader("report", out), cwd=course.ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "taken/ch1.json cannot be read" in done.stderr
    assert (out / "ch1.html").is_file() and (out / "zoe" / "ch1.html").is_file()


@pytest.mark.sandbox
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_killed_grader_leaves_nothing(handed_in, tmp_path, jobs):
    waits = "def accuracy(logits, tokens):\n    while True: pass"
    for student in ("ada", "bob"):
        handed_in.write(tmp_path / "class" / f"{student}.ipynb", {"accuracy": waits})
    command = grader(tmp_path / "class", "--chapter", "ch1", "--out", tmp_path / "out", "--jobs", jobs)
    with subprocess.Popen(command, cwd=course.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        top = psutil.Process(process.pid)
        while not any(isolated(one) for one in top.children(recursive=True)):
            assert process.poll() is None
            time.sleep(0.05)
        everything = top.children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
    _, left = psutil.wait_procs(everything, timeout=20)
    assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []
    handed_in.write(tmp_path / "class" / "ada.ipynb", handed_in.some("accuracy"))
    handed_in.write(tmp_path / "class" / "bob.ipynb", handed_in.some("accuracy"))
    assert subprocess.run(command, cwd=course.ROOT, capture_output=True).returncode == 0
    assert [statuses(record) for record in read_results(tmp_path / "out", "ch1")] == [{"accuracy": "full"}] * 2


def isolated(process) -> bool:
    """Whether it is in a sandbox."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("NSpid:") and len(line.split()) > 2 for line in lines)


def test_outputs_are_dropped_and_nothing_else():
    told = ['a = {"outputs": [1]}', "b"]
    inner = {"metadata": {"x": [{"outputs": {"deep": ["]", "\\", '"']}}]}, "outputs": [[]]}
    cells = [{"cell_type": "code", "source": told, "outputs": [inner, {"text": 'a "quoted" ]'}], "metadata": {}}]
    notebook = {"cells": [*cells, {"cell_type": "code", "metadata": {}, "source": "c", "outputs": []}], "nbformat": 4}
    data = json.dumps(notebook, indent=1).encode()
    assert json.loads(without_outputs(data)) == {
        **notebook,
        "cells": [{**cell, "outputs": []} for cell in notebook["cells"]],
    }
    assert read_cells(data)[0] == [("".join(told), ""), ("c", "")]
    for cut in range(0, len(data), 7):  # what is cut off stays so
        with pytest.raises(ValueError, match="is not a notebook"):
            read_cells(data[:cut])


def grow(size: int) -> int:
    return len(bytes(size))


def spin() -> None:
    while True:
        pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has these limits")
def test_a_function_under_limits():
    assert limited(grow, 10, seconds=5) == 10
    with pytest.raises(Exhausted, match="more memory than there is"):
        limited(grow, 1 << 30, seconds=5)
    with pytest.raises(Exhausted, match="more than 1 seconds of the processor"):
        limited(spin, seconds=1)
    with pytest.raises(TypeError) as caught:
        limited(grow, "x", seconds=5)
    assert "in grow" in caught.value.__notes__[0]
