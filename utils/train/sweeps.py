"""Many runs over the processes of this machine or a Dask cluster, by one option (joblib)."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from utils.course import CourseError

Task, Found = TypeVar("Task"), TypeVar("Found")

PATIENCE = 30  # seconds to reach a cluster


@contextlib.contextmanager
def spread(
    work: Callable[[Task], Found], tasks: Sequence[Task], jobs: int = 1, cluster: str | None = None
) -> Iterator[Iterator[Found]]:
    """For as long as the block lasts: `work(task)` of each task as it is done, in this process, in `jobs` processes of
    this machine, or on the workers of the Dask cluster at the address `cluster` (tcp://HOST:PORT).

    In this process the results come in the order of the tasks. `work` must be a function that can be pickled, or a
    functools.partial of one. Raises CourseError for fewer than one process and for a cluster that cannot be reached.
    """
    if jobs < 1:
        raise CourseError(f"jobs must be 1 or more, but it is {jobs}.")
    if jobs == 1 and cluster is None:
        yield map(work, tasks)
        return
    with _backend(cluster) as joblib:
        calls = (joblib.delayed(work)(task) for task in tasks)
        processes = -1 if cluster else jobs
        yield joblib.Parallel(n_jobs=processes, batch_size=1, return_as="generator_unordered")(calls)


@contextlib.contextmanager
def _backend(cluster: str | None) -> Iterator:
    """joblib, set to run things on the cluster, or on one thread in each process, for as long as the block lasts."""
    try:
        import joblib

        if cluster is not None:
            from distributed import Client
    except ImportError as error:
        raise CourseError(
            f"Several processes need the package {error.name}: install the course's extra class."
        ) from None
    if cluster is None:
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            yield joblib
        return
    try:
        client = Client(cluster, timeout=PATIENCE, set_as_default=True)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        why = str(error).split("\n")[0] or type(error).__name__
        raise CourseError(f"The cluster {cluster} cannot be reached ({why}).") from None
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise CourseError(f"The cluster {cluster} has no workers: start some with `dask worker {cluster}`.")
        with joblib.parallel_config("dask"):
            yield joblib
