"""Known wrong answers (with the sentence each is shown) and right answers written differently."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from utils import course
from utils.grade.suite import load_file


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


@cache
def mutants(chapter: str, name: str) -> tuple[Mutant, ...]:
    """All mutants and variants of one exercise in file order; empty where a class hand-out left them out."""
    file = course.mutants_file(chapter, name)
    if not file.is_file():
        return ()
    found = vars(load_file(file)).items()
    return tuple(Mutant(n, obj, vars(obj)["_mutant"]) for n, obj in found if "_mutant" in getattr(obj, "__dict__", {}))
