"""RASP's text form at the prompt and from files: what is printed, the commands, the history (chapter 3)."""

import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from utils.course import CourseError
from utils.plot.rasp_steps import draw

from .interpreter import Function, Interpreter, Value, name_of
from .language import Selector, SOp
from .reading import RaspSyntaxError, Statement, statements
from .values import RaspError, kind_of, read_input

HISTORY = Path.home() / ".rasp_history"
WELCOME = """RASP. Statements end with ; and a line may be continued. Also: set example "text", show example,
examples on|off, full seq display on|off, draw(s-op, input), load "file"; and exit."""


def small(value) -> str:
    """One value as the original prints it: T and F for bools, three digits for floats."""
    if isinstance(value, bool):
        return "T" if value else "F"
    return str(round(value, 3)) if isinstance(value, float) else str(value)


def sequence(values: list) -> str:
    """A sequence as the original prints it: [h, e, l, l, o] (strings), or [5]*5 (ints) for five equal values."""
    equal = len(values) > 1 and all(value == values[0] for value in values)
    body = f"[{small(values[0])}]*{len(values)}" if equal else f"[{', '.join(map(small, values))}]"
    return f"{body} ({kind_of(values)}s)"


def quoted(value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _marks(values: list) -> list[str]:
    """The values in full; of bools only those that are rarer, as T or F, or all where both are equally frequent."""
    if kind_of(values) != "bool":
        return [str(value) for value in values]
    yes, no = values.count(True), values.count(False)
    return [("T" if yes <= no else "") if value else ("F" if no <= yes else "") for value in values]


class Console:
    """Prints what statements make, as the original does, and keeps the settings of the commands."""

    def __init__(self, interpreter: Interpreter, say: Callable[[str], None] = print):
        self.interpreter, self.say = interpreter, say
        interpreter.command = self._command
        self.show = {"s-op": True, "selector": True}
        self.full = False
        self.failed = False

    def carry_out(self, statement: Statement) -> bool:
        """Run one statement or command and print what comes of it; returns False for exit and quit."""
        if statement.command:
            return self._command(statement.command)
        try:
            tree = statement.tree()
            examples = dict(self.show)
            if tree.data == "load":
                self.show = dict.fromkeys(self.show, False)
            try:
                for name, value in self.interpreter.run(tree):
                    self.print_value(name, value)
            finally:
                self.show = examples
        except RaspError as error:
            self._say_error(error)
        except ValueError as error:  # Python writes no int of more than some thousand digits
            if "digits" not in str(error):
                raise
            self._say_error(RaspError("a number has too many digits to be printed"))
        return True

    def _say_error(self, error: RaspError) -> None:
        self.failed = True
        if isinstance(error, RaspSyntaxError):
            self.say(f"\t!! {error} \t-- ignoring input")
        elif error.reason:
            self.say(f"something went wrong: {error.reason}")
        else:
            self.say(f"\t\t!!ignoring input:\n\t {error}")

    def _command(self, text: str) -> bool:
        if re.match(r"(exit|quit)", text):
            return False
        words = text.split()
        if words[0] == "full":
            self.full = words[-1] == "on"
        elif "examples" in words:
            for kind in [words[0]] if words[0] in self.show else list(self.show):
                self.show[kind] = words[-1] == "on"
        else:
            kinds = [words[1]] if words[1] in self.show else list(self.show)
            for kind in kinds:
                x = self.interpreter.example if kind == "s-op" else self.interpreter.selector_example
                self.say(f"\t{kind} example: {quoted(x)}")
        return True

    def print_value(self, name: str | None, value, indent: str = "", before: str = "") -> None:
        """Print one result: an s-op or selector with its example, a function, a list, a dict or a value."""
        start = f"{indent} {before}   "
        if isinstance(value, RaspError):
            self._say_error(value)
        elif isinstance(value, Value):
            if isinstance(value.step, Selector):
                self.say("\t = ")
                self._matrix(value.x, value.values, "")
            else:
                self._sequence("\t = ", "", value.x, value.values, "")
        elif isinstance(value, Selector):
            self.say(f"{start} selector: {name or name_of(value)}")
            if self.show["selector"]:
                x = self.interpreter.selector_example
                self.say(f"{indent} \t Example:")
                self._matrix(x, self.interpreter.apply(value, x), indent)
        elif isinstance(value, SOp):
            name = name or name_of(value)
            self.say(f"{start} s-op: {name}")
            if self.show["s-op"]:
                x = self.interpreter.example
                values = self.interpreter.apply(value, x)
                self._sequence(f"{indent} \t Example:", f"{name}({quoted(x)}) =", x, values, indent)
        elif isinstance(value, Function):
            self.say(f"{start}     {value}")
        elif isinstance(value, (list, dict)):
            self._nested(name, value, start, indent)
        else:
            self.say(f"{start} value: {name + ' = ' if name else ''} {quoted(value)}")

    def _sequence(self, start: str, title: str, x, values: list, indent: str) -> None:
        """What an s-op gave: in one line, or below the input where the full display is on and the values differ."""
        if not self.full:
            self.say(f"{start} {title} {sequence(values)}")
        elif all(value == values[0] for value in values):
            self.say(f"{start} {title} {sequence(values)} [skipped full display: identical values]")
        else:
            self.say(start)
            rows = [str(item) for item in read_input(x)], _marks(values)
            width = max(len(cell) for row in rows for cell in row)
            for label, row, kind in zip(("input: ", "output:"), rows, ("string", kind_of(values)), strict=True):
                self.say(f"{indent} \t\t{label} {' '.join(cell.rjust(width) for cell in row)} \t ({kind}s)")

    def _nested(self, name: str | None, value, start: str, indent: str) -> None:
        kind, brackets = ("list", "[]") if isinstance(value, list) else ("dict", "{}")
        items = value if isinstance(value, list) else value.values()
        head = f"{start} {kind}: {name + ' = ' if name else ''}"
        if not any(isinstance(item, (list, dict, SOp, Function)) for item in items):
            self.say(f"{head}{value}")
            return
        self.say(f"{head} {brackets[0]}")
        for key, item in enumerate(value) if isinstance(value, list) else value.items():
            self.print_value(None, item, indent + "\t\t", "" if isinstance(value, list) else f"{quoted(key)} : ")
        self.say(f"{indent} {' ' * len(kind)}      {brackets[1]}")

    def _matrix(self, x, rows: list[list[bool]], indent: str) -> None:
        letters = [small(item) for item in read_input(x)]
        self.say(f"{indent} \t\t\t     {' '.join(letters)}")
        for letter, row in zip(letters, rows, strict=True):
            cells = (("1" if cell else "").rjust(len(other)) for cell, other in zip(row, letters, strict=True))
            self.say(f"{indent} \t\t\t {letter} | {' '.join(cells)}")


def picture_writer(folder: Path, say: Callable[[str], None] = print) -> Callable:
    """What a draw statement does here: write a page with the picture into the folder, and say where it is."""

    def write(sop: SOp, x) -> None:
        name = re.sub(r"[^\w.-]+", "_", f"{sop.label or 'out'}({''.join(small(item) for item in read_input(x))})")
        path = folder / f"{name[:80].strip('_') or 'out'}.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draw(sop, x, f"{sop.label or 'A program'} on {quoted(x)}").write(path)
        except OSError as error:
            raise CourseError(f"{folder} cannot be written: {error.strerror or error}.") from None
        say(f"\t picture: {path}")

    return write


def run_file(file: Path, example: str = "hello", pictures: Path = Path("comp_flows")) -> int:
    """Carry out a .rasp file and print what it makes; returns 2 where a statement had to be ignored, else 0.

    Raises CourseError where the file cannot be read, and for its first mistake of syntax, before anything has run.
    """
    file = file if file.exists() or file.suffix == ".rasp" else file.with_name(file.name + ".rasp")
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(f"{file} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise CourseError(f"{file} is not a text file in UTF-8.") from None
    found = statements(text)
    for statement in found:
        if not statement.command:
            try:
                statement.tree()
            except RaspSyntaxError as error:
                raise CourseError(f"{file}, {error}.") from None
    interpreter = Interpreter(file.parent, picture_writer(pictures))
    interpreter.example = interpreter.selector_example = example
    read_input(example)
    interpreter.loading.append(file)
    console = Console(interpreter)
    for statement in found:
        before, console.failed = console.failed, False
        go_on = console.carry_out(statement)
        if console.failed:
            print(
                f"{file}, line {statement.line}, column {statement.column}: this statement was ignored", file=sys.stderr
            )
        console.failed |= before
        if not go_on:
            break
    return 2 if console.failed else 0


def prompt(example: str = "hello", pictures: Path = Path("comp_flows"), lines: Iterable[str] | None = None) -> int:
    """Read statements until exit or the end of the input; `lines` in place of the keyboard. Returns 0."""
    interpreter = Interpreter(Path("."), picture_writer(pictures))
    interpreter.example = interpreter.selector_example = example
    console = Console(interpreter)
    print(f"{WELCOME}\nrunning example is: {example}")
    reader = iter(lines) if lines is not None else _keyboard()
    text = ""
    while True:
        try:
            line = next(reader) if lines is not None else input(".. " if text else ">> ")
        except (EOFError, StopIteration):
            return 0
        except KeyboardInterrupt:
            print()
            text = ""
            continue
        text += line + "\n"
        found = statements(text)
        if found and not found[-1].complete:
            continue
        text = ""
        for statement in found:
            if not console.carry_out(statement):
                return 0


def _keyboard() -> Iterable[str]:
    """Switch on line editing and the history of earlier sessions, where Python has them."""
    try:
        import atexit
        import readline

        if HISTORY.is_file():
            readline.read_history_file(HISTORY)
        readline.set_history_length(1000)
        atexit.register(_keep_history, readline)
    except (ImportError, OSError):
        pass
    return iter(())


def _keep_history(readline) -> None:
    with suppress(OSError):
        readline.write_history_file(HISTORY)
