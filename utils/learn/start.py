"""`start_chapter("ch1")` sets a notebook up; `ready()` and `report()` tell what its environment has."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator

import torch

from utils import course
from utils.chapter import load_chapter
from utils.course import CourseError
from utils.env.colab import installed
from utils.learn.context import current_chapter, progress_folder, resolve, shell
from utils.learn.reuse import lacks
from utils.learn.show import box, lines, show
from utils.plot import picture
from utils.train.run import seed_everything

SEED = 0


def start_chapter(chapter: str) -> None:
    """Seed everything, set up figures, show one line: device, Python, torch, chapter ("ch1").

    COURSE_CHAPTER, where it is set, names the chapter instead.
    """
    os.environ.setdefault("COURSE_CHAPTER", chapter)
    seed_everything(SEED)
    if "plotly.io" in sys.modules:  # else the first figure does it: importing plotly costs a second
        picture.configure()
    try:
        source = load_chapter(current_chapter())
        title = f"{source.label.lower()}: {source.title}"
    except CourseError as error:
        title = str(error)
    text = f"{device_name()} | Python {platform.python_version()} | torch {torch.__version__} | {title}"
    text += f"\n{first}" if (first := to_do_first(chapter)) else ""
    styles = picture.DARK_DRAWINGS_CSS + picture.WHOLE_WORDS_CSS
    show(text, f'<pre style="margin:0">{lines(text)}</pre><style>{styles}</style>')


def to_do_first(chapter: str) -> str:
    """In a hand-out, what another chapter has to give before this one can be done to its end; empty where all is there.

    Where the reference is at hand it serves instead.
    """
    found = {}
    for other, exercise in map(resolve, load_chapter(chapter).takes):
        if lacks(other, exercise.name):
            found.setdefault(other, []).append(f"{exercise.name} ({exercise.id})")
    return " ".join(
        f"Do {', '.join(names)} of chapter {other.removeprefix('ch')} here first: this chapter builds on your code, "
        "and this hand-out holds no solution that could be used instead."
        for other, names in found.items()
    )


def device_name() -> str:
    """The device that training will use, in words."""
    if torch.cuda.is_available():
        return f"GPU ({torch.cuda.get_device_name(0)})"
    if torch.backends.mps.is_available():
        return "GPU (Apple)"
    threads = torch.get_num_threads()
    return f"CPU ({threads} thread{'s' if threads != 1 else ''})"


def on_colab() -> bool:
    """Whether this kernel runs on Google Colab."""
    return bool(
        os.environ.get("COLAB_RELEASE_TAG") or os.environ.get("COLAB_NOTEBOOK_ID") or "google.colab" in sys.modules
    )


NEEDED_MEMORY = 2**30  # bytes: the peak of the hungriest chapter

PACKAGES = """
    torch numpy einops jaxtyping plotly anywidget ipywidgets ipykernel ipython jupyterlab notebook nbmake pytest
    safetensors tokenizers filelock
""".split()  # noqa: SIM905


def report() -> None:
    """Print versions, platform, device, memory, renderer and the course's commit: paste it into a bug report."""
    print(report_text())


def report_text() -> str:
    """The block that `report` prints. Holds no user name, no path and no environment variable."""
    free = _free_memory()
    plotly = sys.modules.get("plotly.io")
    rows = {
        "course": f"{_version('inside-transformers')}, commit {_commit()}",
        "chapter": os.environ.get("COURSE_CHAPTER", "none was started"),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "where": _where(),
        "device": f"{device_name()}; PyTorch {torch.__version__}; {os.cpu_count()} cores",  # +cpu or +cu: the build
        "memory": f"{free / 2**30:.1f} GB free" if free else "unknown (psutil is not installed)",
        "renderer": plotly.renderers.default if plotly else "plotly is not loaded",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }
    return "\n".join(f"{name + ':':<10}{value}" for name, value in rows.items())


def ready() -> None:
    """Show a line for each thing that the course needs, with what to do where it is missing."""
    rows = list(_needs())
    text = "\n".join(f"{'ok' if ok else 'NO'}  {line}" for ok, line in rows)
    signs = {True: "&#10003;", False: "&#10007; <b>Look at this:</b>"}
    show(
        text,
        box("good" if all(ok for ok, _ in rows) else "bad", "<br>".join(f"{signs[o]} {lines(x)}" for o, x in rows)),
    )


def _needs() -> Iterator[tuple[bool, str]]:
    gib = 2**30
    yield sys.version_info >= (3, 11), f"Python {platform.python_version()} (the course needs 3.11 or newer)"
    yield True, f"PyTorch {torch.__version__} on the {device_name()}; no chapter needs a graphics card"
    if free := _free_memory():
        yield free >= NEEDED_MEMORY, f"Memory: {free / gib:.1f} GB free; a chapter's notebook needs up to 1 GB"
    home = progress_folder(current_chapter())
    disk = shutil.disk_usage(course.ROOT).free
    yield disk >= gib / 4, f"Disk: {disk / gib:.1f} GB free; your answers and trained models need less than 0.25 GB"
    own = os.access(home if home.is_dir() else home.parent, os.W_OK)
    yield own, f"Progress {'is' if own else 'cannot be'} kept in {home.parent.name}/{home.name}"
    missing = [name for name in ("ipywidgets", "anywidget", "plotly") if _version(name) == "not installed"]
    says = f"{', '.join(missing)} not installed: run make learn again" if missing else "installed"
    yield not missing, f"Buttons, sliders and figures: {says}"
    answers = course.have_answers(course.START)
    yield True, f"Solutions: {'here, so skip and reveal work' if answers else 'not part of this hand-out'}"


def _free_memory() -> int | None:
    """Bytes that a new program could use; None where that isn't known."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().available


def _version(name: str) -> str:
    return installed(name) or "not installed"


def _commit() -> str:
    command = ["git", "-C", str(course.ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


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
