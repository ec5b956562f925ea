"""Untrusted answers run here: a warm zygote, a forked worker per exercise, plain data both ways.

with Sandbox() as box, box.runner(Notebook(cells, exercises), name) as runner:
    outcome = assess(chapter, name, runner, seed)
"""

from utils.grade.sandbox.host import Limits, SandboxError
from utils.grade.sandbox.session import Sandbox, SandboxRunner

__all__ = ["Limits", "Sandbox", "SandboxError", "SandboxRunner"]
