"""The sweep: groups of runs spread over processes of this machine or a Dask cluster, through joblib (chapter 4)."""

import contextlib
import time
from collections.abc import Iterator, Sequence

import torch

from utils.course import CourseError
from utils.train import progress_bar

from .experiments import Result, finite, population, together
from .runs import Run

PATIENCE = 30  # seconds to reach a cluster
AT_MOST = 12  # runs in one group: enough to share the work, few enough to spread over processes


def train_group(runs: Sequence[Run], eval_every: int, device: str, threads: int = 1) -> tuple[list[Result], float]:
    """One group on one thread: its results, on the CPU, and the processor seconds it took."""
    torch.set_num_threads(threads)
    start = time.process_time()
    results = finite(runs, device) if runs[0].finite_nsteps else population(runs, eval_every, device)
    for result in results:
        result.weights = {name: value.cpu() for name, value in result.weights.items()}
    return results, time.process_time() - start


def sweep(
    runs: Sequence[Run],
    jobs: int = 1,
    cluster: str | None = None,
    eval_every: int = 1,
    device: str = "cpu",
    quiet: bool = False,
    at_most: int = AT_MOST,
) -> Iterator[tuple[list[Result], float]]:
    """Train all runs, similar ones batched; yields (results, processor seconds) of each group as it is done.

    `jobs` processes on this machine (1: this one), or the workers of the Dask cluster at the address `cluster`.
    Raises CourseError where the cluster cannot be reached.
    """
    groups = sorted(together(runs, at_most), key=lambda group: group[0].model_type == "reparam")  # long ones first
    with _backend(jobs, cluster), progress_bar(total=len(runs), label="runs", disable=quiet, unit="run") as bar:
        for results, seconds in _done(groups, jobs, cluster, eval_every, device):
            bar.update(len(results))
            yield results, seconds


def _done(groups, jobs: int, cluster: str | None, eval_every: int, device: str) -> Iterator[tuple[list[Result], float]]:
    if jobs == 1 and cluster is None:
        yield from (train_group(group, eval_every, device, torch.get_num_threads()) for group in groups)
        return
    from joblib import Parallel, delayed

    calls = (delayed(train_group)(group, eval_every, device) for group in groups)
    yield from Parallel(n_jobs=-1 if cluster else jobs, batch_size=1, return_as="generator_unordered")(calls)


@contextlib.contextmanager
def _backend(jobs: int, cluster: str | None) -> Iterator[None]:
    """The place where joblib runs things, for as long as the block lasts."""
    if jobs == 1 and cluster is None:
        yield
        return
    try:
        from joblib import parallel_config

        if cluster is not None:
            from distributed import Client
    except ImportError as error:
        raise CourseError(
            f"Several processes need the package {error.name}: install the course's extra class."
        ) from None
    if cluster is None:
        with parallel_config("loky", inner_max_num_threads=1):
            yield
        return
    try:
        client = Client(cluster, timeout=PATIENCE, set_as_default=True)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        why = str(error).split("\n")[0] or type(error).__name__
        raise CourseError(f"The cluster {cluster} cannot be reached ({why}).") from None
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise CourseError(f"The cluster {cluster} has no workers: start some with `dask worker {cluster}`.")
        with parallel_config("dask"):
            yield
