"""Training runs (chapter 4): one by the exercises' own `train`, or many at once by the fast form; sweeps."""

import functools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from utils.course import CourseError
from utils.train import progress_bar, spread

from ..config import Run
from ..data import FINITE, POPULATION, TRAINING, UNSEEN, Batch, draws, epochs, fixed, stream
from ..fast import Fleet, fleet_of
from ..model import OneLayer
from ..training import measure, train

POPULATION_BATCHES = 8  # fresh batches that stand for the population in a finite run


@dataclass
class Result:
    """What a run left: `curves` by name, one number a step (a finite run: an epoch), and the weights at its end.

    Population run: `loss` and `risk` on the step's batch before the step, `ood_loss` (a risk) and `ood_prob` after it
    on a fixed set of unseen outputs (NaN where not measured). Finite run, after each epoch: `train_loss`, `pop_loss`,
    `ood_loss`, `xiA_y`, `xiA_max`, `xiF_tau`, `xiF_max`.
    """

    run: Run
    curves: dict[str, list[float]]
    weights: dict[str, Tensor] = field(default_factory=dict)
    finished: bool = True

    @property
    def steps(self) -> int:
        return max(map(len, self.curves.values()), default=0)


def together(runs: Iterable[Run], at_most: int = 0) -> list[list[Run]]:
    """Runs that can be trained as one fleet, group by group; `at_most`: in a group (0: no limit)."""
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        reparam = run.model_type == "reparam"
        shared = (reparam or run.kind, run.noisy, run.seed, run.nsteps, run.batch_size)
        shared += (run.finite_nsteps, run.data, run.source, run.rule)
        key = (*shared, run.alpha) if run.source == "files" else shared  # each alpha has files of its own
        groups.setdefault(key, []).append(run)
    if not at_most:
        return list(groups.values())
    split = []
    for group in groups.values():
        pieces = -(-len(group) // at_most)
        split += [group[i::pieces] for i in range(pieces)]
    return split


def population(
    runs: Sequence[Run],
    eval_every: int = 1,
    device: str = "cpu",
    tick: Callable[[], object] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
    batches: Iterable[Batch] | None = None,
    unseen: Sequence[Batch] | None = None,
) -> list[Result]:
    """Train one group of runs (see `together`), each step on a fresh batch; OOD loss every `eval_every` steps.

    `tick` is called after each step; when `stop()` is true the runs end there. `batches`, `unseen`: other data than
    those drawn on the fly.
    """
    first = runs[0]
    fleet = fleet_of(runs, device=device)
    if batches is None:
        batches = stream(first.data, first.batch_size, first.noisy, (first.seed, TRAINING), device=device)
    if unseen is None:
        unseen = fixed(first.data, 1, first.batch_size, first.noisy, (first.seed, UNSEEN), ood=True, device=device)
    source = iter(batches)
    kept: dict[str, list[Tensor]] = {"loss": [], "risk": [], "ood_loss": [], "ood_prob": []}
    nothing = torch.full((len(runs),), torch.nan, device=device)
    done = 0
    while done < first.nsteps and not stop():
        before = fleet.step(next(source))
        done += 1
        measured = fleet.evaluate(unseen) if done % eval_every == 0 or done == first.nsteps else None
        kept["loss"].append(before["loss"])
        kept["risk"].append(before["risk"])
        kept["ood_loss"].append(nothing if measured is None else measured["risk"])
        kept["ood_prob"].append(nothing if measured is None else measured["prob"])
        tick()
    return _results(fleet, kept, done == first.nsteps)


def finite(
    runs: Sequence[Run],
    device: str = "cpu",
    tick: Callable[[], object] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
    seen: Sequence[Batch] | None = None,
    unseen: Sequence[Batch] | None = None,
) -> list[Result]:
    """Train one group on a set of finite_nsteps batches, gone through nsteps times; measured after each pass.

    A reparameterised model is told the share of noise labels in the set and not alpha. `seen`, `unseen`: other data
    than those drawn here. Raises CourseError for a set in which no label, or every label, is noise.
    """
    first = runs[0]
    made = {"batch_size": first.batch_size, "noisy": first.noisy, "device": device}
    if seen is None:
        seen = fixed(first.data, first.finite_nsteps, key=(first.seed, FINITE), **made)
    if unseen is None:
        unseen = fixed(first.data, 1, key=(first.seed, UNSEEN), ood=True, **made)
    fresh = fixed(first.data, POPULATION_BATCHES, key=(first.seed, POPULATION), **made)
    fleet = fleet_of(runs, [noise_share(run, seen) for run in runs], device)
    source = epochs(seen, (first.seed, FINITE))
    kept: dict[str, list[Tensor]] = {}
    done = 0
    while done < first.nsteps and not stop():
        for _ in seen:
            fleet.step(next(source))
        done += 1
        fresh_now = fleet.evaluate(fresh, apart=True)
        measured = {"train_loss": fleet.evaluate(seen)["loss"], "pop_loss": fresh_now["risk"]}
        measured["ood_loss"] = fleet.evaluate(unseen)["risk"]
        measured |= {name: values for name, values in fresh_now.items() if name.startswith("xi")}
        for name, values in measured.items():
            kept.setdefault(name, []).append(values)
        tick()
    return _results(fleet, kept, done == first.nsteps)


def noise_share(run: Run, batches: Sequence[Batch]) -> float:
    """The share of labels that are noise in a finite set; 0 without noise. Raises CourseError where it is 0 or 1."""
    if not run.noisy:
        return 0.0
    alpha = torch.tensor([run.alpha], device=batches[0].uniform.device)
    noise = torch.cat([batch.is_noise(alpha)[0] for batch in batches])
    share = noise.double().mean().item()
    if not 0 < share < 1:
        raise CourseError(
            f"Of the {len(noise)} labels of the finite set, {'every one' if share else 'none'} is noise at alpha "
            f"{run.alpha}: take more samples."
        )
    return share


def _results(fleet: Fleet, kept: dict[str, list[Tensor]], finished: bool) -> list[Result]:
    table = {name: torch.stack(values).T.tolist() for name, values in kept.items() if values}
    return [
        Result(run, {name: rows[i] for name, rows in table.items()}, fleet.weights(i), finished)
        for i, run in enumerate(fleet.runs)
    ]


CHUNK = 10  # steps of `plain` between two measurements


def plain(
    run: Run,
    device: str = "cpu",
    tick: Callable[[int], object] = lambda done: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Train one model by the exercises themselves: OneLayer computes by `forward`, and `train` moves it.

    The curves are those of `population`, measured every CHUNK steps, on sentences of its own.
    """
    numbers = draws((run.seed, TRAINING), device)
    made = {"batch_size": run.batch_size, "noisy": run.noisy, "device": device}
    (seen,) = fixed(run.data, 1, key=(run.seed, POPULATION), **made)
    (unseen,) = fixed(run.data, 1, key=(run.seed, UNSEEN), ood=True, **made)
    model = OneLayer(run.data, run.model_type, run.kind, run.kappa, run.noisy, run.alpha).to(device)
    alpha = torch.tensor([run.alpha], device=device)
    curves: dict[str, list[float]] = {"loss": [], "risk": [], "ood_loss": [], "ood_prob": []}
    while len(curves["loss"]) < run.nsteps and not stop():
        steps = min(CHUNK, run.nsteps - len(curves["loss"]))
        settings = {"lr": run.lr, "batch": run.batch_size, "generator": numbers}
        curves["loss"] += train(model, run.data, steps, run.noisy, run.alpha, **settings)["id"]
        with torch.no_grad():
            inside, outside = (measure(model(batch.tokens)[0][None], batch, alpha) for batch in (seen, unseen))
        for name, value in (("risk", inside["risk"]), ("ood_loss", outside["risk"]), ("ood_prob", outside["prob"])):
            curves[name] += [math.nan] * (steps - 1) + [value.item()]
        tick(steps)
    weights = {
        name: value.detach().clone() for name, value in (model.params() | dict(model.named_parameters())).items()
    }
    return Result(run, curves, weights, len(curves["loss"]) == run.nsteps)


AT_MOST = 12  # runs in one group of a sweep: enough to share the work, few enough to spread over processes


def train_group(
    runs: Sequence[Run], eval_every: int, device: str, threads: int | None = 1
) -> tuple[list[Result], float]:
    """One group: its results, on the CPU, and the processor seconds it took. `threads` None: as many as are set."""
    if threads is not None:
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

    `jobs`, `cluster`: see `utils.train.spread`.
    """
    groups = sorted(together(runs, at_most), key=lambda group: group[0].model_type == "reparam")  # long ones first
    alone = jobs == 1 and cluster is None
    work = functools.partial(train_group, eval_every=eval_every, device=device, threads=None if alone else 1)
    bar_of = functools.partial(progress_bar, total=len(runs), label="runs", disable=quiet, unit="run")
    with spread(work, groups, jobs, cluster) as found, bar_of() as bar:
        for results, seconds in found:
            bar.update(len(results))
            yield results, seconds
