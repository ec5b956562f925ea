"""Command line of chapter 3: `run` and `prompt` for RASP's text form, and the training commands."""

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import tyro

from utils.course import CourseError
from utils.train import parse_command, run_command

from . import cli_train
from .settings import options_of

PROGRAM = "python -m solutions.ch3_rasp"


@dataclass
class Run:
    """Carry out a .rasp file and print what each statement makes, as the original interpreter does."""

    file: tyro.conf.Positional[Path]
    example: str = "hello"  # the input on which s-ops are shown
    pictures: Path = Path("comp_flows")  # folder for the pictures of draw(...)

    def run(self) -> int:
        from .console import run_file

        return run_file(self.file, self.example, self.pictures)


@dataclass
class Prompt:
    """Type RASP line by line; earlier sessions' lines come back with the arrow keys."""

    example: str = "hello"  # the input on which s-ops are shown
    pictures: Path = Path("comp_flows")  # folder for the pictures of draw(...)

    def run(self) -> int:
        from .console import prompt

        return prompt(self.example, self.pictures)


@dataclass
class Compile:
    """Turn a program into weights, check them against the program, and run them on an input.

    The program is one of the paper's by name, such as reverse, or an expression of RASP's text form.
    """

    program: tyro.conf.Positional[str]  # reverse, ..., or "aggregate(select(indices,length-1-indices,==),tokens)"
    input: str | None = None  # run the model on this, too
    vocab: str = "abc"  # the tokens, one letter each
    max_len: int = 8  # the longest input
    tries: int = 200  # random inputs to compare, beside all of up to three tokens
    pairs: tuple[str, ...] = ("()", "{}")  # the brackets of shuffle_dyck and dyck_k
    norm: Literal["none", "post", "pre"] = "none"  # put the program through layer norm
    activation: Literal["relu", "gelu"] = "relu"

    def run(self) -> int:
        from . import compiler

        model = compiler.compile_rasp(sop := self._program(), list(self.vocab), self.max_len)
        model = model if self.activation == "relu" else model.with_gelu()
        model = model if self.norm == "none" else model.with_layer_norm(self.norm)
        config = model.encoder.config
        sizes = f"residual stream {config.embedding_dimension}, MLP {config.mlp_dimension}"
        layers = f"{model.layers} layer{'s' * (model.layers != 1)}"
        print(f"{self.program}: {layers}, heads {model.heads}, {sizes}")
        if self.input is not None:
            print(" ".join(map(str, model(self.input))))
        wrong = compiler.verify(model, sop, self.tries)
        print("model and program agree on every input tried" if wrong is None else f"they differ: {wrong}")
        return 0 if wrong is None else 1

    def _program(self):
        """The s-op that was asked for. Raises CourseError for what is neither a name nor an expression."""
        from . import programs
        from .interpreter import Interpreter
        from .language import tokens
        from .reading import statements

        if self.program in PROGRAMS:
            found = getattr(programs, self.program)
            return found(tokens, list(self.pairs)) if self.program in WITH_PAIRS else found(tokens)
        if self.program.isidentifier() and self.program not in ("tokens", "indices", "length"):
            raise CourseError(f"There is no program {self.program!r} to compile: choose one of {', '.join(PROGRAMS)}.")
        if self.program.endswith(".rasp"):
            raise CourseError("compile takes an expression, and no file: write the s-op itself, in quotation marks.")
        interpreter = Interpreter()
        interpreter.example = self.vocab[: self.max_len]
        found = list(statements(self.program.rstrip("; ") + ";"))
        made = list(interpreter.run(found[0].tree())) if len(found) == 1 else []
        if len(made) != 1:
            raise CourseError("compile takes a single expression, without definitions: it has to make one s-op.")
        return made[0][1]


WITH_PAIRS = ("shuffle_dyck", "dyck_k")
PROGRAMS = ("reverse", "hist", "sort", "double_hist", "most_freq", "dyck1_ptf", *WITH_PAIRS)
COMMANDS = {"run": Run, "prompt": Prompt, "compile": Compile, **cli_train.COMMANDS}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for what the user can put right, 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(f"usage: {PROGRAM} COMMAND ..., and {PROGRAM} COMMAND --help for its options\n")
        for name, command in COMMANDS.items():
            print(f"  {name:16} {(command.__doc__ or '').splitlines()[0]}")
        return 0 if arguments else 2
    return run_command(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    name, *arguments = arguments
    if name not in COMMANDS:
        raise CourseError(f"There is no command {name!r}: choose one of {', '.join(COMMANDS)}.")
    command = COMMANDS[name]
    if name in cli_train.WITH_WORDS:
        arguments = options_of(arguments)
    arguments = with_dashes(command, arguments)
    return parse_command(command, arguments, f"{PROGRAM} {name}", command.__doc__).run()


def with_dashes(command: type, arguments: list[str]) -> list[str]:
    """`--sequence -a` as `--sequence=-a`: what follows an option for text is text, unless it is an option."""
    options = {f"--{field.name.replace('_', '-')}": field.type for field in fields(command)}
    texts = {option for option, kind in options.items() if kind in (str, str | None)}
    found: list[str] = []
    for argument in arguments:
        word = argument.partition("=")[0].replace("_", "-")
        is_option = word in {"-h", "--help", *options} or word.startswith("--no-")
        if found and argument.startswith("-") and not is_option and found[-1].replace("_", "-") in texts:
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found
