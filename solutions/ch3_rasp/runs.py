"""One training run from its settings to its files (chapter 3)."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import torch
from torch import Tensor, nn

from utils.course import CourseError
from utils.train import Interrupt, generator, progress_bar, read_json, read_tensors, write_json, write_tensors
from utils.train.files import write_whole

from .data import Batch, DataSet, baselines, cut, data_set, leaked
from .fast import fuse
from .model import Encoder, EncoderConfig
from .settings import RunArgs
from .training import evaluate, train

SAMPLE = 1000  # training sequences on which the training loss of an epoch is measured


class Tagger(nn.Module):
    """The encoder of a run; with `add_BOS` it puts § in front of each row and drops its output.

    Shapes: tokens (B, T), mask (B, T) -> logits (B, T, C), patterns (B, N, T, T).
    """

    def __init__(self, args: RunArgs):
        super().__init__()
        lang = args.language
        self.start = lang.vocabulary - 1 if args.add_BOS else None
        encoder = Encoder(
            EncoderConfig(
                vocabulary_size=lang.vocabulary,
                classes=len(lang.classes),
                embedding_dimension=args.d_model,
                num_attention_heads=args.nheads,
                attention_head_dimension=args.d_model // args.nheads,
                num_transformer_layers=args.nlayers,
                mlp_dimension=args.width,
                context_length=args.max_len,
                dropout=args.dropout,
                positions=args.positional_encoding_type,
                causal=args.with_causal_mask,
            )
        )
        self.encoder = fuse(encoder)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        if self.start is None:
            return self.encoder(tokens, mask)
        front = torch.full_like(tokens[:, :1], self.start)
        logits, patterns = self.encoder(torch.cat([front, tokens], 1), torch.cat([mask[:, :1], mask], 1))
        return logits[:, 1:], [pattern[:, :, 1:, 1:] for pattern in patterns]


@dataclass
class Trained:
    """A run that has ended: its model, its curves, one dict an epoch, and what was measured at the end."""

    args: RunArgs
    model: Tagger
    history: list[dict] = field(default_factory=list)
    final: dict[str, dict[str, float]] = field(default_factory=dict)  # split -> loss, accuracy, ...
    facts: dict = field(default_factory=dict)  # leakage, baselines, time
    interrupted: bool = False

    @property
    def test_accuracy(self) -> float:
        return self.final["test"]["accuracy"]


def splits(args: RunArgs) -> dict[str, DataSet]:
    """train, valid, test and, where asked for, longer."""
    lang, found = args.language, {}
    for split, n in (("train", args.n_train), ("valid", args.n_valid), ("test", args.n_test)):
        found[split] = data_set(lang, split, n, args.longest, args.seed)
    if args.longer:
        found["longer"] = data_set(lang, "longer", args.n_test, args.longer, args.seed, args.longest + 1)
    found["train"] = cut(found["train"], args.crop_train)
    found = {split: cut(cut(data, args.crop_all), args.tiny) for split, data in found.items()}
    return dict.fromkeys(found, found["train"].first(1)) if args.overfit else found


def optimizer_of(model: nn.Module, args: RunArgs) -> torch.optim.Optimizer:
    """Adam, or SGD without momentum; with `clip`, long gradients are shortened before each step."""
    kind = torch.optim.SGD if args.overfit or args.optim == "sgd" else torch.optim.Adam
    optimizer = kind(model.parameters(), lr=args.initial_lr)
    if args.clip:

        def shorten(*_) -> None:
            nn.utils.clip_grad_norm_(model.parameters(), args.clip)

        optimizer.register_step_pre_hook(shorten)
    return optimizer


def _to(batches: Iterator[Batch], device: str) -> Iterator[Batch]:
    for tokens, targets, mask, selectors in batches:
        moved = {head: selector.to(device) for head, selector in selectors.items()}
        yield tokens.to(device), targets.to(device), mask.to(device), moved


def train_run(
    args: RunArgs, tell: Callable[[str], object] = lambda line: None, save: bool = True, quiet: bool = True
) -> Trained:
    """Train one model and, with `save`, write its files; `tell` gets every line of training_prints.txt.

    Ctrl-C ends it after the step in hand, and what is best so far is measured and kept. Raises CourseError for settings
    that can't be, and for a folder that is there already.
    """
    args.check()
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        tell(line)

    folder = _folder(args) if save else None
    data, weight, bos = splits(args), args.attn_loss_c if args.attention else 0.0, args.language.bos
    facts = {"leaked": {s: leaked(data[s], data["train"]) for s in ("valid", "test")}}
    facts["baselines"] = baselines(data["test"], data["train"])
    torch.manual_seed(args.seed)
    model = Tagger(args).to(args.device)
    result = Trained(args, model, facts=facts)
    if folder is not None:
        say(f"folder: {folder}")
    say("arguments: " + " ".join(f"{name}={value}" for name, value in asdict(args).items()))
    say("sequences: " + ", ".join(f"{len(part):,} in {split}" for split, part in data.items()))
    if args.with_causal_mask:
        say("with a causal mask no position sees a later one: most of these tasks can't be solved then")

    def batches(split: str, n: int = 0) -> list[Batch]:
        return list(_to(cut(data[split], n).batches(500, attention=weight > 0), args.device))

    validation, sample = batches("valid"), batches("train", SAMPLE)
    shuffle = generator(args.seed, 9)
    start, best = time.process_time(), math.inf
    seen = time.process_time()
    with Interrupt() as interrupt, progress_bar(total=args.n_epochs, label=args.lang, disable=quiet, unit="ep") as bar:

        def epoch() -> Iterator[Batch]:
            found = data["train"].batches(args.batch_size, shuffle, weight > 0, args.bucket)
            for batch in _to(found, args.device):
                if interrupt.asked:
                    raise KeyboardInterrupt
                yield batch

        def after(found: dict) -> None:
            nonlocal best, seen
            trained = evaluate(model, sample, weight, bos)
            now = time.process_time()
            line = {"seconds": now - seen} | {f"valid_{name}": found[name] for name in found if name != "epoch"}
            result.history.append({"epoch": found["epoch"]} | line | {f"train_{n}": v for n, v in trained.items()})
            seen = now
            say(_epoch_line(result.history[-1], weight > 0))
            if found["loss"] < best:
                best = found["loss"]
                if folder is not None:
                    _checkpoint(folder, result)
                    say("saved checkpoint")
            bar.update(1)
            if interrupt.asked:
                raise KeyboardInterrupt

        history = train(
            model,
            (epoch() for _ in range(args.n_epochs)),
            validation,
            optimizer_of(model, args),
            args.gamma,
            weight,
            bos,
            args.reset_patience,
            after,
        )
        result.interrupted = interrupt.asked
    facts["seconds"] = time.process_time() - start
    for split in data:
        result.final[split] = evaluate(model, batches(split), weight, bos)
    say(f"{len(history)} epochs in {facts['seconds']:.1f} processor seconds{' (stopped)' * result.interrupted}")
    for split, found in result.final.items():
        say(f"{split}: loss {found['loss']:.4f} accuracy {found['accuracy']:.4f}")
    if folder is not None:
        _write(folder, result, lines, data)
    return result


def _epoch_line(found: dict, supervised: bool) -> str:
    parts = [f"epoch {found['epoch']}: {found['seconds']:.1f} s"]
    for split in ("train", "valid"):
        loss = found[f"{split}_loss"]
        text = f"{split} loss {loss:.4f} (e^loss {math.exp(min(loss, 50)):.3f})"
        if supervised:
            text += f" sequence {found[f'{split}_sequence_loss']:.4f} attention {found[f'{split}_attention_loss']:.5f}"
        parts.append(f"{text} accuracy {found[f'{split}_accuracy']:.4f}")
    return ", ".join(parts)


def _folder(args: RunArgs) -> Path:
    """The run's folder, made. Raises CourseError where a finished run is there already."""
    stamp = "" if args.no_timestamp else datetime.now().strftime("_%Y-%m-%d_%H-%M-%S")
    folder = args.place.with_name(args.name + stamp)
    if (folder / "run.json").exists() and not args.overwrite:
        raise CourseError(f"{folder} is there already: choose another --index, or say --overwrite.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"{folder} cannot be made: {error.strerror or error}.") from None
    return folder


def _checkpoint(folder: Path, result: Trained) -> None:
    write_tensors(folder / "model.safetensors", result.model.state_dict())
    settings = {name: str(v) if isinstance(v, Path) else v for name, v in asdict(result.args).items()}
    found = {"settings": settings, "finished": bool(result.final), "interrupted": result.interrupted}
    write_json(folder / "run.json", found | {"history": result.history, "final": result.final, "facts": result.facts})


def _write(folder: Path, result: Trained, lines: list[str], data: dict[str, DataSet]) -> None:
    from . import plots

    _checkpoint(folder, result)
    for name, text in (("training_prints.txt", lines), ("dataset_prints.txt", dataset_lines(result, data))):
        write_whole(folder / name, "\n".join(text) + "\n")
    plots.training_plots(result.history, folder / "training_plots", result.args.lang)


def dataset_lines(result: Trained, data: dict[str, DataSet]) -> list[str]:
    """What is told about the data: lengths, a sample, leakage, trivial baselines, sizes of the alphabets."""
    lang, found = result.args.language, []
    for split, part in data.items():
        found.append(f"{split}: {len(part):,} sequences, mean length {part.mask.sum(1).float().mean():.1f}")
    first = data["train"]
    text = lang.write(first.tokens[0][first.mask[0]])
    found.append(f"first training sequence: {text!r} -> {' '.join(map(str, lang.decode(first.targets[0])))}")
    for split, count in result.facts["leaked"].items():
        found.append(f"{count} of the {len(data[split]):,} sequences of {split} are in the training set too")
    for rule, share in result.facts["baselines"].items():
        about = "always the most frequent class" if rule == "majority" else "for each token its most frequent class"
        found.append(f"accuracy on test without looking at other positions, {about}: {share:.4f}")
    found.append(f"{lang.vocabulary} symbols go in (with §), {len(lang.classes)} classes come out")
    return found


def load_run(folder: Path) -> Trained:
    """A saved run. Raises CourseError where it is missing or damaged."""
    found = read_json(folder / "run.json")
    try:
        settings = {**found["settings"], "folder": Path(found["settings"]["folder"]), "device": "cpu"}
        model = Tagger(args := RunArgs(**settings))
        model.load_state_dict(read_tensors(folder / "model.safetensors")[0])
        history, final, facts = found["history"], found["final"], found["facts"]
    except (KeyError, TypeError, RuntimeError):
        raise CourseError(f"{folder} is damaged: its settings and weights don't belong together.") from None
    return Trained(args, model.eval(), history, final, facts, found.get("interrupted", False))
