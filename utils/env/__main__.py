"""`python -m utils.env learn|test|run`: what `make` calls, and what to use where there is no make (Windows)."""

import sys

USAGE = """\
python -m utils.env learn [JUPYTER OPTIONS]       make .venv if needed, open JupyterLab at the start page
python -m utils.env test [--fast] [PYTEST OPTIONS] make .venv with the test tools if needed, run every test
python -m utils.env run [--tools] PYTHON OPTIONS  run the environment's Python: run -m utils.build --check"""


def main(argv=None) -> int:
    """Run the command line; returns the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python may well be asked to run this file)
        print(f"The course needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    from utils.command import run_command
    from utils.course import CourseError
    from utils.env import commands

    known = {"learn": commands.learn, "test": commands.test, "run": commands.run}
    if argv[:1] in ([], ["-h"], ["--help"]):
        print(USAGE)
        return 0
    if argv[0] not in known:
        print(f"There is no command {argv[0]!r}: the commands are {', '.join(known)}.", file=sys.stderr)
        return 2
    return run_command(lambda: known[argv[0]](argv[1:]), CourseError, "")


if __name__ == "__main__":
    sys.exit(main())
