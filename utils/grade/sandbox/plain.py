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

from utils.grade.sandbox import host, view
from utils.grade.sandbox.host import Exchange, Limits, SandboxError, WorkerLost
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

    def start(self) -> None:
        if not sys.platform.startswith("linux"):
            self.zygote = self.zygote or _Processes()
        super().start()


class _Processes:
    """In the place of a zygote: starts each worker as a process of its own."""

    def fork(self, limits: Limits) -> Exchange:
        """Start a worker; returns the line to it. Raises SandboxError where it does not start."""
        self.folder = tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True)
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryFile() as errors:
            how = {"env": view.own_environment(), "cwd": self.folder.name, "stdin": subprocess.PIPE, "stderr": errors}
            self.process = host.launch(BOOT + host.LOAD + END, **how)
            boot = {"path": view.packages(), "preload": host.PRELOAD, "files": host.sources("worker")}
            boot |= {"settings": {"request_cpu": limits.request_cpu}, "port": server.getsockname()[1], "token": token}
            try:
                self.process.stdin.write(json.dumps(boot).encode() + b"\n")
                self.process.stdin.flush()
                server.settimeout(host.START_SECONDS)
                sock = server.accept()[0]
                sock.settimeout(host.START_SECONDS)
                if sock.recv(len(token), socket.MSG_WAITALL) != token.encode():
                    raise OSError("somebody else answered")
                return Exchange(sock).greeted()
            except (OSError, WorkerLost) as error:
                why = host.last_words(errors) or error
                self.end()
                raise SandboxError(f"The process that grades does not start: {why}.") from None

    def end(self) -> dict:
        """End the worker and, where there are process groups, whatever it started."""
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.folder.cleanup()
        return {"status": None}

    def close(self) -> None:
        """Nothing is left: each worker was ended by itself."""
