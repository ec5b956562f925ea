"""On Google Colab: install what a notebook needs and Colab lacks, and leave its torch and numpy alone."""

import importlib.metadata
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from utils.course import ROOT, CourseError

# What is only needed where the course is tested, graded or served by one's own JupyterLab.
ELSEWHERE = {"jupyterlab", "nbmake", "pytest", "nbclient", "nbformat", "jupytext", "ipykernel"}
NEVER = {"torch", "numpy"}  # replacing a loaded one would need a restart of the runtime


def installed(name: str) -> str | None:
    """Version of an installed package; None where it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def missing(requirements: Path = ROOT / "requirements.txt") -> list[str]:
    """Requirements of the notebooks that are not installed here, with their ranges."""
    wanted = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        requirement = line.partition("#")[0].strip()
        name = re.match(r"[A-Za-z0-9._-]*", requirement)[0]
        if name and name not in ELSEWHERE | NEVER and installed(name) is None:
            wanted.append(requirement)
    return wanted


def install_missing(call=subprocess.run) -> list[str]:
    """Install what is missing, with torch and numpy held at what is there; returns what was installed."""
    wanted = missing()
    if not wanted:
        return []
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "held.txt"
        held.write_text("".join(f"{name}=={installed(name)}\n" for name in sorted(NEVER) if installed(name)))
        done = call([sys.executable, "-m", "pip", "install", "--quiet", "-c", str(held), *wanted])
    if done.returncode:
        raise CourseError(f"pip could not install {', '.join(wanted)}: its last lines above say why.")
    return wanted
