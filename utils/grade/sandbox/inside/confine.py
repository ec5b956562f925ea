"""What a worker gives up before it meets a learner's code. Loaded from its text inside: imports stdlib and libseccomp.

Bubblewrap makes the view and the namespaces, which are entered before this. What is left to do here are process limits
and the few system calls that get round them.
"""

import ctypes
import errno
import os
import resource
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
CLONE_NEWUSER, CLONE_THREAD = 0x10000000, 0x00010000
# Memory that no process limit counts, new processes (each would have limits of its own) and namespaces, sockets that a
# network namespace does not hold (those of a virtual machine), and what an exercise never needs of the kernel.
REFUSED = ("memfd_create", "memfd_secret", "shmget", "msgget", "semget", "fork", "vfork", "unshare", "setns", "socket")
REFUSED += ("io_uring_setup", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key")


def _call(name: str, *values) -> None:
    """A function of libc. Raises OSError."""
    if getattr(libc, name)(*values) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def prctl(option: int, value: int) -> None:
    """prctl(2). Raises OSError."""
    _call("prctl", option, *map(ctypes.c_ulong, (value, 0, 0, 0)))


def setns(fd: int, flags: int) -> None:
    """setns(2) (os.setns came with Python 3.12). Raises OSError."""
    _call("setns", fd, flags)


def own_user_namespace() -> None:
    """A user namespace in which this user keeps its number and may make and enter others. Raises OSError."""
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def die_with_parent() -> None:
    """End when the process that started this one does. A change of user forgets it: call it after that."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_capabilities() -> None:
    """No capability is left; `system_calls` sees to it that none comes back by running a program."""
    _call("capset", struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[0] * 6))


def limits(settings: dict) -> None:
    """Process limits: CPU seconds, address space beyond today's, file size, open files, threads, no core dumps."""
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    wanted = {
        resource.RLIMIT_CPU: settings["total_cpu"],
        resource.RLIMIT_AS: size + settings["memory"],
        resource.RLIMIT_FSIZE: settings["file_size"],
        resource.RLIMIT_NOFILE: settings["files"],
        resource.RLIMIT_NPROC: settings["processes"],
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def system_calls() -> None:
    """Refuse what gets round the limits, and with it (no_new_privs) every gain of rights. Raises OSError."""
    import pyseccomp

    filtered = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in REFUSED:
        filtered.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    a_process = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_THREAD, 0)
    filtered.add_rule(pyseccomp.ERRNO(errno.EPERM), "clone", a_process)
    filtered.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags are out of sight: libc falls back to clone
    filtered.load()


def confine(settings: dict) -> None:
    """Everything a worker gives up in the process it runs in. Nothing (mode "plain") in a learner's own."""
    if settings["mode"] != "plain":
        if settings.get("uid"):
            os.setgroups([])
            os.setresgid(*[settings["uid"]] * 3)
            os.setresuid(*[settings["uid"]] * 3)
        limits(settings)
    if settings["mode"] == "bubblewrap":
        drop_capabilities()
        system_calls()
    prctl(PR_SET_DUMPABLE, 0)
    die_with_parent()
