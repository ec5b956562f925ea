"""Hidden tests in two halves: probes run beside the learner's code, judges hold what is expected.

`tests/<chapter>/test_<exercise>.py` imports its tools from here and nothing from solutions.
"""

from utils.grade.draw import Draw
from utils.grade.judge import LearnerError, Mismatch, close, equal, raises, require
from utils.grade.subject import LocalRunner, Subject

__all__ = ["Draw", "LearnerError", "LocalRunner", "Mismatch", "Subject", "close", "equal", "raises", "require"]
