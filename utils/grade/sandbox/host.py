"""The trusted side of the sandbox: starts a zygote, asks for workers, exchanges frames with them, ends them.

It holds the inputs and expected values and never runs a learner's code: what comes back is bytes, decoded with care.
"""

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from utils import course
from utils.grade import wire
from utils.grade.sandbox import view

INSIDE = Path(__file__).parent / "inside"
GRADE = Path(__file__).parents[1]
START_SECONDS = 180.0  # a cold import of torch on a busy machine
PRELOAD = ("torch", "numpy", "safetensors.torch", "einops", "jaxtyping", "dataclasses", "collections", "functools")
PRELOAD += (
    "numpy.random",
    "typing",
    "math",
    "random",
    "itertools",
    "inspect",
    "encodings.idna",
    "torch.nn.functional",
    "torch._dynamo",  # two seconds, once: an optimizer's first step would import it in every worker
    "tqdm.auto",
    "pyseccomp",  # finding libseccomp starts a process or two
    "einops._torch_specific",
)

LOAD = """
sys.path += boot["path"]
modules = {}
for name, text in boot["files"].items():
    if name == "wire" and "zygote" in modules:  # the first that imports torch
        modules["zygote"].settle(boot["settings"], modules["confine"])
    module = modules[name] = types.ModuleType("sandbox_" + name)
    exec(compile(text, f"<sandbox {name}>", "exec"), module.__dict__)
for name in boot["preload"]:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
sys.modules["torch"].set_num_threads(1)
"""
BOOT = f"""
import importlib, json, socket, sys, types
control = socket.socket(fileno=int(sys.argv[1]))
boot = json.loads(control.recv(1 << 20))
{LOAD}
modules["zygote"].main(control, boot, modules)
"""


def sources(*inside: str) -> dict[str, str]:
    """Text of the files that a process without the course on its path needs, in the order in which they are loaded."""
    names = dict.fromkeys(inside, INSIDE) | {"wire": GRADE, "probes": GRADE}
    return {name: (place / f"{name}.py").read_text(encoding="utf-8") for name, place in names.items()}


def launch(script: str, *arguments: str, **how) -> subprocess.Popen:
    """Start this Python on a script, with nothing of ours on its path and a process group of its own."""
    command = [os.path.realpath(sys.executable), "-I", "-S", "-B", "-c", script, *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, **how)


def last_words(errors) -> str:
    """The last line that a process wrote to its standard error, a file."""
    errors.seek(0)
    return errors.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]


class SandboxError(course.CourseError):
    """The sandbox itself does not work here; never a learner's fault."""


class WorkerLost(Exception):
    """The worker is gone or makes no sense any more; the text says so of the answer. `kind` as in LearnerError."""

    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.kind, self.text = kind, text


@dataclass(frozen=True)
class Limits:
    """What one exercise of one submission may use. Seconds, bytes, counts."""

    request_cpu: int = 20
    request_wall: float = 60.0
    total_cpu: int = 120
    total_wall: float = 300.0
    memory: int = 2 * 2**30
    file_size: int = 64 * 2**20
    files: int = 128
    processes: int = 64
    scratch_size: int = 256 * 2**20


class Zygote:
    """A warm process with torch imported, and the one worker it has forked.

    `mode`: "bubblewrap"; "none", process limits alone; "plain", not even those (a learner's own code). `hidden`: paths
    that no worker may see.
    """

    def __init__(self, mode: str, limits: Limits, hidden: Iterable = ()):
        self.scratch = None
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment, uid = view.environment(), None
        if os.geteuid() == 0 and (mode == "bubblewrap" or mode == "none" and _open_to_all()):
            uid = random.SystemRandom().randrange(2**30, 2**31 - 2)
        settings = {"mode": mode, "scratch": view.SCRATCH, "uid": uid}
        if mode == "bubblewrap":
            settings["bubblewrap"] = view.bubblewrap(limits.scratch_size, hidden)
        else:
            settings["scratch"] = self.scratch = tempfile.mkdtemp(prefix="grading-")
            if uid:
                os.chown(self.scratch, uid, uid)
        if mode == "plain":  # the learner's own code, in the learner's own environment
            environment = view.own_environment()
        else:
            environment |= {"HOME": settings["scratch"], "TMPDIR": settings["scratch"]}
        files = sources("confine", "enclosure", "worker", "zygote")
        boot = {"path": view.packages(), "preload": PRELOAD, "files": files, "settings": settings}
        self.control, self.errors = control, tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        with theirs:
            fd, more = theirs.fileno(), {"stdin": subprocess.DEVNULL, "cwd": "/"}
            self.process = launch(BOOT, str(fd), env=environment, stderr=self.errors, pass_fds=[fd], **more)
        try:
            self._ask(boot, START_SECONDS)
        except WorkerLost:
            why = last_words(self.errors) or "no reason"
            self.close()
            raise SandboxError(f"The grading sandbox does not start: {why}.") from None

    def _ask(self, message: dict, seconds: float, *fds: int) -> dict:
        """Send a message and return the answer. Raises WorkerLost when the zygote is gone."""
        try:
            self.control.settimeout(seconds)
            socket.send_fds(self.control, [json.dumps(message).encode()], fds)
            answer = json.loads(self.control.recv(1 << 16) or "null")
        except (OSError, ValueError):
            answer = None
        if not isinstance(answer, dict):
            raise WorkerLost("Crashed", "it ended the process that runs it")
        return answer

    def fork(self, limits: Limits) -> "Exchange":
        """Start a worker; returns the line to it. Raises WorkerLost when the zygote is gone."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._ask({"op": "fork", "limits": vars(limits)}, START_SECONDS, theirs.fileno())
            except WorkerLost:
                ours.close()
                raise
        return Exchange(ours).greeted()

    def end(self) -> dict:
        """Kill the worker and what it left: {"status", "cpu", "rss", "left"}. Raises WorkerLost as `fork`."""
        return self._ask({"op": "end"}, 30.0)

    def close(self) -> None:
        """End the zygote and everything below it; the scratch folder goes too."""
        self.control.close()
        try:
            self.process.wait(10.0)  # it ends by itself when the socket closes
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)


def _open_to_all() -> bool:
    """Whether any user may read the interpreter and its packages (not when they are in root's home)."""
    places = [os.path.realpath(sys.base_prefix), *view.packages()]
    return all(os.stat(part).st_mode & 0o5 == 0o5 for place in places for part in [place, *Path(place).parents])


class Exchange:
    """Frames to and from one worker, each with a deadline; anything odd is WorkerLost."""

    def __init__(self, sock: socket.socket):
        self.sock = sock

    def greeted(self) -> "Exchange":
        """This line once its worker is ready. Raises SandboxError where it could not be confined: only here, before a
        learner's code, is the worker's word trusted."""
        answer = self.ask(None, START_SECONDS)
        if isinstance(answer.get("refused"), str):
            raise SandboxError(f"The grading sandbox cannot confine a worker here: {answer['refused']}.")
        return self

    def ask(self, request: dict | None, seconds: float) -> dict:
        """Send a request (None: only listen); returns {"ok": True, "value"} or {"ok": False, "kind", "text", ...}."""
        deadline = time.monotonic() + seconds
        try:
            if request is not None:
                body = wire.encode(request)
                self._send(len(body).to_bytes(8, "big") + body, deadline)
            size = int.from_bytes(self._receive(8, deadline), "big")
            if size > wire.MAX_BYTES:
                raise WorkerLost("Crashed", f"it returned more than {wire.MAX_BYTES // 2**20} MiB")
            answer = wire.decode(self._receive(size, deadline))
        except TimeoutError:
            raise WorkerLost("TimedOut", f"it ran longer than {seconds:.0f} seconds") from None
        except wire.WireError:
            raise WorkerLost("Crashed", "what it sent back isn't an answer") from None
        except OSError:
            raise WorkerLost("Crashed", "the process that ran it is gone") from None
        if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
            raise WorkerLost("Crashed", "what it sent back isn't an answer")
        return answer

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(deadline)
            rest = rest[self.sock.send(rest) :]

    def _receive(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:  # grows with what arrives, not with what was promised
            self._wait(deadline)
            part = self.sock.recv(min(size - len(data), 1 << 20))
            if not part:
                raise ConnectionResetError
            data += part
        return bytes(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.close()
