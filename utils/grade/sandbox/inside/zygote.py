"""The warm process that forks workers: torch is imported once, nothing of the course is on its path.

It obeys one inherited socket (messages of JSON, a worker's socket attached to a fork request) and never runs a
learner's code itself. It does the killing: process ids of its namespace mean nothing outside.
"""

import gc
import json
import os
import resource
import signal
import socket
import sys
import time


def main(control: socket.socket, boot: dict, modules: dict) -> None:
    """Settle in, say so, then fork and end workers as asked until the socket closes."""
    confine = modules["confine"]
    settings = boot["settings"]
    if settings["mode"] == "bubblewrap" and os.getuid() == 0:
        confine.become(settings["uid"])
    if settings["mode"] != "namespaces" or os.getuid() == 0:
        confine.prctl(confine.PR_SET_DUMPABLE, 0)  # a worker of the same user must not look into its parent
    confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
    confine.die_with_parent()
    os.chdir(settings["scratch"])
    warm_up(modules)
    zygote = Zygote(control, settings, modules)
    boot.clear()
    control.send(json.dumps({"ready": True, "rss": rss(), "cpu": time.process_time()}).encode())
    zygote.serve()


def warm_up(modules: dict) -> None:
    """Do once what every worker would do first: modules that import lazily, caches that fill at the first call."""
    wire, probes, worker, torch = modules["wire"], modules["probes"], modules["worker"], sys.modules["torch"]
    worker.seed(0)
    text = "def probe(obj, x):\n    return nn.functional.layer_norm(obj(x), (3,)) @ x.T"
    x = wire.decode(wire.encode({"x": torch.ones(2, 3), "said": ("", None, 1.5)}))["x"]
    wire.plain(probes.compile_probe("probe", text)(torch.nn.Linear(3, 3), x).detach())
    weight = torch.nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    for optimizer in (torch.optim.SGD, torch.optim.AdamW):  # the first step imports a compiler: two seconds
        optimizer([weight], lr=0.1).step()
    worker.define([{"name": "A", "uses": [], "inert": [], "cells": {}, "pieces": [["<cell 0>", 1, "A = 1"]]}], "A")
    del sys.modules["notebook_A"]
    try:
        raise NotImplementedError
    except NotImplementedError as error:
        worker.failure(error)


def rss() -> int:
    """Peak resident bytes of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Zygote:
    def __init__(self, control: socket.socket, settings: dict, modules: dict):
        self.control, self.settings, self.modules = control, settings, modules
        self.child = self.inner = self.status = None
        gc.collect()
        gc.freeze()  # so that a worker's garbage collection does not copy our pages

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
        namespaces = settings["mode"] == "namespaces"
        tell, told = os.pipe() if namespaces else (None, None)
        self.child = os.fork()
        if self.child == 0:
            try:
                if namespaces:
                    os.close(tell)
                    self.between(fd, told, settings)
                else:
                    self.become_worker(fd, settings)
            except BaseException as error:
                self.give_up(fd, error)
            os._exit(0)
        os.close(fd)
        if namespaces:
            os.close(told)
            line = os.read(tell, 32)
            self.inner, self.status = (int(line) if line else None), tell
        return {"forked": True}

    def between(self, fd: int, told: int, settings: dict) -> None:
        """The process between the zygote and a worker that is process 1 of a namespace of its own."""
        self.modules["confine"].own_namespaces(settings["scratch"], settings["scratch_size"])
        self.modules["confine"].die_with_parent()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            self.modules["confine"].fresh_proc()
            self.become_worker(fd, settings)
            os._exit(0)
        os.close(fd)
        os.write(told, str(pid).encode())
        _, status, usage = os.wait4(pid, 0)
        os.write(told, json.dumps([status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]).encode())

    def become_worker(self, fd: int, settings: dict) -> None:
        """Leave everything of the zygote behind, then serve."""
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        keep = os.dup2(fd, max(fd, null) + 1)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.dup2(keep, 3)
        os.closerange(4, 1 << 14)
        self.control.detach()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (lives as long as the worker)
        layers = self.modules["confine"].confine(settings)
        self.modules["worker"].serve(
            socket.socket(fileno=3), self.modules["wire"], self.modules["probes"], settings, layers
        )

    def give_up(self, fd: int, error: BaseException) -> None:
        """A worker that cannot be confined never meets the learner's code; the reason goes to the trusted side."""
        text = f"{type(error).__name__}: {error}"
        body = self.modules["wire"].encode({"refused": text})
        for number in (3, fd):
            try:
                os.write(number, len(body).to_bytes(8, "big") + body)
                return
            except OSError:
                continue

    def end(self) -> dict:
        """Kill the worker and whatever it left, empty the scratch folder; returns how it ended and what it used."""
        if self.child is None:
            return {"status": None}
        done, status, usage = os.wait4(self.child, os.WNOHANG)
        if not done:
            # a worker that has closed its side is about to end by itself: its own status tells more than our signal
            for _ in range(20):
                time.sleep(0.001)
                done, status, usage = os.wait4(self.child, os.WNOHANG)
                if done:
                    break
        if not done:
            for pid in (self.inner, None if self.inner else -self.child, None if self.inner else self.child):
                self.kill(pid)
            _, status, usage = os.wait4(self.child, 0)
        cpu, size = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
        if self.status is not None:
            line = os.read(self.status, 200)
            os.close(self.status)
            if line:
                status, cpu, size = json.loads(line)
        self.child = self.inner = self.status = None
        left = self.sweep()
        return {"status": status, "cpu": cpu, "rss": size * 1024, "left": left}

    def kill(self, pid: int | None) -> None:
        try:
            if pid:
                os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def sweep(self) -> int:
        """Processes and files that the worker left behind: none may live to see the next exercise."""
        left = 0
        if os.getpid() == 1 and self.settings["mode"] != "limits":
            self.kill(-1)  # everything in this namespace but process 1, which is us
        while True:
            for pid in children():
                self.kill(pid)
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                break
            left += 1
        if self.settings["mode"] != "namespaces":
            try:
                empty(self.settings["scratch"])
            except OSError:
                left += 1  # what a worker could make so stubborn goes with the namespace, or is said by the host
        return left


def children() -> list[int]:
    """Process ids of our children, orphans that fell to us included."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def empty(folder: str) -> None:
    """Delete what is in a folder, whatever its permissions or depth; never follows links out of it."""
    number = 0
    while entries := list(os.scandir(folder)):
        before = number
        for entry in entries:
            number += 1
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for name in os.listdir(entry.path):  # lifted, not walked: a path may be too deep to name
                number += 1
                os.rename(os.path.join(entry.path, name), os.path.join(folder, f"{number}.{os.getpid()}.lifted"))
            os.rmdir(entry.path)
        if number == before:
            break
