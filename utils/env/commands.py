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
    """Run every test in two processes; with --fast not the slow ones. With CI=true missing system tools come first."""
    if os.environ.get("CI") == "true":
        install_system_packages()
    python = ensure("test")
    fast = "--fast" in options
    options = [option for option in options if option != "--fast"]
    command = [str(python), "-m", "pytest", "-n", str(WORKERS), "--dist", "loadgroup", "--timeout", str(TEST_TIMEOUT)]
    # one thread each: two workers with all cores each would only get in each other's way
    return _call(command + (["-m", "not slow"] if fast else []) + options, OMP_NUM_THREADS="1", PYTHONUNBUFFERED="1")


def run(options: list[str]) -> int:
    """Run the environment's Python with these options; --tools first asks for the test tools as well."""
    kind = "test" if options[:1] == ["--tools"] else "learn"
    return _call([str(ensure(kind)), *options[kind == "test" :]])


def install_system_packages(call=subprocess.run) -> None:
    """Install what is missing of browser, font and sandbox. Raises CourseError where apt-get fails twice."""
    missing = [package for package, found in SYSTEM.items() if not found()]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise course.CourseError(f"These are missing and there is no apt-get to install them: {', '.join(missing)}.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for _ in range(2):
        call(["apt-get", "update", "-qq"], env=environment)
        done = call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=environment)
        if done.returncode == 0:
            return
    raise course.CourseError(f"apt-get could not install {', '.join(missing)}: its last lines above say why.")


def _call(command: list[str], **variables: str) -> int:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the program sees it too, and decides: Jupyter asks before it stops
            continue
