"""pytest plugin: `pytest --nbmake` on a course notebook reports one item per exercise, from one execution.

Registered by the installed project, so it serves notebooks outside the tree too. Any other notebook is left to
nbmake. Nothing here imports torch: every pytest start loads this file.
"""

from pathlib import Path

import pytest

from utils import course
from utils.grade.status import Status

_RUNNING = pytest.StashKey()
_TABLE = ("exercise", "status", "points", "max_points", "notebook", "cell_seconds")


class NotGraded(Exception):
    """An exercise without full marks, or a file that cannot be graded; its text is the one sentence to show."""


def pytest_addoption(parser):
    group = parser.getgroup("course", "grading of course notebooks (with --nbmake)")
    group.addoption(
        "--cell-timeout", type=float, default=60.0, metavar="S", help="seconds a cell may take, unless the chapter says"
    )
    group.addoption(
        "--notebook-timeout", type=float, default=900.0, metavar="S", help="seconds a whole notebook may take"
    )
    group.addoption("--grade-seed", type=int, default=1, help="seed of the inputs that exercises are graded on")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent):
    """Take course notebooks, and files that are no notebooks, from nbmake; leave it all others."""
    found = yield
    if file_path.suffix != ".ipynb" or not parent.config.getoption("nbmake", False) or not found:
        return found
    from utils.grade.notebook import course_notebook

    try:
        notebook, problem = course_notebook(file_path), None
    except course.CourseError as error:
        notebook, problem = None, str(error)
    if notebook is None and problem is None:
        return found
    others = [node for node in found if not type(node).__module__.startswith("nbmake")]
    return [*others, NotebookFile.from_parent(parent, path=file_path, notebook=notebook, problem=problem)]


class NotebookFile(pytest.File):
    """A course notebook, or a file that cannot be read as one (`problem` says why)."""

    def __init__(self, *, notebook=None, problem=None, **more):
        super().__init__(**more)
        self.notebook, self.problem = notebook, problem
        self.run = None

    def collect(self):
        if self.problem:
            yield Unreadable.from_parent(self, name=self.path.name)
            return
        if not self.notebook.exercises:
            self.problem = f"chapter {self.notebook.chapter} has no exercises for {self.path.name}."
            yield Unreadable.from_parent(self, name=self.path.name)
            return
        for exercise in self.notebook.exercises:
            yield ExerciseItem.from_parent(self, name=f"{exercise.id} {exercise.name}", exercise=exercise)

    def running(self):
        """The one execution of this notebook in this pytest session."""
        if self.run is None:
            from utils.grade.run import NotebookRun

            option = self.config.option
            self.run = NotebookRun(self.notebook, option.grade_seed, option.cell_timeout, option.notebook_timeout)
            self.config.stash.setdefault(_RUNNING, []).append(self.run)
        return self.run


class _Item(pytest.Item):
    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, (NotGraded, course.CourseError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, self.name


class Unreadable(_Item):
    """Stands for a file that cannot be graded."""

    def runtest(self):
        raise NotGraded(self.parent.problem)


class ExerciseItem(_Item):
    """One exercise of one notebook."""

    def __init__(self, *, exercise, **more):
        super().__init__(**more)
        self.exercise = exercise

    def runtest(self):
        grade = self.parent.running().grade(self.exercise)
        full = grade.status is Status.FULL
        self.user_properties += [
            ("exercise", self.name),
            ("points", self.exercise.points if full else 0),
            ("max_points", self.exercise.points),
            ("status", str(grade.status)),
            ("notebook", self.path.name),
            ("cell_seconds", round(self.parent.run.cell_seconds, 2)),
        ]
        if not full:
            raise NotGraded(f"{grade.status}: {grade.says}" if grade.says else str(grade.status))


def pytest_runtest_teardown(item, nextitem):
    if isinstance(item, ExerciseItem) and item.parent.run and (nextitem is None or nextitem.parent is not item.parent):
        item.parent.run.close()


def pytest_sessionfinish(session):
    for run in session.config.stash.get(_RUNNING, []):
        run.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give all exercises of a notebook to one worker, or each worker would run the notebook."""
    if not config.getoption("nbmake", False) or config.getoption("dist", "no") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


def pytest_terminal_summary(terminalreporter):
    """The table: exercise, points, status and reason; the total."""
    notebooks: dict[str, list[tuple[dict, str]]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            properties = dict(getattr(report, "user_properties", None) or [])
            if getattr(report, "when", None) == "call" and all(key in properties for key in _TABLE):
                reason = "" if report.passed else str(report.longrepr).partition(": ")[2]
                notebooks.setdefault(report.nodeid.split("::")[0], []).append((properties, reason))
    for notebook, rows in sorted(notebooks.items()):
        rows.sort(key=lambda row: [int(part) for part in row[0]["exercise"].split()[0].split(".")])
        terminalreporter.section(notebook)
        width = max(len(properties["exercise"]) for properties, _ in rows)
        for properties, reason in rows:
            points = f"{properties['points']}/{properties['max_points']}"
            line = f"{properties['exercise']:<{width}}  {points:>6}  {properties['status']:<13}  {reason}"
            terminalreporter.write_line(line.rstrip())
        total, most = (sum(properties[key] for properties, _ in rows) for key in ("points", "max_points"))
        ran = max(properties["cell_seconds"] for properties, _ in rows)
        note = f"  its cells ran for {ran:.0f} s" if ran else ""
        terminalreporter.write_line(f"{'total':<{width}}  {f'{total}/{most}':>6}{note}")
