"""One student's page: every exercise with its status, points and sentence, and what a person should look at."""

from utils.grade.classroom.record import ExerciseResult, SubmissionResult
from utils.grade.report.page import facts, frame, mark, points, table, text

ISOLATION = {
    "bubblewrap": "in a sandbox (bubblewrap)",
    "limits": "under process limits only",
    "": "nothing was run",
}


def page(result: SubmissionResult) -> str:
    """The student's page as HTML."""
    parts = [facts(score=points(result.score, result.max_score), chapter=result.chapter, seed=result.seed)]
    if result.problem:
        parts.append(f'<p class="note">{text(result.problem)}</p>')
    if result.exercises:
        head = [("Exercise", ""), ("Status", "status"), ("Points", "number"), ("What the tests say", "sentence")]
        head += [("Tests", "number")]
        parts.append("<h2>Exercises</h2>")
        parts.append(table("Every exercise with its status and points", head, [_row(e) for e in result.exercises]))
    if flags := [f"<li>{_name(e)}: {text(flag)}</li>" for e in result.exercises for flag in e.flags]:
        parts.append("<h2>For a person to look at</h2>")
        parts.append("<p>Noticed in the source. It costs no points by itself.</p>")
        parts.append(f"<ul>{''.join(flags)}</ul>")
    if result.notices:
        parts.append(
            "<h2>Notices</h2><ul>" + "".join(f"<li>{text(notice)}</li>" for notice in result.notices) + "</ul>"
        )
    parts.append("<h2>How it was graded</h2>")
    how = ISOLATION.get(result.isolation, text(result.isolation))
    parts.append(
        f"<p>From <code>{text(result.submission)}</code>, {how}, in {result.seconds:.1f} s. The inputs of the tests "
        f"were drawn from the seed {result.seed}: the same notebook with <code>--seed {result.seed}</code> gets the "
        "same marks.</p>"
    )
    return frame(f"{result.student}: chapter {result.chapter}", "\n".join(parts))


def _name(exercise: ExerciseResult) -> str:
    return text(f"{exercise.id} {exercise.name}") + (
        ' <span class="soft">(optional)</span>' if exercise.optional else ""
    )


def _row(exercise: ExerciseResult) -> list[str]:
    says = text(exercise.says)
    if exercise.mutant:
        says += f' <span class="soft">(known mistake: <code>{text(exercise.mutant)}</code>)</span>'
    elif exercise.test and str(exercise.status) != "full":
        says += f' <span class="soft">(in <code>{text(exercise.test)}</code>)</span>'
    if exercise.flags:
        says += ' <span class="bad">For a person to look at.</span>'
    tests = f"{exercise.passed} of {exercise.total}" if exercise.total else ""
    return [_name(exercise), mark(str(exercise.status)), points(exercise.points, exercise.max_points), says, tests]
