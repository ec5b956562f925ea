"""What a run asks of its machine: a device, seeds, a progress bar, Ctrl-C after the step in hand, a command frame."""

import random
import signal
import sys
import threading
from collections.abc import Callable, Iterable

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
    is asked for, where it has no float64."""
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


def run_command(run: Callable[[], int]) -> int:
    """The exit status of `run`: its own, 2 for what the user can put right (one sentence), 130 after Ctrl-C.

    What the terminal's encoding cannot show or read becomes a question mark instead of ending the run.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        for argument in sys.argv[1:]:
            if any("\ud800" <= character <= "\udfff" for character in argument):  # how Python keeps such bytes
                raise CourseError(f"The argument {argument} is not text in UTF-8.")
        return run()
    except (CourseError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def command_line(program: str) -> str:
    """The command line that is running, to be kept beside what it makes."""
    return " ".join([program, *sys.argv[1:]])
