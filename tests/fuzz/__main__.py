"""Make mutated and random notebooks, grade them as a class, and say whether the grader survived every one of them.

Exit status 1: the grader failed on one, one is without a sound record, or too few came as far as being run.
"""

import argparse
import math
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.notebooks import Maker, solutions
from utils import course

BATCH = 1000  # files of one run of the grader
REACHED = 0.3  # the share whose code must have been run, or the test is about reading files only


@dataclass
class Report:
    """What became of the notebooks. `crashes`, `unreported`: sentences; both must be empty."""

    count: int = 0
    reached: int = 0
    kinds: Counter = field(default_factory=Counter)
    reached_by: Counter = field(default_factory=Counter)
    statuses: Counter = field(default_factory=Counter)
    problems: Counter = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    crashes: list[str] = field(default_factory=list)
    unreported: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.crashes and not self.unreported and self.reached >= REACHED * self.count

    def __str__(self) -> str:
        lines = [f"{self.count} notebooks; {self.reached} reached execution ({self.reached / max(self.count, 1):.0%})"]
        lines += [f"  {kind:<14}{n:>7}  reached {self.reached_by[kind]}" for kind, n in self.kinds.most_common()]
        lines.append("exercises by status, without those that are missing:")
        lines += [f"  {status:<14}{n:>7}" for status, n in self.statuses.most_common()]
        lines.append(f"not readable: {sum(self.problems.values())}")
        lines += [f"  {n:>7}  {problem}" for problem, n in self.problems.most_common()]
        lines.append(f"slowest: {self.slowest[1]}, {self.slowest[0]:.1f} s")
        lines.append(f"crashes of the grader: {len(self.crashes)}; not reported: {len(self.unreported)}")
        return "\n".join([*lines, *(self.crashes + self.unreported)[:20]])


def fuzz(maker: Maker, chapter: str, count: int, out: Path, jobs: int = 1, isolation: str = "bubblewrap") -> Report:
    """Make `count` notebooks below `out` and grade them in batches. Raises CourseError: `out` cannot be written, or
    nothing can be graded on this machine."""
    from utils.grade.classroom.run import Options, grade_class

    report = Report()
    for start in range(0, count, BATCH):
        folder, results = out / "notebooks" / f"{start:06}", out / "results" / f"{start:06}"
        made = dict(_write(maker, range(start, min(start + BATCH, count)), folder))
        options = Options(seed=maker.seed, isolation=isolation, jobs=jobs, fresh=True, seconds=2)
        try:
            report.crashes += grade_class([folder], chapter, results, options).failed
        except course.CourseError:
            raise
        except Exception:
            report.crashes.append(traceback.format_exc(limit=-6))
        for student, kind in made.items():
            _look(report, results, student, chapter, kind)
    return report


def _write(maker: Maker, numbers: range, folder: Path) -> Iterator[tuple[str, str]]:
    """Write the files; gives (student, kind) of each."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            kind, data = maker.make(number)
            (folder / f"f{number:06}.ipynb").write_bytes(data)
            yield f"f{number:06}", kind
    except OSError as error:
        raise course.CourseError(f"{folder} cannot be written: {error.strerror}.") from None


def _look(report: Report, results: Path, student: str, chapter: str, kind: str) -> None:
    """Count one notebook; its record has to be there and to make sense."""
    from utils.grade.classroom.record import read_record, record_file

    report.count += 1
    report.kinds[kind] += 1
    try:
        record = read_record(record_file(results, student, chapter))
    except course.CourseError as error:
        report.unreported.append(f"{student} ({kind}): {error}")
        return
    points = math.fsum(exercise.points for exercise in record.exercises)
    says = [record.problem, *record.notices, *(exercise.says for exercise in record.exercises)]
    if not math.isclose(record.score, points, abs_tol=0.01) or any("\n" in text or len(text) > 400 for text in says):
        report.unreported.append(f"{student} ({kind}): its record makes no sense")
    if record.problem:
        report.problems[record.problem.partition(" ")[2]] += 1
    run = any(exercise.seconds > 0 for exercise in record.exercises)
    report.reached += run
    report.reached_by[kind] += run
    report.statuses.update(str(e.status) for e in record.exercises if e.status != "missing")
    report.slowest = max(report.slowest, (record.seconds, f"{student} ({kind})"))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the notebooks and of the grading")
    parser.add_argument("--out", type=Path, required=True, help="folder for the notebooks and their records")
    parser.add_argument("--chapter", default="ch1")
    parser.add_argument("--exercises", default="", help="names, with commas (default: the shortest that need no other)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--isolation", choices=("bubblewrap", "none"), default="bubblewrap")
    chosen = parser.parse_args(argv)
    names = tuple(name for name in chosen.exercises.split(",") if name)
    try:
        chapter = course.chapter_name(chosen.chapter).split("_")[0]
        maker = Maker(solutions(chapter), chapter, chosen.seed, names)
        report = fuzz(maker, chapter, chosen.count, chosen.out, chosen.jobs, chosen.isolation)
    except course.CourseError as error:
        print(error, file=sys.stderr)
        return 2
    print(str(report).encode("utf-8", "replace").decode())
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
