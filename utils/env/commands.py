"""The commands: open JupyterLab at chapter 1, run the tests, run anything in the environment."""

import os
import shutil
import subprocess
from pathlib import Path

from utils import course
from utils.course import ROOT
from utils.env.create import ensure

WORKERS = 2
TEST_TIMEOUT = 900  # seconds for one test: the outer net, should a test's own limits fail

# Debian package -> how to see that it is there. The browser tests and the sandbox need them.
SYSTEM = {
    "chromium": lambda: shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"),
    "fonts-dejavu": lambda: Path("/usr/share/fonts/truetype/dejavu").is_dir(),
    "bubblewrap": lambda: shutil.which("bwrap"),
}


def first_notebook() -> str:
    """Path, from the course root, of the notebook that `learn` opens."""
    name = next(iter(course.chapters().values()), None)
    if name is None:
        raise course.CourseError("There is no chapter to open: chapters/ holds no chapter.md.")
    return f"chapters/{name}/exercises.ipynb"


def jupyter_command(python: Path, options: list[str], root_user: bool) -> list[str]:
    """The command that opens JupyterLab on the course's folder, at chapter 1."""
    command = [str(python), "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}"]
    command.append(f"--LabApp.default_url=/lab/tree/{first_notebook()}")
    if root_user and "--allow-root" not in options:
        command.append("--allow-root")
    return command + options


def learn(options: list[str]) -> int:
    """Open JupyterLab at chapter 1; what `options` says goes on to Jupyter."""
    python = ensure("learn")
    return _call(jupyter_command(python, options, getattr(os, "geteuid", lambda: 1)() == 0))


def test(options: list[str]) -> int:
    """Run every test in two processes, after the system tools they need; with --fast not the slow ones."""
    install_system_packages()
    python = ensure("test")
    fast = "--fast" in options
    options = [option for option in options if option != "--fast"]
    command = [str(python), "-m", "pytest", "-n", str(WORKERS), "--timeout", str(TEST_TIMEOUT)]
    # one thread each: two workers with all cores each would only get in each other's way
    return _call(command + (["-m", "not slow"] if fast else []) + options, OMP_NUM_THREADS="1", PYTHONUNBUFFERED="1")


def run(options: list[str]) -> int:
    """Run the environment's Python with these options; --tools first asks for the test tools as well."""
    kind = "test" if options[:1] == ["--tools"] else "learn"
    return _call([str(ensure(kind)), *options[kind == "test" :]])


def install_system_packages(call=subprocess.run) -> None:
    """Install what the browser and sandbox tests lack, where apt-get can be used and SYSTEM=0 does not forbid it.

    Without them those tests are skipped (with CI=true: they fail), so a failure here is told and stops nothing.
    """
    missing = [package for package, found in SYSTEM.items() if not found()]
    if not missing or os.environ.get("SYSTEM") == "0":
        return
    apt_get = _apt_get(call)
    if apt_get is None:
        return
    names = ", ".join(missing)
    print(f"Installing {names} with apt-get for the tests (SYSTEM=0 leaves that out) ...", flush=True)
    for _ in range(2):
        call([*apt_get, "update", "-qq"])
        done = call([*apt_get, "install", "-y", "-qq", "--no-install-recommends", *missing])
        if done.returncode == 0:
            return
    print(f"apt-get could not install {names}: the tests that need them will be skipped.", flush=True)


def _apt_get(call) -> list[str] | None:
    """How to call apt-get without being asked for anything; None where that cannot be."""
    if not shutil.which("apt-get"):
        return None
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        return quiet
    if shutil.which("sudo") and call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return ["sudo", "-n", *quiet]
    return None


def _call(command: list[str], **variables: str) -> int:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the program sees it too, and decides: Jupyter asks before it stops
            continue
