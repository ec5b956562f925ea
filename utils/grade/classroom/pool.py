"""Where submissions are graded: in this process, in several on this machine, or on a running Dask cluster."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from utils import course
from utils.grade.classroom.assemble import Task, tests_digest
from utils.grade.classroom.engine import Answer, Settings, close_engine, grade_task, preflight
from utils.grade.limited import die_with_parent

PER_PROCESS = 4  # submissions that make a further process worth its start (an import of torch, and a zygote's)
TRIES = 2  # how often a submission may be in a process that dies before it is given up
PATIENCE = 30  # seconds to reach a cluster
WARM_UP = 600  # seconds for a worker of a cluster to import torch and start a sandbox
LOST = "The process that graded it was ended from outside, twice; grade it again."
TaskOf = Callable[[int], Task]  # a submission is read when its turn comes


def on_this_machine(count: int, task_of: TaskOf, settings: Settings, jobs: int = 0) -> Iterator[Answer]:
    """Answers to `count` tasks as they come. jobs 1: in this process; 0: as many as there are processors."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = jobs or min(processors, -(-count // PER_PROCESS))
    if wanted == 1:
        try:
            for number in range(count):
                yield grade_task(number, task_of(number), settings)
        finally:
            close_engine()
        return
    yield from _in_processes(count, task_of, settings, wanted)


def _in_processes(count: int, task_of: TaskOf, settings: Settings, jobs: int) -> Iterator[Answer]:
    """As `on_this_machine`, through joblib. A process that dies costs what it was grading, and that after a retry."""
    try:
        from joblib import Parallel, delayed
        from joblib.externals.loky import get_reusable_executor
        from joblib.externals.loky.process_executor import BrokenProcessPool
    except ImportError:
        raise course.CourseError(
            "Grading in several processes needs joblib: pip install joblib, or --jobs 1."
        ) from None
    waiting, tries = set(range(count)), [0] * count
    try:
        while waiting:
            calls = (delayed(grade_task)(number, task_of(number), settings) for number in sorted(waiting))
            pool = Parallel(
                n_jobs=jobs,
                backend="loky",
                batch_size=1,
                pre_dispatch="2*n_jobs",
                return_as="generator_unordered",
                initializer=_die_with,
                initargs=(os.getpid(),),
            )
            try:
                for answer in pool(calls):
                    waiting.discard(answer.number)
                    _started(settings, answer.number).unlink(missing_ok=True)
                    yield answer
            except BrokenProcessPool:
                for number in [number for number in sorted(waiting) if _started(settings, number).exists()]:
                    _started(settings, number).unlink()
                    tries[number] += 1
                    if tries[number] >= TRIES:
                        waiting.discard(number)
                        yield Answer(number, problem=LOST)
    finally:
        with contextlib.suppress(Exception):
            get_reusable_executor().shutdown(wait=True)


def _die_with(parent: int) -> None:
    """No process of ours outlives us, whatever ends us."""
    die_with_parent()
    if os.getppid() != parent:  # it was faster
        os._exit(1)


def _started(settings: Settings, number: int) -> Path:
    return Path(settings.folder, f"{number}.started")


def on_cluster(count: int, task_of: TaskOf, settings: Settings, address: str) -> Iterator[Answer]:
    """Answers to `count` tasks from the workers of a Dask cluster, as they come.

    Raises CourseError: no cluster there, no workers, or workers that hold another state of the course.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise course.CourseError("--cluster needs Dask: pip install distributed.") from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        why = str(error).split("\n")[0] or type(error).__name__
        raise course.CourseError(f"The cluster {address} cannot be reached ({why}).") from None
    with client:
        addresses = list(client.scheduler_info(n_workers=-1)["workers"])
        if not addresses:
            raise course.CourseError(f"The cluster {address} has no workers: start some with `dask worker {address}`.")
        _check(client, addresses, settings)
        try:
            numbers = iter(range(count))
            running = {}

            def submit(number: int):
                future = client.submit(grade_task, number, task_of(number), settings, pure=False, retries=1)
                running[future.key] = number
                return future

            first = [submit(number) for number, _ in zip(numbers, range(4 * len(addresses)), strict=False)]
            queue = as_completed(first, loop=client.loop)
            for future in queue:
                number = running.pop(future.key)
                if future.status == "finished":
                    yield future.result()
                elif future.status == "error":  # a worker that died again and again, or could not load the course
                    yield Answer(number, problem=LOST)
                else:
                    raise course.CourseError(f"The cluster {address} is gone; run the same command again to go on.")
                if (number := next(numbers, None)) is not None:
                    queue.add(submit(number))
        finally:
            with contextlib.suppress(Exception):
                client.run(close_engine)


def _check(client, addresses: list[str], settings: Settings) -> None:
    """Every worker must hold the same tests and be able to confine: the marks may not depend on who grades."""
    asked = [client.submit(preflight, settings, workers=[one], pure=False) for one in addresses]
    for one, future in zip(addresses, asked, strict=True):
        try:
            tests, refused = future.result(timeout=WARM_UP)
        except Exception as error:
            why = str(error).split("\n")[0][:200]
            raise course.CourseError(
                f"The worker {one} cannot load the course ({type(error).__name__}: {why})."
            ) from None
        if refused:
            raise course.CourseError(f"The worker {one} cannot grade: {refused}")
        if tests != tests_digest(settings.chapter):
            raise course.CourseError(f"The worker {one} holds another state of the course: its marks would differ.")
