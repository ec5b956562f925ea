"""A chapter as checks and grading know it: read from the built chapter.json, never from prose or the reference.

`python -m utils.build` writes that file from chapter.md and solutions/; it holds no line of a solution.
"""

import ast
import json
from dataclasses import asdict, dataclass
from functools import cache, lru_cache

from utils import course

BUILT = "chapter.json"


@dataclass(frozen=True)
class Exercise:
    """One exercise. `help` is the ladder: (kind, label, text) in order; `module` is where the reference has it."""

    name: str
    id: str
    module: str
    goal: str
    difficulty: int
    importance: int
    minutes: int
    points: int
    needs: tuple[str, ...]
    optional: bool
    timeout: float | None
    help: tuple[tuple[str, str, str], ...]
    section: str


@dataclass(frozen=True)
class Quiz:
    """One question; `choices` holds (text, is it right, explanation)."""

    name: str
    question: str
    choices: tuple[tuple[str, bool, str], ...]


@dataclass(frozen=True)
class Given:
    """An object that the notebook shows whole, with its source."""

    name: str
    module: str
    source: str


@dataclass(frozen=True)
class Chapter:
    """A chapter: `key` "ch1", `name` its folder, `imports` its import cells, `shared` those of both its notebooks.

    `takes`: answers of other chapters that it builds on, such as "ch1.Transformer".
    """

    key: str
    name: str
    title: str
    exercises: tuple[Exercise, ...]
    quizzes: tuple[Quiz, ...]
    stubs: dict[str, str]
    imports: tuple[str, ...]
    shared: tuple[str, ...]
    given: tuple[Given, ...]
    takes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What a learner calls it: "Chapter 1", or "Start page"."""
        return "Start page" if self.key == course.START else f"Chapter {self.key.removeprefix('ch')}"

    def exercise(self, name: str) -> Exercise:
        """The exercise of that name or id. Raises CourseError, listing what there is, for another."""
        for exercise in self.exercises:
            if name in (exercise.name, exercise.id):
                return exercise
        names = ", ".join(exercise.name for exercise in self.exercises)
        raise course.CourseError(f"Chapter {self.key} has no exercise called {name!r}: it has {names}.")


def to_json(chapter: Chapter) -> str:
    """The text of chapter.json."""
    return json.dumps(asdict(chapter), indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Chapter:
    """The chapter that `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    data = json.loads(text)
    exercises = [
        Exercise(**{**e, "needs": tuple(e["needs"]), "help": tuple(map(tuple, e["help"]))}) for e in data["exercises"]
    ]
    quizzes = [Quiz(**{**quiz, "choices": tuple(map(tuple, quiz["choices"]))}) for quiz in data["quizzes"]]
    data |= {"exercises": tuple(exercises), "quizzes": tuple(quizzes)}
    data |= {key: tuple(data.get(key, ())) for key in ("imports", "shared", "takes")}
    return Chapter(**{**data, "given": tuple(Given(**given) for given in data["given"])})


@cache
def load_chapter(chapter: str) -> Chapter:
    """The built chapter given by key or name, read once. Raises CourseError where it was not built."""
    name = course.chapter_name(chapter)
    file = course.ROOT / "chapters" / name / BUILT
    try:
        return from_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise course.CourseError(f"chapters/{name}/{BUILT} is missing: run `make build`.") from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise course.CourseError(f"{file} cannot be read ({error}): run `make build`.") from None


def stub_source(chapter: str, name: str) -> str:
    """The stub of an exercise. Raises CourseError for an unknown one."""
    source = load_chapter(chapter)
    return source.stubs[source.exercise(name).name]


def is_stub(source: str, chapter: str, name: str) -> bool:
    """Whether `source` defines `name` just as the stub does, comments, docstrings and white space apart.

    False for source that isn't Python or does not define the name at all.
    """
    stub = stub_source(chapter, name)
    if "NotImplementedError" in stub and "NotImplementedError" not in source:
        return False  # seen without parsing: most answers
    mine = _definition(source, name)
    return mine is not None and mine == _definition(stub, name)


@lru_cache(maxsize=512)
def _definition(source: str, name: str) -> str | None:
    """The last top-level definition of `name`, as a dump of its AST without docstrings."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node for node in tree.body if isinstance(node, kinds) and node.name == name]
    if not found:
        return None
    for node in ast.walk(found[-1]):
        if isinstance(node, kinds) and len(node.body) > 1 and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(found[-1])
