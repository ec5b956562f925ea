"""Population runs and finite-sample runs of many models at once (chapter 4)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from utils.course import CourseError

from .batches import FINITE, POPULATION, TRAINING, UNSEEN, Batch, epochs, fixed, stream
from .fleet import Fleet, FullFleet
from .reparam_fleet import LamFleet
from .runs import Run

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


def together(runs: Iterable[Run], at_most: int = 0) -> list[list[Run]]:
    """Runs that can be trained as one fleet, group by group; `at_most`: in a group (0: no limit)."""
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        kind = "any" if run.model_type == "reparam" else run.kind
        shared = (kind, run.noisy, run.seed, run.nsteps, run.batch_size, run.finite_nsteps, run.data, run.source)
        key = (*shared, run.alpha) if run.source == "files" else shared  # each alpha has files of its own
        groups.setdefault(key, []).append(run)
    if not at_most:
        return list(groups.values())
    split = []
    for group in groups.values():
        pieces = -(-len(group) // at_most)
        split += [group[i::pieces] for i in range(pieces)]
    return split


def fleet_of(runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu") -> Fleet:
    """The fleet for one group of runs (see `together`)."""
    return (LamFleet if runs[0].model_type == "reparam" else FullFleet)(runs, told, device)


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
    than those drawn here. Raises CourseError for a set
    in which no label, or every label, is noise.
    """
    first = runs[0]
    made = {"batch_size": first.batch_size, "noisy": first.noisy, "device": device}
    if seen is None:
        seen = fixed(first.data, first.finite_nsteps, key=(first.seed, FINITE), **made)
    if unseen is None:
        unseen = fixed(first.data, 1, key=(first.seed, UNSEEN), ood=True, **made)
    fresh = fixed(first.data, POPULATION_BATCHES, key=(first.seed, POPULATION), **made)
    fleet = fleet_of(runs, [noise_share(run, seen) for run in runs], device)
    source = epochs(seen, first.data, (first.seed, FINITE))
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
