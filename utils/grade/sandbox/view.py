"""What a sandbox sees of the machine, and the command that builds the view with bubblewrap."""

import os
import shutil
import site
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from utils import course

SCRATCH = "/tmp"
HIDDEN = ("solutions", "tests", "utils", "chapters")  # course folders, should an installation have copied them


def packages() -> list[str]:
    """Folders to import from inside, besides the standard library: those that hold torch and its friends."""
    found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    found += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [path for path in dict.fromkeys(map(os.path.realpath, found)) if os.path.isdir(path)]


def readable() -> list[str]:
    """Every path that is visible inside, read-only; nothing of the course, nothing of anyone's home."""
    paths = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives"]
    paths += [os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)] + packages()
    paths.append(os.path.dirname(os.path.realpath(sys.executable)))
    kept: list[str] = []
    for path in dict.fromkeys(paths):
        inside = any(Path(path).is_relative_to(other) for other in kept if not os.path.islink(other))
        if os.path.exists(path) and not inside:
            kept.append(path)
    return kept


def masked() -> list[str]:
    """Folders of the course that lie below a visible path."""
    roots = [str(course.ROOT), *packages()]
    paths = [os.path.join(root, name) for root in roots for name in HIDDEN]
    visible = [path for path in readable() if not os.path.islink(path)]
    return [p for p in paths if os.path.isdir(p) and any(Path(p).is_relative_to(v) for v in visible)]


def landlock_paths() -> list[str]:
    """As `readable`, for a rule set that can only add: a folder with something masked is opened entry by entry."""
    hidden, paths = masked(), []

    def add(path: str) -> None:
        if path in hidden:
            return
        if any(Path(mask).is_relative_to(path) for mask in hidden):
            for name in os.listdir(path):
                add(os.path.join(path, name))
        else:
            paths.append(path)

    for path in readable():
        add(path)
    return paths


def environment() -> dict[str, str]:
    """The whole environment of a zygote: nothing is inherited."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "USER": "nobody",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }


def bubblewrap(scratch_size: int) -> list[str]:
    """The command line, up to the program to run, of an enclosure: no network, own processes, read-only view, empty
    scratch folder.

    As root, no user namespace is needed: a worker becomes an unprivileged user itself. Otherwise it is nobody in a
    user namespace.
    """
    command = [shutil.which("bwrap") or "bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--as-pid-1", "--hostname", "sandbox"]
    command += ["--cap-drop", "ALL"]
    if os.geteuid() != 0:
        command += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--disable-userns"]
    parents = {str(parent) for path in readable() for parent in list(Path(path).parents)[:-1]}
    for path in sorted(parents - set(readable())):
        command += ["--perms", "0755", "--dir", path]  # bubblewrap would make them for itself alone
    for path in readable():
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind", path, path]
    for path in masked():
        command += ["--tmpfs", path, "--remount-ro", path]
    command += ["--proc", "/proc", "--dev", "/dev", "--size", str(scratch_size), "--perms", "0777", "--tmpfs", SCRATCH]
    command += ["--chdir", SCRATCH, "--remount-ro", "/dev", "--remount-ro", "/"]
    command += ["--clearenv"]
    for name, value in {**environment(), "HOME": SCRATCH, "TMPDIR": SCRATCH}.items():
        command += ["--setenv", name, value]
    return command


@cache
def refusal() -> str | None:
    """Why bubblewrap cannot isolate here; None where it can. Tried once, with the very flags that grading uses."""
    if not sys.platform.startswith("linux"):
        return "bubblewrap exists on Linux only"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (apt-get install bubblewrap)"
    try:
        tried = subprocess.run([*bubblewrap(1 << 20), "--", "true"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run here ({type(error).__name__})"
    if tried.returncode:
        lines = tried.stderr.strip().splitlines()
        return f"bubblewrap is refused here ({lines[-1] if lines else f'exit status {tried.returncode}'})"
    return None
