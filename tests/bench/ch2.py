"""Chapter 2 against a plain per-token Python sampler of the same distribution, and merged against plain models.

Times are CPU seconds of one thread, peers in turns: "on one free thread" whatever else the machine is doing.
"""

import importlib
import statistics
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from tests.bench.table import Row, faster, within
from utils import course

LESSON, README = (64, 64, 128), (512, 256, 256)  # B, T, d
K = 5


def rows() -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours = _reference()
        return [*sampling(ours), *training(ours), *published_size(ours), *results(ours)]
    finally:
        torch.set_num_threads(threads)


def _reference() -> SimpleNamespace:
    """The public names of the reference's modules, loaded now and not at import time."""
    package = f"solutions.{course.chapter_name('ch2')}"
    found: dict = {}
    for module in ("config", "bigrams", "data", "model", "fast", "training", "experiments"):
        found.update(vars(importlib.import_module(f"{package}.{module}")))
    return SimpleNamespace(**found)


def _seconds(*runs: Callable[[], object], repeats: int) -> list[float]:
    """Median CPU seconds of each run, taken in turns; one warm-up each."""
    for run in runs:
        run()
    kept: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for seconds, run in zip(kept, runs, strict=True):
            start = time.process_time()
            run()
            seconds.append(time.process_time() - start)
    return [statistics.median(seconds) for seconds in kept]


class PlainSampler:
    """The baseline: one token at a time, one call of numpy's `choice` each; fixed triggers, no repeats."""

    def __init__(self, table, seed: int = 0):
        self.pi_u, self.pi_b = table.pi_u.numpy(), table.pi_b.numpy()
        self.triggers = np.argsort(-self.pi_u, kind="stable")[:K].tolist()
        self.rng = np.random.default_rng(seed)

    def batch(self, size: int, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x, y (B, T) and the mask of what is known from the context."""
        rows, masks = [], []
        V = len(self.pi_u)
        for _ in range(size):
            outputs = {}
            for trigger in self.triggers:
                other = int(self.rng.integers(V - 1))
                outputs[trigger] = other + (other >= trigger)
            row, seen, mask = [int(self.rng.choice(V, p=self.pi_u))], dict.fromkeys(self.triggers, 0), []
            for _ in range(length):
                last = row[-1]
                if last in outputs:
                    seen[last] += 1
                    mask.append(seen[last] >= 2)
                    row.append(outputs[last])
                else:
                    mask.append(False)
                    row.append(int(self.rng.choice(V, p=self.pi_b[last])))
            rows.append(row)
            masks.append(mask)
        tokens = torch.tensor(rows)
        return tokens[:, :-1], tokens[:, 1:], torch.tensor(masks)


def _our_batches(ours, table, B: int, T: int) -> Iterator:
    args = ours.DataArgs(k=K, seq_length=T, fixed_special_toks=True, no_repeat=True)
    return ours.BigramTask(args, table).batches(B, seed=0)


def sampling(ours) -> list[Row]:
    """Tokens a second at B = T = 64; our batches are drawn several at a time, as in training."""
    B, T, _ = LESSON
    table = ours.shakespeare_table()
    plain, stream = PlainSampler(table), _our_batches(ours, table, B, T)

    def many():
        for _ in range(64):
            next(stream)

    ours_seconds, plain_seconds = _seconds(many, lambda: plain.batch(B, T), repeats=7)
    rates = 64 * B * T / ours_seconds, B * T / plain_seconds
    return [
        faster("sampler / per-token Python sampler", "tokens/s", *rates, 30.0),
        faster("sampler, tokens a second", "tokens/s", rates[0], 2e6, 1.0),
    ]


def _stepper(ours, B: int, T: int, d: int, merged: bool):
    """A model and a function that takes one training step on (x, y, mask)."""
    torch.manual_seed(0)
    args = ours.ModelArgs(vocab_size=65, dim=d, max_length=T, freeze_embeddings=True, freeze_output=True)
    model = ours.BasicTransformer(args)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.03, momentum=0.9, weight_decay=1e-4)

    def step(x, y, mask):
        logits = ours.masked_logits(model, x, mask) if merged else model(x)[mask]
        loss = F.cross_entropy(logits, y[mask])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return model, step


def training(ours) -> list[Row]:
    """Whole iterations (batch and step) at the lesson's size, and whether merged and plain logits agree."""
    B, T, d = LESSON
    table = ours.shakespeare_table()
    plain, stream = PlainSampler(table), _our_batches(ours, table, B, T)
    model, step = _stepper(ours, B, T, d, merged=True)

    def ours_fed():
        for _ in range(8):
            batch = next(stream)
            step(batch.x, batch.y, batch.mask)

    ours_seconds, plain_seconds = _seconds(ours_fed, lambda: step(*plain.batch(B, T)), repeats=9)
    rates = 8 / ours_seconds, 1 / plain_seconds
    x = next(stream).x
    with torch.no_grad():
        gap = float((model(x) - ours.merged_logits(model, x)).abs().max())
    return [
        faster("training (64, 64, 128), iterations a second", "it/s", rates[0], 20.0, 1.0),
        faster("training (64, 64, 128) / fed by the Python sampler", "it/s", *rates, 2.5),
        within("merged form: largest difference of a logit", "", gap, 1e-4),
    ]


def published_size(ours) -> list[Row]:
    """One iteration of the published run: our form and sampler against the plain form and the Python sampler."""
    B, T, d = README
    table = ours.shakespeare_table()
    plain, stream = PlainSampler(table), _our_batches(ours, table, B, T)
    (_, merged_step), (_, plain_step) = (_stepper(ours, B, T, d, merged) for merged in (True, False))

    def ours_whole():
        batch = next(stream)
        merged_step(batch.x, batch.y, batch.mask)

    ours_seconds, plain_seconds = _seconds(ours_whole, lambda: plain_step(*plain.batch(B, T)), repeats=2)
    return [
        faster(
            "iteration (512, 256, 256) / plain form, Python sampler", "it/s", 1 / ours_seconds, 1 / plain_seconds, 1.5
        )
    ]


def results(ours) -> list[Row]:
    """The lesson's run in three seeds: the worst accuracy without repeats by iteration 250, and the slowest."""
    table = ours.shakespeare_table()
    accuracies, seconds = [], []
    for seed in range(3):
        start = time.process_time()
        history = ours.train_run(ours.lesson(251, seed), table).history
        seconds.append(time.process_time() - start)
        accuracies.append(max(line["acc_end_nonrep_test"] for line in history))
    return [
        faster("accuracy without repeats within 250 iterations, worst of 3 seeds", "", min(accuracies), 0.9, 1.0),
        within("those 250 iterations, slowest of 3 seeds", "s", max(seconds), 20.0),
    ]
