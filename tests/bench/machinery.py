"""The course's own machinery: how long a check, the import, the build, a notebook and its grading take."""

import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

from tests.bench.table import Row, interleaved, within
from utils import course
from utils.chapter import load_chapter
from utils.grade.assess import assess
from utils.grade.mutants import mutants
from utils.grade.plugin import WHOLE
from utils.grade.reference import reference
from utils.grade.subject import LocalRunner

NOTEBOOK_SECONDS = {"ch1": 120, "ch4": 120}
DEFAULT_SECONDS = 180
GIGABYTE = 1000.0
GRADING_SECONDS = 8.0


def rows() -> list[Row]:
    found = [*checks(), imports(), build()]
    for chapter in course.chapters():
        found += notebook(chapter)
    return found


def checks() -> list[Row]:
    """Seconds of a check, on the reference (all tests run) and on every fifth known wrong answer (diagnosis included).

    All of them would take a quarter of an hour.
    """
    seconds = []
    for chapter in course.chapters():
        for exercise in load_chapter(chapter).exercises:
            wrong = (mutant.obj for mutant in islice(mutants(chapter, exercise.name), 0, None, 5))
            answers = [reference(chapter, exercise.name), *wrong]
            for answer in answers:
                start = time.perf_counter()
                with contextlib.redirect_stdout(io.StringIO()):  # some answers print
                    assess(chapter, exercise.name, LocalRunner(answer))
                seconds.append(time.perf_counter() - start)
    return [
        within(f"check, median of {len(seconds)} right and wrong answers", "s", statistics.median(seconds), 1.0),
        within("check, slowest", "s", max(seconds), 5.0),
    ]


def imports() -> Row:
    """What `from utils.learn import *` costs beyond torch's own import, each in a fresh interpreter."""

    def fresh(code):
        return lambda: subprocess.run([sys.executable, "-c", code], cwd=course.ROOT, check=True, capture_output=True)

    torch_alone, with_learn = interleaved(fresh("import torch"), fresh("import torch; from utils.learn import *"))
    return within("import of utils.learn beyond torch", "s", max(with_learn - torch_alone, 0.0), 1.5)


def build() -> Row:
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "utils.build", "--out", out], cwd=course.ROOT, check=True, capture_output=True
        )
        return within("build of all notebooks", "s", time.perf_counter() - start, 5.0)


def notebook(chapter: str) -> list[Row]:
    """The solutions notebook: its cells' seconds, its memory, and what `pytest --nbmake` takes beyond the cells."""
    name = course.chapter_name(chapter)
    path = course.ROOT / "solutions" / name / "solutions.ipynb"
    budget = NOTEBOOK_SECONDS.get(chapter, DEFAULT_SECONDS)
    command = [sys.executable, "-m", "tests.bench.run_notebook", str(path)]
    alone = subprocess.run(command, cwd=course.ROOT, check=True, capture_output=True, text=True)
    took = json.loads(alone.stdout.strip().splitlines()[-1])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-q", "--nbmake", str(path), f"--junitxml={report}"]
        start = time.perf_counter()
        subprocess.run(command, cwd=course.ROOT, check=True, capture_output=True)
        graded = time.perf_counter() - start
        items = {item.get("name"): float(item.get("time")) for item in ElementTree.parse(report).iter("testcase")}
    return [
        within(f"{chapter}: solutions notebook", "s", took["seconds"], budget),
        within(f"{chapter}: its kernel's peak memory", "MB", took["megabytes"], GIGABYTE),
        within(f"{chapter}: grading it, beyond its cells", "s", graded - items[WHOLE], GRADING_SECONDS),
    ]
