"""What a worker gives up before it meets a learner's code. Loaded from its text inside: imports stdlib only.

Each layer is added where the kernel has it, and `confine` returns the names of those in force. Process limits and
no_new_privs work everywhere; seccomp and Landlock need no privilege; namespaces and the read-only view are made by
bubblewrap, and entered before this.
"""

import ctypes
import os
import platform
import resource
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 22, 36, 38
CLONE_NEWUSER = 0x10000000
NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag, CLONE_NEWTIME included


def _call(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, *values) -> None:
    """prctl(2). Raises OSError."""
    padded = [ctypes.c_ulong(v) if isinstance(v, int) else v for v in values] + [ctypes.c_ulong(0)] * (4 - len(values))
    _call("prctl", libc.prctl(option, *padded))


def setns(fd: int, flags: int) -> None:
    """setns(2) (os.setns came with Python 3.12). Raises OSError."""
    _call("setns", libc.setns(fd, flags))


def own_user_namespace() -> None:
    """A user namespace in which this user keeps its number and may make and enter others. Raises OSError."""
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", libc.unshare(CLONE_NEWUSER))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def become(uid: int) -> None:
    """Give up root for good: groups, group and user ids, and with them every capability, the bounding set too."""
    empty_bounding_set()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def empty_bounding_set() -> None:
    """No program that is run later can gain a capability. Without CAP_SETPCAP there is nothing to lose, or to do."""
    for number in range(64):
        if libc.prctl(24, ctypes.c_ulong(number), 0, 0, 0) < 0:  # PR_CAPBSET_DROP; fails beyond the last
            break


def die_with_parent() -> None:
    """End when the process that started this one does. A change of user forgets it: call it after that."""
    prctl(1, signal.SIGKILL)


def drop_capabilities() -> None:
    """No capability is left, in no set, and none comes back by running a program."""
    empty_bounding_set()
    head, data = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[0] * 6)
    _call("capset", libc.capset(head, data))


def limits(settings: dict) -> None:
    """Process limits: CPU seconds, address space beyond today's, file size, open files, processes, no core dumps."""
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


# ---- seccomp: system calls that no exercise needs ----

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name, number on x86_64, number on aarch64
SYSCALLS = """
ptrace 101 117; process_vm_readv 310 270; process_vm_writev 311 271; kcmp 312 272; pidfd_getfd 438 438;
keyctl 250 219; add_key 248 217; request_key 249 218; unshare 272 97; setns 308 268; mount 165 40;
umount2 166 39; pivot_root 155 41; chroot 161 51; bpf 321 280; perf_event_open 298 241; userfaultfd 323 282;
io_uring_setup 425 425; io_uring_enter 426 426; io_uring_register 427 427; init_module 175 105;
finit_module 313 273; delete_module 176 106; kexec_load 246 104; reboot 169 142; open_by_handle_at 304 265;
swapon 167 224; swapoff 168 225; acct 163 89; quotactl 179 60; fsopen 430 430; fsmount 432 432;
move_mount 429 429; open_tree 428 428; mount_setattr 442 442; socket 41 198; tkill 200 130;
rt_sigqueueinfo 129 138; rt_tgsigqueueinfo 297 240; pidfd_send_signal 424 424; prlimit64 302 261; clone 56 220;
clone3 435 435; kill 62 129; tgkill 234 131; setpriority 141 140; sched_setaffinity 203 122;
sched_setscheduler 144 119; ioprio_set 251 30
"""
SIGNALS = ("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")
ALLOW, KILL, REFUSE, ABSENT = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS


def seccomp_program(signals: bool) -> bytes:
    """A classic BPF program that refuses SYSCALLS. `signals`: whether this process may signal others than itself.

    clone is refused only with a namespace flag, clone3 looks absent (libc then uses clone), limits may be set only
    on oneself. Raises OSError on a machine whose system call numbers are not listed.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(f"no seccomp filter for {machine}")
    arch, column = ARCHITECTURES[machine], 1 + list(ARCHITECTURES).index(machine)
    numbers = {line.split()[0]: int(line.split()[column]) for line in SYSCALLS.split(";")}
    code: list[tuple[int, int, int, int]] = []

    def load(offset):
        code.append((0x20, 0, 0, offset))

    def answer(value):
        code.append((0x06, 0, 0, value))

    def skip_unless_equal(value, over):
        code.append((0x15, 0, over, value))

    load(4)
    code.append((0x15, 1, 0, arch))
    answer(KILL)
    load(0)
    if machine == "x86_64":
        code.append((0x35, 0, 1, 0x40000000))  # the x32 numbers would get round the list
        answer(KILL)
    special = {"clone", "clone3", "prlimit64", "kill", "tgkill", *SIGNALS}
    for name, number in numbers.items():
        if name not in special or (name in SIGNALS and not signals):
            skip_unless_equal(number, 1)
            answer(REFUSE)
    skip_unless_equal(numbers["clone3"], 1)
    answer(ABSENT)
    skip_unless_equal(numbers["clone"], 4)
    load(16)
    code.append((0x45, 0, 1, NEW_NAMESPACES))
    answer(REFUSE)
    answer(ALLOW)
    skip_unless_equal(numbers["prlimit64"], 4)
    load(16)
    skip_unless_equal(0, 1)
    answer(ALLOW)
    answer(REFUSE)
    if not signals:
        for name in ("kill", "tgkill"):
            skip_unless_equal(numbers[name], 4)
            load(16)
            skip_unless_equal(os.getpid(), 1)
            answer(ALLOW)
            answer(REFUSE)
    answer(ALLOW)
    return b"".join(struct.pack("HBBI", *line) for line in code)


def seccomp(signals: bool) -> None:
    """Install the filter for this process and its children. Raises OSError where the kernel has none."""
    program = seccomp_program(signals)
    buffer = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)), 16)
    prctl(PR_SET_SECCOMP, 2, ctypes.cast(head, ctypes.c_void_p))


# ---- Landlock: a view of the disk without namespaces (Linux 5.13 and later) ----

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1, 2, 4, 8, 1 << 14
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE


def landlock(readable: list[str], writable: list[str]) -> None:
    """Let this process read `readable` and write below `writable` only; no TCP, no signals to others where possible.

    Raises OSError where the kernel has no Landlock.
    """
    version = _call("landlock", libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint(1)))
    rights = (1 << 13) - 1
    rights |= (1 << 13 if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    attributes = struct.pack("QQQ", rights, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    attributes = attributes[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = _call("landlock", libc.syscall(444, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)))
    look = EXECUTE | READ_FILE | READ_DIR
    for path, allowed in [(p, look) for p in readable] + [(p, rights) for p in writable]:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        if not os.path.isdir(path):
            allowed &= FILE_RIGHTS
        rule = struct.pack("=Qi", allowed & rights, place)
        result = libc.syscall(445, ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint(0))
        os.close(place)
        _call("landlock", result)
    _call("landlock", libc.syscall(446, ctypes.c_int(rules), ctypes.c_uint(0)))
    os.close(rules)


def confine(settings: dict) -> list[str]:
    """Everything a worker gives up in the process it runs in; returns the names of the layers in force."""
    mode, layers = settings["mode"], ["limits"]
    if os.getuid() == 0 and settings.get("uid"):
        become(settings["uid"])
        layers.append("nobody")
    drop_capabilities()
    limits(settings)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if mode == "limits":
        proc = ["/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat"]
        devices = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]
        try:
            landlock(settings["readable"] + proc, [*settings["writable"], *devices])
            layers.append("landlock")
        except OSError:
            pass
    try:
        seccomp(signals=mode != "limits")
        layers.append("seccomp")
    except OSError:
        pass
    prctl(PR_SET_DUMPABLE, 0)
    die_with_parent()
    return layers
