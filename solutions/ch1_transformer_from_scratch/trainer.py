"""Training as one would run it: progress, held-out numbers, samples, Ctrl-C, resume (chapter 1)."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

from utils.ch1.recipe import scheduled_adamw
from utils.ch1.shipped import for_writing
from utils.course import CourseError
from utils.train import (
    Interrupt,
    Metrics,
    generator,
    load_optimizer,
    optimizer_tensors,
    progress_bar,
    read_tensors,
    set_aside,
    usable_device,
    write_tensors,
)

from .cache import generate_cached
from .checkpoints import save_checkpoint
from .config import TrainingArgs, TransformerConfig
from .evaluation import evaluate
from .fast import FastTransformer, fast_train_step
from .generation import generate
from .sampling import apply_temperature, sample_top_p
from .text_data import TextData
from .training import train
from .variants import UnmaskedAttention, build_model

RUN_FILES = ("model.safetensors", "model.json", "tokenizer.json", "metrics.jsonl", "training_state.safetensors")
RUN_FILES += ("model-half.safetensors", "model-half.json")
PROMPT = "What is the meaning of life?"


def batches(rows: Int[Tensor, "rows T"], args: TrainingArgs, first: int = 0) -> Iterator[Int[Tensor, "B T"]]:
    """Endless batches, in a fresh random order for each pass; the same for the same seed. `first` is skipped to.

    Raises CourseError for a text that does not fill one batch.
    """
    in_pass = len(rows) // args.batch_size
    if in_pass == 0:
        raise CourseError(f"The text gives {len(rows)} rows, fewer than batch_size {args.batch_size}.")

    def endless(at: int):
        while True:
            order = torch.randperm(len(rows), generator=generator(args.seed, at // in_pass)).tolist()
            sampler = BatchSampler(order[at % in_pass * args.batch_size :], args.batch_size, drop_last=True)
            loader = DataLoader(TensorDataset(rows), sampler=sampler, batch_size=None, num_workers=args.num_workers)
            for (batch,) in loader:
                yield batch
                at += 1

    return endless(first)


def one_step(model, tokens: Int[Tensor, "B T"], optimizer: torch.optim.Optimizer) -> float:
    """`train` for a single step: the loop around it reports, saves and listens for Ctrl-C between two steps."""
    return train(model, [tokens], optimizer, 1)[0]


def prompt_tokens(model, tokenizer, prompt: str) -> Int[Tensor, "T"]:
    """The prompt as tokens on the model's device. Raises CourseError where the model cannot continue it."""
    device = next(model.parameters()).device
    tokens = torch.tensor(tokenizer.encode(prompt, add_special_tokens=False).ids, device=device, dtype=torch.int64)
    if len(tokens) == 0:
        raise CourseError("The prompt is empty: there is nothing to continue.")
    if int(tokens.max()) >= model.config.vocabulary_size:
        raise CourseError(
            f"The prompt holds the token {int(tokens.max())}, but vocabulary_size is {model.config.vocabulary_size}."
        )
    if len(tokens) > model.config.context_length:
        raise CourseError(f"The prompt has {len(tokens)} tokens, but the context holds {model.config.context_length}.")
    return tokens


def continuation(model, tokenizer, prompt: str, max_new_tokens: int, sample: Callable[[Tensor], int]) -> str:
    """The prompt with what the model adds, as text. Raises CourseError for a prompt that it cannot continue."""
    tokens = prompt_tokens(model, tokenizer, prompt)
    cacheable = not isinstance(model.blocks[0].attention, UnmaskedAttention)  # else every new token changes the past
    write = generate_cached if cacheable else generate
    return tokenizer.decode(write(for_writing(model), tokens, max_new_tokens, sample).tolist())


class Trainer:
    """One training run: num_epochs * max_steps_per_epoch steps of AdamW, each on one batch.

    `folder` (None: nothing is written) gets `model.safetensors`, `model.json`, `tokenizer.json`, `metrics.jsonl` and
    `training_state.safetensors`, from which a stopped run continues as if it had never stopped. `fast` trains the
    fused form of the model (fast.py); what is saved is the same. Metrics lines: {"step", "loss", "held_out_loss",
    "held_out_accuracy", ...} and {"step", "sample"}.
    """

    def __init__(
        self,
        config: TransformerConfig,
        args: TrainingArgs,
        data: TextData,
        folder: Path | None = None,
        variant: str = "base",
        fast: bool = False,
        resume: bool = False,
        settings: dict | None = None,
    ):
        self.config, self.args, self.data, self.folder = config, args, data, folder
        self.variant, self.settings = variant, settings or {}
        prompt = len(data.tokenizer.encode(PROMPT).ids)
        if prompt > config.context_length:
            raise CourseError(
                f"context_length is {config.context_length}, but the sample's prompt has {prompt} tokens."
            )
        device = usable_device(config.device)
        torch.manual_seed(args.seed)
        self.model = build_model(config, variant).to(device)
        self.fast = FastTransformer(config, variant != "no_mask", variant != "no_positions") if fast else None
        trained = self.model
        if self.fast is not None:
            trained = self.fast.to(device).read(self.model)
        self.trained = trained
        parameters = [parameter for parameter in trained.parameters() if parameter.requires_grad]
        self.steps = args.num_epochs * args.max_steps_per_epoch
        self.step = 0
        self.optimizer = scheduled_adamw(
            parameters,
            lambda: self.steps,
            args.learning_rate,
            args.warmup_steps,
            args.decay_steps,
            args.gradient_clip,
            args.weight_decay,
            (0.9, args.beta_2),
            done=lambda: self.step,
            fused=fast,
        )
        if resume:
            self._resume()
        elif folder is not None:
            set_aside(folder, RUN_FILES)
        self.batches = batches(data.train, args, self.step)
        path = folder / "metrics.jsonl" if folder else None
        shown = {**asdict(config), **asdict(args), **self.settings}
        self.metrics = Metrics(path, self.step, args.tracker_project, args.run_name, shown)

    def run(self, quiet: bool = False) -> bool:
        """Train until the last step; returns False when Ctrl-C ended it before (what was learned is saved)."""
        device = next(self.trained.parameters()).device
        self.trained.train()
        step = one_step if self.fast is None else fast_train_step
        start, since = time.perf_counter(), self.step
        with (
            Interrupt() as interrupt,
            progress_bar(total=self.steps, initial=self.step, label="training", disable=quiet, unit="step") as bar,
        ):
            while self.step < self.steps and not interrupt.asked:
                loss = step(self.trained, next(self.batches).to(device), self.optimizer)
                self.step += 1
                bar.update()
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                last_of_epoch = self.step % self.args.max_steps_per_epoch == 0
                if last_of_epoch or self._due(self.args.table_log_frequency):
                    seconds = time.perf_counter() - start
                    tokens = (self.step - since) * self.args.batch_size * self.config.context_length
                    self._measure(loss, tokens / seconds, bar)
                else:
                    self.metrics.log(self.step, loss=loss)
                if self._due(self.args.text_sample_frequency):
                    text = self.sample(seed=self.step)
                    self.metrics.log(self.step, sample=text)
                    bar.write(f"step {self.step}: {text!r}", file=sys.stderr)
                if last_of_epoch and self.step < self.steps:
                    self.save()
        self._export()
        self.save()
        self.metrics.close()
        return self.step >= self.steps

    def sample(self, prompt: str = PROMPT, max_new_tokens: int = 60, seed: int = 0) -> str:
        """A completion at temperature 0.8 and top-p 0.95, drawn without touching any other random numbers."""
        self._export()
        draws = generator(self.args.seed, seed)

        def sample(logits: Tensor) -> int:
            return sample_top_p(apply_temperature(logits.cpu(), 0.8), 0.95, draws)

        return continuation(self.model, self.data.tokenizer, prompt, max_new_tokens, sample)

    def save(self) -> None:
        """Write the model and the state of the run, each file whole or not at all."""
        if self.folder is None:
            return
        self._export()
        settings = {"variant": self.variant, "training": asdict(self.args), "step": self.step, **self.settings}
        measured = [line for line in self.metrics.history if "held_out_loss" in line]
        if measured:
            settings["held_out"] = {
                "loss": measured[-1]["held_out_loss"],
                "accuracy": measured[-1]["held_out_accuracy"],
            }
        save_checkpoint(self.folder / "model", self.model, self.data.tokenizer, settings)
        state = {f"model.{name}": value for name, value in self.trained.state_dict().items()}
        state |= optimizer_tensors(self.optimizer, "optimizer.")
        write_tensors(
            self.folder / "training_state.safetensors", state, {"step": str(self.step), **self._fingerprint()}
        )

    def _resume(self) -> None:
        if self.folder is None:
            raise CourseError("To resume, say which folder the run was saved in.")
        path = self.folder / "training_state.safetensors"
        state, metadata = read_tensors(path)
        for name, value in self._fingerprint().items():
            if metadata.get(name) != value:
                raise CourseError(
                    f"The run in {self.folder} had {name} {metadata.get(name)}, and this one has {value}."
                )
        try:
            model = {name.removeprefix("model."): value for name, value in state.items() if name.startswith("model.")}
            self.trained.load_state_dict(model)
            load_optimizer(self.optimizer, state, "optimizer.")
            self.step = int(metadata["step"])
        except (RuntimeError, ValueError, KeyError):
            raise CourseError(f"{path} does not fit this model: resume with the settings of the first run.") from None

    def _fingerprint(self) -> dict[str, str]:
        """What must be the same for a resumed run to be the one that was stopped."""
        return {
            "variant": self.variant,
            "fast": str(self.fast is not None),
            "text": self.data.name,
            "seed": str(self.args.seed),
            "batch_size": str(self.args.batch_size),
        }

    def _due(self, frequency: int) -> bool:
        return frequency > 0 and self.step % frequency == 0

    def _measure(self, loss: float, speed: float, bar) -> None:
        rows = self.data.held_out
        if self.args.evaluation_rows:
            rows = rows[:: -(-len(rows) // self.args.evaluation_rows)]
        result = evaluate(self.trained, rows)
        self.metrics.log(
            self.step,
            loss=loss,
            held_out_loss=result["loss"],
            held_out_accuracy=result["accuracy"],
            tokens_per_second=round(speed),
        )
        bar.write(
            f"step {self.step}: training loss {loss:.3f}, held-out loss {result['loss']:.3f}, "
            f"accuracy {result['accuracy']:.1%}, {speed:,.0f} tokens/s",
            file=sys.stderr,
        )

    def _export(self) -> None:
        if self.fast is not None:
            self.fast.write(self.model)
