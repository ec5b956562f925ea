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
modules["worker"].serve(sock, modules["wire"], modules["probes"], boot["settings"])
"""


class Plain(Sandbox):
    """What Sandbox is to strangers' notebooks: where the code of one's own runs. Started when it is first needed.

    On Linux workers are forked from a warm process; elsewhere a fork of a process that holds torch is not safe, and
    each worker is a process of its own.
    """

    def __init__(self, limits: Limits | None = None):
        super().__init__("none", limits)
        self.mode = "plain"

    def _fork(self, limits: Limits) -> Exchange:
        if sys.platform.startswith("linux"):
            return super()._fork(limits)
        self.zygote = _Child(limits)
        self.used["zygotes"] += 1
        self.used["workers"] += 1
        return self.zygote.exchange

    def _end(self) -> dict:
        if isinstance(self.zygote, _Child):
            self.zygote.close()
            self.zygote = None
        return super()._end()


class _Child:
    """The process, connected. Raises SandboxError where it does not start."""

    def __init__(self, limits: Limits):
        self.folder = tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True)
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryFile() as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", BOOT + LOAD + END],
                env=view.own_environment(),
                cwd=self.folder.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            boot = {"path": view.packages(), "preload": PRELOAD, "files": sources("worker")}
            boot |= {"settings": {"request_cpu": limits.request_cpu}, "port": server.getsockname()[1], "token": token}
            try:
                self.process.stdin.write(json.dumps(boot).encode() + b"\n")
                self.process.stdin.flush()
                server.settimeout(START_SECONDS)
                sock = server.accept()[0]
                sock.settimeout(START_SECONDS)
                if sock.recv(len(token), socket.MSG_WAITALL) != token.encode():
                    raise OSError("somebody else answered")
                self.exchange = Exchange(sock)
                self.exchange.hello()
            except (OSError, WorkerLost) as error:
                errors.seek(0)
                lines = errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
                self.close()
                why = lines[-1] if lines else error
                raise SandboxError(f"The process that grades does not start: {why}.") from None

    def close(self) -> None:
        """End it and, where there are process groups, whatever its workers started."""
        if hasattr(self, "exchange"):
            self.exchange.close()
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.folder.cleanup()
