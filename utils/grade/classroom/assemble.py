"""What one student handed in, as the cells to grade: several notebooks joined, or the newest of those that clash."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cache

from utils import course
from utils.chapter import Exercise, load_chapter
from utils.grade.classroom.gather import BY_A_PROGRAM, Unreadable, Work
from utils.grade.classroom.record import ExerciseResult, SubmissionResult
from utils.grade.limited import Exhausted, limited
from utils.grade.status import Status
from utils.grade.submission import about, clean, course_chapter, read_cells

LEFT_SHOWN = 5
READ_SECONDS = 60  # of the processor, for one submission


@dataclass
class Task:
    """One submission ready to be graded, in plain data: it may travel to another machine.

    `cells`: (source, exercise that the build marked it as the answer to). `problem`: why there is nothing to grade.
    `kinds`: "exercises", "optional" or both. `about`: name, time and late mark, which the record takes over.
    """

    student: str
    label: str
    digest: str
    cells: list[tuple[str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    problem: str = ""
    kinds: tuple[str, ...] = ("exercises",)
    about: dict[str, str] = field(default_factory=dict)


@dataclass
class _Read:
    name: str
    order: float
    cells: list[tuple[str, str]]
    kind: str
    defines: set[str]


def assemble(work: Work, chapter: str) -> Task:
    """Read a student's notebooks and choose what is graded; never raises on what a file holds."""
    fingerprint = hashlib.sha256(tests_digest(chapter).encode())
    notices, problems, read, others = list(work.notices), [work.problem] if work.problem else [], [], []
    left = [f"{name} {why}: not taken." for name, why in work.left if why != BY_A_PROGRAM]
    notices += left[:LEFT_SHOWN] + [f"{len(left) - LEFT_SHOWN} more files were not taken."] * (len(left) > LEFT_SHOWN)
    for piece in work.pieces:
        try:
            data = piece.read()
            fingerprint.update(hashlib.sha256(data).digest())
            cells, metadata = read_cells(data)
        except (Unreadable, ValueError, MemoryError) as error:
            why = str(error) if isinstance(error, (Unreadable, ValueError)) else "is too large to be read"
            problems.append(f"{piece.name} {why}.")
            continue
        key, kind = _chapter(cells, metadata)
        if key and key != chapter:
            others.append(f"{piece.name} is a notebook of {key}, not of {chapter}.")
            continue
        read.append(_Read(piece.name, piece.order, cells, kind, _defined(cells, chapter)))
    read = [one for one in read if one.kind or one.defines] or read  # what was tried out elsewhere doesn't count
    problems = [*problems, *others] if read else [*others, *problems]
    kept: list[_Read] = []
    for candidate in sorted(read, key=lambda one: (-one.order, one.name)):
        rival = next((other for other in kept if _clash(candidate, other)), None)
        if rival:
            notices.append(
                f"{candidate.name} and {rival.name} are both from {work.student}: the newer, {rival.name}, is graded."
            )
        else:
            kept.append(candidate)
    task = Task(work.student, work.label, fingerprint.hexdigest(), notices=notices, about=work.about)
    if not kept:
        task.problem = problems[0] if problems else f"{work.label} holds no cells."
        task.notices += problems[1:]
        return task
    task.notices += problems
    optional = {exercise.name for exercise in load_chapter(chapter).exercises if exercise.optional}
    kinds = set()
    # what the optional notebook defines again does not replace the answer in exercises.ipynb, which comes last
    for one in sorted(kept, key=lambda one: (one.kind != "optional", one.name)):
        task.cells += one.cells
        kinds |= {"optional"} if one.kind == "optional" or one.defines & optional else set()
        kinds |= {"exercises"} if one.kind != "optional" else set()
    task.kinds = tuple(sorted(kinds))
    if "exercises" not in kinds:
        task.notices.append("Only the optional notebook was handed in, so the must-do exercises earn nothing.")
    task.label = clean(" + ".join(sorted(one.name for one in kept)))
    return task


def read(work: Work, chapter: str) -> Task:
    """As `assemble`, under limits of time and memory."""
    try:
        return limited(assemble, work, chapter, seconds=READ_SECONDS)
    except Exhausted as error:
        return Task(work.student, work.label, "", problem=f"Reading {work.label} {error}.", about=work.about)


def _chapter(cells: list[tuple[str, str]], metadata: dict) -> tuple[str, str]:
    """Chapter and kind, empty where neither the build's mark nor the cells tell."""
    try:
        return course_chapter(cells, metadata, handed_in=True) or ("", "")
    except course.CourseError:  # of a course that is not this one
        return about(metadata)


def _clash(one: _Read, other: _Read) -> bool:
    if one.kind and other.kind:
        return one.kind == other.kind
    return bool(one.defines & other.defines) or not (one.defines and other.defines)


def _defined(cells: list[tuple[str, str]], chapter: str) -> set[str]:
    """Exercises that the text of the cells seems to define."""
    text = "\n".join(source for source, _ in cells)
    found = set(re.findall(r"(?m)^[ \t]*(?:async[ \t]+def|def|class)[ \t]+(\w+)", text))
    found |= set(re.findall(r"(?m)^(\w+)[ \t]*=(?!=)", text)) | {mark for _, mark in cells}
    return found & {exercise.name for exercise in load_chapter(chapter).exercises}


def blank(task: Task, chapter: str, seed: int, problem: str = "") -> SubmissionResult:
    """The record of a submission of which nothing was run, for `problem` or the task's own: zero points."""
    exercises = asked(chapter)
    nothing = [empty(exercise, Status.MISSING) for exercise in exercises]
    most = float(sum(exercise.points for exercise in exercises))
    said = clean(problem or task.problem)
    notices = [clean(text) for text in task.notices]
    return SubmissionResult(
        task.student, task.label, chapter, seed, "", 0.0, most, 0.0, said, notices, nothing, task.digest, **task.about
    )


def asked(chapter: str, kinds: tuple[str, ...] = ("exercises",)) -> list[Exercise]:
    """The exercises of a chapter in notebooks of these kinds."""
    return [e for e in load_chapter(chapter).exercises if ("optional" if e.optional else "exercises") in kinds]


def empty(exercise: Exercise, status: Status, says: str = "") -> ExerciseResult:
    """The result of an exercise for which no hidden test ran."""
    return ExerciseResult(
        exercise.id, exercise.name, status, 0.0, float(exercise.points), clean(says), optional=exercise.optional
    )


@cache
def tests_digest(chapter: str) -> str:
    """Fingerprint of what decides the marks besides the submission: the chapter, its hidden tests, this machinery."""
    name = course.chapter_name(chapter)
    total = hashlib.sha256()
    folders = [course.ROOT / "tests" / name, course.ROOT / "solutions" / name, course.ROOT / "utils" / "grade"]
    files = [course.ROOT / "chapters" / name / "chapter.md"]
    files += sorted(file for folder in folders for file in folder.rglob("*.py"))
    for file in files:
        total.update(file.relative_to(course.ROOT).as_posix().encode() + b"\0")
        total.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()
