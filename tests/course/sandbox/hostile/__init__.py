"""Hostile answers to exercise LayerNorm: each tries to get marks for a wrong layer, or to do harm.

An attack is the text of the cells it puts in place of the LayerNorm cell. In a text, COURSE, SECRET, PORT and VICTIM
stand for the course's folder, a file beside the course, a listener on loopback and a process of the grader.
"""

from tests.course.sandbox.hostile import ending, forging, processes, stealing, surroundings, text, wire
from tests.course.sandbox.hostile.core import ATTACKS, Attack

__all__ = ["ATTACKS", "Attack", "ending", "forging", "processes", "stealing", "surroundings", "text", "wire"]
