"""Grading a class: processor time per notebook against nbgrader and Otter-Grader, and memory over a thousand."""

import contextlib
import copy
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.bench import peers
from tests.bench.table import Row, within
from utils import course

CLASS = 200  # notebooks over which a grader's start is spread
SIZES = {
    "none": (2, 22),
    "bubblewrap": (2, 22),
    "nbgrader": (1, 5),
    "otter": (1, 5),
}  # classes that are graded to tell
MANY, SETTLED, GROWTH = 1000, 100, 10.0  # submissions; after how many the memory is noted; megabytes it may grow
BECOME_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
TINY = "accuracy"


def rows() -> list[Row]:
    """All rows; those that need the peers are missed where they cannot be installed, and it is said why."""
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as folder:
        return [*_against_peers(Path(folder)), _memory(Path(folder) / "many")]


def _against_peers(folder: Path) -> list[Row]:
    ours = {name: _per_notebook(name, lambda n, name=name: _ours(folder, name, n)) for name in ("none", "bubblewrap")}
    cost, why = {}, ""
    try:
        inside = peers.python()
        cost["nbgrader"] = _per_notebook("nbgrader", lambda n: _nbgrader(folder, n, inside))
        cost["otter"] = _per_notebook("otter", lambda n: _otter(folder, n, inside))
    except peers.NoPeers as error:
        why = str(error)
        print(f"bench: {why}", file=sys.stderr, flush=True)
    found = []
    ways = (("none", 10.0, "a warm fork each"), ("bubblewrap", 2.0, "a warm fork in a bubblewrap of its own each"))
    for mode, goal, how in ways:
        for peer, called in (("nbgrader", "nbgrader autograde"), ("otter", "Otter's runner")):
            name = f"grading 8 exercises, {how}, vs {called}"
            if peer in cost:
                found.append(within(name, "CPU s/notebook", ours[mode], cost[peer], goal))
            else:
                found.append(Row(name, "CPU s/notebook", ours[mode], 0.0, 0.0, goal, met=False))
    return found


def _per_notebook(name: str, grade: Callable[[int], float]) -> float:
    """Seconds of the processor for one notebook of a class of CLASS, from two smaller classes: start and rate."""
    few, more = SIZES[name]
    small, large = grade(few), grade(more)
    rate = (large - small) / (more - few)
    start = max(0.0, small - few * rate)
    print(f"bench: {name}: {rate:.3f} CPU s per notebook, {start:.1f} once", file=sys.stderr, flush=True)
    return rate + start / CLASS


def cpu_seconds(command: list, cwd: Path) -> float:
    """Processor seconds of a command and of every process below it, also those that lost their parent.

    Raises RuntimeError with the end of its messages when it fails.
    """
    ctypes.CDLL(None).prctl(BECOME_SUBREAPER, 1, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=cwd, env=peers.environment(command[0]), capture_output=True, text=True)
    with contextlib.suppress(ChildProcessError):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _command(handed_in: Path, out: Path) -> list:
    return [sys.executable, "-m", "utils.grade", handed_in, "--chapter", "ch1", "--out", out, "--jobs", 1, "--seed", 1]


def _ours(folder: Path, mode: str, count: int) -> float:
    """Grade a class; `mode` is its isolation."""
    handed_in, out = folder / f"{mode}-{count}", folder / f"{mode}-{count}-results"
    _hand_in(handed_in, peers.notebook(), count)
    cost = cpu_seconds([*_command(handed_in, out), "--isolation", mode], course.ROOT)
    for file in out.glob("*/ch1.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        full = [exercise["name"] for exercise in record["exercises"] if exercise["status"] == "full"]
        if full != list(peers.TESTS) or record["isolation"] != mode:
            raise RuntimeError(f"{file}: {full} are full, isolation {record['isolation']}")
    return cost


def _hand_in(folder: Path, notebook: dict, count: int) -> None:
    """As many notebooks; each has a line of its own in every cell, so that no cache by text knows it."""
    folder.mkdir(parents=True)
    for number in range(count):
        student = copy.deepcopy(notebook)
        student["metadata"]["student"] = number
        for cell in student["cells"]:
            cell["source"] = f"{''.join(cell['source'])}\n# student {number}"
        (folder / f"s{number:04}.ipynb").write_text(json.dumps(student), encoding="utf-8")


def _nbgrader(folder: Path, count: int, inside: Path) -> float:
    place = folder / f"nbgrader-{count}"
    cost = cpu_seconds(peers.nbgrader_course(place, count, inside), place)
    if peers.nbgrader_points(place) != [float(len(peers.TESTS))] * count:
        raise RuntimeError(f"nbgrader gave {peers.nbgrader_points(place)} points for right answers")
    return cost


def _otter(folder: Path, count: int, inside: Path) -> float:
    place = folder / f"otter-{count}"
    return cpu_seconds(peers.otter_class(place, count, inside), place)


def _memory(folder: Path) -> Row:
    """Megabytes by which the grader grows while it grades the last 900 of a thousand small submissions."""
    notebook = peers.notebook()
    file = course.ROOT / "solutions" / course.chapter_name("ch1") / "solutions.ipynb"
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    marks = [(cell["metadata"].get("exercise", {}), cell) for cell in cells]
    tiny = [cell for mark, cell in marks if mark.get("name") == TINY and mark.get("role") == "answer"]
    _hand_in(folder / "in", {**notebook, "cells": [notebook["cells"][0], *tiny]}, MANY)
    out = folder / "out"
    sizes: list[tuple[int, float]] = []
    with subprocess.Popen(
        [str(part) for part in _command(folder / "in", out)],
        cwd=course.ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            with contextlib.suppress(psutil.Error, FileNotFoundError):
                size = watched.memory_info().rss / 2**20
                sizes.append((len(os.listdir(out)), size))
            time.sleep(0.2)
    graded = len(list(out.glob("*/ch1.json")))
    if process.returncode or graded != MANY:
        raise RuntimeError(f"{graded} of {MANY} submissions were graded, exit status {process.returncode}")
    settled = next(size for count, size in sizes if count >= SETTLED)
    growth = max(size for count, size in sizes if count >= SETTLED) - settled
    print(f"bench: the grader holds {settled:.0f} MB after {SETTLED} submissions", file=sys.stderr, flush=True)
    return within(f"growth of the grader from submission {SETTLED} to {MANY}", "MB", max(growth, 0.01), GROWTH)
