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


@contextmanager
def jupyter_lab(root: Path, scratch: Path):
    """A JupyterLab server on a free loopback port that serves `root`; yields its URL up to and with the token."""
    settings = scratch / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    homes = {name: str(scratch / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = os.environ | homes | {
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"),
    }  # fmt: skip
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"]
    log = (scratch / "server.log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=root)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, scratch / "server.log")
        yield f"http://127.0.0.1:{port}/lab/tree/{{path}}?token={token}&reset"
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


class Notebook:
    """An open notebook in the browser; cells are addressed by their index in the file."""

    def __init__(self, page, url: str, path: str):
        self.page = page
        self.outside: list[str] = []
        page.on("request", self._note)
        page.goto(url.format(path=path), wait_until="domcontentloaded", timeout=120_000)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        # the indicator says idle before a kernel is even requested: wait for its name first
        page.wait_for_function(
            "() => { const k = document.querySelector('.jp-KernelName, .jp-Toolbar-kernelName');"
            " const s = document.querySelector('.jp-Notebook-ExecutionIndicator');"
            " return k && !/No Kernel/.test(k.textContent) && s && s.dataset.status === 'idle'; }",
            timeout=120_000,
        )

    def _note(self, request) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1|data:|blob:", request.url):
            self.outside.append(request.url)

    def cell(self, index: int):
        """Locator of a cell; Lab draws only those near the window, so `show` it first."""
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')

    def show(self, index: int) -> None:
        """Scroll down until a cell is in view."""
        cell = self.cell(index)
        for _ in range(200):
            if cell.count() and cell.first.is_visible():
                cell.first.scroll_into_view_if_needed()
                return
            self.page.locator(".jp-WindowedPanel-outer").first.evaluate("e => e.scrollBy(0, 400)")
            self.page.wait_for_timeout(50)
        raise AssertionError(f"cell {index} never came into view")

    def run(self, index: int, seconds: float = 120) -> None:
        """Run one cell with Shift+Enter and wait until the kernel is idle again."""
        self.show(index)
        self.cell(index).locator(".cm-content").first.click()
        self.page.keyboard.press("Control+Enter")
        self._done(index, seconds)

    def write(self, index: int, source: str) -> None:
        """Replace a code cell's text as a paste would."""
        self.show(index)
        editor = self.cell(index).locator(".cm-content").first
        editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.evaluate("t => { const d = new DataTransfer(); d.setData('text/plain', t);"
            " document.activeElement.dispatchEvent(new ClipboardEvent('paste',"
            " {clipboardData: d, bubbles: true, cancelable: true})); }", source)  # fmt: skip

    def output(self, index: int) -> str:
        """Text of a cell's outputs (textContent: innerText is empty off screen)."""
        self.show(index)
        return self.cell(index).locator(".jp-Cell-outputWrapper").evaluate("e => e.textContent")

    def _done(self, index: int, seconds: float) -> None:
        self.page.wait_for_timeout(300)
        self.page.wait_for_function(
            "() => document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle'",
            timeout=seconds * 1000,
        )
        self.page.wait_for_function(
            'i => { const c = document.querySelector(`.jp-Notebook .jp-Cell[data-windowed-list-index="${i}"]`);'
            " const p = c && c.querySelector('.jp-InputPrompt'); return p && /\\d/.test(p.textContent); }",
            arg=index,
            timeout=seconds * 1000,
        )
