"""For every test: fresh notebooks in a folder of their own, and no silent skip of the browser tests in CI."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

from utils.train.typecheck import CHECKER

install_import_hook("solutions", CHECKER)  # every shape annotation of the reference is enforced in tests

LONG = ("test_notebooks.py", "test_plugin.py", "test_hostile.py")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Tests of one file share a worker and its fixtures; those of the mutants go by exercise, long notebooks alone.

    Under pytest 9.2 xdist 3.8 does not see the groups and spreads the tests one by one: nothing may rely on sharing.
    """
    for item in items:
        group = str(item.path)
        if item.path.name == "test_mutants.py" and hasattr(item, "callspec"):
            group = "-".join(str(item.callspec.params[key]) for key in ("chapter", "name"))
        elif item.path.name == "test_notebooks.py":
            group = item.nodeid
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.path.name not in LONG)  # else one worker waits for the other at the end


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """A folder with every notebook just built, laid out like the course; a learner's own notebooks play no part."""
    from utils.build.__main__ import build

    folder = tmp_path_factory.mktemp("built")
    build(output=folder)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and item.get_closest_marker("browser") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"with CI=true a browser test may not be skipped: {report.longrepr}"
    return report
