"""The warm process that forks workers: torch is imported once, and the course is not on its path.

It obeys one inherited socket (messages of JSON, a worker's socket attached to a fork request) and never runs a
learner's code itself. Each worker is forked into a bubblewrap of its own, or beside it in an empty folder.
"""

import contextlib
import ctypes
import gc
import json
import os
import shutil
import signal
import socket
import sys
import time


def settle(settings: dict, confine) -> None:
    """What has to happen while this process has one thread: before torch is imported."""
    if settings["mode"] == "bubblewrap" and os.getuid() != 0:
        confine.own_user_namespace()
    confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
    confine.die_with_parent()
    if settings["mode"] != "bubblewrap":
        os.chdir(settings["scratch"])


def main(control: socket.socket, boot: dict, modules: dict) -> None:
    """Warm up, say so, then fork and end workers as asked until the socket closes."""
    settings = boot["settings"]
    modules["worker"].warm_up(modules["wire"], modules["probes"])
    gc.collect()
    gc.freeze()  # so that a worker's garbage collection does not copy our pages
    huge_pages()
    zygote = Zygote(control, settings, modules)
    modules["confine"].prctl(modules["confine"].PR_SET_DUMPABLE, 0)  # no worker of this user may look into it
    boot.clear()
    control.send(b'{"ready": true}')
    zygote.serve()


def huge_pages() -> None:
    """Gather our memory in large pages: a fork copies the table of pages, and this makes it hundreds of times shorter.

    Does nothing where the kernel has no MADV_COLLAPSE (before Linux 6.1).
    """
    page, collapse, libc = 1 << 21, 25, ctypes.CDLL(None)
    with open("/proc/self/maps") as file:
        lines = [line.split() for line in file]
    for span, rights, *_, name in [line if len(line) > 5 else [*line, ""] for line in lines]:
        if rights == "rw-p" and name in ("", "[heap]"):
            start, end = (int(number, 16) for number in span.split("-"))
            start = -(-start // page) * page
            if end // page * page > start:
                libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end // page * page - start), collapse)


class Zygote:
    def __init__(self, control: socket.socket, settings: dict, modules: dict):
        self.control, self.settings, self.modules = control, settings, modules
        self.child = self.enclosure = self.line = None

    def serve(self) -> None:
        while True:
            data, fds, _, _ = socket.recv_fds(self.control, 1 << 16, 1)
            if not data:
                break
            request = json.loads(data)
            if request["op"] == "fork":
                answer = self.fork(fds[0], {**self.settings, **request["limits"]})
            else:
                answer = self.end()
            self.control.send(json.dumps(answer).encode())
        self.end()

    def fork(self, fd: int, settings: dict) -> dict:
        """Start a worker on the socket `fd`."""
        self.end()
        self.line = fd
        try:
            if settings["mode"] == "bubblewrap":
                self.enclosure = self.modules["enclosure"].Enclosure(settings["bubblewrap"], self.modules["confine"])
                self.child = self.fork_inside(settings)
            else:
                self.child = os.fork()
                if self.child == 0:
                    self.become_worker(settings)
        except OSError as error:
            self.give_up(error)
        os.close(fd)
        return {"forked": self.child is not None}

    def fork_inside(self, settings: dict) -> int | None:
        """A worker in the enclosure: forked by a process that has entered it, then adopted. None when that failed."""
        told, tell = os.pipe()
        wait, go = os.pipe()
        between = os.fork()
        if between == 0:
            with self.last_words():
                self.enclosure.enter(own_user=os.getuid() != 0)
                os.chdir(settings["scratch"])
                if pid := os.fork():
                    os.write(tell, str(pid).encode())
                    os._exit(0)
                os.close(go)
                os.read(wait, 1)  # until `between` is gone: it would take us along
            self.become_worker(settings)
        os.waitpid(between, 0)
        os.close(tell)
        line = os.read(told, 32)
        for number in (go, told, wait):
            os.close(number)
        return int(line) if line else None

    @contextlib.contextmanager
    def last_words(self):
        """A process that cannot be confined never meets the learner's code: it says why and ends."""
        try:
            yield
        except BaseException as error:
            self.give_up(error)
            os._exit(1)

    def become_worker(self, settings: dict) -> None:
        """Leave everything of the zygote behind, serve, end."""
        with self.last_words():
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            keep = os.dup2(self.line, max(self.line, null) + 1)
            for number in (0, 1, 2):
                os.dup2(null, number)
            self.line = os.dup2(keep, 3)
            os.closerange(4, 1 << 14)
            self.control.detach()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (lives as long as the worker)
            self.modules["confine"].confine(settings)
        try:
            line = socket.socket(fileno=3)
            self.modules["worker"].serve(line, self.modules["wire"], self.modules["probes"], settings)
        finally:
            os._exit(0)

    def give_up(self, error: BaseException) -> None:
        """The reason why there is no worker goes to the trusted side."""
        body = self.modules["wire"].encode({"ok": False, "refused": f"{type(error).__name__}: {error}"})
        with contextlib.suppress(OSError):  # the trusted side has gone, or sees the end of the socket
            os.write(self.line, len(body).to_bytes(8, "big") + body)

    def end(self) -> dict:
        """Kill the worker and whatever it left, empty the scratch folder; returns how it ended and what it used."""
        report = self.ended() if self.child is not None else {"status": None}
        if self.enclosure:
            self.enclosure.close()
            self.enclosure = None
        elif self.settings["mode"] != "bubblewrap":
            report["left"] = self.sweep()
        self.child = None
        return report

    def ended(self) -> dict:
        """How the worker ended, by itself within a moment or by our hand: {"status", "cpu", "rss", "left"}."""
        done, status, usage = os.wait4(self.child, os.WNOHANG)
        if not done:
            # a worker that has closed its side is about to end by itself: its own status says more than our signal
            for _ in range(20):
                time.sleep(0.001)
                done, status, usage = os.wait4(self.child, os.WNOHANG)
                if done:
                    break
        if not done:
            self.kill(-self.child)
            self.kill(self.child)
            _, status, usage = os.wait4(self.child, 0)
        return {"status": status, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024, "left": 0}

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)

    def sweep(self) -> int:
        """Processes and files that a worker without namespaces left: none may live to see the next exercise."""
        left = 0
        while True:
            for pid in children():
                self.kill(pid)
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                break
            left += 1
        for name in os.listdir(self.settings["scratch"]):
            path = os.path.join(self.settings["scratch"], name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
        return left + len(os.listdir(self.settings["scratch"]))


def children() -> list[int]:
    """Process ids of our children, orphans that fell to us included."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []
