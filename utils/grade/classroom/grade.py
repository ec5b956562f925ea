"""One submission of a class: a status, points and one sentence for each exercise, and what a person should look at."""

import time
import warnings

from utils.chapter import Exercise
from utils.grade.classroom.assemble import Task, asked, blank, empty
from utils.grade.classroom.flags import ANSWERED, answers_imported, flags
from utils.grade.classroom.record import ExerciseResult, SubmissionResult
from utils.grade.policy import Grading
from utils.grade.sandbox import Sandbox
from utils.grade.status import Status
from utils.grade.submission import clean


def grade_submission(task: Task, chapter: str, seed: int, box: Sandbox, partial: bool = False) -> SubmissionResult:
    """Grade what one student handed in.

    partial: a wrong answer earns the share of its hidden tests that pass, rounded down to quarter points.
    Raises SandboxError where the sandbox itself fails; never on anything that the submission does.
    """
    started = time.monotonic()
    record = blank(task, chapter, seed)
    with warnings.catch_warnings():  # of odd literals: the learner's affair, and not for the grader's terminal
        warnings.simplefilter("ignore", SyntaxWarning)
        grading = Grading(task.cells, chapter, seed, box)
        imported, record.flags = _imports(grading)
        wanted = asked(chapter, task.kinds)
        record.exercises = [_result(grading, exercise, partial, imported.get(exercise.name, [])) for exercise in wanted]
    record.isolation = box.mode
    record.score = round(sum(result.points for result in record.exercises), 2)
    record.seconds = round(time.monotonic() - started, 3)
    return record


def _result(grading: Grading, exercise: Exercise, partial: bool, flagged: list[str]) -> ExerciseResult:
    verdict = grading.verdict(exercise.name)
    outcome = verdict.outcome
    text = f"{outcome.says}. {outcome.stopped}" if outcome.stopped else outcome.says
    result = empty(exercise, outcome.status, text)
    if outcome.status is Status.FULL:
        result.points = result.max_points
    elif outcome.status is Status.WRONG and partial and outcome.passed:
        result.status = Status.PARTIAL
        result.points = int(4 * result.max_points * outcome.passed / outcome.total) / 4
    result.test, result.mutant = outcome.test, outcome.mutant
    result.passed, result.total, result.tests = outcome.passed, outcome.total, verdict.tests
    result.seconds, result.megabytes = verdict.seconds, verdict.megabytes
    result.flags = list(flagged)
    if grading.before_tests(exercise.name) is None:
        result.flags += flags(grading.chapter, grading.notebook.definition(exercise.name))
    return result


def _imports(grading: Grading) -> tuple[dict[str, list[str]], list[str]]:
    """Imports of the course's answers: by the exercise that they would be, and as flags of the notebook."""
    imported: dict[str, list[str]] = {}
    others: list[str] = []
    for number, cell in enumerate(grading.notebook.cells[1:], 1):
        for what, line in [] if cell.error or not ANSWERED.search(cell.text) else answers_imported(cell.text):
            text = f"imports {clean(what, 60)} from the course's answers (line {line} of cell {number}): for review"
            if what in grading.names:
                imported.setdefault(what, []).append(text)
            elif text not in others and len(others) < 10:
                others.append(text)
    return imported, others
