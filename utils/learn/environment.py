"""`report()`: the environment as one block of text for a bug report; nothing personal in it."""

import os
import platform
import subprocess
import sys
from importlib import metadata

import torch

from utils import course
from utils.learn.context import current_chapter, shell
from utils.learn.start import device_name, on_colab

PACKAGES = """
    torch numpy einops jaxtyping plotly anywidget ipywidgets ipykernel ipython jupyterlab notebook nbmake pytest
    safetensors tokenizers filelock
""".split()  # noqa: SIM905


def report() -> None:
    """Print versions, platform, device, memory, renderer and the course's commit: paste it into a bug report."""
    print(report_text())


def report_text() -> str:
    """The block that `report` prints. Holds no user name, no path and no environment variable."""
    rows = {
        "course": f"{_version('inside-transformers')}, commit {_commit()}",
        "chapter": _chapter(),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "where": _where(),
        "device": device_name(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "renderer": _renderer(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }
    return "\n".join(f"{name + ':':<10}{value}" for name, value in rows.items())


def _version(name: str) -> str:
    if name == "torch":
        return torch.__version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    command = ["git", "-C", str(course.ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _chapter() -> str:
    try:
        return current_chapter()
    except course.CourseError:
        return "none found"


def _where() -> str:
    if on_colab():
        return "Colab"
    if "BINDER_SERVICE_HOST" in os.environ:
        return "Binder"
    if "VSCODE_PID" in os.environ:
        return "VS Code"
    if getattr(shell(), "kernel", None):
        return "Jupyter"
    return "IPython" if shell() else "Python"


def _memory() -> str:
    try:
        import psutil
    except ImportError:
        return "unknown (psutil is not installed)"
    memory, own = psutil.virtual_memory(), psutil.Process().memory_info().rss
    gib = 2**30
    return f"{memory.total / gib:.1f} GiB, {memory.available / gib:.1f} free, this kernel {own / gib:.2f}"


def _renderer() -> str:
    if "plotly" not in sys.modules:
        return "plotly is not loaded"
    import plotly.io as pio

    return pio.renderers.default or "none"
