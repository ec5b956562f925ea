"""The course's own tools. Started by a Python that lacks the course's packages, they say so in one sentence."""

import sys
from importlib.util import find_spec

NEEDED = ("torch", "numpy", "einops", "jaxtyping", "filelock")


def lacking(advice: str) -> str:
    """One sentence, ending in `advice`, where this Python cannot run the course; empty where it can."""
    if sys.version_info < (3, 11):  # noqa: UP036 (an older kernel may well be asked)
        return f"The course needs Python 3.11 or newer, and this is {sys.version.split()[0]}: {advice}"
    missing = [name for name in NEEDED if find_spec(name) is None]
    return f"This Python ({sys.executable}) lacks {', '.join(missing)}: {advice}" if missing else ""


# `python -m utils.grade`, `python -m solutions.ch1_...`; utils.env makes the environment and needs no package
_started = sys.argv[:1] == ["-m"] and not any(word.startswith("utils.env") for word in getattr(sys, "orig_argv", ()))
if _started and (
    said := lacking("enter the course's environment (source .venv/bin/activate), which make learn makes.")
):
    print(said, file=sys.stderr)
    sys.exit(2)
