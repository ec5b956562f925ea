"""What a run asks of its machine: a device, seeds, a progress bar, Ctrl-C after the step in hand."""

import random
import signal
import sys
import threading
from collections.abc import Iterable

import numpy as np
import torch
from tqdm import tqdm

from utils.course import CourseError


def best_device(double: bool = False) -> str:
    """The best device there is: "cuda", "mps" or "cpu". `double`: one that computes in float64, which MPS does not."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() and not double else "cpu"


def usable_device(name: str, double: bool = False) -> torch.device:
    """The torch device of that name. Raises CourseError where it is unknown or not on this machine, and, if `double`
    is needed, where it has no float64."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        there = best_device(double)
        raise CourseError(f"The device {name!r} is not there on this machine; it has {there!r}.") from None
    if double:
        try:
            torch.zeros(1).to(device, torch.float64)
        except (TypeError, RuntimeError):
            says = (
                f"The device {name!r} has no float64, in which this chapter draws its data: take {best_device(True)!r}."
            )
            raise CourseError(says) from None
    return device


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch (every device)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def generator(*key: int) -> torch.Generator:
    """A generator of its own for each key, such as (seed, epoch): draws do not depend on what was drawn before."""
    state = np.random.SeedSequence(key).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) % 2**63)


def progress_bar(items: Iterable | None = None, *, total: int | None = None, label: str = "", **options) -> tqdm:
    """A tqdm bar on standard error; where that is not a terminal or a notebook it is drawn every ten seconds only.

    Plain text also in notebooks: the widget bar needs a front end that many hosts lack.
    """
    live = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(
        items,
        total=total,
        desc=label or None,
        mininterval=0.3 if live else 10.0,
        file=sys.stderr,
        dynamic_ncols=sys.stderr.isatty(),
        ascii=None if live else True,
        **options,
    )


class Interrupt:
    """Context manager: the first Ctrl-C (or a kernel's interrupt) only sets `asked`; a second one interrupts at once.

    Outside the main thread, where Python allows no signal handlers, it never asks.
    """

    def __init__(self):
        self.asked = False
        self._before = None

    def _handle(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *error) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


def command_line(program: str) -> str:
    """The command line that is running, to be kept beside what it makes."""
    return " ".join([program, *sys.argv[1:]])
