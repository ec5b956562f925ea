"""Untrusted answers run here: a warm zygote, a forked worker per exercise, plain data both ways.

with Sandbox() as box, box.submission(Notebook(cells, exercises)) as submission:
    outcome = assess(chapter, name, submission.runner(name), seed)
"""

from utils.grade.sandbox.host import Limits, SandboxError
from utils.grade.sandbox.session import Sandbox, SandboxRunner, Submission

__all__ = ["Limits", "Sandbox", "SandboxError", "SandboxRunner", "Submission"]
