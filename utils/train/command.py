"""The frame of every command line of the course."""

import sys
from collections.abc import Callable

from utils.course import CourseError


def run_command(run: Callable[[], int]) -> int:
    """The exit status of `run`: its own, 2 for what the user can put right (one sentence), 130 after Ctrl-C.

    What the terminal's encoding cannot show is printed as a question mark instead of ending the run.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
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
