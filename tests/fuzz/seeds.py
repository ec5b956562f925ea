"""Grade one notebook with many seeds: the marks must not depend on the inputs that are drawn.

Exit status 1: two seeds gave different statuses or points.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from utils import course


def marks_by_seed(file: Path, chapter: str, seeds: list[int], isolation: str = "bubblewrap") -> dict[str, dict]:
    """{exercise: {(status, points): seeds that gave it}} of one notebook. Raises CourseError: it cannot be graded."""
    from utils.grade.classroom.assemble import assemble
    from utils.grade.classroom.engine import Settings, close_engine, grade_task
    from utils.grade.classroom.gather import gather

    (work, *_) = gather([file]).works
    task = assemble(work, chapter)
    if task.problem:
        raise course.CourseError(task.problem)
    found: dict[str, dict] = defaultdict(lambda: defaultdict(list))
    try:
        for seed in seeds:
            answer = grade_task(0, task, Settings(chapter, seed, isolation))
            if answer.record is None:
                raise course.CourseError(answer.problem)
            for exercise in answer.record.exercises:
                found[exercise.name][str(exercise.status), exercise.points].append(seed)
    finally:
        close_engine()
    return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.seeds", description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--chapter", default="ch1")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--isolation", choices=("bubblewrap", "none"), default="bubblewrap")
    chosen = parser.parse_args(argv)
    seeds = list(range(chosen.first, chosen.first + chosen.count))
    try:
        found = marks_by_seed(chosen.notebook, chosen.chapter, seeds, chosen.isolation)
    except course.CourseError as error:
        print(error, file=sys.stderr)
        return 2
    differing = {name: marks for name, marks in found.items() if len(marks) > 1}
    for name, marks in found.items():
        each = [f"{status}, {points:g} points: {len(given)} seeds" for (status, points), given in marks.items()]
        odd = min(marks.values(), key=len)[:5] if name in differing else ""
        print(f"{name}: {'; '.join(each)}" + (f" (such as {odd})" if odd else ""))
    print(f"{chosen.count} gradings: " + ("different marks" if differing else "identical marks"))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
