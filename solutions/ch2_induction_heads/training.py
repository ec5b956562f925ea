"""Training in chapter 2: the exercise `train`, and `Trainer`, which runs it with settings, measurements and files.

A Trainer draws a batch each time the loop asks for one, and measures then. Its loop is `train` itself; where it can, it
trains the fast form of the model (fast.py), which gives the same numbers.
"""

import difflib
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from utils.course import CourseError
from utils.train import (
    Interrupt,
    Metrics,
    generator,
    load_optimizer,
    optimizer_tensors,
    progress_bar,
    read_json,
    read_tensors,
    set_aside,
    usable_device,
    write_json,
    write_tensors,
)

from .bigrams import BigramTable
from .config import FullTrainerArgs, TrainerArgs
from .data import Batch, BigramTask
from .fast import Asked, can_merge, merged_logits
from .full import FullTransformer
from .model import BasicTransformer
from .probes import attention_metrics, norms, recall_probes, task_metrics

TEST_SIZE, TEST_SEED = 512, 0
EXAMPLES, EXAMPLE_SEED = 128, 0
RUN_FILES = ("params.json", "res.jsonl", "model.safetensors", "training_state.safetensors", "exp.safetensors")
PART = 64  # sequences that are measured at a time: their patterns stay in the processor's caches


def train(
    model: nn.Module,
    sampler: Callable[[], tuple[Tensor, Tensor, Tensor]],
    steps: int,
    lr: float,
    freeze: dict[str, int] | None = None,
) -> dict[str, list[float]]:
    """Train by SGD (momentum 0.9, weight decay 1e-4) on the cross-entropy over the masked positions only.

    sampler() -> x, y (B, T) and mask, bool (B, T); it is called once per step. `freeze`: {parameter name: step at
    which it is released}. Returns {"loss_head": one float per step, before its update}; a batch whose mask is empty
    has loss 0. Raises ValueError for a parameter name that the model does not have.
    """
    # solution
    freeze = freeze or {}
    parameters = dict(model.named_parameters())
    for name in freeze:
        if name not in parameters:
            raise ValueError(f"There is no parameter {name!r}: the model has {', '.join(parameters)}.")
        parameters[name].requires_grad_(False)  # no gradient at all: weight decay and momentum pass it over too

    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    history = {"loss_head": []}
    for step in range(steps):
        for name, until in freeze.items():
            if step == until:
                parameters[name].requires_grad_(True)
        x, y, mask = sampler()
        logits = model(x)
        loss = F.cross_entropy(logits[mask], y[mask], reduction="sum") / mask.sum().clamp(min=1)
        optimizer.zero_grad()
        if loss.requires_grad:  # not where every matrix is frozen
            loss.backward()
        optimizer.step()
        history["loss_head"].append(loss.item())
    return history
    # end solution


class Trainer:
    """One run: fresh batches without end, one step on each, until max_iters or Ctrl-C.

    `history`: the measurements, one dict each, also written to save_dir/res.jsonl; `test` in a name means on 512
    sequences that stay the same. Without `fast` the model's own forward pass is trained. Raises CourseError for
    settings that do not fit each other.
    """

    def __init__(
        self,
        args: TrainerArgs,
        table: BigramTable,
        device: str = "cpu",
        fast: bool = True,
        resume: bool = False,
        settings: dict | None = None,
    ):
        _check(args)
        self.device = usable_device(device, double=True)
        model_args = replace(args.model_args, vocab_size=table.vocab_size)
        self.args = replace(args, model_args=model_args)
        self.full = isinstance(args, FullTrainerArgs)
        self.task = BigramTask(args.data_args, table, bigram_outs=args.bigram_outs_train, device=device)
        self.test_task = BigramTask(args.data_args, table, bigram_outs=args.bigram_outs_test, device=device)
        self.test = self.test_task.draw(TEST_SIZE, generator(TEST_SEED))
        torch.manual_seed(args.seed)
        self.model = (FullTransformer if self.full else BasicTransformer)(model_args).to(self.device)
        self.merged = fast and can_merge(self.model)
        self.freeze = _freeze(self.model, args.freeze_until)
        self.optimizer = _optimizer(self.model, args)
        self.step = 0
        self.due: dict | None = None  # what is known of a step that is being measured
        self.folder = Path(args.root_dir) / args.save_dir if args.save_dir else None
        if resume:
            if self.folder is None:
                raise CourseError("To resume a run, name its folder by save_dir.")
            self.step = restore(self.folder, self.model, self.optimizer)
        elif self.folder is not None:
            set_aside(self.folder, RUN_FILES)
        self.settings = asdict(self.args) | {"device": device, "fast": fast} | (settings or {})
        if self.folder is not None:
            save(self.folder, self.model, self.optimizer, self.step, self.settings)
        self.metrics = Metrics(self.folder / "res.jsonl" if self.folder else None, self.step)

    @property
    def history(self) -> list[dict]:
        return self.metrics.history

    def run(self, report: Callable[[dict], None] | None = None, quiet: bool = False) -> bool:
        """Train. `report` is called with each measurement. False when Ctrl-C ended it; what was learned is saved."""
        args = self.args
        left = sys.maxsize if args.max_iters is None else max(args.max_iters - self.step, 0)
        batches = self.task.batches(args.optim_args.batch_size, args.seed, self.step)
        with (
            Interrupt() as interrupt,
            progress_bar(total=args.max_iters, initial=self.step, label="training", disable=quiet, unit="it") as bar,
        ):

            def ended() -> None:  # what is to be done after a step
                if self.due is not None:
                    line = self.due | self.measure_weights()
                    self.metrics.log(self.step, **line)
                    if report is not None:
                        report({"step": self.step, **line})
                    self.due = None
                self.step += 1
                bar.update()

            def sampler() -> tuple[Tensor, Tensor, Tensor]:
                nonlocal asked
                if asked:
                    ended()
                if interrupt.asked:
                    raise _Stopped
                asked, batch = True, next(batches)
                if self.step % args.eval_delta == 0:
                    self.due = self.measure_batch(batch)
                return batch.x, batch.y, batch.mask if args.loss_head_only else torch.ones_like(batch.mask)

            asked, stopped = False, False
            try:
                self._train(sampler, left)
                if asked:
                    ended()
            except _Stopped:
                stopped = True
        if self.folder is not None:
            save(self.folder, self.model, self.optimizer, self.step, self.settings)
            if self.full:
                write_example(self.folder, self.model, self.test_task)
        self.metrics.close()
        return not stopped

    def _train(self, sampler: Callable[[], tuple[Tensor, Tensor, Tensor]], steps: int) -> None:
        """The exercise's loop, its steps taken by this run's optimiser."""
        model, prefix = self.model, ""
        if self.merged:
            model, prefix, draw = Asked(self.model), "model.", sampler

            def sampler():
                return model.ask(*draw())

        freeze = {prefix + name: until - self.step for name, until in self.freeze.items() if until >= self.step}

        def step(optimizer: torch.optim.Optimizer, args: tuple, kwargs: dict) -> None:
            """`train` makes an SGD of its own. At rate 0 that moves nothing, and ours, which remembers, goes first."""
            if optimizer is not self.optimizer:
                self.optimizer.step()

        hook = register_optimizer_step_pre_hook(step)
        try:
            train(model, sampler, steps, 0.0, freeze)
        finally:
            hook.remove()

    @torch.no_grad()
    def measure_batch(self, batch: Batch) -> dict[str, float | None]:
        """What the model makes of a batch that it is about to be trained on."""
        parts = [self.model(x, return_cache=True) for x in batch.x.split(PART)]
        logits = torch.cat([logits for logits, _ in parts])
        found = task_metrics(logits, batch)
        if self.args.data_args.k == 0:  # no trigger, nothing in context: the losses only
            return {name: found[name] for name in ("loss", "loss_bigram")}
        if self.full:
            return found
        A1, A2 = (torch.cat([cache[name] for _, cache in parts]) for name in ("A1", "A2"))
        return found | attention_metrics(A1, A2, logits, batch)

    @torch.no_grad()
    def measure_weights(self) -> dict[str, float | None]:
        """The test batch, and what the weights hold now."""
        if self.args.data_args.k == 0:
            return norms(self.model)
        read = partial(merged_logits, self.model) if self.merged else self.model
        tested = task_metrics(torch.cat([read(x) for x in self.test.x.split(PART)]), self.test)
        found = {f"{name}_test": tested[name] for name in ("acc_end", "acc_end_nonrep", "loss_bigram", "loss_head")}
        return found | recall_probes(self.model, self.task) | norms(self.model)


class _Stopped(Exception):
    """Ctrl-C was pressed: the loop is left between two steps."""


def _optimizer(model: nn.Module, args: TrainerArgs) -> torch.optim.Optimizer:
    optim = args.optim_args
    if optim.use_sgd:
        return torch.optim.SGD(
            model.parameters(), lr=optim.learning_rate, momentum=optim.momentum, weight_decay=optim.weight_decay
        )
    betas = (0.9, 0.99) if isinstance(args, FullTrainerArgs) else (0.9, 0.95)
    return torch.optim.AdamW(
        model.parameters(), lr=optim.learning_rate, betas=betas, eps=1e-8, weight_decay=optim.weight_decay
    )


def parse_freeze(text: str) -> dict[str, int]:
    """ "300:layers.0.attention.wk.weight,..." as {name: iteration}. Raises CourseError for another form."""
    found = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        until, colon, name = item.partition(":")
        if not colon or not until.strip().isdigit():
            raise CourseError(f"freeze_until has {item!r}, but each entry is an iteration and a name: 300:{item}.")
        found[name.strip()] = int(until)
    return found


def _freeze(model: nn.Module, text: str) -> dict[str, int]:
    """{name: iteration of its release}, each of a parameter that is trained."""
    waiting = parse_freeze(text)
    trainable = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    for name in waiting:
        if name not in trainable:
            near = difflib.get_close_matches(name, trainable, n=1, cutoff=0.0) or ["none"]
            raise CourseError(f"freeze_until names {name!r}, which is not trained; the nearest that is: {near[0]}.")
    return waiting


def _check(args: TrainerArgs) -> None:
    optim, length, longest = args.optim_args, args.data_args.seq_length, args.model_args.max_length
    if length > longest:
        raise CourseError(f"data_args.seq_length is {length}, but model_args.max_length is {longest}: set both.")
    if args.max_iters is not None and args.max_iters < 0:
        raise CourseError(f"max_iters must be zero or above, but it is {args.max_iters}.")
    for name, value in (("eval_delta", args.eval_delta), ("optim_args.batch_size", optim.batch_size)):
        if value < 1:
            raise CourseError(f"{name} must be 1 or more, but it is {value}.")
    for name in ("learning_rate", "weight_decay", "momentum"):
        if not 0 <= getattr(optim, name) < float("inf"):
            raise CourseError(f"optim_args.{name} must be zero or above, but it is {getattr(optim, name)}.")
    if args.num_data_workers < 0 or args.seed < 0:
        raise CourseError("num_data_workers and seed must be zero or above.")


def save(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, settings: dict) -> None:
    """Write the settings, the weights and what the optimiser remembers. Raises CourseError where that cannot be."""
    write_json(folder / "params.json", settings)
    write_tensors(folder / "model.safetensors", _own(model), {"step": str(step)})
    write_tensors(folder / "training_state.safetensors", optimizer_tensors(optimizer), {"step": str(step)})


def restore(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> int:
    """Read weights (and the optimiser's memory) into objects of the same sizes; returns the step they are from.

    Raises CourseError where a file is missing or damaged, or the model has other sizes.
    """
    tensors, metadata = read_tensors(folder / "model.safetensors")
    _fit(folder / "model.safetensors", tensors, _own(model))
    model.load_state_dict(tensors, strict=False)  # a tied output is stored once
    if optimizer is not None:
        stored, metadata = read_tensors(folder / "training_state.safetensors")
        try:
            load_optimizer(optimizer, stored)
        except ValueError:
            raise CourseError(f"{folder} was trained by another optimiser: resume it with its own settings.") from None
    return int(metadata.get("step", 0))


def load_settings(folder: Path) -> dict:
    """The settings of a saved run. Raises CourseError where there are none."""
    return read_json(folder / "params.json")


@torch.no_grad()
def write_example(folder: Path, model: nn.Module, task: BigramTask) -> None:
    """exp.safetensors: 128 sequences x (128, T), out (128, T + 1), preds (128, T, V), scores_<layer> (128, N, T, T)."""
    batch = task.draw(EXAMPLES, generator(EXAMPLE_SEED))
    logits, cache = model(batch.x, return_cache=True)
    scores = {f"scores_{i}": cache[f"A{i + 1}"] for i in range(len(model.layers))}
    out = torch.cat([batch.x, batch.y[:, -1:]], dim=1)
    write_tensors(folder / "exp.safetensors", {"x": batch.x, "out": out, "preds": logits, **scores})


def _own(model: nn.Module) -> dict[str, Tensor]:
    """The state by name, each tensor once: a tied output is left out."""
    state = model.state_dict()
    if "output.weight" in state and state["output.weight"].data_ptr() == state["tok_embeddings.weight"].data_ptr():
        del state["output.weight"]
    return state


def _fit(path: Path, tensors: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    for name in sorted(own.keys() | tensors.keys()):
        stored, wanted = (tuple(side[name].shape) if name in side else None for side in (tensors, own))
        if stored != wanted:
            raise CourseError(
                f"{path} does not fit this model: {name} is {stored or 'missing'} there and {wanted or 'missing'} here."
            )
