"""The one record of a graded submission, `results/<student>/<chapter>.json`; reports and exports read nothing else."""

import hashlib
import json
import math
import re
import unicodedata
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

from utils import course
from utils.files import write_whole
from utils.grade.status import Status

FORMAT = 1
ISOLATIONS = ("bubblewrap", "none", "")  # "": nothing of the submission was run


@dataclass
class ExerciseResult:
    """What became of one exercise. `says` is one sentence or empty; `test` the hidden test that failed first.

    `mutant` is the name of the known mistake, `tests` each hidden test as {"name", "passed"}; `flags` are for a
    person to look at and cost no points.
    """

    id: str
    name: str
    status: Status
    points: float
    max_points: float
    says: str = ""
    test: str = ""
    mutant: str = ""
    passed: int = 0
    total: int = 0
    tests: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    megabytes: float = 0.0
    flags: list[str] = field(default_factory=list)
    optional: bool = False


@dataclass
class SubmissionResult:
    """The marks of one student for one chapter.

    `problem`: one sentence where the submission could not be graded, else empty. `digest` is of the submission and of
    the hidden tests it met: with the seed it says whether a record still holds. `score` counts optional exercises as
    extra points; `max_score` does not. `submitted`: when, as text; `late`: "yes", "no", or empty where unknown.
    `flags` are about the notebook as a whole; what is in flags is for the instructor, never for a student's page.
    """

    student: str
    submission: str
    chapter: str
    seed: int
    isolation: str
    score: float
    max_score: float
    seconds: float = 0.0
    problem: str = ""
    notices: list[str] = field(default_factory=list)
    exercises: list[ExerciseResult] = field(default_factory=list)
    digest: str = ""
    name: str = ""
    submitted: str = ""
    late: str = ""
    flags: list[str] = field(default_factory=list)

    @property
    def to_look_at(self) -> list[tuple[str, str]]:
        """(exercise, or empty for the notebook as a whole; sentence) of every flag."""
        return [("", flag) for flag in self.flags] + [
            (f"{exercise.id} {exercise.name}", flag) for exercise in self.exercises for flag in exercise.flags
        ]

    def to_json(self) -> str:
        """The record as text, with a line end."""
        data = {"format": FORMAT, **asdict(self)}
        data["exercises"] = data.pop("exercises")  # the long part last
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "The record") -> "SubmissionResult":
        """The record that `text` holds. Raises CourseError, naming `where`, for anything else."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise course.CourseError(f"{where} is not a result record: it is not JSON.") from None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise course.CourseError(f'{where} is not a result record: it does not say "format": {FORMAT}.')
        try:
            made = _read(SubmissionResult, data, "")
        except ValueError as error:
            raise course.CourseError(f"{where} is not a whole result record: {error}.") from None
        if made.isolation not in ISOLATIONS:
            raise course.CourseError(f"{where} is not a whole result record: isolation is {made.isolation!r}.")
        return made

    def file(self, folder: Path) -> Path:
        """Where this record is kept below a results folder."""
        return record_file(folder, self.student, self.chapter)

    def write(self, folder: Path) -> Path:
        """Write the record below a results folder, whole or not at all. Raises OSError where the disk refuses."""
        file = self.file(folder)
        write_whole(file, self.to_json())
        return file


def _read(kind, value, name: str):
    """`value` as a field of this kind: a number or text of just that type, a list of them, a status, a dataclass.

    Raises ValueError, naming the field, for anything else, and for a dataclass that lacks a field without a default.
    """
    if get_origin(kind) is list and isinstance(value, list):
        return [_read(get_args(kind)[0], item, name) for item in value]
    if kind is Status:
        return Status(value)
    if is_dataclass(kind) and isinstance(value, dict):
        kinds = get_type_hints(kind)
        try:
            return kind(**{field: _read(kinds[field], value[field], field) for field in kinds if field in value})
        except TypeError as error:
            raise ValueError(str(error).partition(": ")[2] + " is missing") from None
    right = isinstance(value, (int, float) if kind is float else kind) if isinstance(kind, type) else False
    if not right or isinstance(value, bool) and kind is not bool or kind is float and not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}")
    return value


def folder_name(student: str) -> str:
    """A student id as the name of a folder: the id itself where it can be one, else a safe form and a digest."""
    safe = re.sub(r"[^\w.@+=, -]", "_", unicodedata.normalize("NFC", student)).strip(". ")[:80]
    if safe == student and not safe.startswith(".") and not safe.lower().endswith(".html"):  # the class page's name
        return safe
    return f"{safe or 'student'}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def record_file(folder: Path, student: str, chapter: str) -> Path:
    """The file of a student's record for a chapter."""
    return Path(folder) / folder_name(student) / f"{chapter}.json"


def read_record(file: Path) -> SubmissionResult:
    """One record from disk. Raises CourseError in one sentence for a file that is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise course.CourseError(f"The record {file} cannot be read: {why}.") from None
    return SubmissionResult.from_json(text, str(file))


def by_student(record: SubmissionResult) -> tuple[str, str]:
    """The order of a class list: capitals make no difference."""
    return record.student.casefold(), record.student


def read_results(folder: Path, chapter: str) -> list[SubmissionResult]:
    """The records of a chapter in a results folder, by student; of those that can't be read, nothing is said."""
    return read_all(folder, chapter)[0]


def read_all(folder: Path, chapter: str) -> tuple[list[SubmissionResult], list[str]]:
    """Every record of a chapter in a results folder, by student, and a sentence for each one that can't be read.

    Raises CourseError where there is no folder or no record.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise course.CourseError(f"There is no results folder {folder}.")
    key = course.chapter_name(chapter).split("_")[0]
    found, problems = [], []
    for file in sorted(folder.glob(f"*/{key}.json")):
        try:
            found.append(read_record(file))
        except course.CourseError as error:
            problems.append(f"{error} It is left out: move it away and grade again.")
    if not found:
        nothing = f"{folder} holds no results of {key}: grade submissions into it first."
        raise course.CourseError("\n".join(problems) or nothing)
    return sorted(found, key=by_student), problems
