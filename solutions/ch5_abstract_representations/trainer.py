"""A training run as one would start it: run folder, metrics, checkpoints, Ctrl-C, resume (chapter 5)."""

import math
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from utils.course import CourseError
from utils.train import (
    Interrupt,
    Metrics,
    generator,
    load_optimizer,
    optimizer_tensors,
    pointwise,
    progress_bar,
    read_tensors,
    set_aside,
    usable_device,
    write_json,
    write_tensors,
)

from .boards import blur, build_library, mask_boards, pairs_of, sample_boards
from .checkpoints import save_checkpoint
from .config import KINDS, LEARunConfig, ModelConfig, RunConfig, Schedule, WorldConfig
from .figures import run_figures
from .language import measure_language
from .lea import LEASettings, TinyLEA
from .lea_training import blurred, published_score, train_lea
from .model import build_model
from .splits import Boards, split_boards
from .training import make_optimizer, measure, train

RUN_FILES = ("params_training.json", "metrics.jsonl", "model.safetensors", "model.json", "dataset.safetensors")
RUN_FILES += ("state.safetensors", "figures", "checkpoints")


@dataclass(frozen=True)
class Epoch(Schedule):
    """The schedule of one epoch of a run, in the form that `train` takes."""

    settings: dict | None = None  # what `at` gives, but for the learning rate
    first: int = 0  # steps before this epoch
    total: int = 1  # steps of the whole run

    def at(self, step: int, steps: int) -> dict:
        fall = 0.5 * (1 + math.cos(math.pi * (self.first + step) / self.total))
        return self.settings | {"lr": self.lr * (1.0 if self.constant_lr else fall)}


class Run:
    """One run: `epochs` epochs of AdamW on boards that are drawn as it goes.

    `folder` gets params_training.json, metrics.jsonl, model.safetensors with model.json, dataset.safetensors (the
    held-out boards), figures, and state.safetensors, from which a run that was stopped goes on as if it had not been.
    """

    system = "transformer"
    shown = ("loss", "masked_object")  # on the progress bar

    def __init__(
        self,
        world: WorldConfig,
        cfg: ModelConfig | LEASettings,
        run: RunConfig,
        epochs: int,
        kind: str = "factor",
        seed: int = 0,
        device: str = "cpu",
        folder: Path | None = None,
        resume: bool = False,
        measured: int = 320,
        save_every: int = 0,
        test_every: int = 1,
        tracker: str | None = None,
        command: str = "",
    ):
        if epochs < 1:
            raise CourseError(f"epoch must be at least 1, but it is {epochs}.")
        self.world, self.run_config, self.epochs, self.kind, self.seed = world, run, epochs, kind, seed
        self.folder, self.measured, self.command = folder, measured, command
        self.save_every, self.test_every = save_every, test_every
        self.device = usable_device(device)
        self.library = build_library(world, generator(seed, 1))
        self.splits = None
        if world.bool_split:
            self.splits = split_boards(Boards(self.library, world.double_rule), world, generator(seed, 2))
        torch.manual_seed(seed)
        self.steps = math.ceil(world.dataset_len / run.batch_size)  # in an epoch
        constant = run.lr_schedule == "constant"
        self.schedule = Schedule(run.batch_size, run.learning_rate, constant, run.weight_decay, run.beta2)
        self.model = pointwise(self._build(kind, cfg)).to(self.device)
        self.optimizer = make_optimizer(self.model, self.schedule)
        self.epoch = 0
        if resume:
            self._resume()
        elif folder is not None:
            set_aside(folder, RUN_FILES)
        path = folder / "metrics.jsonl" if folder else None
        self.metrics = Metrics(path, self.epoch, tracker, folder.name if folder else None, self._settings())

    def go(self, quiet: bool = False) -> bool:
        """Train until the last epoch; False when Ctrl-C ended it before (what was learned is saved)."""
        if self.folder is not None:
            write_json(self.folder / "params_training.json", self._settings())
            if self.splits is not None:
                self.splits.save(self.folder / "dataset.safetensors")
        bar = progress_bar(total=self.epochs, initial=self.epoch, label="epochs", disable=quiet)
        with Interrupt() as interrupt, bar:
            while self.epoch < self.epochs and not interrupt.asked:
                found = self._one_epoch()
                self.epoch += 1
                if self.epoch % self.test_every == 0 or self.epoch == self.epochs:
                    found |= self._examine()
                self.metrics.log(self.epoch, **found)
                bar.update()
                bar.set_postfix({name: f"{found[name]:.3f}" for name in self.shown}, refresh=False)
                if self.save_every and self.epoch % self.save_every == 0 and self.epoch < self.epochs:
                    self.save()
                    if self.folder is not None:
                        self._checkpoint(self.folder / "checkpoints" / f"model_{self.epoch}")
        self.save()
        if self.folder is not None:
            run_figures(self.metrics.history, self.folder / "figures")
        self.metrics.close()
        return self.epoch >= self.epochs

    def _build(self, kind: str, cfg: ModelConfig | LEASettings) -> nn.Module:
        return build_model(kind, cfg)

    def _one_epoch(self) -> dict:
        run = self.run_config
        masking, patches = run.masking(self.epoch)
        kinds = run.kinds(self.epoch, self.world.board_types_proba)
        now = {"masking": masking, "patches": patches, "kinds": kinds}
        common = {"where": run.where, "every": self.steps + 1, "measured": self.measured, "settings": now}
        fields = {
            **asdict(self.schedule),
            **common,
            "first": self.epoch * self.steps,
            "total": self.epochs * self.steps,
        }
        draws = generator(self.seed, 3, self.epoch)
        history = train(
            self.model, self.library, self.steps, draws, Epoch(**fields), optimizer=self.optimizer, draw=self._draw
        )
        return {name: values[-1] for name, values in history.items() if name != "step"} | {"masking": masking}

    def _examine(self) -> dict[str, float]:
        """Accuracies on boards that were held out ("test_...") and on as many that are trained on ("train_...").

        The same boards, at most 100 of each kind, and the same holes each time: masked as at the end of the run.
        """
        found = {}
        for part in ("test", "train") if self.splits is not None else ():
            draws = generator(self.seed, 6)
            held = self.splits.all("test", 100, draws)
            kind = held["kind"]
            if part == "train":
                held = self.splits.boards_of("train", kind, draws)
            held = blur(self.library, held, draws)
            rows = {"": kind >= 0} | {f"_{name}": kind == one for one, name in enumerate(KINDS)}
            for name, chosen in rows.items():
                if bool(chosen.any()):
                    some = {key: value[chosen] for key, value in held.items()}
                    found |= {f"{part}_{key}{name}": value for key, value in self._score(some, bool(name)).items()}
        return found

    def _score(self, scenes: dict[str, Tensor], whole: bool) -> dict[str, float]:
        """Accuracies on these boards; of whole boards only, where `whole` is set."""
        run = self.run_config
        found = measure(
            self.model, self.library, 0, generator(self.seed, 7), run.masking_p, run.masking_patch_p, scenes=scenes
        )
        return {name: found[name] for name in (("board",) if whole else ("masked", "masked_object", "board"))}

    def _draw(self, lib, n, kinds, draws) -> dict[str, Tensor]:
        if self.splits is not None:
            scenes = self.splits.draw("train")(lib, n, kinds, draws)
        else:
            scenes = sample_boards(lib, n, kinds, draws, pairs_of(lib, self.world.double_rule))
        return blur(lib, scenes, draws)

    def save(self) -> None:
        """Write the model and the state of the run."""
        if self.folder is None:
            return
        self._checkpoint(self.folder / "model")
        state = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        state |= optimizer_tensors(self.optimizer, "optimizer.")
        write_tensors(self.folder / "state.safetensors", state, {"epoch": str(self.epoch)})

    def _checkpoint(self, path: Path) -> None:
        last = self.metrics.history[-1] if self.metrics.history else {}
        save_checkpoint(path, self.model, self.library, self.world, self._settings() | {"measured": last})

    def _settings(self) -> dict:
        found = {"type": self.kind, "seed": self.seed, "epoch": self.epochs, "command": self.command}
        return found | {
            "system": self.system,
            "model": asdict(self.model.cfg),
            "run": asdict(self.run_config),
            "world": asdict(self.world),
        }

    def _resume(self) -> None:
        if self.folder is None:
            raise CourseError("To resume, say which folder the run was saved in.")
        path = self.folder / "state.safetensors"
        state, metadata = read_tensors(path)
        try:
            weights = {name.removeprefix("model."): v for name, v in state.items() if name.startswith("model.")}
            self.model.load_state_dict(weights)
            load_optimizer(self.optimizer, state, "optimizer.")
            self.epoch = int(metadata["epoch"])
        except (RuntimeError, ValueError, KeyError):
            raise CourseError(f"{path} does not fit this model: resume with the settings of the first run.") from None
        print(f"going on after epoch {self.epoch}", file=sys.stderr)


class LEARun(Run):
    """A run of LEA: sentences of free vectors until `continuous_epoch`, then of words."""

    system = "lea"
    shown = ("loss", "speech", "speech_board")
    run_config: LEARunConfig

    def __init__(self, world: WorldConfig, cfg: LEASettings, run: LEARunConfig, epochs: int, *args, **more):
        if run.masking_patch_epoch is None:
            run = replace(run, masking_patch_epoch=epochs)
        super().__init__(world, cfg, run, epochs, *args, **more)

    def _build(self, kind: str, cfg: ModelConfig | LEASettings) -> nn.Module:
        model = TinyLEA(cfg)
        model.started.fill_(self.run_config.continuous_epoch == 0)  # as published: no start from data
        return model

    def _one_epoch(self) -> dict:
        run, done = self.run_config, self.epoch * self.steps
        (masking, patches), kinds = run.masking(self.epoch), run.kinds(self.epoch, self.world.board_types_proba)
        heard, sparsity = run.speech_weights(self.epoch)
        draws = generator(self.seed, 3, self.epoch)

        def sample() -> tuple[Tensor, Tensor]:
            scenes = self._draw(self.library, run.batch_size, kinds, draws)
            masked, _ = mask_boards(self.library, scenes, masking, patches, draws)
            return masked.flatten(1).to(self.device), scenes["board"].flatten(1).to(self.device)

        for group in self.optimizer.param_groups:
            group["initial_lr"] = run.learning_rate
        rate = LambdaLR(
            self.optimizer,
            lambda step: self.schedule.at(step, self.epochs * self.steps)["lr"] / run.learning_rate,
            done - 1,
        )
        with blurred(self.model, run.blur, generator(self.seed, 8, self.epoch)):
            history = train_lea(
                self.model, sample, self.steps, max(run.continuous_epoch * self.steps - done, 0), generator=draws,
                optimizer=(self.optimizer, rate), score=published_score(heard, run.usage_cost, sparsity),
            )  # fmt: skip
        losses = {name: sum(values) / len(values) for name, values in history.items()}
        measured = self._draw(self.library, self.measured, kinds, generator(self.seed, 4))
        found = measure_language(self.model, self.library, measured, masking, generator(self.seed, 5), patches)
        return losses | found | {"masking": masking, "speech_weight": heard}

    def _score(self, scenes: dict[str, Tensor], whole: bool) -> dict[str, float]:
        run = self.run_config
        found = measure_language(
            self.model, self.library, scenes, run.masking_p, generator(self.seed, 7), run.masking_patch_p
        )
        return {name: found[name] for name in ("board_board", "speech_board")}
