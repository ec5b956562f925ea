"""A small class of made-up results, hostile text included, for the tests of exports and reports."""

from utils.grade.classroom.record import ExerciseResult, SubmissionResult
from utils.grade.status import Status

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'& \x1b[31mred\x07 \u202egnp.exe ]]> =cmd|'C'!A0"
POINTS = (("1.1", "Embedding", 1.0), ("1.3", "LayerNorm", 2.0), ("1.5", "Attention", 4.0))
TESTS = ("test_shape", "test_values", "test_inputs_are_left_alone")


def exercise(number: str, name: str, worth: float, status: Status = Status.FULL, **more) -> ExerciseResult:
    """One exercise; of three hidden tests the first passes always, the others when the answer is right."""
    right = status is Status.FULL
    made = {
        "points": worth if right else 0.0,
        "passed": 3 if right else 1,
        "total": 3,
        "tests": [{"name": test, "passed": right or test == TESTS[0]} for test in TESTS],
        "test": "" if right else TESTS[1],
        "seconds": 0.25,
        "megabytes": 210.0,
    }
    return ExerciseResult(number, name, status, max_points=worth, **{**made, **more})


def submission(student: str, *exercises: ExerciseResult, **more) -> SubmissionResult:
    """One student's record, its scores summed; optional exercises are extra."""
    made = {
        "submission": f"{student}.ipynb",
        "chapter": "ch1",
        "seed": 123456,
        "isolation": "bubblewrap",
        "score": sum(e.points for e in exercises),
        "max_score": sum(e.max_points for e in exercises if not e.optional),
        "seconds": 3.25,
    }
    return SubmissionResult(student=student, exercises=list(exercises), **{**made, **more})


def the_class() -> list[SubmissionResult]:
    """Right, wrong, hostile, absent."""
    wrong = {"says": "The variance was divided by n-1; layer norm divides by n.", "mutant": "unbiased_variance"}
    ada = submission("ada", *(exercise(*about) for about in POINTS), exercise("1.22", "KVCache", 3.0, optional=True))
    bob = submission(
        "bob",
        exercise(*POINTS[0]),
        exercise(*POINTS[1], Status.WRONG, **wrong),
        exercise(*POINTS[2], Status.NOT_ATTEMPTED, tests=[], passed=0, total=0, test=""),
    )
    cleo = submission(
        "cleo",
        exercise(*POINTS[0], flags=["uses torch.nn.functional.embedding (line 3): for review"]),
        exercise(*POINTS[1], Status.WRONG, **wrong),
        exercise(*POINTS[2], Status.SKIPPED, tests=[], passed=0, total=0, test=""),
        flags=["imports a module from the course's answers (line 1 of cell 2): for review"],
    )
    mallory = submission(
        f"=cmd,'{HOSTILE}",
        exercise(*POINTS[0], Status.WRONG, says=HOSTILE, test=HOSTILE, mutant=HOSTILE, flags=[HOSTILE]),
        exercise(*POINTS[1], Status.TIMED_OUT, says="LayerNorm gave no answer: no answer within 60 s."),
        exercise(*POINTS[2], Status.CRASHED, says=HOSTILE, tests=[{"name": HOSTILE, "passed": False}]),
        submission=HOSTILE,
        notices=[HOSTILE],
        isolation="none",
    )
    lost = submission("zoë", problem="zoë.ipynb isn't a notebook: it is not JSON.", max_score=7.0, isolation="")
    return [ada, bob, cleo, lost, mallory]
