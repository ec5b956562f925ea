"""`start_chapter("ch1")`: seeds, figures and widgets of a notebook, and one line that says so."""

import os
import platform
import sys

import torch

from utils.chapter import load_chapter
from utils.course import CourseError
from utils.learn.context import current_chapter, resolve, shell
from utils.learn.reuse import lacks
from utils.plot import style
from utils.train.seeds import seed_everything

SEED = 0


def start_chapter(chapter: str) -> None:
    """Seed everything, set up figures, print one line: device, Python, torch, chapter ("ch1").

    COURSE_CHAPTER, where it is set, names the chapter instead.
    """
    os.environ.setdefault("COURSE_CHAPTER", chapter)
    seed_everything(SEED)
    if "plotly.io" in sys.modules:  # else the first figure does it: importing plotly costs a second
        style.configure()
    colab_widgets()
    try:
        source = load_chapter(current_chapter())
        title = f"{source.label.lower()}: {source.title}"
    except CourseError as error:
        title = str(error)
    print(f"{device_name()} | Python {platform.python_version()} | torch {torch.__version__} | {title}")
    if first := to_do_first(chapter):
        print(first)


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
        "and this hand-out holds no solution that could stand in for it."
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


def colab_widgets() -> None:
    """Colab shows widgets from outside its own set only after its widget manager is switched on."""
    if not on_colab():
        return
    try:
        from google.colab import output

        output.enable_custom_widget_manager()
    except (ImportError, AttributeError):
        print("Colab's widget manager could not be switched on: sliders may show as plain figures.")


def on_colab() -> bool:
    """Whether this kernel runs on Google Colab."""
    return bool(
        os.environ.get("COLAB_RELEASE_TAG") or os.environ.get("COLAB_NOTEBOOK_ID") or "google.colab" in sys.modules
    )


def has_front_end() -> bool:
    """Whether widgets can be shown: a kernel runs, and nobody has said that no one looks (COURSE_HEADLESS)."""
    return bool(getattr(shell(), "kernel", None)) and not os.environ.get("COURSE_HEADLESS")
