"""Many submissions: the same marks whatever grades them, and nothing lost when something dies."""

import contextlib
import errno
import json
import os
import shlex
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.course.classroom.submissions import POINTS, marks, write
from utils import files
from utils.course import ROOT, CourseError
from utils.grade.classroom import engine, pool
from utils.grade.classroom.assemble import assemble
from utils.grade.classroom.gather import gather
from utils.grade.classroom.record import read_results
from utils.grade.classroom.run import DiskFull, Options, grade_class

SLEEPS = "class GELU(nn.Module):\n    def forward(self, x):\n        import time\n        time.sleep(1000)"


def a_class(folder, handed_in, sleeper=""):
    """Four students with little to grade: right, wrong, broken, and one more; `sleeper` never answers."""
    handed_in.write(folder / "ada.ipynb", handed_in.some("GELU", "Embedding"))
    handed_in.write(folder / "bob.ipynb", handed_in.some("GELU", LayerNorm=handed_in.wrong_norm))
    write(folder / "cem.ipynb", {})
    handed_in.write(folder / "dee.ipynb", handed_in.some("chunk_tokens"))
    if sleeper:
        handed_in.write(folder / f"{sleeper}.ipynb", {"GELU": SLEEPS})
    return folder


def expected(sleeper: str = "") -> dict[str, float]:
    scores = {
        "ada": POINTS["GELU"] + POINTS["Embedding"],
        "bob": POINTS["GELU"],
        "cem": 0,
        "dee": POINTS["chunk_tokens"],
    }
    return {**scores, **({sleeper: 0} if sleeper else {})}


@contextlib.contextmanager
def command(*arguments, **environment):
    """`python -m utils.grade` in a process group of its own; whatever it leaves is ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "utils.grade", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def started_as(process: psutil.Process) -> str:
    """Its command line; empty for one that has ended meanwhile, or waits to be collected."""
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def sandboxes() -> set[int]:
    """Processes of a sandbox below this one."""
    return {p.pid for p in psutil.Process().children(recursive=True) if "sandbox" in started_as(p)}


@pytest.mark.sandbox
@pytest.mark.slow
def test_two_processes_give_the_marks_of_one(handed_in, tmp_path):
    folder, before = a_class(tmp_path / "in", handed_in), sandboxes()
    one = grade_class([folder], "ch1", tmp_path / "one", Options(jobs=1, seed=5))
    two = grade_class([folder], "ch1", tmp_path / "two", Options(jobs=2, seed=5))
    assert marks(one.records) == marks(two.records)
    assert {student: score for student, (score, *_) in marks(two.records).items()} == expected()
    assert not sandboxes() - before  # other tests of this process may hold one open


@pytest.mark.sandbox
@pytest.mark.slow
def test_kill_9_of_a_grading_process_loses_nothing(handed_in, tmp_path):
    folder, temporary = a_class(tmp_path / "in", handed_in, sleeper="aaa"), tmp_path / "tmp"
    temporary.mkdir()
    arguments = [folder, "--chapter", "ch1", "--out", tmp_path / "out", "--jobs", 2, "--seconds", 2]
    with command(*arguments, TMPDIR=temporary) as process:
        until(lambda: list(temporary.glob("grading-run-*/0.started")))
        workers = [p for p in psutil.Process(process.pid).children() if "popen_loky" in started_as(p)]
        assert len(workers) == 2
        for worker in workers:
            worker.kill()
        said, _ = process.communicate(timeout=240)
        assert process.returncode == 0, said
    assert {r.student: r.score for r in read_results(tmp_path / "out", "ch1")} == expected("aaa")
    assert list(temporary.glob("grading-*")) == []


@pytest.mark.sandbox
def test_a_submission_that_ends_its_process_twice_is_given_up_and_said(handed_in, tmp_path, monkeypatch):
    def deadly(number, task, settings):
        import os
        import pathlib

        pathlib.Path(settings.folder, f"{number}.started").touch()
        if task.student == "bob":
            os.kill(os.getpid(), 9)
        from utils.grade.classroom.assemble import blank
        from utils.grade.classroom.engine import Answer

        return Answer(number, blank(task, "ch1", 1))

    monkeypatch.setattr(pool, "grade_task", deadly)
    folder = a_class(tmp_path / "in", handed_in)
    summary = grade_class([folder], "ch1", tmp_path / "out", Options(jobs=2, seed=1))
    lost = {r.student: r.problem for r in summary.records if r.digest == ""}
    assert "bob" in lost and "ended from outside" in lost["bob"] and len(summary.records) == 4
    assert any(sentence.startswith("bob: ") for sentence in summary.failed)
    monkeypatch.undo()
    again = grade_class([folder], "ch1", tmp_path / "out", Options(jobs=1, seed=1))
    assert {r.student: r.score for r in again.records}["bob"] == POINTS["GELU"], "the next run grades it again"


@pytest.mark.sandbox
@pytest.mark.slow
def test_kill_9_of_the_grader_then_the_same_command_again(handed_in, tmp_path):
    folder, out, temporary = a_class(tmp_path / "in", handed_in, sleeper="zed"), tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    arguments = [folder, "--chapter", "ch1", "--out", out, "--jobs", 1, "--seconds", 2]
    with command(*arguments, TMPDIR=temporary) as process:
        until(lambda: len(list(out.glob("*/ch1.json"))) == 4)
        below = psutil.Process(process.pid).children(recursive=True)
        assert below, "a sandbox is at work"
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(below, timeout=10)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    before = {r.student: r for r in read_results(out, "ch1")}
    assert {student: r.score for student, r in before.items()} == expected()
    (out / "ada" / ".ch1.json.x.part").write_text("half a rec", encoding="utf-8")
    with command(*arguments, TMPDIR=temporary) as process:
        said, _ = process.communicate(timeout=240)
        assert process.returncode == 0 and "1 graded, 4 kept" in said, said
    after = {r.student: r for r in read_results(out, "ch1")}
    assert {student: r.score for student, r in after.items()} == expected("zed")
    assert after["zed"].seed == before["ada"].seed and after["ada"] == before["ada"]
    gelu = next(exercise for exercise in after["zed"].exercises if exercise.name == "GELU")
    assert gelu.status == "timed out"
    assert list(out.rglob("*.part")) == [] and list(temporary.glob("grading-*")) == []


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_full_disk(handed_in, tmp_path):
    """A results folder on a very small file system: what does not fit is said, nothing is half-written."""
    for number in range(12):
        handed_in.write(tmp_path / "in" / f"s{number:02}.ipynb", {})
    out, keep = tmp_path / "out", tmp_path / "keep"
    out.mkdir()
    keep.mkdir()
    grade = [sys.executable, "-m", "utils.grade", tmp_path / "in", "--chapter", "ch1", "--out", out]
    grade = shlex.join(map(str, [*grade, "--jobs", 1, "--isolation", "none"]))
    script = f"{grade}; status=$?; {shlex.join(['cp', '-r', f'{out}/.', str(keep)])}; exit $status"
    small = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--size", "65536", "--tmpfs", out]
    done = subprocess.run([*map(str, small), "sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1, done.stderr
    assert "could not be written" in done.stderr and "No space left" in done.stderr and "Traceback" not in done.stderr
    written = read_results(keep, "ch1")
    assert 0 < len(written) < 12 and list(keep.rglob("*.part")) == []


@pytest.mark.sandbox
def test_a_disk_that_refuses_now_and_then(handed_in, tmp_path, monkeypatch):
    folder = a_class(tmp_path / "in", handed_in)
    real, calls = os.replace, []

    def replace(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    summary = grade_class([folder], "ch1", tmp_path / "out", Options(jobs=1, seed=1))
    assert len(summary.failed) == 1 and "No space left" in summary.failed[0]
    assert len(read_results(tmp_path / "out", "ch1")) == 3 and list((tmp_path / "out").rglob("*.part")) == []


def test_a_disk_that_stays_full_ends_the_run(handed_in, tmp_path, monkeypatch):
    def replace(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = tmp_path / "in"
    for student in "abcde":
        write(folder / f"{student}.ipynb", {})
    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(DiskFull, match="3 records in a row .* make room"):
        grade_class([folder], "ch1", tmp_path / "out", Options(jobs=1, seed=1))
    assert list((tmp_path / "out").rglob("*.part")) == []


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_fault_of_the_grader_costs_one_submission_and_is_said(handed_in, tmp_path, monkeypatch):
    from utils.grade.classroom import grade

    real = grade.grade_submission

    def fails(task, *arguments):
        if task.student == "bob":
            raise ZeroDivisionError("a fault of ours")
        return real(task, *arguments)

    monkeypatch.setattr(grade, "grade_submission", fails)
    summary = grade_class([a_class(tmp_path / "in", handed_in)], "ch1", tmp_path / "out", Options(jobs=1))
    scores = {r.student: r.score for r in summary.records}
    assert scores == {**expected(), "bob": 0}
    assert len(summary.failed) == 1 and "a fault of ours" in summary.failed[0]


@pytest.mark.sandbox
@pytest.mark.slow
def test_memory_stays_flat_and_zygotes_are_replaced(handed_in, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "RECYCLE", 25)
    handed_in.write(tmp_path / "ada.ipynb", handed_in.some("GELU", LayerNorm=handed_in.wrong_norm))
    task = assemble(gather([tmp_path / "ada.ipynb"]).works[0], "ch1")
    settings = engine.Settings("ch1", 3, seconds=4)
    sizes, texts = [], set()
    try:
        for number in range(60):
            record = engine.grade_task(number, task, settings).record
            texts.add(json.dumps([(e.status, e.says) for e in record.exercises]))
            sizes.append(psutil.Process().memory_info().rss / 2**20)
        assert engine._engine.box.zygotes == 3
    finally:
        engine.close_engine()
    assert len(texts) == 1, "the same submission and seed give the same marks"
    assert sizes[-1] - sizes[10] < 8, sizes[::10]


@pytest.fixture
def cluster(tmp_path):
    """A real scheduler and two workers on loopback; yields the address."""
    processes, file = [], tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}

    def start(*arguments):
        full = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(file)]
        with open(tmp_path / "dask.log", "ab") as log:
            processes.append(subprocess.Popen(full, cwd=tmp_path, env=environment, stdout=log, stderr=log))

    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    until(lambda: file.is_file() and file.read_text())
    for _ in range(2):
        start("worker", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
    try:
        yield json.loads(file.read_text())["address"]
    finally:
        below = [child for process in processes for child in psutil.Process(process.pid).children(recursive=True)]
        for process in processes:
            process.terminate()
        _, alive = psutil.wait_procs([*map(lambda p: psutil.Process(p.pid), processes), *below], timeout=15)
        for process in alive:
            process.kill()


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_marks(cluster, handed_in, tmp_path, monkeypatch):
    from distributed import Client

    folder = a_class(tmp_path / "in", handed_in)
    with Client(cluster, timeout=60) as client:
        client.wait_for_workers(2, timeout=120)
        there = grade_class([folder], "ch1", tmp_path / "there", Options(cluster=cluster, seed=5))
        here = grade_class([folder], "ch1", tmp_path / "here", Options(jobs=1, seed=5))
        assert marks(there.records) == marks(here.records) and there.failed == []
        left = client.run(lambda: __import__("utils.grade.classroom.engine", fromlist=["x"])._engine.box is None)
        assert list(left.values()) == [True, True], "the sandboxes of the workers are closed"
    monkeypatch.setattr(pool, "tests_digest", lambda chapter: "another state")
    with pytest.raises(CourseError, match="another state of the course"):
        grade_class([folder], "ch1", tmp_path / "other", Options(cluster=cluster, seed=5))


@pytest.mark.sandbox
@pytest.mark.slow
def test_kill_9_of_a_dask_worker_loses_nothing(cluster, handed_in, tmp_path):
    from distributed import Client

    folder = a_class(tmp_path / "in", handed_in, sleeper="aaa")
    with Client(cluster, timeout=60) as client:
        client.wait_for_workers(2, timeout=120)
        workers = list(client.run(os.getpid).values())
        arguments = [folder, "--chapter", "ch1", "--out", tmp_path / "out", "--cluster", cluster, "--seconds", 2]
        with command(*arguments) as process:
            until(lambda: len(list((tmp_path / "out").glob("*/ch1.json"))) == 2)  # cem's, and the first that was graded
            os.kill(workers[0], signal.SIGKILL)
            said, _ = process.communicate(timeout=240)
            assert process.returncode == 0, said
    assert {r.student: r.score for r in read_results(tmp_path / "out", "ch1")} == expected("aaa")
