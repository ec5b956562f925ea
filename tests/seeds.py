"""Judge every listed answer of the exercises at many seeds: wrong ones must fail at each, right ones pass at each.

A hidden test has to force the case that tells; where a verdict depends on the seed, it does not. Stops at the first
seed that disagrees, for each answer. Exit status 1: some answer's verdict was not what it should be.
"""

import contextlib
import io
import sys
import time
from dataclasses import dataclass
from typing import Annotated

import tyro
from joblib import Parallel, delayed
from tqdm import tqdm

from utils import course


@dataclass
class Args:
    """Which answers, at how many seeds."""

    seeds: int = 60
    """how many seeds"""
    first: int = 0
    """the first of them"""
    chapter: str = ""
    """one chapter only, such as ch1"""
    name: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...")] = ()
    """these exercises only"""
    named: bool = False
    """wrong answers must be told their own sentence, too (slower)"""
    jobs: int = 1
    """processes side by side"""


def judge(chapter: str, name: str, seeds: range, named: bool = False) -> tuple[int, list[str]]:
    """(answers, complaints) of one exercise: the reference, the right variants and every known mistake."""
    import torch

    from utils.grade.mutants import Mutant, mutants
    from utils.grade.reference import reference

    torch.set_num_threads(1)
    found = list(mutants(chapter, name))
    if course.have_answers(chapter):
        found.insert(0, Mutant("the reference", reference(chapter, name), None))
    with contextlib.redirect_stdout(io.StringIO()):  # some answers print
        complaints = [_disagrees(chapter, name, mutant, seeds, named) for mutant in found]
    return len(found), [complaint for complaint in complaints if complaint]


def _disagrees(chapter: str, name: str, mutant, seeds: range, named: bool) -> str:
    """What is wrong with the verdicts on one answer; empty where they are right at every seed."""
    from utils.grade.assess import assess
    from utils.grade.subject import LocalRunner
    from utils.grade.suite import hidden_tests, run_suite

    runner, tests = LocalRunner(mutant.obj), list(hidden_tests(chapter, name))
    for seed in seeds:
        where = f"{chapter} {name}: {mutant.name} at seed {seed}"
        last = run_suite(chapter, name, runner, seed, tests, until_failure=True)[-1]
        if mutant.right and not last.passed:
            return f"{where} fails {last.test}: {last.says}"
        if not mutant.right and last.passed:
            return f"{where} passes, but: {mutant.says}"
        if named and not mutant.right:
            outcome = assess(chapter, name, runner, seed)
            if mutant.says not in outcome.says:
                return f"{where} fails {outcome.test} and is told: {outcome.says!r}"
        # the test that caught it at this seed comes first at the next
        tests.sort(key=lambda test: test.__name__ != last.test)
    return ""


def exercises(chapter: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """(chapter, name) of the exercises meant. Raises CourseError for a name that none of them has."""
    from utils.chapter import load_chapter

    chapters = [course.chapter_name(chapter)] if chapter else course.chapters()
    found = [(key, exercise.name) for key in chapters for exercise in load_chapter(key).exercises]
    unknown = set(names) - {name for _, name in found}
    if unknown:
        raise course.CourseError(f"There is no exercise called {', '.join(sorted(unknown))}.")
    return [pair for pair in found if not names or pair[1] in names]


def main(argv: list[str] | None = None) -> int:
    args = tyro.cli(Args, prog="python -m tests.seeds", description=__doc__, args=argv)
    seeds = range(args.first, args.first + args.seeds)
    try:
        pairs = exercises(args.chapter, args.name)
    except course.CourseError as error:
        print(error, file=sys.stderr)
        return 2
    started, answers, complaints = time.monotonic(), 0, []
    work = Parallel(args.jobs, return_as="generator")(delayed(judge)(*pair, seeds, args.named) for pair in pairs)
    watched = sys.stderr.isatty()
    for pair, (count, found) in zip(
        pairs, tqdm(work, total=len(pairs), unit="exercise", disable=not watched), strict=True
    ):
        answers += count
        if not watched:  # in a log, a line for each exercise says how far it is
            print(*pair, f"{count} answers, {len(found)} disagree", flush=True)
        complaints += found
        for complaint in found:
            tqdm.write(complaint, file=sys.stdout)
    minutes = (time.monotonic() - started) / 60
    print(
        f"{answers} answers to {len(pairs)} exercises at {args.seeds} seeds: {len(complaints)} disagree "
        f"({minutes:.1f} minutes)"
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
