"""pytest plugin: `pytest --nbmake` on a course notebook gives one item per exercise and one for the whole notebook.

An exercise's verdict comes from the same policy as class grading, in a plain child process; the whole notebook is run
by nbmake, to which any other notebook is left. Registered by the installed project, so it serves notebooks outside the
tree too. Nothing here imports torch: every pytest start loads this file.
"""

import os
import random
import re
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import pytest

from utils import course
from utils.grade.status import PROPERTIES, Status

WHOLE = "runs from top to bottom"


class NotGraded(Exception):
    """An exercise without full marks, or a file that cannot be graded; its text is the one sentence to show."""


def pytest_addoption(parser):
    group = parser.getgroup("course", "grading of course notebooks (with --nbmake)")
    group.addoption("--grade-seed", type=int, help="seed of the inputs that exercises are graded on (default: drawn)")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Draw the seed once a run; the workers of xdist get the controller's."""
    given = getattr(config, "workerinput", {}).get("grade_seed", config.option.grade_seed)
    config.option.grade_seed = random.SystemRandom().randrange(1, 2**31) if given is None else given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["grade_seed"] = node.config.option.grade_seed


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent):
    """Take course notebooks, and files that can't be read as notebooks, from nbmake; leave it all others."""
    found = yield
    if file_path.suffix != ".ipynb" or not parent.config.getoption("nbmake", False) or not found:
        return found
    from utils.grade.submission import course_chapter, read_cells

    cells, chapter, problem = [], None, None
    try:
        cells, metadata = read_cells(file_path.read_bytes())
        chapter = course_chapter(cells, metadata)
        if chapter is None and not cells:
            _not_odd(file_path)
    except course.CourseError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{file_path.name} cannot be read: {error.strerror or error}."
    except ValueError as error:
        problem = f"{file_path.name} {error}."
    if chapter is None and problem is None:
        return found
    others = [node for node in found if not type(node).__module__.startswith("nbmake")]
    return [*others, NotebookFile.from_parent(parent, path=file_path, cells=cells, chapter=chapter, problem=problem)]


def _not_odd(file: Path) -> None:
    """Raises ValueError for JSON that isn't a notebook, at which nbmake would show frames of its own."""
    import nbformat

    try:
        nbformat.read(file, 4)
    except Exception:  # nbformat raises many kinds
        raise ValueError("is not a notebook: it is JSON without a notebook's cells") from None


class NotebookFile(pytest.File):
    """A course notebook, or a file that cannot be read as one (`problem` says why)."""

    def __init__(self, *, cells, chapter, problem=None, **more):
        super().__init__(**more)
        self.cells, self.chapter, self.problem = cells, chapter, problem
        self.kept = self.box = None

    def collect(self):
        if self.problem:
            yield Unreadable.from_parent(self, name=self.path.name)
            return
        exercises = self.exercises()
        if not exercises:
            self.problem = f"chapter {self.chapter[0]} has no exercises for {self.path.name}."
            yield Unreadable.from_parent(self, name=self.path.name)
            return
        for exercise in exercises:
            yield ExerciseItem.from_parent(self, name=f"{exercise.id} {exercise.name}", exercise=exercise)
        yield WholeItem.from_parent(self, name=WHOLE)

    def exercises(self):
        """Those that this kind of notebook is expected to hold, and others that it defines anyway."""
        from utils.chapter import load_chapter
        from utils.grade.submission import Notebook

        key, kind = self.chapter
        every = load_chapter(key).exercises
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            notebook = Notebook([source for source, _ in self.cells], [exercise.name for exercise in every])
        return [e for e in every if e.optional == (kind == "optional") or notebook.defines(e.name)]

    def grading(self):
        """What grades this notebook; its process starts when an answer has to be run."""
        if self.kept is None:
            import torch

            from utils.grade.policy import Grading
            from utils.grade.sandbox.plain import Plain

            torch.set_num_threads(1)
            self.box = Plain()
            self.kept = Grading(self.cells, self.chapter[0], self.config.option.grade_seed, self.box)
        return self.kept

    def close(self):
        """End the process; another starts should a later item need it."""
        if self.box is not None:
            self.box.close()


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # of odd literals in answers
            outcome = self.parent.grading().verdict(self.exercise.name).outcome
        points = self.exercise.points if outcome.status is Status.FULL else 0
        values = (self.name, str(outcome.status), points, self.exercise.points, self.path.name)
        self.user_properties += zip(PROPERTIES, (*values, self.config.option.grade_seed), strict=True)
        if outcome.status is not Status.FULL:
            says = " ".join(filter(None, [outcome.says.rstrip("."), outcome.stopped]))
            raise NotGraded(f"{outcome.status}: {says}." if says else str(outcome.status))


class WholeItem(_Item):
    """The notebook as a whole, run by nbmake with nbmake's own options; no points hang on it."""

    def runtest(self):
        self.user_properties.append(("notebook", self.path.name))
        if open_ones := self._not_attempted():
            more = f" and {len(open_ones) - 3} more" if len(open_ones) > 3 else ""
            pytest.skip(f"not attempted yet: {', '.join(open_ones[:3])}{more}")
        import nbformat
        from nbmake.nb_run import NotebookRun

        option = self.config.option
        with tempfile.TemporaryDirectory(prefix="course-") as progress:
            path = os.pathsep.join(filter(None, [str(course.ROOT), os.environ.get("PYTHONPATH")]))
            # the learner's own progress is left alone
            settings = {"PYTHONPATH": path, "COURSE_CHAPTER": self.parent.chapter[0], "COURSE_PROGRESS": progress}
            with mock.patch.dict(os.environ, settings):
                run = NotebookRun(
                    self.path,
                    option.nbmake_timeout,
                    verbose=bool(option.verbose),
                    kernel=option.nbmake_kernel or "python3",  # what Colab or VS Code call theirs is not here
                    find_import_errors=option.nbmake_find_import_errors,
                )
                result = run.execute()
        if option.overwrite:
            nbformat.write(result.nb, str(self.path))
        error = result.error or run._get_error(result.nb)  # errors that the notebook itself allows are errors here
        if error is not None:
            number = sum(cell.cell_type == "code" for cell in result.nb.cells[: error.failing_cell_index + 1])
            raise NotGraded(re.sub(r"\x1b\[[0-9;]*m", "", f"cell {number} fails: {error.summary}\n{error.trace}"))

    def _not_attempted(self) -> list[str]:
        grading = self.parent.grading()
        found = [(e.name, grading.before_tests(e.name)) for e in self.parent.exercises()]
        return [name for name, outcome in found if outcome and outcome.status in (Status.NOT_ATTEMPTED, Status.MISSING)]


def pytest_runtest_teardown(item, nextitem):
    if isinstance(item, _Item) and (nextitem is None or nextitem.parent is not item.parent):
        item.parent.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give all items of a notebook to one worker, or each worker would start a process for it."""
    if not config.getoption("nbmake", False) or config.getoption("dist", "no") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


def pytest_terminal_summary(terminalreporter, config):
    """The table: exercise, points, status and reason; the total; what became of the notebook as a whole."""
    notebooks: dict[str, list[tuple[dict, str]]] = {}
    whole: dict[str, str] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            properties = dict(getattr(report, "user_properties", None) or [])
            file, _, name = getattr(report, "nodeid", "").partition("::")
            if getattr(report, "when", None) == "call" and all(key in properties for key in PROPERTIES):
                reason = "" if report.passed else str(report.longrepr).partition(": ")[2]
                notebooks.setdefault(file, []).append((properties, reason))
            elif getattr(report, "when", None) == "call" and name == WHOLE:
                told = report.longrepr[-1] if report.skipped else str(report.longrepr).split("\n")[0]
                whole[file] = "yes" if report.passed else told.removeprefix("Skipped: ")
    for notebook, rows in sorted(notebooks.items()):
        rows.sort(key=lambda row: [int(part) for part in row[0]["exercise"].split()[0].split(".")])
        terminalreporter.section(notebook)
        width = max(len(properties["exercise"]) for properties, _ in rows)
        for properties, reason in rows:
            points = f"{properties['points']}/{properties['max_points']}"
            line = f"{properties['exercise']:<{width}}  {points:>6}  {properties['status']:<13}  {reason}"
            terminalreporter.write_line(line.rstrip())
        total, most = (sum(properties[key] for properties, _ in rows) for key in ("points", "max_points"))
        terminalreporter.write_line(f"{'total':<{width}}  {f'{total}/{most}':>6}")
        if notebook in whole:
            terminalreporter.write_line(f"{WHOLE}: {whole[notebook]}")
    if notebooks:
        terminalreporter.write_line(f"Inputs were drawn from --grade-seed {config.option.grade_seed}.")
