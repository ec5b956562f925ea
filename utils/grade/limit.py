"""A time limit around the learner's code where it runs in this process: in a notebook, and for the mutants."""

import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TICK = 0.1  # seconds between two looks at the clock
PATIENCE = 6.0  # how many times longer by the wall clock: a busy machine, or code that waits for something
AGAIN = 1.0  # seconds until code that swallowed the first interruption meets the next one


class OutOfTime(BaseException):
    """Raised in the midst of code that ran too long; no Exception, so that the learner's `except` lets it pass."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block once it has used `seconds` of the processor, or PATIENCE times that by the clock.

    In the main thread a signal interrupts waiting too; elsewhere (Windows, other threads) the exception comes as soon
    as Python runs the next line of the block.
    """
    due = _clock(seconds)
    by_signal = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    with _alarm(due) if by_signal else _thread(due):
        yield


def _clock(seconds: float) -> Callable[[], bool]:
    """A function that says whether the time is over; true once, and again every AGAIN seconds."""
    cpu, wall = time.process_time() + seconds, time.monotonic() + PATIENCE * seconds

    def due() -> bool:
        nonlocal cpu, wall
        now = time.process_time(), time.monotonic()
        if now[0] < cpu and now[1] < wall:
            return False
        cpu, wall = now[0] + AGAIN, now[1] + AGAIN
        return True

    return due


@contextmanager
def _alarm(due: Callable[[], bool]) -> Iterator[None]:
    def look(*_) -> None:
        if due():
            raise OutOfTime

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, look)
    left, interval = signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if left:  # somebody else's alarm was set: it goes on
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 1e-3), interval)


@contextmanager
def _thread(due: Callable[[], bool]) -> Iterator[None]:
    over, target = threading.Event(), ctypes.c_ulong(threading.get_ident())

    def watch() -> None:
        while not over.wait(TICK):
            if due():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(OutOfTime))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(target, None)  # one that was set and not raised yet
