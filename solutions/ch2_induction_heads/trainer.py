"""Training runs of chapter 2: measurements as JSON lines, matrices that wait, Ctrl-C, checkpoints, resume."""

import difflib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.course import CourseError
from utils.train import Interrupt, Metrics, generator, progress_bar, usable_device

from .basic import BasicTransformer
from .checkpoints import restore, save, write_example
from .config import FullTrainerArgs, TrainerArgs
from .counts import BigramTable
from .data import Batch, BigramTask
from .full import FullTransformer
from .merged import can_merge, merged_forward
from .metrics import attention_metrics, norms, recall_probes, task_metrics

TEST_SIZE, TEST_SEED = 512, 0


class Trainer:
    """One run: fresh batches without end, one step on each, until max_iters or Ctrl-C.

    `history`: the measurements, one dict each, also written to save_dir/res.jsonl; `test` in a name: on 512 sequences
    that stay the same. Raises CourseError for settings that do not fit each other.
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
        bigram_test = args.bigram_outs_test
        self.task = BigramTask(args.data_args, table, bigram_outs=args.bigram_outs_train, device=device)
        self.test_task = BigramTask(args.data_args, table, bigram_outs=bigram_test, device=device)
        self.test = self.test_task.draw(TEST_SIZE, generator(TEST_SEED))
        torch.manual_seed(args.seed)
        full = isinstance(args, FullTrainerArgs)
        self.model = (FullTransformer if full else BasicTransformer)(model_args).to(self.device)
        self.merged = fast and can_merge(self.model)
        self.optimizer = _optimizer(self.model, args)
        self.waiting = _freeze(self.model, args.freeze_until)
        self.step = 0
        self.folder = Path(args.root_dir) / args.save_dir if args.save_dir else None
        if resume:
            if self.folder is None:
                raise CourseError("To resume a run, name its folder by save_dir.")
            self.step = restore(self.folder, self.model, self.optimizer)
        for name in [name for name, until in self.waiting.items() if until < self.step]:
            self._release(name)
        shown = asdict(self.args) | {"device": device, "fast": fast} | (settings or {})
        self.settings = shown
        if self.folder is not None:
            save(self.folder, self.model, self.optimizer, self.step, shown)
        self.metrics = Metrics(self.folder / "res.jsonl" if self.folder else None, self.step)

    @property
    def history(self) -> list[dict]:
        return self.metrics.history

    def run(self, report: Callable[[dict], None] | None = None, quiet: bool = False) -> bool:
        """Train. `report` is called with each measurement. False when Ctrl-C ended it; what was learned is saved."""
        args = self.args
        batches = self.task.batches(args.optim_args.batch_size, args.seed, self.step)
        with (
            Interrupt() as interrupt,
            progress_bar(total=args.max_iters, initial=self.step, label="training", disable=quiet, unit="it") as bar,
        ):
            while (args.max_iters is None or self.step < args.max_iters) and not interrupt.asked:
                for name in [name for name, until in self.waiting.items() if until == self.step]:
                    self._release(name)
                batch = next(batches)
                due = self.step % args.eval_delta == 0
                logits, cache = self._step(batch, whole=due)
                if due:
                    line = self.measure(logits, cache, batch)
                    self.metrics.log(self.step, **line)
                    if report is not None:
                        report({"step": self.step, **line})
                self.step += 1
                bar.update()
        if self.folder is not None:
            save(self.folder, self.model, self.optimizer, self.step, self.settings)
            if isinstance(args, FullTrainerArgs):
                write_example(self.folder, self.model, self.test_task)
        self.metrics.close()
        return args.max_iters is not None and self.step >= args.max_iters

    def _step(self, batch: Batch, whole: bool) -> tuple[Tensor | None, dict | None]:
        """One step; with `whole` also the logits and patterns of the batch, from before the step."""
        head_only, logits, cache = self.args.loss_head_only, None, None
        if self.merged and head_only and not whole:
            chosen, _ = merged_forward(self.model, batch.x, batch.mask)
        else:
            logits, cache = self.forward(batch.x)
            chosen = logits[batch.mask] if head_only else logits.flatten(0, 1)
        targets = batch.y[batch.mask] if head_only else batch.y.flatten()
        loss = F.cross_entropy(chosen, targets, reduction="sum") / max(len(targets), 1)
        self.optimizer.zero_grad()
        if loss.requires_grad:
            loss.backward()
        self.optimizer.step()
        return logits, cache

    def forward(self, tokens: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (B, T, V) and patterns, by the merged form where it exists."""
        if self.merged:
            return merged_forward(self.model, tokens)
        return self.model(tokens, return_cache=True)

    @torch.no_grad()
    def measure(self, logits: Tensor, cache: dict, batch: Batch) -> dict[str, float | None]:
        """Every metric: of the training batch by its logits, of the weights now, of the test batch."""
        found = task_metrics(logits, batch)
        if self.args.data_args.k == 0:  # no trigger, nothing in context: the losses only
            return {name: found[name] for name in ("loss", "loss_bigram")} | norms(self.model)
        if isinstance(self.model, BasicTransformer):
            found |= attention_metrics(cache["A1"], cache["A2"], logits, batch)
        tested = task_metrics(self.forward(self.test.x)[0], self.test)
        found |= {f"{name}_test": tested[name] for name in ("acc_end", "acc_end_nonrep", "loss_bigram", "loss_head")}
        return found | recall_probes(self.model, self.task) | norms(self.model)

    def _release(self, name: str) -> None:
        dict(self.model.named_parameters())[name].requires_grad_(True)
        del self.waiting[name]


def _optimizer(model: nn.Module, args: TrainerArgs) -> torch.optim.Optimizer:
    optim = args.optim_args
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if optim.use_sgd:
        return torch.optim.SGD(
            parameters, lr=optim.learning_rate, momentum=optim.momentum, weight_decay=optim.weight_decay
        )
    betas = (0.9, 0.99) if isinstance(args, FullTrainerArgs) else (0.9, 0.95)
    return torch.optim.AdamW(parameters, lr=optim.learning_rate, betas=betas, eps=1e-8, weight_decay=optim.weight_decay)


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
    """Freeze what is to wait; returns {name: iteration of its release}."""
    waiting = parse_freeze(text)
    trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    for name in waiting:
        if name not in trainable:
            near = difflib.get_close_matches(name, trainable, n=1, cutoff=0.0) or ["none"]
            raise CourseError(f"freeze_until names {name!r}, which is not trained; the nearest that is: {near[0]}.")
        trainable[name].requires_grad_(False)
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
