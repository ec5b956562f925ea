"""Making the environment: once, again when its lists change, and with one sentence where it cannot be."""

import errno
import io
import json
import os
import subprocess
import sys
import zipfile
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
        if "--dry-run" not in command:
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


@pytest.fixture
def on_colab(tmp_path, monkeypatch):
    """Run a Colab cell with /content in tmp_path; pip's work is noted only."""
    path = PurePosixPath("chapters/ch1_transformer_from_scratch/exercises.ipynb")
    ran = []
    monkeypatch.setattr(colab, "install_missing", lambda: ran.append("installed"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")

    def cell(settings: dict, **changes: str) -> list:
        text = colab_cell(settings, path).replace('Path("/content")', f"Path({str(tmp_path)!r})")
        exec(text.replace('COURSE = ""', f"COURSE = {changes.get('address', '')!r}"), {})
        return ran

    return cell


def test_colab_cell_fetches_the_tag(tmp_path, monkeypatch, on_colab):
    """The cell itself, run as on Colab with a stand-in for git: clones the tag shallowly, changes to the chapter."""
    settings, clones = {"repository": "someone/course", "tag": "v1"}, []

    def run(command, check):
        clones.append(command)
        (tmp_path / "course" / "utils" / "learn").mkdir(parents=True)
        (tmp_path / "course" / "chapters" / "ch1_transformer_from_scratch").mkdir(parents=True)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.delenv("COLAB_RELEASE_TAG")
    assert on_colab(settings) == []
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert on_colab(settings) == ["installed"]
    url = "https://github.com/someone/course"
    assert clones[0][:7] == ["git", "clone", "--quiet", "--depth", "1", "--branch", "v1"] and clones[0][7] == url
    assert (tmp_path / "course" / "chapters" / "ch1_transformer_from_scratch").samefile(".")


def course_zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return buffer.getvalue()


COURSE_ZIP = course_zip(
    "inside-transformers-v1/utils/learn/__init__.py",
    "inside-transformers-v1/chapters/ch1_transformer_from_scratch/exercises.ipynb",
)


@pytest.mark.parametrize("way", ["upload", "address"])
def test_colab_cell_asks_for_the_course_while_nobody_said_where_it_is(tmp_path, monkeypatch, on_colab, capsys, way):
    """A lone notebook: one sentence, and the learner's own zip, or an address that the learner knows."""
    home = tmp_path / "course" / "inside-transformers-v1" / "chapters" / "ch1_transformer_from_scratch"
    uploads = [{}, {"photo.zip": b"no zip"}, {"course.zip": COURSE_ZIP}]
    files = SimpleNamespace(upload=lambda: uploads.pop(0))
    monkeypatch.setitem(sys.modules, "google", SimpleNamespace(colab=SimpleNamespace(files=files)))
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(files=files))
    if way == "upload":
        for _ in range(2):
            with pytest.raises(SystemExit, match="run this cell again"):
                on_colab({})
        assert on_colab({}) == ["installed"]
        said = capsys.readouterr().out.strip().splitlines()
        assert len(said) == 3 and "choose the course's zip on your computer" in said[0]
    else:
        (tmp_path / "there.zip").write_bytes(COURSE_ZIP)
        assert on_colab({}, address=(tmp_path / "there.zip").as_uri()) == ["installed"]
        assert capsys.readouterr().out == "" and len(uploads) == 3
    assert home.samefile(".")
    on_colab({})  # once more: all is there, and nobody is asked


def test_cuda_libraries_are_announced_before_they_come(project, monkeypatch, capsys):
    """pip, played by a stand-in, says what PyTorch's wheel for this Python needs."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv(create.INDEX, raising=False)
    said, told = [], {"needs": ["filelock", "nvidia-cudnn-cu13==9.20; platform_system == 'Linux'"]}

    def pip(command, cwd):
        if "--dry-run" in command:
            report = {"install": [{"metadata": {"requires_dist": told["needs"]}}]}
            Path(command[command.index("--report") + 1]).write_text(json.dumps(report), encoding="utf-8")
        said.append((command, capsys.readouterr().out))
        return SimpleNamespace(returncode=0)

    create.ensure("learn", project.root, pip)
    (question, _), (install, before) = said
    assert "--no-deps" in question and "about 5 GB" in before and create.INDEX in before
    assert "--extra-index-url" not in install
    said.clear()
    told["needs"] = ["filelock"]
    create.ensure("test", project.root, pip)
    assert "5 GB" not in said[1][1]
    said.clear()
    (project.root / "requirements.txt").write_text("torch\nnumpy\n", encoding="utf-8")
    monkeypatch.setenv(create.INDEX, "the index")
    create.ensure("learn", project.root, pip)
    ((install, _),) = said
    assert install[install.index("--extra-index-url") + 1] == "the index"
    assert create.INDEX in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EROFS, "Read-only file system"), "copy the course into a folder of your own"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
        (subprocess.CalledProcessError(1, ["ensurepip"]), "apt-get install python3-venv"),
    ],
)
def test_an_environment_that_cannot_be_made(tmp_path, monkeypatch, error, says):
    def refuse(*_):
        raise error

    monkeypatch.setattr(create.venv.EnvBuilder, "create", refuse)
    with pytest.raises(CourseError, match=says) as caught:
        create.ensure("learn", tmp_path)
    assert ("python3-venv" in str(caught.value)) == isinstance(error, subprocess.CalledProcessError)


@pytest.mark.parametrize("module", ["utils.grade", "utils.build", "solutions.ch1_transformer_from_scratch"])
def test_a_python_without_the_packages_is_one_sentence(module):
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-S", "-m", module], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "lacks torch" in done.stderr and "source .venv/bin/activate" in done.stderr


def test_a_wrong_kernel_is_one_sentence():
    code = "import utils.learn"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert "WrongKernel" in last and "choose the kernel of the course's .venv" in last
    code = "try:\n    import utils.learn\nexcept ImportError as error:\n    print(*error._render_traceback_())"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.count("\n") == 1 and done.stdout.startswith("This Python")


def test_the_programs_exit_status_comes_back():
    assert commands._call([sys.executable, "-c", "import sys; sys.exit(7)"]) == 7
