"""One Jupyter kernel for a grading: run a cell, evaluate a trusted expression, survive loops and deaths.

Talks to the kernel with jupyter_client, without a subscription to its outputs: the verdict is the execute reply, and
what a notebook prints (megabytes, or forged errors) reaches nobody.
"""

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from utils import course

START_TIMEOUT = 120.0
INTERRUPT_PATIENCE = 5.0  # seconds a cell has to end after an interrupt before the kernel is given up


@dataclass(frozen=True)
class Reply:
    """How an execution ended: "ok", "error", "timeout" (interrupted; the kernel lives), "stuck" or "dead"."""

    status: str
    ename: str = ""
    evalue: str = ""

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    @property
    def lost(self) -> bool:
        """Whether the kernel can be used no longer."""
        return self.status in ("stuck", "dead")

    def __str__(self) -> str:
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.evalue).strip().split("\n")[0]
        return f"{self.ename}: {text}" if text else self.ename


class _OwnInterpreter(KernelSpecManager):
    """Whatever kernel a notebook names: it runs in the Python that runs the grading."""

    def get_kernel_spec(self, kernel_name):
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class Kernel:
    """A kernel whose working directory is `folder`; the course is importable and progress goes to a scratch folder."""

    def __init__(self, folder: Path, chapter: str):
        self.folder, self.chapter = folder, chapter
        self.scratch = Path(tempfile.mkdtemp(prefix="grading-"))
        self.manager = self.client = None
        self.starts = 0

    def start(self) -> None:
        """Start afresh, with nothing of an earlier start left. Raises CourseError when no kernel comes up."""
        self.stop()
        self.starts += 1
        home = self.scratch / str(self.starts)
        home.mkdir()
        path = os.pathsep.join(filter(None, [str(course.ROOT), os.environ.get("PYTHONPATH")]))
        env = {
            **os.environ,
            "PYTHONPATH": path,
            "IPYTHONDIR": str(home / "ipython"),  # no start-up files of the user's own
            "COURSE_CHAPTER": self.chapter,
            "COURSE_PROGRESS": str(home / "progress"),  # grading leaves the learner's progress alone
            "COURSE_GRADING": "1",
        }
        self.manager = KernelManager(
            kernel_name="python3", kernel_spec_manager=_OwnInterpreter(), connection_file=str(home / "kernel.json")
        )
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.manager.start_kernel(cwd=str(self.folder), env=env, **quiet)
        self.client = self.manager.blocking_client()
        self.client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=False)
        reply = self._await(self.client.kernel_info(), START_TIMEOUT)
        if isinstance(reply, Reply):
            raise course.CourseError(f"The Jupyter kernel did not start within {START_TIMEOUT:.0f} s.")

    def execute(self, source: str, timeout: float) -> Reply:
        """Run a cell. input() fails at once; past `timeout` seconds the cell is interrupted."""
        message = self.client.execute(source, allow_stdin=False, stop_on_error=False)
        content = self._finish(message, timeout)
        return content if isinstance(content, Reply) else _reply(content)

    def evaluate(self, expression: str, timeout: float) -> Reply:
        """Evaluate a trusted expression beside the notebook's names.

        It travels as a user expression of an empty request, which IPython evaluates directly: input transformers, AST
        transformers and exception handlers that a notebook installed do not see it.
        """
        message = self.client.execute("", silent=True, user_expressions={"it": expression}, allow_stdin=False)
        content = self._finish(message, timeout)
        if isinstance(content, Reply):
            return content
        return _reply(content.get("user_expressions", {}).get("it") or content)

    def stop(self) -> None:
        """End the kernel and every process that its notebook left behind."""
        if self.client is not None:
            self.client.stop_channels()
        if self.manager is not None:
            group = getattr(self.manager.provisioner, "pgid", None)
            with contextlib.suppress(Exception):  # it may be gone already
                self.manager.shutdown_kernel(now=True)
            if group and hasattr(os, "killpg") and group != os.getpgid(0):
                with contextlib.suppress(OSError):
                    os.killpg(group, signal.SIGKILL)
        self.manager = self.client = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _finish(self, message: str, timeout: float) -> dict | Reply:
        reply = self._await(message, timeout)
        if isinstance(reply, dict) or reply.lost:
            return reply
        for _ in range(2):  # the first interrupt may land in a handler of the learner's
            self.manager.interrupt_kernel()
            reply = self._await(message, INTERRUPT_PATIENCE / 2)
            if isinstance(reply, dict):
                return Reply("timeout")
            if reply.lost:
                return reply
        return Reply("stuck")

    def _await(self, message: str, timeout: float) -> dict | Reply:
        """Content of the reply to `message`, or what happened instead of one."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            try:
                reply = self.client.get_shell_msg(timeout=min(left, 0.5))
            except queue.Empty:
                if not self.manager.is_alive():
                    return Reply("dead")
                continue
            if reply["parent_header"].get("msg_id") == message:
                return reply["content"]
        return Reply("timeout")


def _reply(content: dict) -> Reply:
    if content.get("status") == "ok":
        return Reply("ok")
    return Reply("error", str(content.get("ename", "")), str(content.get("evalue", "")))
