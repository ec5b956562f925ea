"""What a sandbox sees of the machine, and the command that builds the view with bubblewrap."""

import importlib.util
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from utils import course

SCRATCH = "/tmp/work"
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
INSTALLED = ("solutions", "tests", "utils", "chapters")  # should an installation have copied the course's packages


def packages() -> list[str]:
    """Folders to import from inside, besides the standard library: where packages are, and where their .pth lead."""
    found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    found += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    folders = [path for path in dict.fromkeys(map(os.path.realpath, found)) if os.path.isdir(path)]
    for file in [file for folder in folders for file in sorted(Path(folder).glob("*.pth"))]:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            path = os.path.realpath(file.parent / line.strip()) if line.strip() else ""
            ours = Path(path).is_relative_to(course.ROOT) or course.ROOT.is_relative_to(path)
            if os.path.isdir(path) and not ours and path not in folders:
                folders.append(path)
    return folders


def readable() -> list[str]:
    """Every path that is visible inside, read-only; nothing from the course or from anyone's home."""
    paths = [*SYSTEM, *map(os.path.realpath, (sys.base_prefix, sys.base_exec_prefix)), *packages()]
    paths.append(os.path.dirname(os.path.realpath(sys.executable)))
    return [path for path in dict.fromkeys(paths) if os.path.exists(path)]


def layers(hidden: Iterable = ()) -> dict[str, bool]:
    """Paths, those above before those below, each with whether it is seen; the nearest entry decides about a file.

    The course as a whole is hidden, and so is whatever is in `hidden` (submissions, results), but not the packages
    in an environment below them.
    """
    seen = dict.fromkeys(readable(), True)
    wanted = [course.ROOT, *(Path(folder, name) for folder in packages() for name in INSTALLED)]
    for path in map(Path, map(os.path.realpath, (*wanted, *hidden))):
        wanted = [path, path.parent] if path.is_file() else [path]  # other students' files are beside one's own
        for place in wanted:
            if os.path.exists(place) and not any(Path(other).is_relative_to(place) for other in SYSTEM):
                seen.setdefault(str(place), False)
    found: dict[str, bool] = {}
    for path in sorted(seen, key=lambda path: Path(path).parts):
        if seen[path] != _seen(path, found):
            found[path] = seen[path]
    return found


def _seen(path: str, entries: dict[str, bool]) -> bool:
    """Whether a path can be seen, by the nearest entry at or above it that isn't a link; outside of all it can't."""
    above = (str(place) for place in (Path(path), *Path(path).parents))
    return next((entries[place] for place in above if place in entries and not os.path.islink(place)), False)


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


def own_environment() -> dict[str, str]:
    """What a learner's own code runs in: their environment, without what leads Python astray, on one thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COURSE"))}
    return kept | {name: value for name, value in environment().items() if name.endswith(("THREADS", "BACKEND"))}


def bubblewrap(scratch_size: int, hidden: Iterable = ()) -> list[str]:
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
    # what an environment below the temporary folder needs of it comes over the empty one, and beside SCRATCH
    command += ["--proc", "/proc", "--dev", "/dev", "--size", str(scratch_size), "--perms", "0777", "--tmpfs", "/tmp"]
    command += ["--perms", "0777", "--dir", SCRATCH]
    found = layers(hidden)
    masks = [path for path, seen in found.items() if not seen and os.path.isdir(path)]
    for path, seen in found.items():
        for above in reversed(Path(path).parents[:-1]):
            if not _seen(str(above), found):
                command += ["--perms", "0755", "--dir", str(above)]  # bubblewrap would make it for itself alone
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        elif path in masks:
            command += ["--perms", "0755", "--tmpfs", path]
        else:
            command += ["--ro-bind", path if seen else os.devnull, path]
    for path in [*masks, "/dev", "/"]:
        command += ["--remount-ro", path]
    command += ["--chdir", SCRATCH, "--clearenv"]
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
    if importlib.util.find_spec("pyseccomp") is None:
        return "libseccomp's Python binding is not installed (pip install pyseccomp)"
    try:
        tried = subprocess.run([*bubblewrap(1 << 20), "--", "true"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run here ({type(error).__name__})"
    if tried.returncode:
        lines = tried.stderr.strip().splitlines()
        return f"bubblewrap is refused here ({lines[-1] if lines else f'exit status {tried.returncode}'})"
    return None
