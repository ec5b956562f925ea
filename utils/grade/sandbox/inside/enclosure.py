"""A bubblewrap for one worker: an idle process holds its namespaces open while the warm process forks into them.

Bubblewrap builds the view (read-only system, empty scratch, no network, processes of its own); entering it costs a
few system calls instead of an import of torch. Loaded from its text inside: imports stdlib only.
"""

import contextlib
import json
import os
import subprocess

HOLDER = "cat"  # waits on its input; answers once, when the view is ready
INSIDE = 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000  # mounts, processes, network, IPC, host name
CLONE_NEWUSER, CLONE_NEWCGROUP = 0x10000000, 0x02000000


class Enclosure:
    """Fresh namespaces and an empty scratch folder, made by `command` (bubblewrap without the program it runs).

    Raises OSError where bubblewrap or the kernel refuses.
    """

    def __init__(self, command: list[str], confine):
        self.confine = confine
        read, write = os.pipe()
        try:
            self.holder = subprocess.Popen(
                [command[0], "--info-fd", str(write), *command[1:], "--", HOLDER],
                pass_fds=[write],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        finally:
            os.close(write)
        with os.fdopen(read) as info:
            told = info.read()
        try:
            self.holder.stdin.write(b"\n")
            self.holder.stdin.flush()
            if not told or self.holder.stdout.readline() != b"\n":
                raise OSError("bubblewrap ended before the view stood")
            self.fd = os.pidfd_open(json.loads(told)["child-pid"])
        except (OSError, ValueError) as error:
            self.fd = None
            self.close()
            raise OSError(f"bubblewrap: {error}") from None

    def enter(self, own_user: bool) -> None:
        """Move this process inside; of its processes, those that it forks from now on. `own_user`: bubblewrap made a
        user namespace, too."""
        self.confine.setns(self.fd, INSIDE | (CLONE_NEWUSER if own_user else 0))
        with contextlib.suppress(OSError):  # it only hides a path; not every kernel has it
            self.confine.setns(self.fd, CLONE_NEWCGROUP)

    def close(self) -> None:
        """Kill everything inside, and have the kernel forget the scratch folder."""
        self.holder.kill()
        self.holder.wait()
        self.holder.stdin.close()
        self.holder.stdout.close()
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
