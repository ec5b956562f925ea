"""Grade a class: every submission once, on as many processes or machines as there are, each record kept at once."""

import contextlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from utils import course
from utils.grade.classroom.assemble import Task, assemble, blank
from utils.grade.classroom.engine import Settings
from utils.grade.classroom.gather import gather
from utils.grade.classroom.reading import clean
from utils.grade.classroom.record import PART, SubmissionResult, read_record, record_file

FULL_DISK = 3  # records in a row that cannot be written before the run is given up


@dataclass(frozen=True)
class Options:
    """How a class is graded; see `python -m utils.grade --help`. `jobs` 0: as many as there are processors."""

    id_from: str = ""
    seed: int | None = None
    isolation: str = "auto"
    cold: bool = False
    jobs: int = 0
    cluster: str = ""
    fresh: bool = False
    partial: bool = False
    seconds: int = 20
    quiet: bool = True


@dataclass
class Summary:
    """What a run came to. `records`: of every submission, by student; `kept`: how many of them were there before.

    `failed`: a sentence for each that is not on disk or that the grader itself could not grade.
    """

    seed: int
    records: list[SubmissionResult] = field(default_factory=list)
    kept: int = 0
    failed: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def grade_class(paths: list[Path], chapter: str, out: Path, options: Options | None = None) -> Summary:
    """Grade submissions into a results folder, which is continued where it holds records that still hold.

    Raises CourseError for what a person has to put right before anything can be graded.
    """
    options = options or Options()
    key = course.chapter_name(chapter).split("_")[0]
    if not (course.ROOT / "tests" / course.chapter_name(key)).is_dir():
        raise course.CourseError(f"The hidden tests of {key} are not part of this hand-out, so it cannot grade.")
    works = gather(paths, options.id_from)
    with _locked(out):
        return _Run(key, Path(out), options).grade([assemble(work, key) for work in works])


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold a results folder alone. Raises CourseError: it cannot be made or written, or another run holds it."""
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
        lock = FileLock(out / ".grading.lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise course.CourseError(f"Another run is grading into {out}: wait for it, or give another --out.") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise course.CourseError(f"The results folder {out} cannot be written: {why}.") from None
    try:
        for left in out.glob(f"*/.*{PART}"):  # of a run that was killed while it wrote
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


class _Run:
    def __init__(self, chapter: str, out: Path, options: Options):
        self.chapter, self.out, self.options = chapter, out, options
        self.summary = Summary(self._seed())
        self.unwritten = 0

    def _seed(self) -> int:
        """The seed asked for, that of the run which is continued, or a new one that nobody can guess."""
        if self.options.seed is not None:
            return self.options.seed
        if not self.options.fresh:
            for file in sorted(self.out.glob(f"*/{self.chapter}.json")):
                with contextlib.suppress(course.CourseError):
                    return read_record(file).seed
        return random.SystemRandom().randrange(1, 2**31)

    def grade(self, tasks: list[Task]) -> Summary:
        """Grade what has no record yet; records are written as they come."""
        todo = []
        for task in tasks:
            record = self._kept(task)
            if record is not None:
                self.summary.records.append(record)
                self.summary.kept += 1
            elif task.problem:
                self._keep(blank(task, self.chapter, self.summary.seed))
            else:
                todo.append(task)
        if todo:
            self._grade(todo)
        self.summary.records.sort(key=lambda record: record.student)
        return self.summary

    def _grade(self, todo: list[Task]) -> None:
        from tqdm import tqdm

        from utils.grade.classroom.pool import on_cluster, on_this_machine

        options, bar = self.options, None
        settings = Settings(
            self.chapter,
            self.summary.seed,
            options.isolation,
            options.cold,
            options.partial,
            options.seconds,
            "" if options.cluster else _scratch(),
        )
        try:
            bar = tqdm(total=len(todo), unit="notebook", disable=options.quiet, file=sys.stderr)
            if options.cluster:
                answers = on_cluster(todo, settings, options.cluster, self._notice)
            else:
                answers = on_this_machine(todo, settings, options.jobs)
            with contextlib.closing(answers):
                for answer in answers:
                    self._take(answer, todo)
                    bar.update()
        finally:
            if bar is not None:
                bar.close()
            if settings.folder:
                tempfile.tempdir = None
                shutil.rmtree(settings.folder, ignore_errors=True)

    def _take(self, answer: dict, todo: list[Task]) -> None:
        task = todo[answer["number"]]
        self._notice(answer["notice"])
        if answer["refused"] or not answer["record"]:
            if answer["refused"] and not any(record.isolation for record in self.summary.records):
                raise course.CourseError(answer["refused"])
            record = _ours(task, self.chapter, self.summary.seed, answer["refused"] or answer["lost"])
            answer["failed"] = True
        else:
            record = SubmissionResult.from_json(answer["record"], task.label)
        if answer["failed"]:
            self.summary.failed.append(f"{task.student}: {record.problem}")
            if trace := answer.get("trace"):
                print(trace, file=sys.stderr)
        self._keep(record)

    def _keep(self, record: SubmissionResult) -> None:
        self.summary.records.append(record)
        try:
            record.write(self.out)
            self.unwritten = 0
        except OSError as error:
            self.unwritten += 1
            why = error.strerror or type(error).__name__
            self.summary.failed.append(f"{record.student}: the record could not be written ({why}).")
            if self.unwritten >= FULL_DISK:
                raise DiskFull(
                    f"{self.unwritten} records in a row could not be written to {self.out} ({why}); "
                    "make room and run the same command again: it goes on where it stopped."
                ) from None

    def _kept(self, task: Task) -> SubmissionResult | None:
        """The record of an earlier run that still holds for this submission."""
        file = record_file(self.out, task.student, self.chapter)
        if self.options.fresh or not file.is_file():
            return None
        try:
            record = read_record(file)
        except course.CourseError as error:
            self._notice(f"{error} It is graded again.")
            return None
        same = (task.student, task.digest, self.summary.seed)
        return record if (record.student, record.digest, record.seed) == same else None

    def _notice(self, text: str) -> None:
        if text and text not in self.summary.notices:
            self.summary.notices.append(text)
            print(clean(text, 1000), file=sys.stderr)


class DiskFull(course.CourseError):
    """Records cannot be written any more; those that were are whole."""


def _ours(task: Task, chapter: str, seed: int, problem: str) -> SubmissionResult:
    """A record that says that the grader, not the submission, is at fault; the next run grades it again."""
    record = blank(task, chapter, seed, problem)
    record.digest = ""
    return record


def _scratch() -> str:
    """A folder of this run alone for what the sandboxes need on disk; others may pass through it, not look."""
    folder = tempfile.mkdtemp(prefix="grading-run-")
    os.chmod(folder, 0o711)
    return folder
