"""The program of chapter 1: a GPT-2-style transformer from scratch."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from utils.ch1.shipped import for_writing
from utils.ch1.text import FOLDER, ngram_levels
from utils.course import CourseError
from utils.train import command_line, generator, parse_command, run_command, set_aside

from . import controls
from .beam import beam_search
from .checkpoints import load_checkpoint, save_checkpoint
from .config import TrainingArgs, TransformerConfig, preset
from .data import load_corpus, write_works
from .evaluation import evaluate, quality
from .gpt2 import pretrained_gpt2
from .sampling import apply_frequency_penalty, apply_temperature, greedy, sample_top_k, sample_top_p
from .text_data import load_text_data, tokenise
from .trainer import PROMPT, RUN_FILES, Trainer, continuation, prompt_tokens
from .variants import Variant

Flat = tyro.conf.OmitArgPrefixes
PROGRAM = "python -m solutions.ch1_transformer_from_scratch"


@dataclass
class Train:
    """Train a model on text; a bare `train` takes the embedded text and a minute or two."""

    config: Annotated[TransformerConfig, Flat]
    training: Annotated[TrainingArgs, Flat]
    preset: Literal["notebook", "gpt2"] = "notebook"  # which defaults the options below have
    dataset: str = "embedded"  # "embedded" (Shakespeare), "python", a file, a folder, or a hub data set
    tokenizer: Literal["auto", "bpe", "gpt2"] = "auto"  # auto: gpt2 for a hub data set, else a BPE trained on the text
    variant: Variant = "base"  # the model, or a control: without positional embedding, without causal mask
    output: Path = Path("runs/ch1")  # folder for the model, its metrics and what is needed to resume
    resume: bool = False  # continue the run in that folder
    fast: bool = True  # train the fused form of the model (same function, same files)
    half: bool = False  # also write model-half.safetensors in float16, for shipping
    threads: int | None = None  # CPU threads; none: torch's choice

    def run(self) -> int:
        if self.threads is not None:
            _positive("threads", self.threads)
            torch.set_num_threads(self.threads)
        data = load_text_data(self.config, self.dataset, self.tokenizer, self.training.num_processes)
        settings = {"dataset": self.dataset, "command": command_line(PROGRAM)}
        trainer = Trainer(self.config, self.training, data, self.output, self.variant, self.fast, self.resume, settings)
        print(
            f"{sum(p.numel() for p in trainer.model.parameters()):,} parameters on {self.config.device}, "
            f"{data.train.numel():,} tokens of {data.name} to train on, {data.held_out.numel():,} held out"
        )
        finished = trainer.run()
        if self.half:
            path = self.output / "model.json"
            shipped = {k: v for k, v in json.loads(path.read_text(encoding="utf-8")).items() if k != "config"}
            save_checkpoint(self.output / "model-half", trainer.model, data.tokenizer, shipped, torch.float16)
        if not finished:
            print(f"stopped after step {trainer.step} of {trainer.steps}; continue with --resume", file=sys.stderr)
            return 130
        measured = evaluate(trainer.model, data.held_out)
        print(f"held-out loss {measured['loss']:.3f} nats a token, accuracy {measured['accuracy']:.1%}")
        print(trainer.sample())
        return 0


@dataclass
class Sample:
    """Continue a prompt with a trained model."""

    checkpoint: str = "base"  # a shipped one (base, small, no_positions, no_mask), a saved one, or the folder of a run
    prompt: str = PROMPT  # the text to continue
    max_new_tokens: int = 100
    method: Literal["greedy", "top-k", "top-p", "beam"] = "top-p"  # how each token is chosen
    temperature: float = 0.8  # for top-k and top-p: below 1 careful, above 1 daring
    k: int = 40  # top-k: draw among this many of the likeliest tokens
    p: float = 0.95  # top-p: draw among the likeliest tokens that together have this probability
    frequency_penalty: float = (
        0.0  # subtracted from a token's logit for every time it has occurred (not by beam search)
    )
    beams: int = 4  # texts that beam search keeps alive
    no_repeat_ngram: int | None = None  # beam search: never repeat this many tokens in a row; none: repeats are allowed
    seed: int = 0

    def run(self) -> int:
        for name in ("max_new_tokens", "temperature", "k", "p", "beams"):
            _positive(name, getattr(self, name))
        if self.no_repeat_ngram is not None:
            _positive("no_repeat_ngram", self.no_repeat_ngram)
        found = load_checkpoint(self.checkpoint)
        if self.method == "beam":
            prompt = prompt_tokens(found.model, found.tokenizer, self.prompt)
            for tokens, score in beam_search(
                for_writing(found.model), prompt, self.beams, self.max_new_tokens, self.no_repeat_ngram
            ):
                print(f"log-probability {score:.2f}: {found.tokenizer.decode(tokens.tolist())}")
            return 0
        print(continuation(found.model, found.tokenizer, self.prompt, self.max_new_tokens, self._sampler(found)))
        return 0

    def _sampler(self, found) -> Callable[[torch.Tensor], int]:
        """The chosen way from logits to a token; it remembers what it chose, for the frequency penalty."""
        draws = generator(self.seed)
        tokens = prompt_tokens(found.model, found.tokenizer, self.prompt).cpu()

        def sample(logits: torch.Tensor) -> int:
            nonlocal tokens
            logits = apply_frequency_penalty(tokens, logits.cpu(), self.frequency_penalty)
            if self.method == "greedy":
                chosen = greedy(logits)
            elif self.method == "top-k":
                chosen = sample_top_k(apply_temperature(logits, self.temperature), self.k, draws)
            else:
                chosen = sample_top_p(apply_temperature(logits, self.temperature), self.p, draws)
            tokens = torch.cat([tokens, torch.tensor([chosen])])
            return chosen

        return sample


@dataclass
class Evaluate:
    """Held-out loss and accuracy of a trained model, beside models that only count."""

    checkpoint: str = "base"  # a shipped one, a saved one, or the folder of a run
    dataset: str = "embedded"  # as for train
    num_processes: int = 1  # processes that tokenise a large text

    def run(self) -> int:
        found = load_checkpoint(self.checkpoint)
        data = load_text_data(found.config, self.dataset, found.tokenizer, self.num_processes)
        measured = evaluate(found.model, data.held_out)
        print(f"held-out text: {data.held_out.numel():,} tokens of {data.name}")
        levels = ngram_levels(data.train, data.held_out, found.config.vocabulary_size)
        for name, loss in {**levels, self.checkpoint: measured["loss"]}.items():
            name = f"log V, V = {found.config.vocabulary_size}" if name == "uniform" else name
            print(f"{name:24} {loss:7.3f} nats a token")
        print(f"{'accuracy':24} {measured['accuracy']:7.1%}")
        return 0


@dataclass
class Quality:
    """Is a model worth shipping? Its loss beside counting models, the real words it writes, and its heads."""

    checkpoint: str = "base"  # a shipped one, a saved one, or the folder of a run
    dataset: str = "embedded"  # as for train
    seeds: int = 3  # how many texts to write, one per seed

    def run(self) -> int:
        _positive("seeds", self.seeds)
        found = load_checkpoint(self.checkpoint)
        corpus = load_corpus(self.dataset)
        data = tokenise(corpus, found.tokenizer, found.config)
        result = quality(found.model, data, corpus.train, self.seeds)
        margin = result["levels"]["4-gram"] - result["loss"]
        print(f"held-out loss {result['loss']:.3f} nats a token, {margin:.3f} below the 4-gram")
        print("words that are words of the text: " + ", ".join(f"{share:.1%}" for share in result["words"]))
        for name in ("previous_token", "induction", "induction_control"):
            head, score = result[name]
            print(f"{name.replace('_', ' '):18} head {head}: {score:.3f}")
        return 0


@dataclass
class Text:
    """Pack the plays and poems of the unpacked package shakespeare 0.6 into the file that the course ships."""

    folder: Path  # the unpacked package
    output: Path = FOLDER  # where shakespeare.txt.gz and shakespeare.json go

    def run(self) -> int:
        print(f"{write_works(self.folder, self.output):,} characters written to {self.output}")
        return 0


@dataclass
class FromGpt2:
    """Load GPT-2's own weights into our model, save it, and continue a prompt."""

    name: str = "gpt2"  # a name on the hub (needs a network once), or a folder that holds such a model
    output: Path | None = Path("runs/ch1/gpt2")  # folder to save it in (the notebook looks there); none: not saved
    prompt: str = PROMPT  # the text to continue
    max_new_tokens: int = 40

    def run(self) -> int:
        _positive("max_new_tokens", self.max_new_tokens)
        model, tokenizer = pretrained_gpt2(self.name)
        if self.output is not None:
            if (self.output / "metrics.jsonl").is_file():  # of a model that somebody trained
                set_aside(self.output, RUN_FILES)
            save_checkpoint(self.output / "model", model, tokenizer, {"command": command_line(PROGRAM)})
        print(continuation(model.eval(), tokenizer, self.prompt, self.max_new_tokens, greedy))
        return 0


@dataclass
class Controls:
    """What the mask and the positions are good for: a small model compared with the same one without each of them."""

    names: tuple[str, ...] = field(default_factory=lambda: controls.NAMES)  # checkpoints, by name or path

    def run(self) -> int:
        first = load_checkpoint(self.names[0])
        data = load_text_data(first.config, "embedded", first.tokenizer)
        for name, result in controls.compare(data, {name: name for name in self.names}).items():
            print(name)
            for what, value in result.items():
                text = ", ".join(f"{v:.3f}" for v in value) if isinstance(value, list) else f"{value:.3f}"
                print(f"  {what:18} {text}")
        return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for what the user can correct, 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    config, training = preset(_preset(arguments))
    commands = {
        "train": Train(config, training),
        "sample": Sample(),
        "evaluate": Evaluate(),
        "quality": Quality(),
        "from-gpt2": FromGpt2(),
        "controls": Controls(),
        "text": Text(Path(".")),
    }
    says = {name: type(command).__doc__ for name, command in commands.items()}
    commands = tyro.extras.subcommand_type_from_defaults(commands, descriptions=says, prefix_names=False)
    return parse_command(commands, arguments, PROGRAM, __doc__).run()


def _preset(arguments: list[str]) -> str:
    """The value of --preset, needed before the defaults of all other options are known; tyro reports a wrong one."""
    for at, argument in enumerate(arguments):
        if argument.startswith("--preset"):
            value = argument.partition("=")[2] or "".join(arguments[at + 1 : at + 2])
            return value if value in ("notebook", "gpt2") else "notebook"
    return "notebook"


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise CourseError(f"{name} must be above zero, but it is {value}.")
