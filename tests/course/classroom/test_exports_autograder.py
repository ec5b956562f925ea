"""The Gradescope zip is unpacked and run for real; the GitHub workflow is parsed and holds the README's command."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile

import jsonschema
import nbformat
import pytest
import yaml
from alone import environment
from export_schemas import GRADESCOPE
from nbformat.v4 import new_code_cell, new_notebook

from utils import course
from utils.build.cut import read_module
from utils.chapter import load_chapter
from utils.course import CourseError
from utils.grade.exports import autograder, workflow

NAME = course.chapter_name("ch1")
answers = pytest.mark.skipif(not course.have_answers("ch1"), reason="an autograder needs the solutions")
IMPORTS = "import torch\nfrom torch import Tensor, nn\nfrom jaxtyping import Float, Int"


def answer(name: str) -> str:
    exercise = load_chapter("ch1").exercise(name)
    return read_module(course.ROOT / "solutions" / NAME / f"{exercise.module}.py").solution(name)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """What Gradescope makes of the zip: /autograder with source, submission and results."""
    folder = tmp_path_factory.mktemp("autograder")
    with zipfile.ZipFile(autograder.make("ch1", folder / "autograder.zip", "INDEX OF CPU BUILDS")) as archive:
        archive.extractall(folder / "source")
    shutil.copy(folder / "source" / "run_autograder", folder / "run_autograder")
    return folder


BANNED = """
import sys
class Banned:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {banned!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}")
sys.meta_path.insert(0, Banned())
"""


def grade(home, *notebooks: tuple[str, str], banned=(), **variables: str) -> tuple[dict, str]:
    """Run run_autograder on (file name, text) pairs; results.json, held against the schema, and what was printed.

    `banned`: packages that are not to be found meanwhile.
    """
    if notebooks or not banned:
        shutil.rmtree(home / "submission", ignore_errors=True)
    shutil.rmtree(home / "results", ignore_errors=True)
    for name, text in notebooks:
        file = home / "submission" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (home / "submission").mkdir(exist_ok=True)
    env = environment(home / "alone") | {"AUTOGRADER_HOME": str(home), "AUTOGRADER_PYTHON": sys.executable, **variables}
    with open(home / "alone" / "sitecustomize.py", "a", encoding="utf-8") as file:
        file.write(BANNED.format(banned=set(banned)) if banned else "")
    done = subprocess.run(
        ["bash", str(home / "run_autograder")], env=env, capture_output=True, text=True, timeout=400, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((home / "results" / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, GRADESCOPE)
    return document, done.stdout + done.stderr


def notebook(*cells: str, kind: str = "exercises") -> str:
    marks = {"course": {"chapter": "ch1", "notebook": kind}}
    return nbformat.writes(new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=marks))


@answers
def test_the_zip_has_what_gradescope_wants(tmp_path):
    one, two = (autograder.make("ch1", tmp_path / name) for name in ("one.zip", "two.zip"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        names = archive.namelist()
        for script in ("setup.sh", "run_autograder"):
            assert stat.S_IMODE(archive.getinfo(script).external_attr >> 16) == 0o755
            text = archive.read(script).decode()
            assert text.startswith("#!/usr/bin/env bash\n") and "@CHAPTER@" not in text and "\r" not in text
            assert "http" not in text
            subprocess.run(["bash", "-n"], input=text, text=True, check=True)
        setup = archive.read("setup.sh").decode()
    assert "-c constraints.txt 'torch>=" in setup and "bubblewrap" in setup and "index-url" not in setup
    for needed in (
        "constraints.txt",
        "pyproject.toml",
        "README.md",
        f"solutions/{NAME}/layers.py",
        "utils/grade/__main__.py",
    ):
        assert f"course/{needed}" in names
    assert f"course/tests/{NAME}/mutants/layer_norm.py" in names and f"course/chapters/{NAME}/chapter.json" in names
    assert not [name for name in names if "__pycache__" in name or "/." in name or name.endswith((".ipynb", ".pyc"))]


@answers
@pytest.mark.slow
def test_it_grades_a_submission(home):
    wrong = answer("LayerNorm").replace("* self.w + self.b", "* self.w")
    assert wrong != answer("LayerNorm")
    text = notebook(IMPORTS, answer("GELU"), wrong, "open('/autograder/results/results.json', 'w').write('{}')")
    document, said = grade(home, ("my work.ipynb", text), ("again/my work.ipynb", notebook("x = 1", kind="optional")))
    cases = {test["name"]: test for test in document["tests"] if "score" in test}
    assert cases["1.6 GELU"]["status"] == "passed" and cases["1.6 GELU"]["score"] == 1
    assert cases["1.3 LayerNorm"]["score"] == 0 and cases["1.3 LayerNorm"]["output"].startswith("wrong: ")
    assert document["score"] == 1 and cases["1.1 Embedding"]["tags"] == ["missing"], said
    assert not any("Traceback" in test.get("output", "") for test in document["tests"])


@answers
@pytest.mark.slow
@pytest.mark.parametrize("form", ["the hand-out", "a zip of it"])
def test_the_hand_outs_own_layout_is_graded_with_no_more_than_the_zip_installs(home, form, tmp_path):
    """Every package that set-up does not install is out of reach here."""
    place = f"chapters/{NAME}/exercises.ipynb"
    if form == "a zip of it":
        shutil.rmtree(home / "submission", ignore_errors=True)
        (home / "submission").mkdir()
        with zipfile.ZipFile(home / "submission" / "work.zip", "w") as archive:
            archive.writestr(place, notebook(IMPORTS, answer("GELU")))
    banned = sorted(autograder.FRONT_ENDS | {"jinja2", "joblib", "distributed", "dask", "psutil", "ruff"})
    document, said = grade(
        home, *([(place, notebook(IMPORTS, answer("GELU")))] if form == "the hand-out" else []), banned=banned
    )
    assert document["score"] == 1, said


@answers
@pytest.mark.slow
def test_whatever_goes_wrong_is_said_and_scores_nothing(home):
    document, _ = grade(home)
    assert document["score"] == 0 and "There is no notebook" in document["output"]
    document, _ = grade(home, ("essay.pdf", "x"))
    assert document["score"] == 0 and "There is no notebook: essay.pdf isn't a notebook." in document["output"]
    document, _ = grade(home, ("a.ipynb", "{ broken"))
    assert document["score"] == 0 and "a.ipynb is not a notebook" in document["output"]
    document, _ = grade(home, ("a.ipynb", notebook("x = 1")), AUTOGRADER_PYTHON="/no/such/python")
    assert document["score"] == 0 and "please tell your instructor" in document["output"]
    document, _ = grade(home, ("a.ipynb", notebook("x = 1")), AUTOGRADER_SECONDS="0.1")
    assert document["score"] == 0 and "0.1 seconds" in document["output"]
    assert document["visibility"] == "visible"


FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> "$LOG"
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && chmod +x "$3/bin/python";;
    "install -y") case "$*" in *python3.11*) cp "$BIN/new" "$BIN/python3.11";; esac;;
    "-c import ensurepip"*) exit ${OLD:-0};;
esac
"""


@answers
@pytest.mark.parametrize("old", [False, True])
def test_setup_finds_a_python_and_installs_by_name(home, tmp_path, old):
    """setup.sh with apt-get and Python played by scripts that write down how they were called."""
    tools, source = tmp_path / "bin", tmp_path / "source"
    tools.mkdir()
    (source / "course").mkdir(parents=True)
    for name in ("python3.13", "python3.12", "python3.11", "python3", "apt-get", "new"):
        text = FAKE.replace("${OLD:-0}", "1" if old and name not in ("new", "apt-get") else "0")
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    env = {"PATH": f"{tools}:/usr/bin:/bin", "AUTOGRADER_HOME": str(tmp_path), "BIN": str(tools)}
    env["LOG"] = str(tmp_path / "log")
    subprocess.run(["bash", str(home / "source" / "setup.sh")], env=env, check=True, cwd="/")
    log = [line for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines() if "ensurepip" not in line]
    chosen = "python3.11" if old else "python3.13"
    extra = ["apt-get install -y --no-install-recommends python3.11 python3.11-venv"] if old else []
    assert log == [
        "apt-get update",
        "apt-get install -y --no-install-recommends bubblewrap python3-venv",
        *extra,
        f"{chosen} -m venv {source}/venv",
        "python -m pip install --no-cache-dir -c constraints.txt --extra-index-url INDEX OF CPU BUILDS "
        + " ".join(autograder.packages()),
        'python -c import torch; print("torch", torch.__version__)',
    ]


def test_the_workflow_runs_what_the_readme_says(tmp_path):
    (tmp_path / "class").mkdir()
    file = workflow.make("ch1", tmp_path / "class")
    assert file == tmp_path / "class" / ".github" / "workflows" / "ch1.yml"
    parsed = yaml.safe_load(file.read_text(encoding="utf-8"))
    triggers = parsed.get("on", parsed.get(True))  # YAML 1.1 reads a bare `on` as true
    assert set(triggers) == {"push", "workflow_dispatch"} and parsed["permissions"] == {"contents": "read"}
    (job,) = parsed["jobs"].values()
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert uses == ["actions/checkout@v6", "actions/setup-python@v6", "actions/upload-artifact@v7"]
    commands = "\n".join(step["run"] for step in job["steps"] if "run" in step)
    readme = (course.ROOT / "README.md").read_text(encoding="utf-8")
    command = f"pytest --nbmake chapters/{NAME}/exercises.ipynb"
    assert command in readme and command in commands and f"chapters/{NAME}/optional.ipynb" in commands
    assert "source .venv/bin/activate" in readme and "source .venv/bin/activate" in commands
    assert "set -o pipefail" in commands  # or tee would hide that an exercise failed
    for step in job["steps"]:
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)
    assert all("pytest" not in step.get("run", "") or step["if"] == "always()" for step in job["steps"])


def test_the_workflow_shows_hostile_output_as_text(tmp_path):
    parsed = yaml.safe_load(workflow.text("ch1"))
    (job,) = parsed["jobs"].values()
    show = next(step["run"] for step in job["steps"] if "STEP_SUMMARY" in step.get("run", ""))
    (tmp_path / "grades-exercises.txt").write_text("a <b>&amp;\n", encoding="utf-8")
    env = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    subprocess.run(["bash", "-e", "-c", show], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "<pre>\na &lt;b>&amp;amp;\n</pre>\n"


def test_out_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for make in (workflow.make, autograder.make) if course.have_answers("ch1") else (workflow.make,):
        with pytest.raises(CourseError, match="cannot be written"):
            make("ch1", tmp_path / "file" / "out")
        with pytest.raises(CourseError, match="There is no chapter"):
            make("ch99", tmp_path / "out")
