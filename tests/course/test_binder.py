"""binder/ is what repo2docker understands, and agrees with the course's own lists."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from lists import constraints, requirements
from packaging.requirements import Requirement

from utils.course import ROOT, START_PAGE

CONDA = {"pytorch-cpu": "torch", "numpy": "numpy"}


def environment() -> dict:
    return yaml.safe_load((ROOT / "binder/environment.yml").read_text(encoding="utf-8"))


def test_versions_agree_with_the_lists():
    listed, exact = requirements(), constraints()
    entries = environment()["dependencies"]
    conda = {Requirement(e).name: Requirement(e) for e in entries if isinstance(e, str) and not e.startswith("python")}
    pip = {Requirement(e).name.lower(): Requirement(e) for e in next(e["pip"] for e in entries if isinstance(e, dict))}
    for name, ours in CONDA.items():
        assert conda[name].specifier == listed[ours].specifier
    assert set(pip) | set(CONDA.values()) == set(listed)
    for name, requirement in pip.items():
        assert str(requirement.specifier) == f"=={exact[name]}"


def test_nothing_refers_to_other_files():
    text = (ROOT / "binder/environment.yml").read_text(encoding="utf-8")
    assert not re.search(r"^\s*- (-r|-e|-c|\.)", text, re.M)
    assert sorted(p.name for p in (ROOT / "binder").iterdir()) == ["environment.yml", "postBuild", "start"]
    assert not (ROOT / ".binder").exists()


def test_repo2docker_makes_an_image_of_it(tmp_path):
    tool = Path(sys.executable).with_name("jupyter-repo2docker")
    if not tool.exists():
        pytest.skip("jupyter-repo2docker is not installed: python -m pip install -e '.[dev]'")
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    command = [tool, "--no-build", "--debug", "--user-id", "1000", "--user-name", "learner", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Building conda environment for python=3.11" in done.stderr  # the Python the exact versions were tested with
    image = done.stdout
    assert image.index("env update") < image.index("COPY --chown=1000:1000 src/ ")  # kept from commit to commit
    assert "binder/postBuild" in image and "binder/start" in image


@pytest.mark.skipif(os.name == "nt", reason="the scripts run in a Linux image")
def test_start_hands_over_with_one_thread():
    shown = ["sh", "-c", 'echo "$OMP_NUM_THREADS $0 $1"', "served", "here"]
    done = subprocess.run(["bash", ROOT / "binder/start", *shown], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "served", "here"]


@pytest.mark.skipif(os.name == "nt", reason="the scripts run in a Linux image")
def test_post_build_opens_the_start_page(tmp_path):
    """The real postBuild (pip played by a stand-in), then JupyterLab as Binder starts it: `/` leads to the page."""
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/bash\n[ "$1" = -m ] && exit 0\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    fake.chmod(0o755)
    config = tmp_path / "etc" / "jupyter"
    config.mkdir(parents=True)
    (config / "jupyter_server_config.json").write_text('{"ServerApp": {"tornado_settings": {}}}', encoding="utf-8")
    variables = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "NB_PYTHON_PREFIX": str(tmp_path)}
    subprocess.run(["bash", ROOT / "binder/postBuild"], cwd=ROOT, env=variables, check=True)
    written = json.loads((config / "jupyter_server_config.json").read_text(encoding="utf-8"))
    assert written["ServerApp"].keys() == {"tornado_settings", "default_url"}  # what was there stays
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        variables[f"JUPYTER_{name}"] = str(tmp_path / name)
    variables |= {"JUPYTER_CONFIG_PATH": str(config), "JUPYTER_TOKEN": "word"}
    command = [
        "jupyter",
        "lab",
        "--no-browser",
        "--ip=127.0.0.1",
        "--port=0",
        "--allow-root",
        f"--ServerApp.root_dir={ROOT}",
    ]
    command = [sys.executable, "-m", *command]
    server = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not (told := list((tmp_path / "RUNTIME_DIR").glob("jpserver-*.json"))):
            assert time.monotonic() < end and server.poll() is None, "the server did not start"
            time.sleep(0.1)
        url = json.loads(told[0].read_text(encoding="utf-8"))["url"]
        for _ in range(50):  # the file is there a moment before the server listens
            with contextlib.suppress(urllib.error.URLError):
                opened = urllib.request.urlopen(f"{url}?token=word", timeout=30)
                break
            time.sleep(0.1)
        assert opened.url.partition("?")[0].endswith(f"/lab/tree/{START_PAGE}")
    finally:
        server.terminate()
        server.wait(timeout=30)
    for name in ("postBuild", "start"):
        assert os.access(ROOT / "binder" / name, os.X_OK)
