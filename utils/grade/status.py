"""The list of statuses an exercise can have. Imports nothing, so that pytest starts without torch."""

from enum import StrEnum

PROPERTIES = ("exercise", "status", "points", "max_points", "notebook", "seed")  # of an exercise in JUnit XML


class Status(StrEnum):
    """What became of one exercise of one notebook."""

    FULL = "full"
    PARTIAL = "partial"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"
    UNFINISHED = "unfinished"
    MISSING = "missing"
    SYNTAX_ERROR = "syntax error"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
