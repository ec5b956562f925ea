"""One submission in the sandbox: a status, points and one sentence for each exercise."""

import ast
import time
import warnings
from dataclasses import replace
from functools import cache

from utils import course
from utils.chapter import Exercise, is_stub, load_chapter
from utils.grade.assess import Outcome, verdict
from utils.grade.classroom.assemble import Task, asked, blank, empty
from utils.grade.classroom.flags import answers_imported, flags
from utils.grade.classroom.reading import clean
from utils.grade.classroom.record import ExerciseResult, SubmissionResult
from utils.grade.extract import Definition, Notebook
from utils.grade.sandbox import Sandbox
from utils.grade.sandbox.pieces import quotes, reference_definition
from utils.grade.status import Status
from utils.grade.suite import run_suite

EXERCISES = 3  # how many exercises of a notebook may use up all the time that one has, before the rest is given up
# what `from utils.learn import *` brings and an answer may still mention, left in from trying something out
HELPERS = ("check", "hint", "reveal", "skip", "progress", "mine", "predict", "compare", "quiz", "report")
HELPERS += ("reset_exercise", "line", "heatmap", "bars", "attention_patterns", "attention_viewer", "CheckFailed")


def grade_submission(task: Task, chapter: str, seed: int, box: Sandbox, partial: bool = False) -> SubmissionResult:
    """Grade what one student handed in.

    partial: a wrong answer earns the share of its hidden tests that pass, rounded down to quarter points.
    Raises SandboxError where the sandbox itself fails; never on anything that the submission does.
    """
    started = time.monotonic()
    with warnings.catch_warnings():  # of odd literals: the learner's affair, and not for the grader's terminal
        warnings.simplefilter("ignore", SyntaxWarning)
        grading = _Grading(task, chapter, seed, box, partial)
        with box.submission(grading.notebook) as grading.submission:
            results = [grading.result(exercise.name) for exercise in grading.wanted]
    record = blank(task, chapter, seed)
    record.exercises, record.isolation = results, box.mode
    record.score = round(sum(result.points for result in results), 2)
    record.notices += grading.notices
    record.seconds = round(time.monotonic() - started, 3)
    return record


class _Grading:
    """The state of one submission: what was found in its cells, and the results so far."""

    def __init__(self, task: Task, chapter: str, seed: int, box: Sandbox, partial: bool):
        self.chapter, self.seed, self.box, self.partial = chapter, seed, box, partial
        self.source = load_chapter(chapter)
        self.names = [exercise.name for exercise in self.source.exercises]
        texts = [text for text, _ in task.cells]
        self.marks = {mark: number for number, (_, mark) in enumerate(task.cells, 1) if mark in self.names}
        self.notebook = Notebook(texts, self.names, HELPERS, prelude=prelude(chapter))
        self.wanted = asked(chapter, task.optional)
        self.skips = skipped(self.notebook, chapter)
        self.notices: list[str] = []
        self.imported: dict[str, list[str]] = {}
        self._look_at_imports()
        self.end = time.monotonic() + EXERCISES * box.limits.total_wall
        self.submission = None
        self.done: dict[str, ExerciseResult] = {}
        self.open: list[str] = []

    def _look_at_imports(self) -> None:
        for number, cell in enumerate(self.notebook.cells[1:], 1):
            for what, line in [] if cell.error else answers_imported(cell.text):
                text = f"imports {clean(what, 60)} from the course's answers (line {line} of cell {number}): for review"
                if what in self.names:
                    self.imported.setdefault(what, []).append(text)
                elif text not in self.notices and len(self.notices) < 10:
                    self.notices.append(f"The notebook {text}.")

    def result(self, name: str) -> ExerciseResult:
        """The result of one exercise; those it needs come first, each once."""
        if name not in self.done:
            self.open.append(name)
            self.done[name] = self._result(self.source.exercise(name))
            self.open.pop()
        return self.done[name]

    def _result(self, exercise: Exercise) -> ExerciseResult:
        name = exercise.name
        if before := self._before_tests(name):
            result = empty(exercise, *before)
            result.flags = self.imported.get(name, [])
            return result
        if time.monotonic() > self.end:
            return empty(
                exercise, Status.TIMED_OUT, f"The notebook as a whole took too long before {name} was reached."
            )
        definition = self.notebook.definition(name)
        found = [*self.imported.get(name, []), *flags(self.chapter, definition)]
        try:
            replaced = self._stand_ins(name)
        except course.CourseError as error:
            return replace(empty(exercise, Status.BLOCKED, str(error)), flags=found)
        outcome, tests, usage = self._judge(name, replaced)
        if outcome.status is Status.CRASHED:  # once more: the machine may have been out of memory for a moment
            outcome, tests, usage = self._judge(name, replaced)
        result = empty(exercise, outcome.status, outcome.says)
        if outcome.status is Status.FULL:
            result.points = result.max_points
        elif outcome.status is Status.WRONG and self.partial and outcome.passed:
            result.status = Status.PARTIAL
            result.points = int(4 * result.max_points * outcome.passed / outcome.total) / 4
        result.test, result.mutant, result.passed, result.total = (
            outcome.test,
            outcome.mutant,
            outcome.passed,
            outcome.total,
        )
        result.tests = tests
        result.seconds, result.megabytes = round(usage["seconds"], 3), round(usage["rss"] / 2**20, 1)
        result.flags = found
        return result

    def _before_tests(self, name: str) -> tuple[Status, str] | None:
        """Status and sentence where no hidden test has to run."""
        error = self.notebook.broken(name)
        if error is None and not self.notebook.defines(name) and name in self.marks:
            error = self.notebook.cells[self.marks[name]].error  # `clas LayerNorm`: only the mark tells what it was
        if error:
            line = f" (line {error[0]})" if error[0] else ""
            return Status.SYNTAX_ERROR, f"The cell of {name} does not parse: {error[1]}{line}."
        if not self.notebook.defines(name):
            if name in self.skips:
                return Status.SKIPPED, f"{name} was skipped: the reference took its place and earns no points."
            return Status.MISSING, f"No cell of the notebook defines {name}."
        if is_stub(self.notebook.definition(name).source, self.chapter, name):
            if name in self.skips:
                return Status.SKIPPED, f"{name} was skipped: the reference took its place and earns no points."
            return Status.NOT_ATTEMPTED, f"{name} is still the stub: nothing is written yet."
        return None

    def _stand_ins(self, name: str) -> dict[str, Definition]:
        """The reference's source for every piece of `name` that is not right. Raises CourseError where there is none.

        Only for what the chapter says it builds on: an answer that calls another exercise gets the learner's own.
        """
        replaced = {}
        for need in needs(self.chapter, name):
            if need in self.open or self.result(need).status is Status.FULL:
                continue
            if not course.have_answers(self.chapter):
                raise course.CourseError(
                    f"{name} builds on {need}, which is not right yet, and no reference solution is at hand here."
                )
            replaced[need] = reference_definition(self.chapter, need)
        return replaced

    def _judge(self, name: str, replaced: dict[str, Definition]) -> tuple[Outcome, list[dict], dict]:
        runner = self.submission.runner(name, replaced)
        try:
            results = run_suite(self.chapter, name, runner, self.seed)
            outcome = verdict(self.chapter, name, results, self.seed)
        finally:
            runner.close()
        if quotes(outcome.says, replaced.values(), "\n".join(cell.text for cell in self.notebook.cells)):
            outcome.says = f"{name} failed with a message that quotes the reference, which is not shown."
        passed: dict[str, bool] = {}
        for one in results:
            passed[one.test] = passed.get(one.test, True) and one.passed
        return outcome, [{"name": test, "passed": ok} for test, ok in passed.items()], runner.usage


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


def prelude(chapter: str) -> str:
    """What stands for the cells that a learner deleted: the chapter's imports and the objects it gives whole."""
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
