"""Gradescope's results.json: one case per exercise, the whole score on top, flags where only instructors see them."""

from pathlib import Path

from utils.grade.classroom.record import SubmissionResult
from utils.grade.exports.common import full, number, one_line, reason, title, write_each


def write(results: list[SubmissionResult], out: Path, visibility: str = "visible") -> list[Path]:
    """Write results.json (one student) or a folder of them. `visibility`: visible, after_due_date, after_published."""
    return write_each(results, out, lambda result: document(result, visibility))


def document(result: SubmissionResult, visibility: str = "visible") -> dict:
    """What results.json holds. All text is plain text: a learner wrote some of it."""
    says = [result.problem, *result.notices] if result.problem else list(result.notices)
    score, whole = number(result.score), number(result.max_score)
    says.append(f"{score} of {whole} points. Inputs were drawn from the seed {result.seed}.")
    tests = [_case(exercise, visibility) for exercise in result.exercises]
    if flags := [f"{name or 'The notebook'}: {flag}" for name, flag in result.to_look_at]:
        tests.append(
            {
                "name": "For the instructor's eye; cost no points",
                "output": "\n".join(one_line(flag) for flag in flags),
                "output_format": "text",
                "visibility": "hidden",
            }
        )
    if result.problem and not result.exercises:
        tests.append(
            {
                "name": "The submission",
                "status": "failed",
                "output": one_line(result.problem),
                "output_format": "text",
                "visibility": "visible",
            }
        )
    return {
        "score": score,
        "execution_time": round(result.seconds, 3),
        "output": "\n".join(one_line(line) for line in says if line),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "extra_data": {"chapter": result.chapter, "seed": result.seed, "isolation": result.isolation},
        "tests": tests,
    }


def _case(exercise, visibility: str) -> dict:
    return {
        "number": exercise.id,
        "name": title(exercise) + (" (optional)" if exercise.optional else ""),
        "score": number(exercise.points),
        "max_score": number(exercise.max_points),
        "status": "passed" if full(exercise) else "failed",
        "output": reason(exercise),
        "output_format": "text",
        "tags": [str(exercise.status)],
        "visibility": visibility,
        "extra_data": {"test": exercise.test, "mistake": exercise.mutant, "seconds": round(exercise.seconds, 3)},
    }
