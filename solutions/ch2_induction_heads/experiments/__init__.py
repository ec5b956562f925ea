"""The experiments of chapter 2 at the size that a lesson can wait for: B = T = 64, d = 128, five triggers."""

from collections.abc import Iterable

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn

from utils.train import generator

from ..bigrams import BigramTable
from ..circuit import build_induction_head
from ..config import DataArgs, FullModelArgs, FullOptimArgs, FullTrainerArgs, ModelArgs, OptimArgs, TrainerArgs
from ..data import Batch, BigramTask
from ..model import BasicTransformer
from ..probes import task_metrics
from ..training import Trainer

T, B = 64, 64
MEMORIES = {"W_K¹": "layers.0.attention.wk.weight", "W_K²": "layers.1.attention.wk.weight"}
MEMORIES |= {"W_O²": "layers.1.attention.wo.weight"}


def data_args(**changes) -> DataArgs:
    """Five fixed triggers, sequences of 64, no repeats; `changes` by field."""
    return DataArgs(**{"k": 5, "seq_length": T, "fixed_special_toks": True, "no_repeat": True} | changes)


def lesson(iters: int, seed: int = 0, **changes) -> TrainerArgs:
    """Settings of a run of the simplified model; `changes` go by the field's name to the class that has it."""
    parts = {
        "data_args": {"k": 5, "seq_length": T, "fixed_special_toks": True, "no_repeat": True},
        "model_args": {"dim": 128, "max_length": T, "freeze_embeddings": True, "freeze_output": True},
        "optim_args": {"learning_rate": 0.1, "batch_size": B},
    }
    return _settings(TrainerArgs, (DataArgs, ModelArgs, OptimArgs), parts, iters, seed, changes)


def full_lesson(iters: int, seed: int = 0, **changes) -> FullTrainerArgs:
    """Settings of a run of the full model: d = 64, four heads, AdamW, triggers drawn per sequence."""
    parts = {
        "data_args": {"k": 5, "seq_length": T, "no_repeat": True},
        "model_args": {"dim": 64, "max_length": T},
        "optim_args": {"learning_rate": 3e-3, "batch_size": B},
    }
    return _settings(FullTrainerArgs, (DataArgs, FullModelArgs, FullOptimArgs), parts, iters, seed, changes)


def _settings(kind: type, classes: tuple[type, ...], parts: dict, iters: int, seed: int, changes: dict):
    own = {"max_iters": iters, "seed": seed, "eval_delta": 25}
    for name, value in changes.items():
        for part, cls in zip(parts.values(), classes, strict=True):
            if name in cls.__dataclass_fields__:
                part[name] = value
                break
        else:
            own[name] = value
    built = {name: cls(**part) for (name, part), cls in zip(parts.items(), classes, strict=True)}
    return kind(**built, **own)


def train_run(args: TrainerArgs, table: BigramTable, quiet: bool = True) -> Trainer:
    """Train by these settings; the trainer holds the model, its history and the test batch.

    Raises KeyboardInterrupt when Ctrl-C ended it: half a run would pass for a measurement.
    """
    trainer = Trainer(args, table)
    if not trainer.run(quiet=quiet):
        raise KeyboardInterrupt
    return trainer


def fresh_model(table: BigramTable, d: int, seed: int, unit_maps: bool = False) -> BasicTransformer:
    """A model at its random start; with `unit_maps` every matrix keeps lengths on average (entries of variance 1/d).

    torch's own start of a linear map shrinks a vector by sqrt(3): what a frozen map writes then drowns sooner.
    """
    torch.manual_seed(seed)
    args = ModelArgs(vocab_size=table.vocab_size, dim=d, max_length=T, sqrtd_embeddings=unit_maps)
    model = BasicTransformer(args)
    if unit_maps:
        with torch.no_grad():
            for parameter in (*model.layers.parameters(), model.output.weight):
                parameter.normal_(0, d**-0.5)
    return model


def hand_built(
    table: BigramTable,
    d: int,
    seed: int,
    fixed: bool = True,
    beta: tuple[float, float, float] = (10, 10, 10),
    unit_maps: bool = True,
    size: int = 512,
) -> tuple[BasicTransformer, BigramTask, Batch, float]:
    """An induction head written by hand at width d: the model, its task, a batch, its accuracy in context."""
    task = BigramTask(data_args(fixed_special_toks=fixed), table)
    model = fresh_model(table, d, seed, unit_maps)
    build_induction_head(model, beta, task.fixed_triggers)
    batch = task.draw(size, generator(seed, 1))
    with torch.no_grad():
        return model, task, batch, task_metrics(model(batch.x), batch)["acc_end"]


def heat_maps(model: nn.Module, tokens: Float[Tensor, "n"] | Tensor | None = None) -> dict[str, Float[Tensor, "m n"]]:
    """What each memory holds, seen from the vectors it should join: P W_K¹ P^T, E W_K² w_1^T, U W_O² W_V² E^T."""
    with torch.no_grad():
        P, E, U = model.pe, model.tok_embeddings.weight, model.output.weight
        first, second = (layer.attention for layer in model.layers)
        Q = E if tokens is None else E[tokens]
        return {
            "W_K¹": P @ first.wk(P).T,
            "W_K²": Q @ second.wk(first.wo(first.wv(Q))).T,
            "W_O²": U @ second.wo(second.wv(E)).T,
        }


def with_snapshots(args: TrainerArgs, table: BigramTable, steps: Iterable[int]) -> tuple[Trainer, dict[int, dict]]:
    """Train, keeping a copy of the state before each of these steps (the last may be max_iters)."""
    trainer, kept = Trainer(args, table), {}
    for step in sorted(steps):
        trainer.args.max_iters = step
        if step > trainer.step and not trainer.run(quiet=True):
            raise KeyboardInterrupt
        kept[step] = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    return trainer, kept


def recall_by_position(model: nn.Module, block: int = 16) -> list[float]:
    """The probe of W_K^1 in blocks of positions: late ones are rarely needed, so they are learned late."""
    P = model.pe
    with torch.no_grad():
        scores = einsum(P[1:], model.layers[0].attention.wk(P[:-1]), "t d, s d -> t s")
    right = (scores.argmax(dim=1) == torch.arange(len(scores), device=P.device)).double()
    return [part.mean().item() for part in right.split(block)]
