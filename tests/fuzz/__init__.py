"""Broken notebooks by the thousand, for the grader to survive: `python -m tests.fuzz --help`."""
