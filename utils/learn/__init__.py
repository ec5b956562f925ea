"""What a notebook imports: `from utils.learn import *` brings these names, and `start_chapter("ch1")` sets it up."""

from utils import lacking

if said := lacking(
    "choose the kernel of the course's .venv (in the menu: Kernel, Change Kernel), or use `make learn`."
):

    class WrongKernel(ImportError):
        """In a notebook its sentence is all that shows."""

        def _render_traceback_(self) -> list[str]:
            return [str(self)]

    raise WrongKernel(said)

from utils import plot
from utils.learn.board import progress
from utils.learn.check import CheckFailed, check
from utils.learn.ladder import hint, reset_exercise, reveal, skip
from utils.learn.questions import compare, predict, quiz
from utils.learn.reuse import mine
from utils.learn.start import ready, report, start_chapter
from utils.plot import *  # noqa: F403 (the names of utils.plot.__all__)

__all__ = [
    "CheckFailed",
    "check",
    "compare",
    "hint",
    "mine",
    "predict",
    "progress",
    "quiz",
    "ready",
    "report",
    "reset_exercise",
    "reveal",
    "skip",
    "start_chapter",
    *plot.__all__,
]
