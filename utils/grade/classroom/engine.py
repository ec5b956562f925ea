"""What a grading process does, here or on another machine: one warm sandbox, one submission at a time."""

import atexit
import contextlib
import multiprocessing.util
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from utils import course
from utils.grade.classroom.assemble import Task, asked, blank, tests_digest
from utils.grade.classroom.record import SubmissionResult
from utils.grade.limited import Exhausted, limited

JUDGE_SECONDS = 300  # of the processor, for the trusted side of one submission
RECYCLE = 200  # submissions after which a zygote is replaced, so that nothing can pile up in it


@dataclass(frozen=True)
class Settings:
    """How submissions are graded: plain data that travels with each of them.

    `seconds`: of the processor, for one request. `hidden`: paths that no submission may see. `folder`: where a local
    run keeps its scratch folders and notes what is being graded; empty on a cluster.
    """

    chapter: str
    seed: int
    isolation: str = "bubblewrap"
    partial: bool = False
    seconds: int = 20
    hidden: tuple[str, ...] = ()
    folder: str = ""


class _Engine:
    box = None
    key = None
    graded = 0


_engine = _Engine()
_lock = threading.Lock()  # a cluster's worker may have several threads


def open_box(settings: Settings):
    """A sandbox, tried with a worker of its own. Raises SandboxError where there is none."""
    import torch

    from utils.grade.sandbox import Limits, Sandbox

    torch.set_num_threads(1)
    limits = Limits(
        request_cpu=settings.seconds,
        request_wall=3.0 * settings.seconds,
        total_cpu=6 * settings.seconds,
        total_wall=15.0 * settings.seconds,
    )
    if settings.folder:
        tempfile.tempdir = settings.folder
    box = Sandbox(settings.isolation, limits, settings.hidden)
    box.try_out()
    return box


def close_engine() -> None:
    """End this process's sandbox."""
    with _lock:
        _close()


def _close() -> None:
    if _engine.box is not None:
        _engine.box.close()
    _engine.box, _engine.key, _engine.graded = None, None, 0


def _ready(settings: Settings):
    key = replace(settings, seed=0, partial=False)
    if _engine.key != key:
        _close()
        _engine.box = open_box(settings)
        _warm_up(settings.chapter)
        _engine.key = key
    elif _engine.graded >= RECYCLE:
        _engine.box.close()
        _engine.graded = 0
    _engine.box.start()
    _engine.graded += 1
    return _engine.box


def _warm_up(chapter: str) -> None:
    """Load once what each child that grades would load for itself."""
    import gc

    from utils.grade import policy
    from utils.grade.classroom import flags, grade  # noqa: F401
    from utils.grade.mutants import mutants
    from utils.grade.suite import hidden_tests

    policy.helper_names()
    policy.prelude(chapter)
    for exercise in asked(chapter, ("exercises", "optional")):
        hidden_tests(chapter, exercise.name)
        mutants(chapter, exercise.name)
        flags.warm_up(chapter, exercise.name)
    gc.collect()
    gc.freeze()  # so that a child's garbage collection does not copy our pages


def preflight(settings: Settings) -> tuple[str, str]:
    """What a process of a cluster answers before it is given submissions: the digest of its tests, why it refuses."""
    with _lock:
        try:
            _ready(settings)
            return tests_digest(settings.chapter), ""
        except course.CourseError as error:
            _close()
            return "", str(error)


@dataclass
class Answer:
    """What became of the submission of that number: its record, or `problem`, why we could not grade it.

    `refused`: there is no sandbox here. `trace`: of a fault of ours.
    """

    number: int
    record: SubmissionResult | None = None
    problem: str = ""
    refused: bool = False
    trace: str = ""


def grade_task(number: int, task: Task, settings: Settings) -> Answer:
    """Grade one submission. Never raises but for a process that is told to end."""
    from utils.grade.classroom.grade import grade_submission
    from utils.grade.sandbox import SandboxError

    answer, about = Answer(number), (settings.chapter, settings.seed)
    if settings.folder:
        with contextlib.suppress(OSError):
            Path(settings.folder, f"{number}.started").touch()
    with _lock:
        for _ in range(2):
            try:
                box = _ready(settings)
            except course.CourseError as error:
                _close()
                return Answer(number, problem=str(error), refused=True)
            try:
                # the child's sandbox is lost with it, so it says how many zygotes there were
                answer.record, zygotes = limited(
                    lambda box=box: (grade_submission(task, *about, box, settings.partial), box.zygotes),
                    seconds=JUDGE_SECONDS,
                )
            except Exhausted as error:  # of what its answers gave back: the submission's fault, not ours
                _close()
                answer.record = blank(task, *about, f"Judging {task.label} {error}.")
            except SandboxError as error:
                _close()
                answer.problem = str(error)
                continue
            except Exception as error:  # a fault of ours costs this submission only, and is said
                _close()
                answer.problem = f"The grader failed on it ({type(error).__name__}: {error})."
                answer.trace = "".join(getattr(error, "__notes__", []))
                continue
            else:
                if zygotes != box.zygotes:  # the child had to replace ours, and its own went with it
                    box.close()
            break
    return answer


atexit.register(_close)
multiprocessing.util.Finalize(None, _close, exitpriority=10)  # a process of a pool runs this and no atexit
