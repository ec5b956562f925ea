"""Grade a class: every submission once, on as many processes or machines as there are, each record kept at once."""

import contextlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from utils import course
from utils.files import PART
from utils.grade.classroom.assemble import Task, blank, read
from utils.grade.classroom.engine import Answer, Settings
from utils.grade.classroom.gather import BY_A_PROGRAM, Work, gather
from utils.grade.classroom.record import SubmissionResult, by_student, folder_name, read_record, record_file
from utils.grade.classroom.roster import Enrolment, enrol, list_beside
from utils.grade.submission import clean

FULL_DISK = 3  # records in a row that cannot be written before the run is given up


@dataclass(frozen=True)
class Options(Enrolment):
    """How a class is graded."""

    seed: int | None = None  # repeats the marks of a run; none: drawn, printed and recorded
    isolation: Literal["bubblewrap", "none"] = "bubblewrap"  # none: only limits, for a container of your own
    jobs: int = 0  # processes; 0: one per processor
    cluster: str = ""  # tcp://HOST:PORT, the scheduler of a running Dask cluster
    fresh: bool = False  # grade again what has a record already
    partial: bool = False  # wrong answers earn by the hidden tests they pass
    seconds: int = 20  # of the processor, for one request to an answer

    def __post_init__(self):
        """Raises CourseError for what cannot be."""
        if self.jobs < 0 or self.seconds < 1:
            raise course.CourseError("--jobs may not be negative, and --seconds is at least 1.")
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise course.CourseError("--seed is a whole number from 0 to 2**63 - 1.")


@dataclass
class Summary:
    """What a run came to. `records`: by student; `kept`: how many of them were there before.

    `failed`: a sentence for each that is not on disk or that the grader itself could not grade.
    """

    seed: int
    chapter: str
    out: Path
    records: list[SubmissionResult] = field(default_factory=list)
    kept: int = 0
    failed: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def grade_class(
    paths: Sequence[Path], chapter: str, out: Path, options: Options | None = None, quiet: bool = True
) -> Summary:
    """Grade submissions into a results folder, which is continued where it holds records that still hold.

    Raises CourseError for what a person has to put right before anything can be graded.
    """
    options = options or Options()
    key = course.chapter_name(chapter).split("_")[0]
    if not (course.ROOT / "tests" / course.chapter_name(key)).is_dir():
        raise course.CourseError(f"The hidden tests of {key} are not part of this hand-out, so it cannot grade.")
    gathered = gather(paths, options.id_from)
    roster = options.roster or (list_beside(Path(paths[0])) if len(paths) == 1 else None)
    works, _ = enrol(gathered.works, roster, options.due)
    with _locked(out):
        run = _Run(key, Path(out), options, quiet, (*paths, out))
        run.notice(gathered.hint)
        for name, why in gathered.nobodys:
            run.notice(f"{name} {why}: not taken." if why != BY_A_PROGRAM else "")
        return run.grade(works)


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
    def __init__(self, chapter: str, out: Path, options: Options, quiet: bool, hidden: tuple):
        self.chapter, self.out, self.options, self.quiet = chapter, out, options, quiet
        self.hidden = tuple(str(Path(path).resolve()) for path in hidden)
        self.summary = Summary(self._seed(), chapter, out)
        self.unwritten = 0

    def _seed(self) -> int:
        """The given seed, that of the run which is continued, or a new one that nobody can guess."""
        if self.options.seed is not None:
            return self.options.seed
        if not self.options.fresh:
            for file in sorted(self.out.glob(f"*/{self.chapter}.json")):
                with contextlib.suppress(course.CourseError):
                    return read_record(file).seed
        return random.SystemRandom().randrange(1, 2**31)

    def grade(self, works: list[Work]) -> Summary:
        """Grade what has no record yet; records are written as they come, and a notebook is read when its turn
        comes."""
        todo = []
        for work in works:
            task = read(work, self.chapter)
            record = self._kept(task)
            if record is not None:
                self.summary.records.append(record)
                self.summary.kept += 1
            elif task.problem:
                self._keep(blank(task, self.chapter, self.summary.seed))
            else:
                todo.append(work)
        if todo:
            self._grade(todo)
        self.summary.records.sort(key=by_student)
        folders = {file.parent.name for file in self.out.glob(f"*/{self.chapter}.json")}
        if others := sorted(folders - {folder_name(record.student) for record in self.summary.records}):
            names = ", ".join(others[:3]) + ", ..." * (len(others) > 3)
            self.notice(f"{self.out} holds other records, too ({names}): reports and exports count them in.")
        return self.summary

    def _grade(self, todo: list[Work]) -> None:
        from tqdm import tqdm

        from utils.grade.classroom.pool import on_cluster, on_this_machine

        options, bar = self.options, None
        settings = Settings(
            self.chapter,
            self.summary.seed,
            options.isolation,
            options.partial,
            options.seconds,
            self.hidden,
            "" if options.cluster else _scratch(),
        )
        try:
            bar = tqdm(total=len(todo), unit="notebook", disable=self.quiet, file=sys.stderr)
            tasks = (len(todo), lambda number: read(todo[number], self.chapter), settings)
            answers = on_cluster(*tasks, options.cluster) if options.cluster else on_this_machine(*tasks, options.jobs)
            with contextlib.closing(answers):
                for answer in answers:
                    self._take(answer, todo[answer.number])
                    bar.update()
        finally:
            if bar is not None:
                bar.close()
            if settings.folder:
                tempfile.tempdir = None
                shutil.rmtree(settings.folder, ignore_errors=True)

    def _take(self, answer: Answer, work: Work) -> None:
        record = answer.record
        if record is None:  # the grader is at fault: without a digest, the next run grades it again
            if answer.refused and not any(one.isolation for one in self.summary.records):
                raise course.CourseError(answer.problem)
            task = replace(read(work, self.chapter), digest="")
            record = blank(task, self.chapter, self.summary.seed, answer.problem)
            self.summary.failed.append(f"{work.student}: {record.problem}")
            if answer.trace:
                print(answer.trace, file=sys.stderr)
        self._keep(record)

    def _keep(self, record: SubmissionResult) -> None:
        self.summary.records.append(record)
        self.write(record)

    def write(self, record: SubmissionResult) -> None:
        """Put a record on disk; raises DiskFull where several in a row could not be."""
        try:
            record.write(self.out)
            self.unwritten = 0
        except OSError as error:
            why = error.strerror or type(error).__name__
            if isinstance(error, (IsADirectoryError, NotADirectoryError)):  # only this one's place is taken
                why += f": move {record.file(self.out)} away"
            else:
                self.unwritten += 1
            self.summary.failed.append(f"{record.student}: the record could not be written ({why}).")
            if self.unwritten >= FULL_DISK:
                text = (
                    f"{self.unwritten} records in a row could not be written to {self.out} ({why}); "
                    "make room and run the same command again: it continues where it stopped."
                )
                raise DiskFull([text]) from None

    def _kept(self, task: Task) -> SubmissionResult | None:
        """The record of an earlier run that still holds for this submission."""
        file = record_file(self.out, task.student, self.chapter)
        if self.options.fresh or not file.is_file():
            return None
        try:
            record = read_record(file)
        except course.CourseError as error:
            self.notice(f"{error} It is graded again.")
            return None
        same = (task.student, task.digest, self.summary.seed)
        if (record.student, record.digest, record.seed) != same:
            return None
        about = replace(record, **task.about)
        if about != record:  # only what the class list or --due says is new
            self.write(about)
        return about

    def notice(self, text: str) -> None:
        if text and text not in self.summary.notices:
            self.summary.notices.append(text)
            print(clean(text, 1000), file=sys.stderr)


class DiskFull(course.Unfinished):
    """Records cannot be written any more; those that were are whole."""


def _scratch() -> str:
    """A folder of this run alone for what the sandboxes need on disk; others may pass through it, not look.

    What runs that were killed have left is cleared away.
    """
    for left in Path(tempfile.gettempdir()).glob("grading-run-*-*"):
        owner = left.name.split("-")[2]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"grading-run-{os.getpid()}-")
    os.chmod(folder, 0o711)
    return folder


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
