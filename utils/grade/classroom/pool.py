"""Where submissions are graded: in this process, in several on this machine, or on a running Dask cluster."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from utils import course
from utils.grade.classroom.assemble import Task, tests_digest
from utils.grade.classroom.engine import Settings, close_engine, grade_task, preflight
from utils.grade.limited import die_with_parent

PER_PROCESS = 4  # submissions that make a further process worth its start (an import of torch, and a zygote's)
TRIES = 2  # how often a submission may be in a process that dies before it is given up
PATIENCE = 30  # seconds to reach a cluster
WARM_UP = 600  # seconds for a worker of a cluster to import torch and start a sandbox


def on_this_machine(tasks: Sequence[Task], settings: Settings, jobs: int = 0) -> Iterator[dict]:
    """Answers of `grade_task` as they come. jobs 1: in this process; 0: as many as there are processors."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = jobs or min(processors, -(-len(tasks) // PER_PROCESS))
    if wanted == 1:
        try:
            for number, task in enumerate(tasks):
                yield grade_task(number, task, settings)
        finally:
            close_engine()
        return
    yield from _in_processes(tasks, settings, wanted)


def _in_processes(tasks: Sequence[Task], settings: Settings, jobs: int) -> Iterator[dict]:
    """As `on_this_machine`, through joblib. A process that dies costs what it was grading, and that after a retry."""
    try:
        from joblib import Parallel, delayed
        from joblib.externals.loky import get_reusable_executor
        from joblib.externals.loky.process_executor import BrokenProcessPool
    except ImportError:
        raise course.CourseError(
            "Grading in several processes needs joblib: pip install joblib, or --jobs 1."
        ) from None
    waiting, tries = set(range(len(tasks))), [0] * len(tasks)
    try:
        while waiting:
            calls = (delayed(grade_task)(number, tasks[number], settings) for number in sorted(waiting))
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
                    waiting.discard(answer["number"])
                    _started(settings, answer["number"]).unlink(missing_ok=True)
                    yield answer
            except BrokenProcessPool:
                for number in [number for number in sorted(waiting) if _started(settings, number).exists()]:
                    _started(settings, number).unlink()
                    tries[number] += 1
                    if tries[number] >= TRIES:
                        waiting.discard(number)
                        yield _lost(number)
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


def _lost(number: int) -> dict:
    text = "The process that graded it was ended from outside, twice; grade it again."
    return {"number": number, "record": "", "refused": "", "failed": True, "lost": text}


def on_cluster(tasks: Sequence[Task], settings: Settings, address: str) -> Iterator[dict]:
    """Answers of `grade_task` from the workers of a Dask cluster, as they come.

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
            numbers = iter(range(len(tasks)))
            running = {}

            def submit(number: int):
                future = client.submit(grade_task, number, tasks[number], settings, pure=False, retries=1)
                running[future.key] = number
                return future

            first = [submit(number) for number, _ in zip(numbers, range(4 * len(addresses)), strict=False)]
            queue = as_completed(first, loop=client.loop)
            for future in queue:
                number = running.pop(future.key)
                if future.status == "finished":
                    yield future.result()
                elif future.status == "error":  # a worker that died again and again, or could not load the course
                    yield _lost(number)
                else:
                    raise course.CourseError(f"The cluster {address} is gone; run the same command again to go on.")
                if (number := next(numbers, None)) is not None:
                    queue.add(submit(number))
        finally:
            with contextlib.suppress(Exception):
                client.run(close_engine)


def _check(client, addresses: list[str], settings: Settings) -> None:
    """Every worker must hold the same tests and be able to confine: the marks may not depend on who grades."""
    asked = [client.submit(preflight, asdict(settings), workers=[one], pure=False) for one in addresses]
    for one, future in zip(addresses, asked, strict=True):
        try:
            answer = future.result(timeout=WARM_UP)
        except Exception as error:
            why = str(error).split("\n")[0][:200]
            raise course.CourseError(
                f"The worker {one} cannot load the course ({type(error).__name__}: {why})."
            ) from None
        if answer["refused"]:
            raise course.CourseError(f"The worker {one} cannot grade: {answer['refused']}")
        if answer["tests"] != tests_digest(settings.chapter):
            raise course.CourseError(f"The worker {one} holds another state of the course: its marks would differ.")
