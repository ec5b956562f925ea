"""`pytest --nbmake` on course notebooks: every kind of fault in a few notebooks, each run as a learner would."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils import course
from utils.build.cut import read_module
from utils.chapter import load_chapter
from utils.grade.classroom.run import Options, grade_class
from utils.grade.status import PROPERTIES

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
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=made, metadata=marks), path)
    return path


def grade(folder, *arguments) -> subprocess.CompletedProcess:
    """Plain pytest in a folder, with nothing of this pytest's own environment."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COURSE"))}
    env["PYTHONPATH"] = str(course.ROOT)  # the copy under test, wherever the installed one lies
    command = [sys.executable, "-m", "pytest", "--nbmake", "-p", "no:cacheprovider", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


def table(output: str) -> dict[str, tuple[str, str]]:
    """The table at the end: {exercise: (status with its reason, points)}."""
    rows = re.findall(r"^1\.\d+ (\w+) +(\d+/\d+)  (.+)$", output, re.M)
    return {name: (rest, points) for name, points, rest in rows}


@pytest.mark.slow
def test_every_fault_is_named_and_the_rest_is_graded(tmp_path):
    notebook = write(
        tmp_path / "mine.ipynb",
        SETUP,
        IMPORTS,
        "print('x' * 3_000_000)",
        # right, in pieces and duplicated: the last definition counts
        source("LayerNorm", stub=True),
        source("LayerNorm"),
        ("check(LayerNorm)\nwhile True: pass", {"exercise": {"id": "1.3", "name": "LayerNorm", "role": "check"}}),
        "%time pass\n" + source("GELU"),
        # wrong: the first definition was right
        source("Unembedding"),
        source("Unembedding")
        + "\n\nright = Unembedding.forward\nUnembedding.forward = lambda self, x: right(self, x) + 1",
        source("MLP", stub=True),  # not attempted
        source("PositionalEmbedding") + "\nimport os\nos._exit(0)",  # would kill a kernel
        "def apply_causal_mask(scores):\n    while True:\n        try:\n            sum(range(99))\n"
        "        except BaseException: pass",  # endless when called, and deaf to an interrupt
        "def chunk_tokens(documents, context_length, separator):\n    import os\n    os._exit(1)",
        "def accuracy(logits, tokens)\n    return 1.0",  # syntax error; next_token_loss is deleted
        "print 'two', input('never answered')",
        "raise SystemExit",
        "skip('Attention')",
        # what a submission may do to be graded kindly
        "def check(x): return 'passed'\ngrade_exercise = check\nprint('1.4 full')",
        ("assert False", {"tags": ["raises-exception"]}),
        metadata={
            "course": {"chapter": "ch1", "notebook": "exercises"},
            "execution": {"allow_errors": True, "timeout": 9999},
            "kernelspec": {"name": "no_such_kernel", "display_name": "?", "language": "python"},
        },
    )
    report = tmp_path / "report.xml"
    names = "LayerNorm GELU Unembedding MLP PositionalEmbedding apply_causal_mask chunk_tokens accuracy"
    names += " next_token_loss Attention"
    wanted = [f"{notebook}::{e.id} {e.name}" for e in MUST_DO if e.name in names.split()]
    done = grade(tmp_path, *wanted, "--junitxml", report)
    rows = table(done.stdout)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout and "INTERNAL" not in done.stdout
    begins = {
        "LayerNorm": "full",
        "GELU": "full",
        "Unembedding": "wrong ",
        "MLP": "not attempted ",
        "PositionalEmbedding": "full",  # the attack behind it binds nothing that the answer reads
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
    assert tuple(properties) == PROPERTIES  # those of `python -m utils.grade export` too
    points = str(load_chapter("ch1").exercise("LayerNorm").points)
    assert properties["points"] == properties["max_points"] == points
    assert properties["exercise"] == "1.3 LayerNorm" and properties["status"] == "full"
    failure = cases["1.7 MLP"].find("failure")
    assert failure.get("message").startswith("not attempted: ") and "#x1B" not in failure.get("message")
    assert {p.name for p in tmp_path.iterdir()} == {"mine.ipynb", "report.xml"}  # no progress of the learner's touched


GREEDY = "def greedy(logits):\n    {}\n    return int(logits.argmax())"


@pytest.mark.slow
def test_the_graders_agree(tmp_path):
    """Where they once did not: a helper left in, a skip, torch's compiler, __future__, an import that fails."""
    gpu, broken = 'torch.set_default_device("cuda")', "import no_such_module_at_all as sns\n" + IMPORTS
    right = GREEDY.format("pass")
    notebooks = {
        "helper": (
            [SETUP, IMPORTS, GREEDY.format('matrix_panels({"logits": logits[None]}, title="t", caption="c")')],
            "full",
        ),
        "skip": ([SETUP, IMPORTS, right, 'skip("greedy")'], "full"),
        "skip_wrong": ([SETUP, IMPORTS, right.replace("argmax", "argmin"), 'skip("greedy")'], "skipped"),
        "grad": ([SETUP, IMPORTS, GREEDY.format("torch.func.grad(lambda x: (x**2).sum())(logits)")], "full"),
        "compiled": ([SETUP, IMPORTS, '@torch.compile(backend="eager")\n' + right], "full"),
        "checkpoint": (
            [
                SETUP,
                IMPORTS + "\nimport torch.utils.checkpoint as again",
                GREEDY.format(
                    "again.checkpoint(torch.exp, logits.clone().requires_grad_(), use_reentrant=False).sum().backward()"
                ),
            ],
            "full",
        ),
        "future": (
            [
                SETUP,
                IMPORTS,
                "from __future__ import annotations\n" + right.replace("logits)", "logits: Logits) -> Token", 1),
            ],
            "full",
        ),
        "seaborn": ([SETUP, broken, right], "full"),
        "reads_seaborn": ([SETUP, broken, GREEDY.format("sns.heatmap(logits)")], "wrong"),
        "cuda": ([SETUP, IMPORTS, gpu, right], "full"),
    }
    for name, (cells, _) in notebooks.items():
        write(tmp_path / "in" / f"{name}.ipynb", *cells)
    done = grade(tmp_path, "in", "-k", "greedy", "--grade-seed", 7)
    plugin = dict(re.findall(r"FAILED in/(\w+)\.ipynb::[\d.]+ greedy - (.*)", done.stdout))
    assert "--grade-seed 7" in done.stdout and "INTERNAL" not in done.stdout
    options = Options(jobs=1, seed=7, isolation="none")
    records = grade_class([tmp_path / "in"], "ch1", tmp_path / "out", options).records
    for record in records:
        status, says = next((str(e.status), e.says) for e in record.exercises if e.name == "greedy")
        assert status == notebooks[record.student][1], (record.student, says)
        told = plugin.get(record.student, "full")
        assert told.startswith(status), (record.student, told)
        if record.student == "reads_seaborn":
            for text in (says, done.stdout.replace("\n", " ")):
                assert "No module named 'no_such_module_at_all' (line 1 of cell 2)" in text


@pytest.mark.slow
def test_items_in_any_order_and_interleaved(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n    items[:] = items[::2] + items[1::2]\n"
    )
    for name in ("a", "b"):
        write(tmp_path / f"{name}.ipynb", SETUP, IMPORTS, source("GELU"), source("MLP"))
    wanted = ["a.ipynb::1.6 GELU", "b.ipynb::1.6 GELU", "a.ipynb::1.7 MLP", "b.ipynb::1.7 MLP"]
    done = grade(tmp_path, *wanted)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout


def test_k_takes_seconds_and_runs_no_cell(tmp_path):
    write(tmp_path / "a.ipynb", SETUP, IMPORTS, "open('ran', 'w')", source("LayerNorm"), "while True: pass")
    before = os.times()
    done = grade(tmp_path, "a.ipynb", "-k", "LayerNorm")
    after = os.times()
    assert "1 passed" in done.stdout and not (tmp_path / "ran").exists()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 15


@pytest.mark.slow
def test_a_solved_part_passes_under_xdist_with_one_seed(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "exercises.ipynb", SETUP, IMPORTS, source("LayerNorm"), source("GELU"))
    report = tmp_path / "report.xml"
    done = grade(tmp_path, "one", "two", "-n", "2", "-k", "LayerNorm or GELU", "--junitxml", report)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    assert table(done.stdout)["LayerNorm"][0] == "full"
    seeds = {p.get("value") for p in ET.parse(report).iter("property") if p.get("name") == "seed"}
    assert len(seeds) == 1 and f"--grade-seed {seeds.pop()}" in done.stdout


def whole(output: str) -> str:
    return re.findall(r"^runs from top to bottom: (.*)$", output, re.M)[-1]


@pytest.mark.slow
def test_the_notebook_as_a_whole_is_one_more_item_with_nbmakes_options(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "mine"))
    answers = [f"class {e.name}: pass" if e.name[0].isupper() else f"def {e.name}(): pass" for e in MUST_DO]
    cells = [SETUP, *answers, "print(6 * 7)"]
    file = write(tmp_path / "a.ipynb", *cells)
    done = grade(tmp_path, f"{file}::runs from top to bottom", "--overwrite")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout
    assert nbformat.read(file, 4).cells[-1].outputs[0].text == "42\n" and not (tmp_path / "mine").exists()
    write(file, *cells, "import time\ntime.sleep(600)")
    done = grade(tmp_path, f"{file}::runs from top to bottom", "--nbmake-timeout", 20)
    assert done.returncode == 1 and f"cell {len(cells) + 1} fails: " in done.stdout
    done = grade(tmp_path, f"{file}::runs from top to bottom", "--nbmake-kernel", "no_such")
    assert done.returncode == 1 and "No such kernel: 'no_such'" in done.stdout
    forgiving = {"course": {"chapter": "ch1", "notebook": "exercises"}, "execution": {"allow_errors": True}}
    write(file, *cells, ("import seaborn_is_not_here", {"tags": ["raises-exception"]}), metadata=forgiving)
    done = grade(tmp_path, file, "-k", "bottom or Embedding")
    assert (
        whole(done.stdout) == f"cell {len(cells) + 1} fails: ModuleNotFoundError: No module named 'seaborn_is_not_here'"
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


def test_the_shipped_notebook_is_not_attempted_throughout(tmp_path, built):
    shutil.copyfile(built / "chapters" / course.chapter_name("ch1") / "exercises.ipynb", tmp_path / "exercises.ipynb")
    done = grade(tmp_path, "exercises.ipynb")
    rows = table(done.stdout)
    assert done.returncode == 1
    assert list(rows) == [exercise.name for exercise in MUST_DO]
    assert all(status.startswith("not attempted ") for status, _ in rows.values())
    assert re.search(rf"^total +0/{sum(exercise.points for exercise in MUST_DO)}$", done.stdout, re.M)
    assert re.search(
        r"^runs from top to bottom: not attempted yet: Embedding, \w+, \w+ and \d+ more$", done.stdout, re.M
    )


def test_pytest_starts_without_torch(tmp_path):
    code = "import sys, utils.grade.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0
