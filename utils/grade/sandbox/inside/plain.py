"""A warm process without a sandbox: it serves one worker at a time over one socket, each in a fork of its own on Linux.

Loaded from its text. What runs here is as free as the notebook itself; it is kept apart so that a crash or an endless
loop costs one exercise, and so that one exercise's code cannot reach the next one's.
"""

import os
import sys


def main(sock, modules: dict, settings: dict) -> None:
    """Serve workers until the asking side closes the socket; says how each ended, by {"ok": true, "gone": ...}."""
    wire, probes, worker = modules["wire"], modules["probes"], modules["worker"]
    worker.warm_up(wire, probes)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    if not sys.platform.startswith("linux"):  # elsewhere a fork of a process that holds torch is not safe
        worker.serve(sock, wire, probes, settings, [])
        return
    while True:
        send(sock, wire, {"ok": True, "ready": True})
        if worker.receive(sock) is None:
            return
        pid = os.fork()
        if pid == 0:
            try:
                worker.serve(sock, wire, probes, settings, [])
            finally:
                os._exit(0)
        _, status, usage = os.wait4(pid, 0)
        cpu, rss = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        send(sock, wire, {"ok": True, "gone": {"status": status, "cpu": cpu, "rss": rss, "left": 0}})


def send(sock, wire, message: dict) -> None:
    body = wire.encode(message)
    sock.sendall(len(body).to_bytes(8, "big") + body)
