"""Ctrl-C that lets the step in hand finish, so that what is saved is whole."""

import signal
import threading


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
