"""Our own functions on what strangers sent: each call in a child process under limits of time and memory.

The child never runs a stranger's code, but reading and judging what it made can be made to take hours and gigabytes.
"""

import ctypes
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from utils import course

PEAK = 460 * 2**20  # bytes that a process of the grader may hold, the share of its parent included; libraries add 20 MB
PR_SET_PDEATHSIG = 1
LEAST = 96 * 2**20  # that a child may add all the same


class Exhausted(course.CourseError):
    """The call took more than it may; the text is the end of a sentence that says so."""


def limited(function: Callable, *args, seconds: int) -> Any:
    """Return `function(*args)`, run in a child with `seconds` of the processor and PEAK bytes; what it changes is lost.

    Raises what the function raises, or Exhausted. Where there are no such limits (off Linux) it is simply called.
    """
    if not sys.platform.startswith("linux"):
        return function(*args)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            _work(write, seconds, function, args)
        finally:
            os._exit(1)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read()
    finally:
        os.kill(child, signal.SIGKILL)  # it has told everything, or we are interrupted
        _, status = os.waitpid(child, 0)
    if not told:
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            raise Exhausted(f"takes more than {seconds} seconds of the processor")
        raise Exhausted("takes more memory than there is for one submission")
    done, value = pickle.loads(told)  # our own child's
    if not done:
        raise value
    return value


def die_with_parent() -> None:
    """End when the process that started this one does (on Linux; the sandbox's own would bring torch along)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), *[ctypes.c_ulong(0)] * 3)


def _work(write: int, seconds: int, function: Callable, args: tuple) -> None:
    """In the child: take on the limits, call, tell. Nothing is told where the memory does not suffice."""
    import resource

    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's affair
    with open("/proc/self/statm") as file:
        size, resident = (int(number) * resource.getpagesize() for number in file.read().split()[:2])
    memory = size + max(PEAK - resident, LEAST)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = True, function(*args)
    except MemoryError:
        return
    except Exception as error:
        error.add_note(traceback.format_exc(limit=-8))
        answer = False, error
    with os.fdopen(write, "wb") as pipe:
        pipe.write(pickle.dumps(answer))
