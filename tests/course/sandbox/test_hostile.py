"""Hostile answers: no marks, no harm, and the other exercises of the same notebook are graded all the same."""

import contextlib
import os
import socket
import subprocess
import sys
import threading

import pytest
import torch

from tests.course.sandbox.hostile import ATTACKS
from tests.course.sandbox.test_form import IMPORTS, MASK, NAMES, SEQUENCE, operators
from utils import course
from utils.grade import Subject
from utils.grade.assess import assess
from utils.grade.sandbox import Limits
from utils.grade.submission import Notebook

SHORT = Limits(request_cpu=2, request_wall=5.0, total_cpu=6, total_wall=10.0, memory=1 << 30)
KINDS = {attack.kind for attack in ATTACKS}
FAULTS = [attack for attack in ATTACKS if attack.kind in ("ending", "blocking")]


class Surroundings:
    """What an attack could harm: a listener on loopback, a file beside the course, a process, an environment."""

    def __init__(self, folder):
        self.secret = folder / "secret.txt"
        self.secret.write_text("the secret", encoding="utf-8")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", self.port))
        self.datagrams.settimeout(0.0)
        self.received: list[str] = []
        self.victim = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)"])
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                self.listener.accept()
            except OSError:
                return
            self.received.append("a connection")

    def fill(self, text: str) -> str:
        values = {"COURSE": str(course.ROOT), "SECRET": str(self.secret)}
        values |= {"PORT": str(self.port), "VICTIM": str(self.victim.pid)}
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    def harm(self) -> list[str]:
        """Everything that is no longer as it was."""
        found = list(self.received)
        with contextlib.suppress(OSError):
            found.append(f"a datagram {self.datagrams.recv(100)!r}")
        if self.secret.read_text(encoding="utf-8") != "the secret":
            found.append("the secret file was changed")
        found += [str(path) for path in self.secret.parent.iterdir() if path != self.secret]
        found += [str(path) for path in course.ROOT.glob("owned*")]
        found += ["the results file"] if os.path.exists("results.json") else []
        if self.victim.poll() is not None:
            found.append("another process was killed")
        return found

    def close(self):
        self.listener.close()
        self.datagrams.close()
        self.victim.kill()
        self.victim.wait()


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    os.environ["GRADER_TOKEN"] = "leaked"
    made = Surroundings(tmp_path_factory.mktemp("beside"))
    yield made
    made.close()
    del os.environ["GRADER_TOKEN"]


def test_there_are_enough_attacks():
    names = [attack.name for attack in ATTACKS]
    assert len(names) >= 40 and len(set(names)) == len(names)
    assert len(KINDS) >= 10, KINDS


def grade(box, notebook, name, seed):
    """As grading does it: (status, sentence) of one exercise."""
    if error := notebook.broken(name):
        return "syntax error", error[1]
    if not notebook.defines(name):
        return "missing", ""
    runner = box.runner(notebook, name, limits=SHORT)
    try:
        outcome = assess("ch1", name, runner, seed)
    finally:
        runner.close()
    return str(outcome.status), outcome.says


@pytest.mark.sandbox
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_attack(sandbox, around, attack):
    try_out(sandbox, around, attack)


@pytest.mark.slow
@pytest.mark.parametrize("attack", FAULTS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_a_fault_costs_one_exercise_without_a_sandbox_too(bare, around, attack):
    try_out(bare, around, attack)


def try_out(box, around, attack):
    cells = [IMPORTS, *map(around.fill, attack.cells), MASK, SEQUENCE]
    notebook = Notebook(cells, NAMES)
    status, says = grade(box, notebook, "LayerNorm", seed=torch.seed() % 2**31)
    print(f"{attack.name}: {status}: {says}")
    assert status in attack.ends, (status, says)
    assert "leaked" not in says
    assert around.harm() == []
    mask = Subject("apply_causal_mask", box.runner(notebook, "apply_causal_mask"))
    assert mask(torch.zeros(1, 1, 2, 2)).tolist() == [[[[0.0, float("-inf")], [0.0, 0.0]]]]
    mask.runner.close()
    assert mask.runner.usage["left"] == 0, "the worker of the attack left processes behind"
    sop = Subject("SOp", box.runner(notebook, "SOp"))
    assert sop.run(operators, [1, 2], [3, 4])["sum"] == [4, 6]
    sop.runner.close()
