"""A real JupyterLab in a real, headless Chromium, for the few things only a browser can show."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from utils import course

SHOTS = course.ROOT / "build" / "screenshots"  # looked at by people, not committed
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


def chromium() -> str | None:
    """Path of a Chromium or Chrome on this machine, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is in the page, not only those in view
}


@contextmanager
def jupyter_lab(root: Path, scratch: Path):
    """A server of JupyterLab and Notebook 7 on a free loopback port that serves `root`; yields its address pattern.

    The pattern takes `app` ("lab/tree" or "notebooks") and `path`, and carries the token.
    """
    for name, values in SETTINGS.items():
        file = scratch / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    homes = {name: str(scratch / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = os.environ | homes | {
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"),
        "PYTHONPATH": str(course.ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"]
    command += [f"--{app}.expose_app_in_browser=True" for app in ("LabApp", "JupyterNotebookApp")]
    log = (scratch / "server.log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=root)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, scratch / "server.log")
        yield f"http://127.0.0.1:{port}/{{app}}/{{path}}?token={token}&reset"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()


def _wait_for(url: str, server: subprocess.Popen, log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


# What each page finds wrong with itself, or says of a slow machine or one without a graphics card; none of it is the
# course's.
HARMLESS = re.compile(
    r"reading 'schema'|filebrowser:open-path|WebGL|favicon|GroupMarkerNotSet|ResizeObserver loop|preloaded using link"
    r"|\[anywidget\] Failed to initialize model"  # a busy machine; utils/plot/widget.py says more
)
PANEL = "(window.jupyterapp.shell.currentWidget)"


class Notebook:
    """An open notebook in the browser; cells are addressed by their index in the file.

    `errors`: what the page's console called an error; `outside`: requests that left this machine.
    """

    def __init__(self, page, url: str, path: str, app: str = "lab/tree"):
        self.page = page
        self.outside: list[str] = []
        self.errors: list[str] = []
        page.on("request", self._note)
        page.on("console", lambda said: self._error(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self._error(str(error)))
        page.goto(url.format(app=app, path=path), wait_until="domcontentloaded", timeout=120_000)
        self.wait(f"() => window.jupyterapp && {PANEL}?.sessionContext?.session?.kernel?.status === 'idle'"
                  " && document.querySelector('.jp-Notebook .jp-Cell')")  # fmt: skip

    def _note(self, request) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1|data:|blob:", request.url):
            self.outside.append(request.url)

    def _error(self, text: str) -> None:
        if not HARMLESS.search(text):
            self.errors.append(text)

    def wait(self, condition: str, arg=None, seconds: float = 120) -> None:
        """Wait until a JavaScript function of `arg` returns something true."""
        self.page.wait_for_function(condition, arg=arg, timeout=seconds * 1000)

    def cell(self, index: int):
        """Locator of a cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def run(self, index: int, seconds: float = 120) -> None:
        """Run one cell with Control+Enter and wait until it has run."""
        count = f"i => {PANEL}.content.widgets[i].model.executionCount"
        before = self.page.evaluate(count, index)
        place = self.cell(index).locator(".jp-Placeholder, .cm-content").first  # a collapsed cell opens
        place.click()
        self.page.keyboard.press("Control+Enter")
        self.wait(f"([i, old]) => ({count})(i) !== old && ({count})(i)", [index, before], seconds)

    def run_all(self, seconds: float = 300) -> None:
        """Run every cell, as the menu does. Raises AssertionError, with its output, for a cell that fails."""
        done = "window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.courseRan = true; })"
        self.page.evaluate(f"() => {{ window.courseRan = false; {done}; }}")
        self.wait("() => window.courseRan", seconds=seconds)
        cells = f"{PANEL}.content.widgets.filter(c => c.model.type === 'code')"
        last = f"{cells}.flatMap(c => c.model.outputs.toJSON()).filter(o => o.output_type === 'error')"
        assert self.page.evaluate(f"() => {last}") == [], "a cell has failed"

    def write(self, index: int, source: str) -> None:
        """Replace a code cell's text as a paste would."""
        self.cell(index).locator(".cm-content").first.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.evaluate("t => { const d = new DataTransfer(); d.setData('text/plain', t);"
            " document.activeElement.dispatchEvent(new ClipboardEvent('paste',"
            " {clipboardData: d, bubbles: true, cancelable: true})); }", source)  # fmt: skip

    def output(self, index: int) -> str:
        """Text of a cell's outputs (textContent: innerText is empty off screen)."""
        return self.cell(index).locator(".jp-Cell-outputWrapper").evaluate("e => e.textContent")

    def shot(self, name: str) -> None:
        """A picture for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")
