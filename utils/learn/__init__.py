"""What a notebook imports: `from utils.learn import *` sets the notebook up and brings these names.

Setting up (seeds, figures, one line of versions) belongs to a notebook's star import and happens each time that cell
runs; `import utils.learn` from any other code changes nothing.
"""

import sys

from utils import plot
from utils.learn.board import progress
from utils.learn.check import CheckFailed as CheckFailed
from utils.learn.check import check
from utils.learn.environment import report
from utils.learn.ladder import hint, reset_exercise, reveal, skip
from utils.learn.predictions import compare, predict
from utils.learn.quizzes import quiz
from utils.learn.reuse import mine
from utils.learn.start import start
from utils.plot import bars, heatmap, line
from utils.plot.attention import attention_patterns, attention_viewer

_NAMES = (check, hint, reveal, skip, progress, mine, predict, compare, quiz, report, reset_exercise)
_FIGURES = (line, heatmap, bars, attention_patterns, attention_viewer)


def __getattr__(name: str):
    if name == "__all__":  # asked for by the star import only
        if sys._getframe(1).f_globals.get("__name__") == "__main__":
            start()
        return [entry.__name__ for entry in _NAMES + _FIGURES] + ["CheckFailed", *plot.__all__]
    if name in plot.__all__:
        return getattr(plot, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
