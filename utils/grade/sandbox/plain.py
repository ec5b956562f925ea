"""A learner's own notebook, graded in a plain child process: no sandbox, the same workers, any system."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress

from utils.grade.sandbox import view
from utils.grade.sandbox.host import LOAD, PRELOAD, START_SECONDS, Exchange, Limits, SandboxError, WorkerLost, sources
from utils.grade.sandbox.session import Sandbox

BOOT = """
import importlib, json, socket, sys, types
boot = json.loads(sys.stdin.readline())
sock = socket.create_connection(("127.0.0.1", boot["port"]))
sock.sendall(boot["token"].encode())
"""
END = """
modules["plain"].main(sock, modules, boot["settings"])
"""


class Plain(Sandbox):
    """What Sandbox is to strangers' notebooks: where the code of one's own runs. Started when it is first needed."""

    def __init__(self, limits: Limits | None = None):
        self.limits, self.mode, self.notice = limits or Limits(), "plain", ""
        self.layers, self.active, self.zygote = (), None, None
        self.used = {"cpu": 0.0, "zygotes": 0, "workers": 0}
        self.forks = sys.platform.startswith("linux")

    def _fork(self, limits: Limits) -> Exchange:
        if self.zygote is None:
            self.zygote = _Child(limits)
            self.used["zygotes"] += 1
        self.used["workers"] += 1
        if self.forks:
            self.zygote.exchange.ask({"worker": True}, START_SECONDS, answered=False)
        return self.zygote.exchange

    def _end(self) -> dict:
        """End the worker, by itself where it answers, else with the process that forked it."""
        child, report = self.zygote, {"status": None}
        if child is None:
            return report
        try:
            if not self.forks:
                raise WorkerLost("Crashed", "")
            report = child.exchange.gone or child.exchange.ask({"end": True}, 5.0)["gone"]
            child.exchange.gone = None
            child.exchange.ask({}, START_SECONDS, asked=False)
        except (WorkerLost, KeyError):
            child.close()
            self.zygote = None
        self.used["cpu"] += report.get("cpu", 0.0)
        return report


class _Child:
    """The process, connected. Raises SandboxError where it does not start."""

    def __init__(self, limits: Limits):
        self.folder = tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True)
        token = secrets.token_hex(16)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COURSE"))}
        threads = {name: value for name, value in view.environment().items() if name.endswith(("THREADS", "BACKEND"))}
        with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryFile() as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", BOOT + LOAD + END],
                env=kept | threads,
                cwd=self.folder.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            boot = {"path": view.packages(), "preload": PRELOAD, "files": sources("worker", "plain")}
            boot |= {"settings": {"request_cpu": limits.request_cpu}, "port": server.getsockname()[1], "token": token}
            try:
                self.process.stdin.write(json.dumps(boot).encode() + b"\n")
                self.process.stdin.flush()
                server.settimeout(START_SECONDS)
                sock = server.accept()[0]
                sock.settimeout(START_SECONDS)
                if sock.recv(len(token), socket.MSG_WAITALL) != token.encode():
                    raise OSError("somebody else answered")
                self.exchange = _Exchange(sock)
                if sys.platform.startswith("linux"):
                    self.exchange.ask({}, START_SECONDS, asked=False)
            except (OSError, WorkerLost) as error:
                errors.seek(0)
                lines = errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
                self.close()
                raise SandboxError(
                    f"The process that grades does not start: {lines[-1] if lines else error}."
                ) from None

    def close(self) -> None:
        """End it and, where there are process groups, whatever its workers started."""
        if hasattr(self, "exchange"):
            self.exchange.sock.close()
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.folder.cleanup()


class _Exchange(Exchange):
    """Keeps what is said about a worker that ended; its socket outlives the worker."""

    gone: dict | None = None

    def ask(self, request: dict, seconds: float, asked: bool = True, answered: bool = True) -> dict:
        answer = super().ask(request, seconds, asked, answered)
        if "gone" in answer and isinstance(answer["gone"], dict) and "end" not in request:
            self.gone = answer["gone"]
            raise WorkerLost("Crashed", "the process that ran it is gone")
        return answer

    def close(self) -> None:
        """The child closes it."""
