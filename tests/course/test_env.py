"""Making the environment: once, again when its lists change, and with one sentence where it cannot be."""

import json
import subprocess
import sys
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest

from utils.build.setup_cells import colab_cell
from utils.course import ROOT, START_PAGE, CourseError
from utils.env import __main__ as command_line
from utils.env import colab, commands, create


@pytest.fixture
def project(tmp_path):
    """A project with an interpreter in .venv, and a stand-in for pip that notes how it was called."""
    (tmp_path / "requirements.txt").write_text("torch\n")
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.ruff]\nline-length = 120\n')
    python = create.python_of(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    calls = []

    def pip(command, cwd):
        calls.append(command)
        return SimpleNamespace(returncode=pip.status)

    pip.status = 0
    return SimpleNamespace(root=tmp_path, python=python, pip=pip, calls=calls)


def test_installs_once(project):
    assert create.ensure("learn", project.root, project.pip) == project.python
    create.ensure("learn", project.root, project.pip)
    assert len(project.calls) == 1
    assert project.calls[0][-4:] == ["-c", "constraints.txt", "-e", "."]


def test_the_test_tools_serve_for_learning_too(project):
    create.ensure("test", project.root, project.pip)
    create.ensure("learn", project.root, project.pip)
    assert len(project.calls) == 1 and project.calls[0][-1] == ".[class,dev]"


def test_the_learners_set_is_not_enough_for_tests(project):
    create.ensure("learn", project.root, project.pip)
    create.ensure("test", project.root, project.pip)
    assert len(project.calls) == 2


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "pyproject.toml"])
def test_installs_again_when_a_list_changes(project, name):
    create.ensure("learn", project.root, project.pip)
    file = project.root / name
    file.write_text(file.read_text().replace("torch", "numpy").replace('"x"', '"y"'))
    create.ensure("learn", project.root, project.pip)
    assert len(project.calls) == 2


def test_settings_of_tools_do_not_matter(project):
    create.ensure("learn", project.root, project.pip)
    file = project.root / "pyproject.toml"
    file.write_text(file.read_text().replace("120", "100"))
    create.ensure("learn", project.root, project.pip)
    assert len(project.calls) == 1


def test_a_failed_install_is_tried_again(project):
    project.pip.status = 1
    with pytest.raises(CourseError, match="pip could not install"):
        create.ensure("learn", project.root, project.pip)
    project.pip.status = 0
    create.ensure("learn", project.root, project.pip)
    assert len(project.calls) == 2


def test_jupyter_opens_the_start_page():
    command = commands.jupyter_command(create.python_of(ROOT / ".venv"), ["--no-browser"], root_user=True)
    assert "--LabApp.default_url=/lab/tree/chapters/start.ipynb" in command and (ROOT / START_PAGE).is_file()
    assert "--LabApp.news_url=None" in command and "--log-level=50" in command
    assert "--allow-root" in command and command[-1] == "--no-browser"
    plain = commands.jupyter_command(ROOT, ["--log-level=10"], root_user=False)
    assert "--allow-root" not in plain and "--log-level=50" not in plain


def test_the_address_is_said_last(tmp_path, capsys):
    for name, root, url in (("1", "/elsewhere", "http://localhost:1/"), ("2", str(ROOT), "http://localhost:2/")):
        server = {"root_dir": root, "url": url, "token": "abc"}
        (tmp_path / f"jpserver-{name}.json").write_text(json.dumps(server), encoding="utf-8")
    (tmp_path / "jpserver-3.json").write_text("{", encoding="utf-8")  # half-written
    assert not commands.say_address(str(tmp_path), set(commands._servers(str(tmp_path))))
    assert not capsys.readouterr().out
    assert commands.say_address(str(tmp_path), set())
    said = capsys.readouterr().out
    assert said.endswith("\n\n    http://localhost:2/lab/tree/chapters/start.ipynb?token=abc\n\n")


def test_learn_asks_for_the_address_until_it_is_said(monkeypatch, tmp_path):
    asked = []
    script = f"import os, pathlib; pathlib.Path({str(tmp_path / 'token')!r}).write_text(os.environ['JUPYTER_TOKEN'])"
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    monkeypatch.setattr(commands, "ensure", lambda kind: sys.executable)
    wait = [sys.executable, "-c", script + "; import time; time.sleep(2.5)"]
    monkeypatch.setattr(commands, "jupyter_command", lambda python, options, root_user: wait)
    monkeypatch.setattr(commands, "say_address", lambda folder, known: asked.append(folder) or True)
    assert commands.learn([]) == 0
    assert len(asked) == 1 and asked[0] and len((tmp_path / "token").read_text()) == 48


def test_options_of_the_test_command(monkeypatch):
    called = []
    monkeypatch.setenv("SYSTEM", "0")
    monkeypatch.setattr(commands, "ensure", lambda kind: f"python-{kind}")
    monkeypatch.setattr(commands, "_call", lambda command, **variables: called.append((command, variables)) or 0)
    commands.test(["--fast", "-k", "build"])
    command, variables = called[0]
    assert command[:3] == ["python-test", "-m", "pytest"] and command[-4:] == ["-m", "not slow", "-k", "build"]
    assert variables["PYTHONUNBUFFERED"] == "1"
    commands.run(["--tools", "-m", "ruff"])
    commands.run(["-m", "utils.build"])
    assert [entry[0] for entry in called[1:]] == [["python-test", "-m", "ruff"], ["python-learn", "-m", "utils.build"]]


@pytest.fixture
def machine(monkeypatch):
    """A machine without Chromium; `statuses` says what its programs return, by their last words but the options."""

    def call(command, **more):
        machine.calls.append(" ".join(command))
        return SimpleNamespace(returncode=machine.statuses.pop(0) if machine.statuses else 0)

    machine = SimpleNamespace(calls=[], statuses=[], call=call)
    monkeypatch.delenv("SYSTEM", raising=False)
    monkeypatch.setattr(commands, "SYSTEM", {"chromium": lambda: None, "bubblewrap": lambda: True})
    monkeypatch.setattr(commands.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(commands.os, "geteuid", lambda: 0, raising=False)
    return machine


def test_root_gets_the_missing_system_packages(machine, capsys):
    commands.install_system_packages(machine.call)
    assert [call.split("apt-get ")[1].split()[0] for call in machine.calls] == ["update", "install"]
    assert machine.calls[-1].endswith(" chromium") and "sudo" not in machine.calls[-1]
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1 and "chromium" in said[0] and "bubblewrap" not in said[0] and "SYSTEM=0" in said[0]


def test_system_packages_are_tried_twice_and_then_done_without(machine, capsys):
    machine.statuses = [0, 1, 0, 1]
    commands.install_system_packages(machine.call)
    assert len(machine.calls) == 4 and "skipped" in capsys.readouterr().out.splitlines()[-1]


def test_an_ordinary_user_needs_sudo_without_a_password(machine, monkeypatch, capsys):
    monkeypatch.setattr(commands.os, "geteuid", lambda: 1000, raising=False)
    machine.statuses = [1]
    commands.install_system_packages(machine.call)
    assert machine.calls == ["sudo -n true"] and capsys.readouterr().out == ""
    commands.install_system_packages(machine.call)
    assert all(call.startswith("sudo -n ") for call in machine.calls) and "install" in machine.calls[-1]


def test_system_packages_can_be_forbidden_or_impossible(machine, monkeypatch):
    monkeypatch.setenv("SYSTEM", "0")
    commands.install_system_packages(machine.call)
    monkeypatch.delenv("SYSTEM")
    monkeypatch.setattr(commands.shutil, "which", lambda name: None)
    commands.install_system_packages(machine.call)
    assert machine.calls == []


def test_no_package_is_needed_to_start():
    """The commands that make the environment run on a bare Python."""
    code = "import utils.env.commands, sys; print('torch' in sys.modules, 'nbformat' in sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.split() == ["False", "False"], done.stderr


def test_bad_commands_are_one_sentence(capsys, monkeypatch):
    assert command_line.main(["teach"]) == 2
    assert capsys.readouterr().err.strip() == "There is no command 'teach': the commands are learn, test, run."
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    assert command_line.main(["learn"]) == 2
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_colab_installs_only_what_is_missing(monkeypatch):
    there = {"torch": "2.11.0+cpu", "numpy": "2.1.3", "einops": "0.8.2", "plotly": "5.24.1", "ipywidgets": "7.7.1"}
    monkeypatch.setattr(colab, "installed", there.get)
    calls = []

    def pip(command):
        held = command[command.index("-c") + 1]
        calls.append((command, Path(held).read_text().split()))
        return SimpleNamespace(returncode=0)

    wanted = colab.install_missing(pip)
    names = {requirement.partition(">")[0] for requirement in wanted}
    assert "jaxtyping" in names and "anywidget" in names
    assert not names & {"torch", "numpy", "einops", "plotly", "ipywidgets", "jupyterlab", "pytest", "nbmake"}
    command, held = calls[0]
    assert held == ["numpy==2.1.3", "torch==2.11.0+cpu"] and "--upgrade" not in command
    monkeypatch.setattr(colab, "installed", lambda name: "1")
    assert colab.install_missing(pip) == [] and len(calls) == 1


def test_colab_cell_fetches_the_tag(tmp_path, monkeypatch):
    """The cell itself, run as on Colab with a stand-in for git: clones the tag shallowly, changes to the chapter."""
    settings = {"repository": "someone/course", "tag": "v1"}
    path = PurePosixPath("chapters/ch1_transformer_from_scratch/exercises.ipynb")
    cell = colab_cell(settings, path).replace('Path("/content")', f"Path({str(tmp_path)!r})")
    ran = []

    def run(command, check):
        ran.append(command)
        (tmp_path / "course" / path.parent).mkdir(parents=True)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(colab, "install_missing", lambda: ran.append("installed"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    exec(cell, {})
    assert ran == []
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    exec(cell, {})
    url = "https://github.com/someone/course"
    assert ran[0][:7] == ["git", "clone", "--quiet", "--depth", "1", "--branch", "v1"] and ran[0][7] == url
    assert ran[1] == "installed" and (tmp_path / "course" / path.parent).samefile(".")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match=r"set `repository` and `tag` under \[tool.course\]"):
        exec(colab_cell({}, path), {})


def test_the_programs_exit_status_comes_back():
    assert commands._call([sys.executable, "-c", "import sys; sys.exit(7)"]) == 7
