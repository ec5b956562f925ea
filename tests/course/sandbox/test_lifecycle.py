"""What the sandbox promises of itself: nothing left behind, workers and zygotes may die, isolation is never silent."""

import importlib.util
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.course.sandbox.conftest import MODES
from tests.course.sandbox.hostile import ATTACKS
from tests.course.sandbox.test_form import IMPORTS, MASK, NAMES
from utils import course
from utils.grade import LearnerError, Subject
from utils.grade.sandbox import Limits, Sandbox, SandboxError, view
from utils.grade.submission import Notebook

LIMITS = Limits(request_cpu=2, request_wall=8.0, total_cpu=6, total_wall=20.0, memory=1 << 30)
NOTEBOOK = Notebook([IMPORTS, MASK], NAMES)
SHARED = ("kills its parent", "signals every process", "stops its parent", "lowers the limits of its parent")
SHARED += ("leaves a daemon behind", "plants a module for the next worker", "reads the parent's memory", "fork bomb")


def wait_for(function, x):
    """Never ends: gives a test the time to kill the worker."""
    import time

    while True:
        time.sleep(0.1)


def look(function, path):
    import os

    return sorted(os.listdir(path))


def who(function, places):
    import os
    from pathlib import Path

    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().split("\n") if ":" in line)

    def listed(path):
        try:
            return sorted(os.listdir(path))
        except OSError:
            return []

    return {
        "uid": os.getuid(),
        "caps": [status[f"Cap{kind}"].strip() for kind in ("Inh", "Prm", "Eff")],
        "no_new_privs": status["NoNewPrivs"].strip(),
        "seccomp": status["Seccomp"].strip(),
        "environment": sorted(os.environ),
        "processes": sum(name.isdigit() for name in listed("/proc")),
        "open": sorted(map(int, listed("/proc/self/fd"))),
        "interfaces": listed("/sys/class/net"),
        "root": listed("/"),
        "places": [listed(place) for place in places],
    }


def mask_works(box, notebook=None) -> bool:
    mask = Subject("apply_causal_mask", box.runner(notebook or NOTEBOOK, "apply_causal_mask"))
    return mask(torch.zeros(1, 1, 2, 2)).tolist() == [[[[0.0, float("-inf")], [0.0, 0.0]]]]


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pids, seconds=5.0) -> list[int]:
    """Those of the processes that are still there after a while (zombies do not count)."""
    end = time.monotonic() + seconds
    while True:
        left = [pid for pid in pids if lives(pid)]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


@pytest.mark.sandbox
def test_a_worker_has_given_everything_up(sandbox):
    places = [str(course.ROOT), str(Path.home())]
    seen = sandbox.runner(NOTEBOOK, "apply_causal_mask").run(who, (places,))
    assert all(int(caps, 16) == 0 for caps in seen["caps"])
    assert (seen["no_new_privs"], seen["seccomp"]) == ("1", "2")
    assert not {"SSH_AUTH_SOCK", "VIRTUAL_ENV", "PYTHONPATH", "PYTEST_CURRENT_TEST"} & set(seen["environment"])
    assert set(seen["open"]) <= {0, 1, 2, 3, 4}
    assert seen["uid"] != os.getuid() or os.getuid() != 0
    assert seen["processes"] <= 2  # itself, and what holds its namespaces open
    assert set(seen["interfaces"]) <= {"lo"}
    assert "sys" not in seen["root"]
    for place, names in zip(places, seen["places"], strict=True):
        below = [Path(path) for path in view.readable() if Path(path).is_relative_to(place)]
        assert set(names) <= {path.relative_to(place).parts[0] for path in below}  # the way to the packages


def test_each_worker_finds_an_empty_folder(box):
    for _ in range(2):
        runner = box.runner(NOTEBOOK, "apply_causal_mask")
        assert runner.run(look, (".",)) == []
        runner.run(write, ("left.txt",))
        assert runner.run(look, (".",)) == ["left.txt"]
        runner.close()


def write(function, path):
    with open(path, "w") as file:
        file.write("x")


def test_kill_9_of_a_worker_costs_that_exercise_only(box):
    runner = box.runner(NOTEBOOK, "apply_causal_mask", limits=LIMITS)
    runner.run(look, (".",))
    worker = descendants(box.zygote.process.pid)[-1]
    os.kill(worker, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(LearnerError) as caught:
            runner.run(look, (".",))
        assert (caught.value.kind, caught.value.text) == ("Crashed", "it was killed by SIGKILL")
    assert mask_works(box)


@pytest.mark.parametrize("mode", MODES)
def test_kill_9_of_the_zygote_and_a_clean_end(mode):
    with Sandbox(mode, LIMITS) as box:
        runner = box.runner(NOTEBOOK, "apply_causal_mask")
        runner.run(look, (".",))
        everything = [box.zygote.process.pid, *descendants(box.zygote.process.pid)]
        os.kill(everything[0], signal.SIGKILL)
        with pytest.raises(LearnerError) as caught:
            runner.run(wait_for, (1,))
        assert caught.value.kind in ("Crashed", "TimedOut")
        assert gone(everything) == [], "what the zygote had started outlived it"
        assert mask_works(box)
        everything = [box.zygote.process.pid, *descendants(box.zygote.process.pid)]
        scratch = box.zygote.scratch
    assert gone(everything) == []
    assert scratch is None or not Path(scratch).exists()
    assert box.zygotes == 2


@pytest.mark.sandbox
@pytest.mark.slow
def test_attacks_on_the_neighbours_reach_nothing():
    """Each worker has a bubblewrap of its own: none may reach the zygote or the next worker, or outlive its end."""
    attacks = {attack.name: attack for attack in ATTACKS}
    with Sandbox("bubblewrap", LIMITS) as box:
        for name in SHARED:
            cells = [IMPORTS, *attacks[name].cells, MASK]
            notebook = Notebook(cells, NAMES)
            with box.runner(notebook, "LayerNorm") as runner:
                config, x = {"embedding_dimension": 3, "layer_normalization_epsilon": 1e-5}, torch.ones(2, 3)
                try:
                    Subject("LayerNorm", runner).forward(config, {}, x)
                except LearnerError as error:
                    assert error.kind != "AssertionError", (name, error)
            with box.runner(notebook, "apply_causal_mask") as left:
                assert left.run(look, (".",)) == [], name
            assert mask_works(box, notebook), name
            assert box.zygotes == 1, f"{name}: the zygote had to be replaced"
            started = descendants(box.zygote.process.pid)
            box.active.close()
            assert started and gone(started) == [], name


def test_without_bubblewrap_grading_refuses_in_a_sentence(monkeypatch):
    monkeypatch.setattr(view, "refusal", lambda: "bubblewrap is not installed")
    with pytest.raises(SandboxError, match=r"in a sandbox, but bubblewrap is not installed; .* --isolation none\.$"):
        Sandbox()
    assert Sandbox("none").mode == "none"


@pytest.mark.parametrize("missing", ["bwrap", "pyseccomp"])
def test_what_is_missing_is_named(monkeypatch, missing):
    which, find_spec = shutil.which, importlib.util.find_spec
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find_spec(name))
    assert "is not installed (" in view.refusal.__wrapped__()


def test_an_unknown_isolation_is_refused():
    with pytest.raises(SandboxError, match="bubblewrap or none, not 'strong'"):
        Sandbox("strong")


def test_a_zygote_that_cannot_start_is_said(monkeypatch):
    monkeypatch.setattr("utils.grade.sandbox.host.BOOT", "raise SystemExit('no torch here')")
    with Sandbox("none", LIMITS) as box, pytest.raises(SandboxError, match="does not start: no torch here"):
        box.runner(NOTEBOOK, "apply_causal_mask").run(look, (".",))


def test_what_is_printed_goes_nowhere(box):
    body = ["print('y' * 10**6, '\\ud800')", "sys.stderr.write('z')", "warnings.warn('odd')", "return x"]
    cells = [IMPORTS, "import sys, warnings\ndef apply_causal_mask(x):\n    " + "\n    ".join(body)]
    runner = box.runner(Notebook(cells, NAMES), "apply_causal_mask")
    assert Subject("apply_causal_mask", runner)(torch.ones(2)).tolist() == [1, 1]


def test_a_slow_start_is_not_the_answers_time(bare, monkeypatch):
    """On a busy machine the start of a worker may take longer than an answer may."""

    def slowly(limits):
        time.sleep(0.5)
        return made(limits)

    made = bare._fork
    monkeypatch.setattr(bare, "_fork", slowly)
    runner = bare.runner(NOTEBOOK, "apply_causal_mask", limits=replace(LIMITS, total_wall=40.0))
    begun = time.monotonic()
    assert Subject("apply_causal_mask", runner)(torch.zeros(1, 1, 1, 1)).shape == (1, 1, 1, 1)
    assert runner.deadline >= begun + 40.5
    runner.close()
