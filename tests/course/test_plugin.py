"""`pytest --nbmake` on course notebooks: every kind of fault in a few notebooks, each run as a learner would."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import PurePosixPath

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils import course
from utils.build.cut import read_module
from utils.build.notebook import build_chapter
from utils.chapter import load_chapter

pytestmark = pytest.mark.skipif(not course.have_answers("ch1"), reason="this hand-out holds no answers to grade")

SETUP = "from utils.learn import *"
IMPORTS = """\
import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn"""
MUST_DO = [exercise for exercise in load_chapter("ch1").exercises if not exercise.optional]


def source(name: str, stub: bool = False) -> str:
    """The reference's answer to an exercise, or its stub."""
    exercise = load_chapter("ch1").exercise(name)
    module = read_module(course.ROOT / "solutions" / course.chapter_name("ch1") / f"{exercise.module}.py")
    return module.stub(name) if stub else module.solution(name)


def write(path, *cells, metadata=None):
    """Write a notebook of code cells; a cell is its source, or (source, metadata)."""
    made = []
    for cell in cells:
        text, mark = cell if isinstance(cell, tuple) else (cell, {})
        made.append(new_code_cell(text, metadata=mark))
    marks = {"course": {"chapter": "ch1", "notebook": "exercises"}} if metadata is None else metadata
    nbformat.write(new_notebook(cells=made, metadata=marks), path)
    return path


def grade(folder, *arguments) -> subprocess.CompletedProcess:
    """Plain pytest in a folder, with nothing of this pytest's own environment."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COURSE"))}
    command = [sys.executable, "-m", "pytest", "--nbmake", "-p", "no:cacheprovider", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


def table(output: str) -> dict[str, tuple[str, str]]:
    """The table at the end: {exercise: (status with its reason, points)}."""
    rows = re.findall(r"^1\.\d+ (\w+) +(\d+/\d+)  (.+)$", output, re.M)
    return {name: (rest, points) for name, points, rest in rows}


@pytest.mark.slow
def test_every_fault_is_named_and_the_rest_is_graded(tmp_path):
    right_gelu = source("GELU")
    notebook = write(
        tmp_path / "mine.ipynb",
        SETUP,
        IMPORTS,
        "print('x' * 3_000_000)",
        # right, in pieces and duplicated: the last definition counts
        source("LayerNorm", stub=True),
        source("LayerNorm"),
        ("check(LayerNorm)\nwhile True: pass", {"exercise": {"id": "1.3", "name": "LayerNorm", "role": "check"}}),
        "%time pass\n" + right_gelu,
        # wrong: the first definition was right
        source("Unembedding"),
        source("Unembedding")
        + "\n\nright = Unembedding.forward\nUnembedding.forward = lambda self, x: right(self, x) + 1",
        source("MLP", stub=True),  # not attempted
        source("Embedding") + "\nimport time\nwhile True:\n    time.sleep(1)",  # endless while it is defined
        source("PositionalEmbedding") + "\nimport os\nos._exit(0)",  # kills the kernel
        "import time\ndef apply_causal_mask(scores):\n    while True:\n        try:\n            time.sleep(99)\n"
        "        except BaseException: pass",  # endless when called, and deaf to an interrupt
        "def chunk_tokens(documents, context_length, separator):\n    import os\n    os._exit(1)",
        "def accuracy(logits, tokens)\n    return 1.0",  # syntax error; next_token_loss is deleted
        "print 'two', input('never answered')",
        "input('never answered')",
        "raise SystemExit",
        "skip('Attention')",
        # what a submission may do to be graded kindly
        "def check(x): return 'passed'\ngrade_exercise = check\nprint('1.4 full')",
        ("assert False", {"tags": ["raises-exception"]}),
        "ip = get_ipython()\nip.input_transformers_post.append(lambda lines: ['pass\\n'])\n"
        "ip.set_custom_exc((BaseException,), lambda *a, **k: None)\nip._showtraceback = lambda *a, **k: None",
        metadata={
            "course": {"chapter": "ch1", "notebook": "exercises"},
            "execution": {"allow_errors": True, "timeout": 9999},
            "kernelspec": {"name": "no_such_kernel", "display_name": "?", "language": "python"},
        },
    )
    report = tmp_path / "report.xml"
    names = "LayerNorm GELU Unembedding MLP Embedding PositionalEmbedding apply_causal_mask chunk_tokens accuracy"
    names += " next_token_loss Attention"
    wanted = [f"{notebook}::{e.id} {e.name}" for e in MUST_DO if e.name in names.split()]
    done = grade(tmp_path, *wanted, "--cell-timeout", 12, "--junitxml", report)
    rows = table(done.stdout)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout and "INTERNAL" not in done.stdout
    begins = {
        "LayerNorm": "full",
        "GELU": "full",
        "Unembedding": "wrong ",
        "MLP": "not attempted ",
        "Embedding": "timed out ",
        "PositionalEmbedding": "crashed ",
        "apply_causal_mask": "timed out ",
        "chunk_tokens": "crashed ",
        "accuracy": "syntax error ",
        "next_token_loss": "missing ",
        "Attention": "skipped ",
    }
    assert {name: rows[name][0][: len(begin)] for name, begin in begins.items()} == begins, done.stdout
    assert "line 1" in rows["accuracy"][0]
    cases = {case.get("name"): case for case in ET.parse(report).iter("testcase")}
    assert len(cases) == len(begins)
    properties = {p.get("name"): p.get("value") for p in cases["1.3 LayerNorm"].iter("property")}
    points = str(load_chapter("ch1").exercise("LayerNorm").points)
    assert properties["points"] == properties["max_points"] == points
    assert properties["exercise"] == "1.3 LayerNorm" and properties["status"] == "full"
    failure = cases["1.7 MLP"].find("failure")
    assert failure.get("message").startswith("not attempted: ") and "#x1B" not in failure.get("message")
    assert {p.name for p in tmp_path.iterdir()} == {"mine.ipynb", "report.xml"}  # no progress of the learner's touched


@pytest.mark.slow
def test_a_solved_part_passes_under_xdist_and_k(tmp_path):
    cells = [SETUP, IMPORTS, source("LayerNorm"), "counted = open('runs.txt', 'a').write('x')"]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "exercises.ipynb", *cells, source("GELU"))
    done = grade(tmp_path, "one", "two", "-n", "2", "-k", "LayerNorm or GELU")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    assert table(done.stdout)["LayerNorm"][0] == "full"
    assert [(tmp_path / name / "runs.txt").read_text() for name in ("one", "two")] == ["x", "x"]


@pytest.mark.slow
def test_a_lost_set_up_cell_is_replaced_and_a_broken_one_blocks(tmp_path):
    bare = write(tmp_path / "bare.ipynb", IMPORTS, source("LayerNorm"), "check(LayerNorm)")
    setup = "raise OSError('no disk')\n" + SETUP
    broken = write(tmp_path / "broken.ipynb", setup, source("GELU", stub=True), "skip('MLP')")
    done = grade(tmp_path, bare, broken, "-k", "LayerNorm or (broken and GELU)")
    assert done.returncode == 1
    rows = table(done.stdout)
    assert re.search(r"^1.3 LayerNorm .* full$", done.stdout, re.M), done.stdout
    assert rows["GELU"][0].startswith("blocked ") and rows["GELU"][0].endswith(
        "the set-up cell failed: OSError: no disk."
    )


def test_other_notebooks_stay_with_nbmake_and_files_that_are_none_get_one_sentence(tmp_path):
    write(tmp_path / "good.ipynb", "class LayerNorm: pass\nassert 1 + 1 == 2", metadata={})
    write(tmp_path / "bad.ipynb", "assert 1 + 1 == 3", metadata={})
    write(tmp_path / "allowed.ipynb", "1 / 0", metadata={"execution": {"allow_errors": True}})
    write(tmp_path / "alien.ipynb", "1", metadata={"course": {"chapter": "ch99"}})
    (tmp_path / "empty.ipynb").write_text("")
    (tmp_path / "binary.ipynb").write_bytes(b"\x89PNG\xff\xfe\x00")
    (tmp_path / "words.ipynb").write_text("no notebook")
    (tmp_path / "list.ipynb").write_text("[1, 2]")
    (tmp_path / "half.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}))
    done = grade(tmp_path, tmp_path, "-rA")
    assert done.returncode == 1
    passed = re.findall(r"^PASSED (\S+?)::", done.stdout, re.M)
    failed = re.findall(r"^FAILED (\S+?)::", done.stdout, re.M)
    assert sorted(passed) == ["allowed.ipynb", "good.ipynb"]
    assert sorted(failed) == [f"{n}.ipynb" for n in ("alien", "bad", "binary", "empty", "half", "list", "words")]
    for name in ("binary", "empty", "half", "list", "words"):
        assert re.search(rf"^FAILED {name}.ipynb::{name}.ipynb - {name}.ipynb is not a notebook: ", done.stdout, re.M)
    assert "nbformat" not in done.stdout and "INTERNAL" not in done.stdout
    assert "There is no chapter 'ch99'" in done.stdout


def test_the_shipped_notebook_is_not_attempted_throughout(tmp_path):
    built = build_chapter(load_chapter("ch1"))
    name = course.chapter_name("ch1")
    (tmp_path / "exercises.ipynb").write_text(built[PurePosixPath("chapters", name, "exercises.ipynb")], "utf-8")
    done = grade(tmp_path, "exercises.ipynb")
    rows = table(done.stdout)
    assert done.returncode == 1
    assert list(rows) == [exercise.name for exercise in MUST_DO]
    assert all(status.startswith("not attempted ") for status, _ in rows.values())
    assert re.search(rf"^total +0/{sum(exercise.points for exercise in MUST_DO)}$", done.stdout, re.M)


def test_pytest_starts_without_torch(tmp_path):
    code = "import sys, utils.grade.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0
