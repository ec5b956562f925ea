"""Make .venv and keep it in step with requirements.txt, constraints.txt and pyproject.toml."""

import hashlib
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from utils.course import ROOT, CourseError

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
        except (subprocess.CalledProcessError, OSError) as error:
            hint = "on Debian and Ubuntu: apt-get install python3-venv"
            raise CourseError(f"{sys.executable} could not make {environment} ({error}); {hint}.") from None
    print("Installing the course's packages (a few minutes the first time) ...", flush=True)
    extras = f"[{','.join(EXTRAS[kind])}]" if EXTRAS[kind] else ""
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "-c",
        "constraints.txt",
        "-e",
        f".{extras}",
    ]
    if call([str(part) for part in command], cwd=root).returncode:
        raise CourseError("pip could not install the course's packages: its last lines above say why.")
    stamps[kind].write_text(fingerprint(root, EXTRAS[kind]), encoding="utf-8")
    return python
