"""The chapter's tables: the measurements behind each part, and each row against its published value (chapter 2).

A part is a function (table, seed) -> {row: number}; what its rows should be is in published.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from utils.course import CourseError
from utils.train import generator, progress_bar, write_json

from ..bigrams import BigramTable
from ..circuit import build_induction_head, one_step
from ..config import TrainerArgs
from ..data import BigramTask, has_absorbing_cycle
from ..memory import capacity_curve, gram_stats, linear_ce_grad, random_embeddings, recall
from ..probes import recall_probes, share, task_metrics
from ..training import Trainer
from . import MEMORIES, data_args, fresh_model, full_lesson, hand_built, lesson, recall_by_position, train_run
from .published import VALUES


def fit_memory(
    U: Float[Tensor, "n d_in"], V: Float[Tensor, "n d_out"], steps: int = 600, lr: float = 0.05
) -> Float[Tensor, "d_out d_in"]:
    """The memory that gradient descent finds for u_i -> v_i: Adam on the cross-entropy of v_j . W u_i, from zero.

    Shapes: (n, d_in), (n, d_out) -> W (d_out, d_in).
    """
    W = torch.zeros(V.shape[1], U.shape[1], requires_grad=True)
    right = torch.arange(len(U))
    optimizer = torch.optim.Adam([W], lr=lr)
    for _ in range(steps):
        scores = einsum(V, W, U, "m d_out, d_out d_in, n d_in -> n m")
        loss = torch.nn.functional.cross_entropy(scores, right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return W.detach()


_KEPT: dict[str, Trainer] = {}  # several parts look at the same run


def _trained(args: TrainerArgs, table: BigramTable) -> Trainer:
    key = f"{id(table)} {args}"
    if key not in _KEPT:
        _KEPT[key] = train_run(args, table)
    return _KEPT[key]


SHORT = {"acc": "acc_end_test", "nonrep": "acc_end_nonrep_test", "wo1": "wo1_acc", "wk1": "wk1_acc", "wk0": "wk0_acc"}


def _at(history: list[dict], step: int, *names: str, label: str = "") -> dict[str, float]:
    """Some measurements of one iteration as rows."""
    line = next(line for line in history if line["step"] == step)
    return {f"{label}{name} at {step}": line[SHORT.get(name, name)] for name in names}


def base(table: BigramTable, seed: int, **changes) -> dict[str, float]:
    history = _trained(lesson(451, seed, **changes), table).history
    rows = {}
    for step in (0, 50, 100, 150, 200, 250, 400):
        rows |= _at(history, step, "acc", "nonrep", "wo1", "wk1", "wk0")
    return rows


def repeats(table, seed):
    return base(table, seed, no_repeat=False)


def rates(table, seed):
    history = _trained(lesson(401, seed, learning_rate=0.03), table).history
    rows = {}
    for step in (300, 350, 400):
        rows |= _at(history, step, "acc", label="lr .03: ")
    history = _trained(lesson(401, seed, learning_rate=0.3), table).history
    rows |= _at(history, 150, "acc", label="lr .3: ") | _at(history, 400, "acc", label="lr .3: ")
    history = _trained(lesson(201, seed, learning_rate=3e-3, use_sgd=False), table).history
    rows |= _at(history, 150, "acc", label="AdamW 3e-3: ") | _at(history, 200, "acc", label="AdamW 3e-3: ")
    history = _trained(lesson(201, seed, learning_rate=1e-3, use_sgd=False), table).history
    return rows | _at(history, 200, "acc", label="AdamW 1e-3: ")


def freezing(table, seed):
    def frozen(iters, *names, **changes):
        until = ",".join(f"200:{MEMORIES[name]}" for name in names)
        return _trained(lesson(iters, seed, freeze_until=until, **changes), table).history

    history = frozen(401, "W_O²", no_repeat=False)
    rows = _at(history, 175, "acc", "wk0", label="W_O²: ") | _at(history, 400, "acc", label="W_O²: ")
    history = frozen(351, "W_K²")
    rows |= _at(history, 175, "wo1", "wk0", "acc", label="W_K²: ")
    rows |= _at(history, 300, "acc", label="W_K²: ") | _at(history, 350, "acc", label="W_K²: ")
    history = frozen(251, "W_K¹")
    rows |= _at(history, 175, "wo1", "wk1", "acc", label="W_K¹: ")
    rows |= _at(history, 225, "acc", label="W_K¹: ") | _at(history, 250, "acc", label="W_K¹: ")
    history = frozen(301, "W_K¹", "W_K²")
    return rows | _at(history, 175, "wo1", "acc", label="both W_K: ") | _at(history, 300, "acc", label="both W_K: ")


def triggers(table, seed):
    trainer = _trained(lesson(401, seed, fixed_special_toks=False), table)
    rows = {}
    for step in (150, 200, 400):
        rows |= _at(trainer.history, step, "acc", "wk1", label="random: ")
    fixed = _trained(lesson(451, seed), table)
    everyone = BigramTask(data_args(fixed_special_toks=False), table)
    rows["five fixed: wk1 over all 65 rows"] = recall_probes(fixed.model, everyone)["wk1_acc"]
    rows |= _at(_trained(lesson(151, seed, k=1), table).history, 150, "acc", "wk0", "wo1", label="k = 1: ")
    rare = _trained(lesson(501, seed, special_toks_offset=20, no_repeat=False), table).history
    return rows | _at(rare, 500, "acc", "nonrep", label="offset 20: ")


def outputs(table, seed):
    rows = {}
    uniform = BigramTask(data_args(), table).draw(512, generator(seed, 7))
    for name, bigram in (("bigram", True), ("uniform", False)):
        trainer = _trained(lesson(451, seed, bigram_outs_train=bigram, bigram_outs_test=bigram), table)
        rows[f"trained on {name} outputs: acc on them"] = trainer.history[-1]["acc_end_test"]
        with torch.no_grad():
            rows[f"trained on {name} outputs: acc on uniform"] = task_metrics(trainer.model(uniform.x), uniform)[
                "acc_end"
            ]
        rows[f"trained on {name} outputs: wo1"] = trainer.history[-1]["wo1_acc"]
    return rows


def global_first(table, seed):
    settings = lesson(401, seed, final_ffn=True, loss_head_only=False, learning_rate=0.2, no_repeat=False)
    history = _trained(settings, table).history
    rows = {}
    for step in (0, 25, 75, 400):
        rows |= _at(history, step, "loss_bigram")
    for step in (75, 175, 200, 250, 400):
        rows |= _at(history, step, "nonrep")
    for step in (0, 75, 150, 400):
        rows |= _at(history, step, "ff1_loss")
    return rows


def layers(table, seed):
    one = _trained(full_lesson(1501, seed, n_layers=1), table).history
    two = _trained(full_lesson(801, seed), table).history
    rows = _at(one, 250, "acc", label="1 layer: ") | _at(one, 1500, "acc", label="1 layer: ")
    for step in (150, 300, 500, 800):
        rows |= _at(two, step, "acc", label="2 layers: ")
    return rows


def width(table, seed):
    rows = {}
    for d, iters in ((32, 600), (64, 600), (128, 450)):
        history = _trained(lesson(iters + 1, seed, dim=d), table).history
        rows[f"d = {d}: acc at {iters}"] = history[-1]["acc_end_test"]
    return rows


def inside(table, seed):
    trainer = _trained(lesson(451, seed), table)
    batch = trainer.test
    with torch.no_grad():
        _, cache = trainer.model(batch.x, return_cache=True)
    A1, A2, x, known = cache["A1"], cache["A2"], batch.x, batch.mask
    follows = F.pad(x, (1, 0), value=-1)[:, :-1]  # the token before each position
    right = (follows[:, None, :] == x[:, :, None]).tril()  # [b, t, s]: s comes after an earlier x_t
    star = A2.argmax(dim=-1)
    blocks = recall_by_position(trainer.model)
    return {
        "layer 1: mean attention to the previous token": A1.diagonal(-1, 1, 2).mean().item(),
        "layer 2: mass on right positions": (A2 * right).sum(-1)[known].mean().item(),
        "layer 2: argmax right": share(right.gather(2, star[..., None])[..., 0], known),
        "layer 2: attended token is the target": share(x.gather(1, star) == batch.y, known),
    } | {f"wk0, positions {16 * i} to {16 * i + 15}": value for i, value in enumerate(blocks)}


def by_hand(table, seed):
    rows = {}
    for unit, init in ((True, "maps of variance 1/d"), (False, "torch's start")):
        for fixed in (True, False) if unit else (True,):
            for d in (64, 128, 256, 512):
                model, task, _, acc = hand_built(table, d, seed, fixed=fixed, unit_maps=unit)
                rows[f"{init}, {'fixed' if fixed else 'random'}, d = {d}: acc"] = acc
                if unit and fixed and d in (64, 128):
                    found = recall_probes(model, task)
                    rows[f"d = {d}: smallest probe"] = min(found[n] for n in ("wk0_acc", "wk1_acc", "wo1_acc"))
    return rows


def steps(table, seed):
    def prepared(d, which, sequences, task, beta, unit_maps=True):
        model = fresh_model(task.table, d, seed, unit_maps)
        if beta is not None:
            build_induction_head(model, beta, task.fixed_triggers)
        draws = task.batches(64, seed)
        batches = [(b.x, b.y, b.mask) for b in (next(draws) for _ in range(sequences // 64))]
        return one_step(model, which, batches, eta=1.0)

    task = BigramTask(data_args(), table)
    rows = {}
    for d in (128, 256):
        model = prepared(d, "wo2", 1024, task, None, unit_maps=False)
        rows[f"W_O², d = {d}: wo1"] = recall_probes(model, task)["wo1_acc"]
    task = BigramTask(data_args(no_repeat=False), table)
    model = prepared(256, "wk2", 768, task, (0, 0, 1))
    rows["W_K² given W_O², d = 256: wk1"] = recall_probes(model, task)["wk1_acc"]
    model = prepared(256, "wk1", 768, task, (0, 10, 1))
    rows["W_K¹ given both, d = 256: wk0"] = recall_probes(model, task)["wk0_acc"]
    rows["W_K¹ given both, d = 256: wk0, first 16"] = recall_by_position(model)[0]
    uniform = BigramTable("abcdefghijklmnopqrst", torch.full((20,), 0.05).double(), torch.full((20, 20), 0.05).double())
    ideal = BigramTask(data_args(fixed_special_toks=False), uniform)
    model = prepared(512, "wo2", 2048, ideal, (0, 0, 0))
    rows["W_O², uniform bigrams, V = 20, d = 512: wo1"] = recall_probes(model, ideal)["wo1_acc"]
    return rows


def capacity(table, seed):
    rows = {}
    for d, ns in ((32, (32, 65, 128)), (64, (65, 128, 256, 512)), (128, (256, 512, 1024, 2048))):
        rows |= {f"d = {d}, N = {n}": r for n, r in zip(ns, capacity_curve(d, ns, [seed]), strict=True)}
    for n in (128, 256):
        draws = generator(seed)
        U, V = random_embeddings(n, 32, draws), random_embeddings(n, 32, draws)
        rows[f"d = 32, N = {n}, trained"] = (recall(fit_memory(U, V), U, V) == torch.arange(n)).float().mean().item()
    return rows


def bigram_memory(table, seed):
    rows = {}
    uniform = torch.full_like(table.pi_u, 1 / table.vocab_size)
    for d, name, p in ((128, "pi_u", table.pi_u), (1024, "pi_u", table.pi_u), (1024, "uniform", uniform)):
        draws = generator(seed)
        E, U = (random_embeddings(table.vocab_size, d, draws).double() for _ in range(2))
        W = -linear_ce_grad(torch.zeros(d, d, dtype=torch.double), E, U, p, table.pi_b)
        logits = einsum(E, W, U, "z i, o i, k o -> z k")
        hit = (logits.argmax(dim=1) == table.pi_b.argmax(dim=1)).double()
        rows[f"d = {d}, {name}: tokens"] = hit.mean().item()
        rows[f"d = {d}, {name}: mass"] = (hit * table.pi_u).sum().item()
    return rows


def readme(table, seed):
    rows = {}
    for lr, iters, asked in ((0.03, 601, (200, 300, 400, 450, 600)), (0.1, 451, (150, 200, 250, 300, 400, 450))):
        history = _trained(lesson(iters, seed, learning_rate=lr, no_repeat=False), table).history
        for step in asked:
            rows |= _at(history, step, "acc", "wk0", "wo1", label=f"lr {lr:g}: ")
    return rows


def cycles(table, seed):
    """Sequences that run in a circle: how many there are, their part of the mask, and what copying blindly scores."""
    rows = {}
    for name, length, fields in (
        ("T = 64", 64, {}),
        ("T = 256", 256, {}),
        ("T = 256, random triggers", 256, {"fixed_special_toks": False}),
        ("T = 256, no repeats", 256, {"no_repeat": True}),
    ):
        task = BigramTask(data_args(**{"no_repeat": False, "seq_length": length} | fields), table)
        batch = task.draw(8192, generator(seed, length))
        circle = has_absorbing_cycle(batch.triggers, batch.outputs)
        rows[f"{name}: in a circle"] = circle.double().mean().item()
        rows[f"{name}: their share of the mask"] = share(circle[:, None].expand_as(batch.mask), batch.mask)
        rows[f"{name}: copy the last token"] = share(batch.x == batch.y, batch.mask)
    return rows


def orthogonality(table, seed):
    """How far random embeddings of the 65 characters are from orthogonal."""
    rows = {}
    for d in (32, 64, 128, 256, 512, 1024):
        _, spread, largest = gram_stats(random_embeddings(table.vocab_size, d, generator(seed, d)))
        rows |= {f"d = {d}: spread": spread, f"d = {d}: largest": largest}
    return rows


PARTS = {
    "a": repeats,
    "b": base,
    "c": rates,
    "d": freezing,
    "e": triggers,
    "f": outputs,
    "g": global_first,
    "h": layers,
    "i": width,
    "j": inside,
    "k": by_hand,
    "l": steps,
    "m": capacity,
    "n": bigram_memory,
    "1.4": cycles,
    "7.1": orthogonality,
    "8.2": readme,
}


@dataclass(frozen=True)
class Row:
    """One number: what it should be, its mean over the seeds, the smallest and the largest."""

    part: str
    name: str
    value: float
    tolerance: float
    measured: float
    lowest: float
    highest: float

    @property
    def met(self) -> bool:
        return abs(self.measured - self.value) <= self.tolerance


def measure(
    table: BigramTable, parts: Iterable[str] = (), seeds: int = 3, jobs: int = 1
) -> Iterator[tuple[str, dict[str, float]]]:
    """(part, its numbers by row) for each of these parts (none named: all) with seeds 0, 1, ..., as they get ready.

    `jobs` above 1 shares the runs among processes by joblib. Raises CourseError for an unknown part.
    """
    chosen = list(parts) or list(PARTS)
    for part in chosen:
        if part not in PARTS:
            raise CourseError(f"There is no part {part!r} of the tables: choose from {', '.join(PARTS)}.")
    if seeds < 1 or jobs < 1:
        raise CourseError("seeds and jobs must be 1 or more.")
    runs = [(part, seed) for seed in range(seeds) for part in chosen]
    found = (PARTS[part](table, seed) for part, seed in runs)
    if jobs > 1:
        try:
            from joblib import Parallel, delayed
        except ImportError:
            raise CourseError("jobs above 1 need the package joblib, which is not installed.") from None
        found = Parallel(jobs, return_as="generator")(delayed(_alone)(part, table, seed) for part, seed in runs)
    parts = (part for part, _ in runs)
    return zip(parts, progress_bar(found, total=len(runs), label="tables", unit="run"), strict=True)


def rows(found: Iterable[tuple[str, dict[str, float]]]) -> list[Row]:
    """The rows of every part that was measured, over the seeds it was measured with."""
    by_part = {}
    for part, values in found:
        by_part.setdefault(part, []).append(values)
    rows = []
    for part, measured in by_part.items():
        for name, (value, tolerance) in VALUES[part].items():
            numbers = [values[name] for values in measured]
            mean = sum(numbers) / len(numbers)
            rows.append(Row(part, name, value, tolerance, mean, min(numbers), max(numbers)))
    return rows


def _alone(part: str, table: BigramTable, seed: int) -> dict[str, float]:
    torch.set_num_threads(1)
    return PARTS[part](table, seed)


def show(rows: list[Row]) -> str:
    """The rows for the terminal."""
    width = max(len(row.name) for row in rows)
    lines = [f"part  {'row'.ljust(width)}  value  +-     measured (lowest .. highest)"]
    for row in rows:
        spread = f"{row.measured:6.3f}  ({row.lowest:.3f} .. {row.highest:.3f})"
        verdict = "" if row.met else "  OFF"
        lines.append(f"{row.part:4}  {row.name.ljust(width)}  {row.value:5.3f}  {row.tolerance:.3f}  {spread}{verdict}")
    off = sum(not row.met for row in rows)
    return "\n".join([*lines, f"{len(rows)} rows, {off} off"])


def keep(rows: list[Row], file: Path) -> None:
    """Write the rows as JSON."""
    write_json(file, {"rows": [asdict(row) | {"met": row.met} for row in rows]})
