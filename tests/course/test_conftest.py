"""What tests/conftest.py promises: one number behind every draw, files kept together, skips told by kind."""

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import work_unit
from utils.course import ROOT

DRAWS = """
import random
import numpy as np, pytest, torch

@pytest.fixture(scope="module")
def shared():
    return torch.rand(1).item()

@pytest.mark.parametrize("case", range(4))
def test_draws(shared, case, worker_id):
    print("DREW", shared, torch.rand(1).item(), np.random.rand(), random.random())
    print("WORKER", __file__.rsplit("/")[-1], worker_id)
"""


def run(folder, *options, **variables) -> subprocess.CompletedProcess:
    """Run pytest on a folder with a copy of our conftest.py."""
    (folder / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  browser: b\n  sandbox: s\n  slow: s\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, *options, folder]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_a_skipped_browser_or_sandbox_test_fails_where_ci_is_set(tmp_path, ci, status):
    test = "import pytest\n\n@pytest.mark.{0}\ndef test_{0}():\n    pytest.skip('there is no {0}')\n"
    for kind in ("browser", "sandbox"):
        (tmp_path / f"test_{kind}.py").write_text(test.format(kind), encoding="utf-8")
    done = run(tmp_path, CI=ci)
    assert done.returncode == status, done.stdout
    assert len(re.findall("^with CI=true a .* test may not be skipped:", done.stdout, re.M)) == (2 if status else 0)


def test_missing_programs_are_told_once_a_kind(tmp_path):
    test = "import pytest\n\n@pytest.mark.{0}\n@pytest.mark.parametrize('i', range(3))\ndef test_{0}(i):\n    assert 0"
    for kind in ("browser", "sandbox"):
        (tmp_path / f"test_{kind}.py").write_text(test.format(kind), encoding="utf-8")
    done = run(tmp_path, CI="", PATH=str(tmp_path))
    assert done.returncode == 0, done.stdout
    told = [line for line in done.stdout.splitlines() if line.startswith("skipped: 3 tests, because ")]
    assert len(told) == 2 and all("apt-get install" in line for line in told)


@pytest.mark.slow
def test_one_number_repeats_every_draw(tmp_path):
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text(DRAWS, encoding="utf-8")

    def drawn(*options):
        done = run(tmp_path, "-rA", "-v", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        seed = re.search(r"test seed: (\d+)", done.stdout)[1]
        workers = set(re.findall(r"WORKER (\S+) (\S+)", done.stdout))
        return seed, sorted(re.findall("DREW (.*)", done.stdout)), workers

    seed, draws, _ = drawn()
    assert len(set(draws)) == 8
    again, same, workers = drawn("--test-seed", seed, "-n", "2")
    assert (again, same) == (seed, draws)
    assert len(workers) == 2, "each file has one worker"
    assert drawn("--test-seed", "1")[1] != draws


def test_what_a_worker_runs_in_one_go():
    tests = "tests/course/test_mutants.py::test_"
    assert work_unit(tests + "x[101-ch1-GELU]") == work_unit(tests + "y[ch1-GELU]") != work_unit(tests + "x[ch1-MLP-1]")
    assert work_unit("tests/course/test_env.py::test_a") == work_unit("tests/course/test_env.py::test_b")
    assert work_unit("tests/course/test_notebooks.py::test_a") != work_unit("tests/course/test_notebooks.py::test_b")
