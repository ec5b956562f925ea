"""Make .venv and keep it in step with requirements.txt, constraints.txt and pyproject.toml."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from utils.course import ROOT, CourseError

INDEX = "COURSE_TORCH_INDEX"  # environment variable: the address of an index of CPU builds of PyTorch
INSTALL = ("-m", "pip", "install", "--disable-pip-version-check", "-c", "constraints.txt")
EXTRAS = {"learn": (), "test": ("class", "dev")}


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(root: Path, extras: tuple[str, ...]) -> str:
    """Changes when what must be installed changes: the two lists, the project's own tables, the extras."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [(root / name).read_text(encoding="utf-8") for name in ("requirements.txt", "constraints.txt")]
    parts += [repr(project.get("build-system")), repr(project.get("project")), repr(extras), str(root)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def ensure(kind: str, root: Path = ROOT, call=subprocess.run) -> Path:
    """The interpreter of an up-to-date .venv, made or brought up to date first where needed.

    `kind`: "learn" (the learner's set) or "test" (with the extras class and dev, which serves for learning too).
    Raises CourseError with one sentence where Python cannot make one or pip fails.
    """
    environment = root / ".venv"
    python = python_of(environment)
    stamps = {name: environment / f".course-{name}" for name in EXTRAS}
    enough = ("learn", "test") if kind == "learn" else ("test",)
    if python.exists():
        for name in enough:
            stamp = stamps[name]
            if stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint(root, EXTRAS[name]):
                return python
    else:
        print(f"Making the environment {environment} ...", flush=True)
        try:
            venv.EnvBuilder(with_pip=True, clear=environment.exists(), symlinks=os.name != "nt").create(environment)
        except subprocess.CalledProcessError as error:
            hint = "on Debian and Ubuntu: apt-get install python3-venv"
            raise CourseError(f"{sys.executable} could not make {environment} ({error}); {hint}.") from None
        except OSError as error:
            raise CourseError(_unwritable(root, error)) from None
    index = os.environ.get(INDEX, "")
    if not index and brings_cuda(python, root, call):
        print(
            f"pip will install PyTorch with its CUDA libraries, about 5 GB: Ctrl-C, and README's line on {INDEX} "
            "says how to get the CPU build instead.",
            flush=True,
        )
    print("Installing the course's packages (a few minutes the first time) ...", flush=True)
    extras = f"[{','.join(EXTRAS[kind])}]" if EXTRAS[kind] else ""
    command = [*(["--extra-index-url", index] if index else []), "-e", f".{extras}"]
    if call([str(python), *INSTALL, *command], cwd=root).returncode:
        raise CourseError("pip could not install the course's packages: its last lines above say why.")
    try:
        stamps[kind].write_text(fingerprint(root, EXTRAS[kind]), encoding="utf-8")
    except OSError as error:
        raise CourseError(_unwritable(root, error)) from None
    return python


def _unwritable(root: Path, error: OSError) -> str:
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{root} can't be written to: copy the course into a folder of your own, and run the command there."
    return f"The environment could not be made in {root}: {error.strerror or error}."


def brings_cuda(python: Path, root: Path, call=subprocess.run) -> bool:
    """Whether the PyTorch that pip would install here needs NVIDIA's libraries; False where pip does not say.

    Only the description of that one package is fetched.
    """
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--dry-run", "--no-deps", "--quiet", "--report", str(report), "torch"]
        call([str(python), *INSTALL, *options], cwd=root)
        try:
            found = json.loads(report.read_text(encoding="utf-8"))["install"]
            needs = [need for one in found for need in one["metadata"]["requires_dist"]]
            return any(need.startswith(("nvidia", "cuda")) for need in needs)
        except (OSError, ValueError, KeyError):
            return False
