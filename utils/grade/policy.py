"""What every grader decides alike: `check`, `pytest --nbmake` and `python -m utils.grade` all ask here.

Which names a notebook starts with, what a leftover skip means, what replaces an exercise that is missing or
wrong, and so what becomes of each exercise of a submission.
"""

import ast
import time
from dataclasses import dataclass, field
from functools import cache

from utils import course
from utils.chapter import is_stub, load_chapter
from utils.grade.assess import Outcome, verdict
from utils.grade.reference import quotes, reference_definition
from utils.grade.sandbox import Sandbox
from utils.grade.status import Status
from utils.grade.submission import Definition, Notebook
from utils.grade.suite import run_suite

EXERCISES = 3  # how many exercises of a notebook may use up all the time that one has, before the rest is given up
SAYS = {
    Status.NOT_ATTEMPTED: "{name} is still the stub: nothing is written yet.",
    Status.SKIPPED: "{name} was skipped: our solution took its place and earns no points.",
    Status.MISSING: "No cell of the notebook defines {name}.",
}


def says(status: Status, name: str) -> str:
    """The sentence for a status that needs no hidden test."""
    return SAYS[status].format(name=name)


@dataclass
class Verdict:
    """What became of one exercise: the outcome, each hidden test as {"name", "passed"}, what it cost."""

    outcome: Outcome
    tests: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    megabytes: float = 0.0


class Grading:
    """One submission being graded: the verdict on each exercise when it is asked for, in any order, each once.

    `cells`: (source, exercise that the build marked it as the answer to). `box`: where its code runs.
    """

    def __init__(self, cells: list[tuple[str, str]], chapter: str, seed: int, box: Sandbox):
        self.chapter, self.seed, self.box = chapter, seed, box
        self.source = load_chapter(chapter)
        self.names = [exercise.name for exercise in self.source.exercises]
        self.marks = {mark: number for number, (_, mark) in enumerate(cells, 1) if mark in self.names}
        self.notebook = Notebook([text for text, _ in cells], self.names, helper_names(), prelude=prelude(chapter))
        self.skips = skipped(self.notebook, chapter)
        self.end = time.monotonic() + EXERCISES * box.limits.total_wall
        self.done: dict[str, Verdict] = {}
        self.open: list[str] = []

    def verdict(self, name: str) -> Verdict:
        """The verdict on one exercise; those it needs come first. Raises SandboxError where no code can run."""
        if name not in self.done:
            self.open.append(name)
            try:
                found = self.before_tests(name)
                self.done[name] = Verdict(found) if found else self._run(name)
            finally:
                self.open.pop()
        return self.done[name]

    def before_tests(self, name: str) -> Outcome | None:
        """The outcome where reading alone decides it, None where hidden tests have to run."""
        error = self.notebook.broken(name)
        if error is None and not self.notebook.defines(name) and name in self.marks:
            error = self.notebook.cells[self.marks[name]].error  # `clas LayerNorm`: only the mark says what it was
        if error:
            line = f" (line {error[0]})" if error[0] else ""
            return Outcome(name, Status.SYNTAX_ERROR, f"The cell of {name} does not parse: {error[1]}{line}.")
        if not self.notebook.defines(name):
            status = Status.MISSING
        elif is_stub(self.notebook.definition(name).source, self.chapter, name):
            status = Status.NOT_ATTEMPTED
        else:
            return None
        status = Status.SKIPPED if name in self.skips else status
        return Outcome(name, status, says(status, name))

    def _run(self, name: str) -> Verdict:
        if time.monotonic() > self.end:
            text = f"The notebook as a whole took too long before {name} was reached."
            return Verdict(Outcome(name, Status.TIMED_OUT, text))
        try:
            replaced = self._stand_ins(name)
        except course.CourseError as error:
            return Verdict(Outcome(name, Status.BLOCKED, str(error)))
        found = self._judge(name, replaced)
        if found.outcome.status is Status.CRASHED:  # once more: the machine may have been out of memory for a moment
            found = self._judge(name, replaced)
        if found.outcome.status is not Status.FULL and name in self.skips:
            found.outcome.status, found.outcome.says = Status.SKIPPED, says(Status.SKIPPED, name)
        return found

    def _stand_ins(self, name: str) -> dict[str, Definition]:
        """The reference's source for every need of `name` that is not right. Raises CourseError where there is none.

        Only for what the chapter says it builds on: an answer that calls another exercise gets the learner's own.
        """
        replaced = {}
        for need in needs(self.chapter, name):
            if need in self.open or self.verdict(need).outcome.status is Status.FULL:
                continue
            if not course.have_answers(self.chapter):
                why = f"{name} builds on {need}, which is not right yet"
                raise course.CourseError(f"{why}, and no reference solution is part of this hand-out.")
            replaced[need] = reference_definition(self.chapter, need)
        return replaced

    def _judge(self, name: str, replaced: dict[str, Definition]) -> Verdict:
        with self.box.runner(self.notebook, name, replaced) as runner:
            results = run_suite(self.chapter, name, runner, self.seed)
            outcome = verdict(self.chapter, name, results, self.seed)
        own = "\n".join(cell.text for cell in self.notebook.cells)
        if quotes(outcome.says + outcome.stopped, replaced.values(), own):
            outcome.says = f"{name} failed with a message that quotes the reference, which is not shown."
            outcome.stopped = ""
        passed: dict[str, bool] = {}
        for one in results:
            passed[one.test] = passed.get(one.test, True) and one.passed
        tests = [{"name": test, "passed": ok} for test, ok in passed.items()]
        return Verdict(outcome, tests, round(runner.usage["seconds"], 3), round(runner.usage["rss"] / 2**20, 1))


@cache
def needs(chapter: str, name: str) -> tuple[str, ...]:
    """Every exercise that `name` builds on, directly or not, in the chapter's order."""
    source = load_chapter(chapter)
    found: set[str] = set()
    waiting = [*source.exercise(name).needs]
    while waiting:
        need = waiting.pop()
        if need != name and need not in found:
            found.add(need)
            waiting += source.exercise(need).needs
    return tuple(exercise.name for exercise in source.exercises if exercise.name in found)


@cache
def helper_names() -> frozenset[str]:
    """What `from utils.learn import *` brings: an answer may still mention it, left in from trying something out."""
    from utils import learn

    return frozenset(learn.__all__)


def prelude(chapter: str) -> str:
    """What replaces the cells that a learner deleted: the chapter's imports and the objects it gives whole."""
    source = load_chapter(chapter)
    return "\n\n".join([*source.imports, *source.shared, *(given.source for given in source.given)])


def skipped(notebook: Notebook, chapter: str) -> set[str]:
    """Exercises that a cell calls skip on, by name, number or object."""
    known = {key: e.name for e in load_chapter(chapter).exercises for key in (e.name, e.id)}
    found = set()
    for cell in notebook.cells[1:]:
        if cell.error or "skip" not in cell.text:
            continue
        for node in ast.walk(ast.parse(cell.text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "skip" and node.args:
                value = node.args[0]
                value = value.value if isinstance(value, ast.Constant) else getattr(value, "id", None)
                if isinstance(value, str) and value in known:
                    found.add(known[value])
    return found
