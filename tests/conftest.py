"""For every test: fresh notebooks in a folder of their own, and no silent skip of the browser tests in CI."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

from utils.train.typecheck import CHECKER

install_import_hook("solutions", CHECKER)  # every shape annotation of the reference is enforced in tests


def pytest_collection_modifyitems(items):
    """Tests of one file share a worker (and its servers and notebooks); those of the mutants are spread by exercise."""
    for item in items:
        spread = item.path.name == "test_mutants.py" and hasattr(item, "callspec")
        item.add_marker(pytest.mark.xdist_group(item.callspec.id if spread else str(item.path)))


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
