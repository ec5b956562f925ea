"""Grade one course notebook by running it once: what each exercise's status is, and the sentence that says why."""

import time
from dataclasses import dataclass

from utils import course
from utils.chapter import Exercise, load_chapter
from utils.grade.kernel import Kernel, Reply
from utils.grade.notebook import Cell, CourseNotebook
from utils.grade.status import Status

CELL_TIMEOUT = 60.0
IMPORT_TIMEOUT = 180.0  # importing torch on a busy machine takes a while
NOTEBOOK_TIMEOUT = 900.0
MAX_STARTS = 4

STATUSES = {  # exception classes of utils.learn.grading, as the kernel's reply names them
    "Missing": Status.MISSING,
    "NotAttempted": Status.NOT_ATTEMPTED,
    "Unfinished": Status.UNFINISHED,
    "Wrong": Status.WRONG,
    "Skipped": Status.SKIPPED,
    "Blocked": Status.BLOCKED,
}


@dataclass(frozen=True)
class Grade:
    """The verdict on one exercise; `says` is one sentence, empty for full marks."""

    status: Status
    says: str = ""


class NotebookRun:
    """One execution of a notebook in one kernel; exercises are graded in it as they are asked for.

    A cell that kills the kernel, or loops on through an interrupt, is left out and what the exercises rest on is run
    again in a fresh kernel, a few times at most.
    """

    def __init__(
        self,
        notebook: CourseNotebook,
        seed: int = 1,
        cell_timeout: float = CELL_TIMEOUT,
        notebook_timeout: float = NOTEBOOK_TIMEOUT,
    ):
        self.notebook, self.seed, self.cell_timeout = notebook, seed, cell_timeout
        self.kernel: Kernel | None = None
        self.replies: dict[int, Reply] = {}
        self.grades: dict[str, Grade] = {}
        self.left_out: set[int] = set()
        self.removed: list[str] = []  # exercises whose code cost a kernel or a time-out while it was graded
        self.blocked = ""
        self.notebook_timeout = notebook_timeout
        self.end: float | None = None
        self.cell_seconds = 0.0

    def grade(self, exercise: Exercise) -> Grade:
        """The verdict on one exercise. Runs the notebook when that is first needed."""
        if exercise.name not in self.grades:
            self.grades[exercise.name] = self._static(exercise) or self._dynamic(exercise)
        return self.grades[exercise.name]

    def close(self) -> None:
        if self.kernel is not None:
            self.kernel.close()

    def _static(self, exercise: Exercise) -> Grade | None:
        """What reading alone decides: a definition that does not parse; nothing attempted anywhere."""
        definition = self.notebook.definitions.get(exercise.name)
        if definition and definition.source is None:
            line, message = definition.cell.error
            return Grade(
                Status.SYNTAX_ERROR,
                f"the cell that defines {exercise.name} is not valid Python (line {line}: {message}).",
            )
        if self._untouched():
            return Grade(Status.NOT_ATTEMPTED, f"{exercise.name} is still the stub: nothing is written yet.")
        return None

    def _untouched(self) -> bool:
        """Whether every exercise is still its stub (or does not parse) and nothing was skipped: no need to run it."""
        found = self.notebook.definitions
        if any(cell.skips for cell in self.notebook.cells) or any(e.name not in found for e in self.notebook.exercises):
            return False
        return all(found[e.name].source is None or self._is_stub(e.name) for e in self.notebook.exercises)

    def _is_stub(self, name: str) -> bool:
        from utils.chapter import is_stub

        try:
            return is_stub(self.notebook.definitions[name].source, self.notebook.chapter, name)
        except course.CourseError:  # no stub to compare with
            return False

    def _dynamic(self, exercise: Exercise) -> Grade:
        if self.kernel is None and not self.blocked:
            self._run()
        definition = self.notebook.definitions.get(exercise.name)
        fate = self.replies.get(definition.cell.index) if definition else None
        if fate and fate.status in ("timeout", "stuck"):
            limit = self._limit(definition.cell)
            return Grade(Status.TIMED_OUT, f"the cell that defines {exercise.name} did not end within {limit:.0f} s.")
        if fate and fate.lost:
            return Grade(Status.CRASHED, f"the cell that defines {exercise.name} ended the kernel.")
        for need in exercise.needs:  # one that hangs or crashes is found in its own name, and taken out
            if not self.blocked:
                self.grade(load_chapter(self.notebook.chapter).exercise(need))
        if self.blocked:
            return Grade(Status.BLOCKED, self.blocked)
        grade = self._ask(exercise)
        if fate and fate.status == "error" and grade.status not in (Status.FULL, Status.SKIPPED):
            if fate.ename == "NotImplementedError":
                return grade
            return Grade(Status.WRONG, f"the cell that defines {exercise.name} raises {fate}.")
        return grade

    def _ask(self, exercise: Exercise) -> Grade:
        name, chapter = exercise.name, self.notebook.chapter
        limit = max(self.cell_timeout, exercise.timeout or 0)
        call = f"grade_exercise({chapter!r}, {name!r}, {self.seed})"
        reply = self._evaluate(f'__import__("utils.learn.grading", fromlist=["grade_exercise"]).{call}', limit)
        if self.blocked:
            return Grade(Status.BLOCKED, self.blocked)
        if reply.ok:
            return Grade(Status.FULL)
        if reply.ename in STATUSES:
            return Grade(STATUSES[reply.ename], str(reply).partition(": ")[2])
        if reply.status == "error":
            why = str(reply).removeprefix("CourseError: ")
            return Grade(Status.BLOCKED, f"{name} could not be graded: {why}")
        self._take_out(name, reply)
        if reply.status == "dead":
            return Grade(Status.CRASHED, f"{name} ended the kernel while it was being graded.")
        return Grade(Status.TIMED_OUT, f"{name} did not end within {limit:.0f} s while it was being graded.")

    def _take_out(self, name: str, reply: Reply) -> None:
        """Remove an object that hangs or kills, so that exercises built on it are graded with the reference's."""
        self.removed.append(name)
        if reply.lost:
            self._again()
        else:
            self._evaluate(_without(name), INTERNAL)

    def _run(self) -> None:
        self.kernel = Kernel(self.notebook.path.parent, self.notebook.chapter)
        self.end = time.monotonic() + self.notebook_timeout
        everything = [cell for cell in self.notebook.cells if cell.source.strip()]
        if self._pass(everything):
            return
        self._again()

    def _again(self) -> None:
        """A fresh kernel with the cells that the definitions rest on, until none of them takes the kernel down."""
        needed = self.notebook.needed()
        while not self.blocked:
            if self.kernel.starts >= MAX_STARTS:
                self.blocked = (
                    f"the notebook was given up: it made a restart of the kernel necessary {MAX_STARTS} times."
                )
            elif self._pass([cell for cell in self.notebook.cells if cell.index in needed - self.left_out]):
                return

    def _pass(self, cells: list[Cell]) -> bool:
        """Run these cells in a fresh kernel; False when one cost the kernel. That one is left out from then on.

        So is one that timed out.
        """
        try:
            self.kernel.start()
        except course.CourseError as error:
            self.blocked = str(error)
            return True
        if not any(cell.sets_up for cell in self.notebook.cells):
            self._evaluate(SET_UP, IMPORT_TIMEOUT)
        for cell in cells:
            reply = self._execute(cell)
            self.replies[cell.index] = reply
            if self.blocked:
                return True
            if reply.lost or reply.status == "timeout":
                self.left_out.add(cell.index)
            if reply.lost:
                return False
            if self._is_set_up(cell) and not reply.ok:
                why = str(reply) if reply.status == "error" else f"it did not end within {IMPORT_TIMEOUT:.0f} s"
                self.blocked = f"the set-up cell failed: {why}."
                return True
        for name in self.removed:
            self._evaluate(_without(name), INTERNAL)
        return True

    def _limit(self, cell: Cell) -> float:
        """Seconds a cell may take: more than the default only as far as the trusted chapter gives any cell more."""
        if self._is_set_up(cell) or cell.only_imports:
            return IMPORT_TIMEOUT
        mark = cell.metadata.get("course")
        claim = mark.get("timeout") if isinstance(mark, dict) else None
        claim = float(claim) if isinstance(claim, (int, float)) else 0.0
        chapter = load_chapter(self.notebook.chapter)
        trusted = [c.timeout or 0.0 for c in chapter.cells] + [e.timeout or 0.0 for e in chapter.exercises]
        same = [c.timeout or 0.0 for c in chapter.cells if c.kind == "code" and c.source.strip() == cell.source.strip()]
        own = [e.timeout or 0.0 for e in chapter.exercises if e.name in cell.binds]
        return max([self.cell_timeout, min(claim, max(trusted, default=0.0)), *same, *own])

    def _is_set_up(self, cell: Cell) -> bool:
        """Whether nothing works without this cell; one merged with an exercise's definition is judged as that."""
        return cell.sets_up and all(found.cell is not cell for found in self.notebook.definitions.values())

    def _execute(self, cell: Cell) -> Reply:
        start = time.monotonic()
        reply = self._within(self._limit(cell), lambda limit: self.kernel.execute(cell.to_run(), limit))
        self.cell_seconds += time.monotonic() - start
        return reply

    def _evaluate(self, expression: str, limit: float) -> Reply:
        return self._within(limit, lambda limit: self.kernel.evaluate(expression, limit))

    def _within(self, limit: float, act) -> Reply:
        """Do it within its own limit and what is left for the whole notebook."""
        left = self.end - time.monotonic()
        if left <= 0:
            self.blocked = f"the notebook as a whole took more than {self.notebook_timeout:.0f} s."
            return Reply("timeout")
        return act(min(limit, left))


INTERNAL = 20.0
SET_UP = (  # what `from utils.learn import *` does, for a notebook that lost its set-up cell
    '(lambda learn: __import__("__main__").__dict__.update({name: getattr(learn, name) for name in learn.__all__}))'
    '(__import__("utils.learn", fromlist=["check"]))'
)


def _without(name: str) -> str:
    return f'__import__("__main__").__dict__.pop({name!r}, None)'
