"""RASP's text form, run: expressions become s-ops and selectors of the Python form (chapter 3).

Source: the interpreter of Weiss et al. 2021; what it does with names, files and errors is done here, too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lark import Tree

from . import language, library
from .analysis import steps
from .language import Selector, SOp, selector_width
from .reading import statements
from .values import COMPARISONS, RaspError, read_input

CONSTANTS = {
    "tokens_asis": language.tokens_asis,
    "tokens_str": language.tokens_str,
    "tokens_int": language.tokens_int,
    "tokens_float": language.tokens_float,
    "tokens_bool": language.tokens_bool,
    "indices": language.indices,
    "True": True,
    "False": False,
}
RESERVED = {
    *["if", "else", "not", "and", "or", "out", "def", "return", "range", "for", "in", "zip", "len", "get"],
    *CONSTANTS,
}
LIBRARY = {
    "length": language.length(),
    "full_s": language.full_s,
    "selector_width": (("sel",), selector_width),
    "has_focus": (("sel",), library.has_focus),
    "count": (("seq", "atom"), library.count),
    "contains": (("seq", "atom"), library.contains),
    "max": (("a", "b"), library.maximum),
    "min": (("a", "b"), library.minimum),
    "average": (("a",), library.average),
    "load_from_location": (("seq", "location"), library.load_from),
    "shift": (("seq", "n", "filler"), library.shift),
    "mark_last_instance": (("seq", "val"), library.mark_last),
    "mark_first_instance": (("seq", "val"), library.mark_first),
    "select_from_last": (("seq", "val"), library.select_from_last),
    "select_from_first": (("seq", "val"), library.select_from_first),
    "sort": (("seq", "key"), library.sort),
    "select_next_identical": (("seq",), library.select_next_identical),
}
BASE = {id(value) for value in [*CONSTANTS.values(), *LIBRARY.values(), language.tokens]}


NAMES = {
    "**": "( {0} pow {1} )",
    "~": "( not {0} )",
    "&": "( {0} and {1})",
    "|": "( {0} or {1})",
    "indicator": "I({0})",
    "where": "{1} if {0} else {2}",
}


class Failure(RaspError):
    """A statement that cannot be carried out, as the original words it: the statement is ignored."""

    def at(self, step) -> "Failure":
        return self


class Function:
    """A function of the text form; it looks up names when it is called, in the place where it was defined."""

    def __init__(self, name: str, names: tuple[str, ...], run: Callable, home: str):
        self.name, self.names, self.run, self.home = name, names, run, home

    def __str__(self) -> str:
        return f"{self.home} function: {self.name}({', '.join(self.names)})"


class Names:
    """Variables by name: those set here, then those of `above`. `also` gets every name that is not private.

    `inner`: the names within a function or a comprehension, which may hide those of the library.
    """

    def __init__(
        self, above: "Names | None" = None, home: str = "console", also: "Names | None" = None, inner: bool = False
    ):
        self.above, self.home, self.also, self.inner = above, home, also, inner
        self.values: dict[str, object] = {}

    def get(self, name: str):
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in self.values:
            return self.values[name]
        if self.above is None:
            raise Failure(f"Error: Undefined variable: {name}")
        return self.above.get(name)

    def set(self, name: str, value) -> None:
        if name in RESERVED or (name in LIBRARY and not self.inner):
            raise Failure(f"Error: Cannot set reserved name: {name}")
        self.values[name] = value
        if self.also is not None and not name.startswith("_"):
            self.also.set(name, value)


def base_names() -> Names:
    """What every program and every loaded file starts from."""
    base = Names(home="library")
    for name, value in LIBRARY.items():
        base.values[name] = Function(name, *value, home="library") if isinstance(value, tuple) else value
    base.values["tokens"] = language.tokens_str
    return base


class Interpreter:
    """Carries out statements. Every new s-op is tried on `example`, so that its errors show at once.

    `folder`: where files to load are looked for, too; `drawn(sop, x)` is called for each draw statement, and `command`
    for a line such as `full seq display on` in a loaded file; it returns False where the file ends there.
    """

    command: Callable[[str], bool] = staticmethod(lambda text: not text.startswith(("exit", "quit")))

    def __init__(self, folder: Path = Path("."), drawn: Callable | None = None):
        self.example, self.selector_example = "hello", "hello"
        self.names = Names(base_names())
        self.folder, self.drawn = folder, drawn
        self.loading: list[Path] = []
        self.results: list[list[tuple[str | None, object]]] = []
        self.backups: list = []
        self.tried: dict[str, tuple[dict, list]] = {}

    def run(self, tree: Tree, names: Names | None = None) -> list[tuple[str | None, object]]:
        """Carry out one statement; returns what it made, as (name, value) pairs. Raises RaspError."""
        names = names or self.names
        kind, parts = tree.data, tree.children
        if kind == "expression":
            value = self.value(parts[0], names)
            if parts[0].data == "call" and isinstance(value, Value):
                return [(None, value)]
            name = str(parts[0].children[0]) if parts[0].data == "variable" else "out"
            return [(name, value)]
        if kind == "assign":
            return self._assign(parts, names)
        if kind == "define":
            return self._define(parts, names)
        if kind == "loop":
            self._loop(parts, names)
            return []
        if kind == "load":
            return self._load(str(parts[0])[1:-1], names)
        if kind == "set_example":
            self._set_example(str(parts[0] or ""), self.value(parts[1], names))
            return []
        return self._draw(parts, names)

    def _assign(self, parts, names: Names) -> list:
        targets = [str(name) for name in parts[0].children]
        values = [self.value(part, names) for part in parts[1].children]
        values = values[0] if len(values) == 1 else values
        if len(targets) == 1:
            values = [values]
        elif not hasattr(values, "__len__") or isinstance(values, SOp) or len(values) != len(targets):
            count = len(values) if hasattr(values, "__len__") else 1
            raise Failure(f"expected {len(targets)} values, but got: {count}")
        for name, value in zip(targets, values, strict=True):
            names.set(name, value)
            self._label(value, name)
        return list(zip(targets, values, strict=True))

    def _label(self, value, name: str) -> None:
        if isinstance(value, SOp) and id(value) not in BASE:
            value.named(name)

    def _define(self, parts, names: Names) -> list:
        name, arguments, *body, result = parts
        arguments = tuple(map(str, arguments.children)) if arguments else ()

        def run(*values):
            inner = Names(names, names.home + "'", inner=True)
            for argument, value in zip(arguments, values, strict=True):
                inner.set(argument, value)
            for statement in body:
                self.run(statement, inner)
            found = [self.value(part, inner) for part in result.children]
            return found[0] if len(found) == 1 else found

        function = Function(str(name), arguments, run, names.home)
        names.set(str(name), function)
        return [(str(name), function)]

    def _each(self, targets, iterable, names: Names, what: str) -> Iterator[None]:
        if not isinstance(iterable, (list, dict)):
            raise Failure(f"{what} needs a list or dict to loop over, but got: {describe(iterable)}")
        targets = [str(target) for target in targets.children]
        for item in iterable:
            if len(targets) == 1:
                names.set(targets[0], item)
            elif isinstance(item, (list, str, dict)) and len(item) == len(targets):
                for target, value in zip(targets, item, strict=True):
                    names.set(target, value)
            else:
                raise Failure(f"iterating with {len(targets)} names, but got: {describe(item)}")
            yield

    def _loop(self, parts, names: Names) -> None:
        targets, iterable, *body = parts
        for _ in self._each(targets, self.value(iterable, names), names, "a for loop"):
            for statement in body:
                self.run(statement, names)

    def _load(self, name: str, names: Names) -> list:
        file = self._file(name)
        if file in self.loading:
            raise Failure(f"{name} loads itself, directly or through another file")
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise Failure(f"could not find file: {name if name.endswith('.rasp') else name + '.rasp'}") from None
        inner = Names(base_names(), name, also=names)
        made: list[tuple[str | None, object]] = []
        self.loading.append(file)
        try:
            for statement in statements(text):
                if statement.command:
                    if not self.command(statement.command):
                        break
                    continue
                try:
                    made += self.run(statement.tree(), inner)
                except RaspError as error:  # like the original, go on with the next statement
                    place = "" if str(error).startswith("line ") else f"line {statement.line}: "
                    made.append((None, Failure(f"{file.name}, {place}{error}")))
        finally:
            self.loading.pop()
        kept = [
            (key, value)
            for key, value in made
            if isinstance(value, Failure) or (key and not key.startswith("_") and key != "out")
        ]
        last = {key: i for i, (key, _) in enumerate(kept)}
        return [(key, value) for i, (key, value) in enumerate(kept) if key is None or last[key] == i]

    def _file(self, name: str) -> Path:
        path = Path(name if name.endswith(".rasp") else name + ".rasp")
        places = [Path("."), *([self.loading[-1].parent] if self.loading else []), self.folder]
        return next((place / path for place in places if (place / path).is_file()), path)

    def _set_example(self, subset: str, value) -> None:
        value = value.values if isinstance(value, Value) else value
        read_input(value)
        if subset != "selector":
            self.example = value
        if subset != "s-op":
            self.selector_example = value

    def _draw(self, parts, names: Names) -> list:
        x = self.value(parts[1], names) if len(parts) > 1 and parts[1] is not None else self.example
        with self._instead(x):
            sop = self.value(parts[0], names)
        if not isinstance(sop, SOp) or isinstance(sop, Selector):
            raise Failure(f"draw expects an s-op, got: {describe(sop)}")
        found = Value(sop, x, self.apply(sop, x))
        if self.drawn is not None:
            self.drawn(sop, x)
        return [(None, found)]

    @contextmanager
    def _instead(self, x) -> Iterator[None]:
        """Within the block an s-op may fail on the example if it runs on x."""
        self.backups.append(x)
        try:
            yield
        finally:
            self.backups.pop()

    def apply(self, step: SOp, x):
        """A step's value on an input, as lists; what was computed for the same input before is used again."""
        items = read_input(x)
        key = repr(items)
        if key not in self.tried:
            if len(self.tried) > 8:
                self.tried.pop(next(iter(self.tried)))
            self.tried[key] = ({}, [])
        memo, kept = self.tried[key]
        kept.append(step)  # keeps the step, and so its id, in use
        if id(step) not in memo and any(hasattr(part, "parts") and id(part) not in memo for part in step.parts):
            for part in steps(step):  # one after the other: a long program would nest too deeply
                part.value(items, memo)
        value = step.value(items, memo)
        return value.tolist() if isinstance(step, Selector) else list(value)

    def _try(self, value):
        """Run a new step on the example (or the input that it is made for), for its errors."""
        if isinstance(value, SOp):
            for x in reversed(self.backups):
                try:
                    self.apply(value, x)
                    return value
                except RaspError:
                    continue
            self.apply(value, self.example)
        return value

    def value(self, tree: Tree, names: Names):
        """The value of an expression. Raises RaspError."""
        from .expressions import evaluate

        value = self._try(evaluate(self, tree, names))
        names.values["out"] = value.x if isinstance(value, Value) else value  # as the original has it
        return value


class Value:
    """What an s-op or a selector gave on an input."""

    def __init__(self, step: SOp, x, values: list):
        self.step, self.x, self.values = step, x, values


def describe(value) -> str:
    """A value as messages show it."""
    if isinstance(value, Value):
        return describe(value.values)
    if isinstance(value, SOp):
        return name_of(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(describe, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{describe(key)}: {describe(item)}" for key, item in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def name_of(value) -> str:
    """What lists and messages call a step, as the original has it: 30 letters at most."""
    if not isinstance(value, SOp):
        return str(value)
    if value.label:
        name = value.label
    elif value is language.tokens_str:
        name = "tokens"
    elif value.op != "map" or isinstance(value, Selector):
        name = value.name if not value.parts else ""
    else:
        parts = [name_of(part) for part in value.parts]
        shape = NAMES.get(value.name, "( {0} %s {1} )" if len(parts) == 2 else "( %s {0} )")
        known = value.name in NAMES or value.name in COMPARISONS or value.name in {*"+-*/%"} | {"round"}
        name = shape.replace("%s", value.name).format(*parts) if known else ""
    if 0 < len(name) <= 30:
        return name
    return "plain select" if isinstance(value, Selector) else "s-op"
