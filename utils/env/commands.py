"""The commands: open JupyterLab at the start page, run the tests, run anything in the environment."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
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


def jupyter_command(python: Path, options: list[str], root_user: bool) -> list[str]:
    """The command that opens JupyterLab on the course's folder, at the start page, without news and without chatter."""
    command = [str(python), "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}"]
    command += [f"--LabApp.default_url=/lab/tree/{course.START_PAGE}", "--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if not any("log" in option or option in ("--debug", "-y") for option in options):
        # errors in the browser's own requests mean nothing to a learner
        command += ["--log-level=50", "--LabApp.log_level=50"]
    if root_user and "--allow-root" not in options:
        command.append("--allow-root")
    return command + options


def learn(options: list[str]) -> int:
    """Open JupyterLab at the start page; `options` are passed on to Jupyter. The address is printed last."""
    python = ensure("learn")
    asked = subprocess.run([str(python), "-m", "jupyter", "--runtime-dir"], capture_output=True, text=True)
    known = set(_servers(asked.stdout.strip()))
    command = jupyter_command(python, options, getattr(os, "geteuid", lambda: 1)() == 0)
    named = "JUPYTER_TOKEN" in os.environ or any("token" in o or "password" in o for o in options)
    token = {} if named else {"JUPYTER_TOKEN": secrets.token_hex(24)}  # so Jupyter does not print its own address
    return _call(command, lambda: say_address(asked.stdout.strip(), known), **token)


def _servers(folder: str) -> list[Path]:
    """The files in which running Jupyter servers tell where they listen."""
    return sorted(Path(folder).glob("jpserver-*.json")) if folder else []


def say_address(folder: str, known: set[Path]) -> bool:
    """Print where the server that was started after the `known` ones shows the start page; False while none is up."""
    for file in _servers(folder):
        try:
            server = json.loads(file.read_text(encoding="utf-8")) if file not in known else {}
        except (OSError, ValueError):  # it is being written
            continue
        if server.get("root_dir") == str(ROOT):
            token = f"?token={server['token']}" if server.get("token") else ""
            print("\nThe course is running; Ctrl-C ends it. If no browser window opens, go to this address:")
            print(f"\n    {server['url']}lab/tree/{course.START_PAGE}{token}\n", flush=True)
            return True
    return False


def test(options: list[str]) -> int:
    """Run every test in two processes, after the system tools they need; with --fast not the slow ones."""
    _only_in_the_full_course()
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
    if kind == "test":
        _only_in_the_full_course()
    return _call([str(ensure(kind)), *options[kind == "test" :]])


def _only_in_the_full_course() -> None:
    """Raises CourseError in a hand-out, before an environment is made for nothing."""
    if not course.have_answers(course.START):
        raise course.CourseError(
            "This is a class hand-out: the tests, checks and benchmarks of the full course are not part of it. "
            "Grade your notebook with pytest --nbmake, as README says."
        )


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
    """How to call apt-get without being asked for anything; None where that is impossible."""
    if not shutil.which("apt-get"):
        return None
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        return quiet
    if shutil.which("sudo") and call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return ["sudo", "-n", *quiet]
    return None


def _call(command: list[str], each_second: Callable[[], bool] = lambda: True, **variables: str) -> int:
    """Run a command to its end; until `each_second` returns True it is called once a second beside it."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables})
    said = False
    while True:
        try:
            return process.wait(timeout=None if said else 1)
        except subprocess.TimeoutExpired:
            said = each_second()
        except KeyboardInterrupt:  # the program sees it too, and decides: Jupyter asks before it stops
            continue
