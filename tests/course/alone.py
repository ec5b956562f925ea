"""An environment for child processes in which the installed course is not to be found, only the copy under test."""

import os
from pathlib import Path

from utils import course

# An editable install would lend a copy what it lacks: its finder is taken out, in every process started.
SITE = f"""\
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in str(getattr(finder, "__module__", ""))]
sys.path[:] = [path for path in sys.path if "__editable__" not in path and path != {str(course.ROOT)!r}]
"""


def environment(scratch: Path, *folders: Path) -> dict[str, str]:
    """Environment variables; `folders` come first on the path, `scratch` is where the patch is kept."""
    scratch.mkdir(exist_ok=True)
    (scratch / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COURSE"))}
    path = os.pathsep.join(map(str, [scratch, *folders]))
    return env | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
