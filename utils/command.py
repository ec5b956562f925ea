"""A command line: what its arguments ask for, and how it ends. Imports nothing heavy."""

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable
from functools import partial, wraps

from utils.course import CourseError, Unfinished


def run_command(run: Callable[[], int], kinds=(CourseError, ValueError), stopped="stopped", only_text=True) -> int:
    """The exit status of `run`: its own, 1 where it is Unfinished, 2 for what the user can put right (errors of these
    kinds, one sentence), 130 after Ctrl-C. `only_text`: arguments that aren't text in UTF-8 are refused before it.

    What the terminal's encoding cannot show or read becomes a question mark instead of ending the run.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        for argument in sys.argv[1:] if only_text else ():
            if any("\ud800" <= character <= "\udfff" for character in argument):  # how Python keeps such bytes
                raise CourseError(f"The argument {argument} is not text in UTF-8.")
        return run()
    except kinds as error:
        if done := getattr(error, "done", ""):
            print(done)
        print(error, file=sys.stderr)
        return 1 if isinstance(error, Unfinished) else 2
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return 130


def parse_command(kind, arguments: list[str] | None, prog: str, description: str | None):
    """The command of that kind which the arguments ask for; of a dict of functions, the call of one, yet to be made.

    Raises CourseError, one sentence in place of tyro's box, for arguments that make none.
    """
    import tyro  # only here: a notebook needs none

    said, columns = io.StringIO(), os.environ.get("COLUMNS")
    arguments = sys.argv[1:] if arguments is None else arguments
    if not {"-h", "--help"} & set(arguments):
        os.environ["COLUMNS"] = "9999"  # no word of the box is broken
    read = tyro.cli
    if isinstance(kind, dict):
        kind = {name: _later(function) for name, function in kind.items()}
        read = tyro.extras.subcommand_cli_from_dict
    try:
        with contextlib.redirect_stderr(said):
            return read(kind, args=arguments, prog=prog, description=description)
    except SystemExit as end:
        if end.code != 2:
            raise
    finally:
        os.environ.pop("COLUMNS", None)
        os.environ.update({} if columns is None else {"COLUMNS": columns})
    box = re.sub(r"\x1b\[[\d;]*m", "", said.getvalue()).strip().split("\n", 1)[-1]  # without its title and its colours
    box = re.sub("[╭╰].*|│", "", box)
    parts = [part for part in re.split(r"^\s*[─-]{3,}\s*$", box, flags=re.M) if part.strip()]
    says, *more = [" ".join(part.split()) for part in parts] or ["These arguments make no command"]
    says, more = says.rstrip("."), " ".join(more)
    if option := re.match("Missing value for argument '(.*)'", says):
        says = f"{option[1]} needs a value"
    elif says.startswith("Missing from "):
        says = "Missing: " + ", ".join(re.findall(r"^ {5,6}(\S+)", parts[0], flags=re.M))  # their help stands deeper
    elif kinds := re.match(r"Error parsing (\S+): no type matching (\S+) could be instantiated from \['(.*?)'\]", says):
        says = f"{kinds[1]} takes {kinds[2]}, not {kinds[3]!r}"
    elif near := re.search(r"Perhaps you meant: (--\S+)", more):
        says += f" (did you mean {near[1]}?)"
    elif there := re.search("Available subcommands: (.*?) For full", more):
        says += f" (there are {there[1]})"
    page = re.search(r"(?:run:?|see) (python .* --help)", more)
    says = says[:1].upper() + says[1:].replace(". Expected one of", ": expected one of")
    raise CourseError(f"{says}; {page[1] if page else f'{prog} --help'} lists what there is.")


def _later(function: Callable) -> Callable:
    """The same arguments; it returns the call and does not make it."""

    @wraps(function)
    def call(*arguments, **named) -> partial:
        return partial(function, *arguments, **named)

    return call
