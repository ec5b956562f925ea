"""Known wrong answers (with the sentence each is shown) and right answers written differently.

Most wrong answers are slips: small edits of one right answer. `slips` takes that answer's text once, and each slip
is a line: the sentence the learner is shown, the old text, the new text (further pairs may follow).

    slip = slips(Base, '''
        def forward(self, x):
            return x * self.w + self.b
    ''')
    NoBias = slip("the bias b is never added", " + self.b", "")

What isn't a small edit (another algorithm, state kept between calls) stays a class or function under `@wrong(...)`, and
a right answer written differently one under `@right`.
"""

import ast
import linecache
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from types import ModuleType
from typing import Any

from utils import course
from utils.grade.suite import load_file

_numbers = count()


@dataclass(frozen=True)
class Mutant:
    name: str
    obj: Any
    says: str | None  # None: a right answer

    @property
    def right(self) -> bool:
        return self.says is None


def wrong(says: str) -> Callable:
    """Mark a class or function as a wrong answer whose learner must be shown the sentence `says`."""

    def mark(obj):
        obj._mutant = says
        return obj

    return mark


def right(obj):
    """Mark a class or function as a right answer written differently."""
    obj._mutant = None
    return obj


class Slips:
    """One right answer, from which `slip(says, old, new, ...)` makes wrong ones."""

    def __init__(self, base: type | None, text: str, names: dict):
        self.base, self.text, self.names = base, textwrap.dedent(text).strip("\n"), names
        self.obj = right(self._define(self.text))

    def __call__(self, says: str, *changes: str):
        """The answer with each old text replaced by its new one, as a wrong answer that is told `says`.

        Raises ValueError unless every old text occurs exactly once (in what the changes before it left).
        """
        text = self.text
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            if text.count(old) != 1:
                raise ValueError(f"{old!r} occurs {text.count(old)} times in the right answer: a slip needs it once")
            text = text.replace(old, new)
        return wrong(says)(self._define(text))

    def _define(self, source: str):
        """Run an answer's text in a module of its own, so that `inspect` finds its source and its names."""
        names = dict(self.names)
        if self.base is not None:
            names[self.base.__name__] = self.base
            source = f"class Answer({self.base.__name__}):\n{textwrap.indent(source, '    ')}"
        defined = next(
            n.name for n in reversed(ast.parse(source).body) if isinstance(n, (ast.FunctionDef, ast.ClassDef))
        )
        module = ModuleType(f"{names['__name__']}_slip_{next(_numbers)}")
        file = f"<{module.__name__}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        vars(module).update({**names, "__name__": module.__name__, "__file__": file})
        sys.modules[module.__name__] = module
        exec(compile(source, file, "exec"), vars(module))
        return vars(module)[defined]


def slips(*answer) -> Slips:
    """`slips(text)` for a function, `slips(Base, text)` for the body of a class derived from Base.

    The text sees the names that the calling file has defined so far.
    """
    *base, text = answer
    return Slips(base[0] if base else None, text, sys._getframe(1).f_globals)


@cache
def mutants(chapter: str, name: str) -> tuple[Mutant, ...]:
    """All mutants and variants of one exercise in file order; empty where a class hand-out left them out."""
    file = course.mutants_file(chapter, name)
    if not file.is_file():
        return ()
    found = {n: obj.obj if isinstance(obj, Slips) else obj for n, obj in vars(load_file(file)).items()}
    marked = {n: obj for n, obj in found.items() if "_mutant" in getattr(obj, "__dict__", {})}
    return tuple(Mutant(n, obj, vars(obj)["_mutant"]) for n, obj in marked.items())
