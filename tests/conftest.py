"""For every test: fresh notebooks in a folder of their own, its own seed, and what cannot run here skipped and told."""

import os
import random
import re
import shutil
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import install_import_hook

from utils.train.typecheck import CHECKER

install_import_hook("solutions", CHECKER)  # every shape annotation of the reference is enforced in tests

# Files and exercises that take longest, first: otherwise one worker waits for the other at the end.
LONG = ("test_notebooks.py", "test_plugin.py", "test_hostile.py", "test_lifecycle.py", "test_class.py", "test_lab.py")
LONG_EXERCISE = re.compile(r"train|capacity|escape|layer_votes|votes|Memory")


def no_browser() -> str | None:
    """Why the browser tests cannot run here; None where they can."""
    if any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return None
    return "Chromium is not installed (apt-get install chromium fonts-dejavu, or any Chrome on the PATH)"


def no_sandbox() -> str | None:
    """Why the tests of the sandbox with bubblewrap cannot run here; None where they can."""
    from utils.grade.sandbox import view

    return view.refusal()


KINDS = {"browser": no_browser, "sandbox": no_sandbox}


def pytest_addoption(parser):
    parser.addoption(
        "--test-seed", type=int, help="the number every test's random draws follow from (default: a new one each run)"
    )


def pytest_configure(config):
    if config.option.test_seed is None:  # before xdist copies the options for its workers
        config.option.test_seed = random.SystemRandom().randrange(10**6)


def pytest_report_header(config):
    return f"test seed: {config.option.test_seed} (the same draws again: --test-seed {config.option.test_seed})"


def draw_from(*parts) -> None:
    """Seed Python, numpy and torch with a number that follows from the parts."""
    number = zlib.crc32(" ".join(map(str, parts)).encode())
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    """What a module or a session shares is drawn alike, whichever test asks for it first."""
    if fixturedef.scope != "function":
        draw_from(request.config.option.test_seed, fixturedef.baseid, fixturedef.argname)


@pytest.fixture(autouse=True)
def seeded(request):
    """Every test draws from a seed of its own, which follows from the run's number and the test's name."""
    draw_from(request.config.option.test_seed, request.node.nodeid)


def work_unit(nodeid: str) -> str:
    """What one worker runs in one go: a file, an exercise of the tests of the mutants, or one long notebook."""
    path, _, test = nodeid.partition("::")
    if path.endswith("test_notebooks.py"):
        return nodeid
    if path.endswith("test_mutants.py") and (exercise := re.search(r"\b(ch\d+-\w+)", test)):
        return f"{path}::{exercise[1]}"
    return path


def _rank(item) -> int:
    if item.path.name in LONG:
        return 0
    return 1 if item.path.name == "test_mutants.py" and LONG_EXERCISE.search(item.name) else 2


def pytest_collection_modifyitems(items):
    items.sort(key=_rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests that share a file's fixtures share a worker (the group marks of xdist 3.8 fail under pytest 9.2)."""
    from xdist.scheduler import LoadScopeScheduling

    class ByWorkUnit(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return work_unit(nodeid)

    config.option.loadscopereorder = False  # our order: what takes long comes first
    return ByWorkUnit(config, log)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """A folder with every notebook just built, laid out like the course; a learner's own notebooks play no part."""
    from utils.build.__main__ import build

    folder = tmp_path_factory.mktemp("built")
    build(output=folder)
    return folder


def pytest_runtest_setup(item):
    for kind, why_not in KINDS.items():
        if item.get_closest_marker(kind) and (reason := why_not()):
            pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    kind = next((kind for kind in KINDS if item.get_closest_marker(kind)), None)
    if report.skipped and kind and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"with CI=true a {kind} test may not be skipped: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter):
    """One line for each kind of test that did not run, with the way to run it."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
        if isinstance(report.longrepr, tuple)
    )
    for reason, number in reasons.most_common():
        terminalreporter.write_line(f"skipped: {number} test{'s' * (number != 1)}, because {reason}")
