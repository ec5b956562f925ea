"""The hand-out holds no answer, and works without them; what comes back is collected by student."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib

import nbformat
import pytest
from alone import environment
from nbformat.v4 import new_code_cell, new_notebook

from utils import course
from utils.build.cut import read_module
from utils.chapter import from_json, load_chapter
from utils.course import CourseError
from utils.grade.release import _copy, release
from utils.learn.ladder import solution

pytestmark = pytest.mark.skipif(not course.have_answers("ch1"), reason="a hand-out cannot be made from a hand-out")

NAME = course.chapter_name("ch1")
SETUP = "import sys; sys.path.insert(0, {root!r})\nfrom utils.learn import *"
IMPORTS = """\
import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn"""


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    return release("ch1", tmp_path_factory.mktemp("class") / "hand-out")


def answer(name: str) -> str:
    exercise = load_chapter("ch1").exercise(name)
    return read_module(course.ROOT / "solutions" / NAME / f"{exercise.module}.py").solution(name)


def run(folder, *arguments, text=None) -> subprocess.CompletedProcess:
    """Python in the hand-out, as where nothing else of the course is installed."""
    env = environment(folder.parent / "alone", folder)
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, input=text, timeout=300)


def squeezed(text: str) -> str:
    return "".join(text.replace("\\n", "\n").replace('\\"', '"').split())


def test_no_file_holds_an_answer(handed):
    files = {file: file.read_bytes() for file in handed.rglob("*") if file.is_file()}
    names = {file.relative_to(handed).as_posix() for file in files}
    folders = {part for name in names for part in name.split("/")[:-1]}
    assert not folders & {"solutions", "mutants", ".git", "__pycache__", ".progress"}
    assert not any(name.startswith(("build/", "tests/course", "tests/bench", ".venv")) for name in names)
    texts = {f: squeezed(data.decode("utf-8", "ignore")) for f, data in files.items() if f.suffix != ".safetensors"}
    for exercise in load_chapter("ch1").exercises:
        lines = [squeezed(line) for line in solution("ch1", exercise).splitlines()]
        telling = [
            line for line in lines if len(line) >= 18 and not line.startswith(("#", "fromeinops", "importtorch"))
        ]
        assert telling, exercise.name
        for file, held in texts.items():
            assert not all(line in held for line in telling), f"{file} holds the answer to {exercise.name}"


def test_its_notebooks_are_fresh_and_its_files_adapted(handed):
    notebook = nbformat.read(handed / "chapters" / NAME / "exercises.ipynb", 4)
    assert (handed / "chapters" / NAME / "optional.ipynb").is_file()
    answers = {
        c.metadata.exercise.name: c.source
        for c in notebook.cells
        if c.metadata.get("exercise", {}).get("role") == "answer"
    }
    assert len(answers) == len([e for e in load_chapter("ch1").exercises if not e.optional])
    assert all(re.search(r"raise NotImplementedError\s*$", source, re.M) for source in answers.values())
    assert not any(cell.get("outputs") for cell in notebook.cells)
    stubs = from_json((handed / "chapters" / NAME / "chapter.json").read_text(encoding="utf-8")).stubs
    assert all("raise NotImplementedError" in stub for stub in stubs.values())
    readme = (handed / "README.md").read_text(encoding="utf-8")
    assert readme.count("This is the class hand-out") == 1
    for page in (handed / "README.md", *(handed / "chapters").glob("*.md")):
        for link in re.findall(r"\]\(([\w/.-]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), link
    project = tomllib.loads((handed / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["course"] == {"repository": "", "tag": ""}
    assert list((handed / "tests" / NAME).glob("test_*.py")) and not (handed / "tests" / NAME / "mutants").exists()
    shipped = [
        sorted(p.name for p in (root / "chapters" / NAME / "checkpoints").iterdir()) for root in (handed, course.ROOT)
    ]
    assert shipped[0] == shipped[1] and any(name.endswith(".safetensors") for name in shipped[0])


LEARNER = f"""\
from utils import course
from utils.learn import *
{IMPORTS}
print(course.ROOT)
{{answer}}
check(GELU)
class GELU(nn.Module):
    def forward(self, x):
        return torch.relu(x)
def checks_again():
    check(GELU)
def gives_up():
    skip("GELU")
def looks():
    reveal("GELU", confirm=True)
def checks():
    check(GELU)
for act in (checks, gives_up, looks, checks_again):
    try:
        act()
        print("no error")
    except Exception as error:
        print(f"{{{{act.__name__}}}}: {{{{error}}}}", *getattr(error, "notes", ()), sep=" | ")
hint("GELU")
"""


def test_checks_work_and_what_is_absent_says_so(handed):
    done = run(handed, "-", text=LEARNER.format(answer=answer("GELU")))
    said = done.stdout
    assert done.returncode == 0, done.stderr
    assert str(handed) in said and "1.6 GELU: 4 of 4 checks passed. +1 point" in said
    lines = {line.split(": ")[0]: line for line in said.splitlines()}
    assert "The diagnosis by known mistakes is not part of this hand-out." in lines["checks"]
    assert "near zero" in lines["checks"] and "near zero" in lines["checks_again"]
    assert said.count("The diagnosis by known mistakes") == 1, "once a session is enough"
    for act in ("gives_up", "looks"):
        assert re.search(
            r"The solutions are not part of this hand-out, so (skip|reveal) has nothing to give", lines[act]
        )
    assert "no error" not in said and "Hint 1 of" in said and "Traceback" not in said + done.stderr


def test_its_pages_hold_only_what_works_there(handed):
    """Every command that they show is one that runs in a hand-out; what is for teachers is not in it."""
    pages = [handed / "README.md", *(handed / "chapters").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert {page.name for page in pages} == {"README.md", "reading.md", "troubleshooting.md"}
    assert "full course -->" not in text and "<!-- end -->" not in text
    assert not re.findall(r"make (?:test|build|check|bench)|solutions/|utils\.grade|upgrade|CONTRIBUTING|mutants", text)
    shown = {m.strip() for m in re.findall(r"(?:^|`)((?:make|python -m|pytest) [^`#\n]*)", text, re.M)}
    works = {"make learn", "python -m utils.env learn", "python -m utils.build reset LayerNorm"}
    works |= {"python -m utils.build reset exercises", f"pytest --nbmake chapters/{NAME}/exercises.ipynb"}
    assert works <= shown and {command.partition(" ")[0] for command in shown} == {"make", "python", "pytest"}
    for command in shown - works:
        assert command.startswith(("make learn ", "python -m venv")), command
    done = run(handed, "-m", "utils.build", "reset", "LayerNorm")
    assert done.returncode == 0 and "is a stub again" in done.stdout, done.stderr
    for file in (handed / "chapters" / NAME).glob("*.backup-*"):
        file.unlink()


@pytest.mark.parametrize(
    "command", [["test"], ["run", "--tools", "-m", "tests.bench"], ["run", "--tools", "-m", "ruff", "check", "."]]
)
def test_what_make_cannot_do_there_is_one_sentence(handed, command):
    """`make test`, `make bench` and `make check` call these; no environment is made for nothing."""
    done = run(handed, "-m", "utils.env", *command)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "This is a class hand-out" in done.stderr and not (handed / ".venv").exists()


BUILDING = [key for key in course.chapters() if load_chapter(key).takes]


@pytest.fixture(scope="module")
def building(tmp_path_factory):
    return release(BUILDING, tmp_path_factory.mktemp("several") / "hand-out")


def test_a_hand_out_of_several_chapters_holds_what_they_build_on(building):
    wanted = {"start", *map(course.chapter_name, [*BUILDING, "ch1"])}
    assert {path.name for path in (building / "chapters").iterdir() if path.is_dir()} == wanted
    assert "ch2" in BUILDING and "ch3" in BUILDING and not (building / "solutions").exists()


@pytest.mark.parametrize("chapter", BUILDING)
def test_a_chapter_that_builds_on_another_says_so_before_it_starts(building, chapter, tmp_path):
    """Chapter 1 was never done here: the set-up cell names what is missing, mine() says so too; done, both work."""
    takes = load_chapter(chapter).takes
    text = f"from utils.learn import *\nstart_chapter({chapter!r})\n"
    text += f"try:\n    mine({takes[0]!r})\nexcept Exception as error:\n    print(error)\n"
    done = run(building, "-", text=text)
    says = done.stdout.splitlines()
    assert done.returncode == 0 and len(says) == 3, done.stdout + done.stderr
    for name in takes:
        exercise = load_chapter("ch1").exercise(name.removeprefix("ch1."))
        assert says[1].startswith("Do ") and f"{exercise.name} ({exercise.id})" in says[1]
    assert "of chapter 1 here first" in says[1] and says[2].startswith(
        f"Do {takes[0].removeprefix('ch1.')} (exercise 1."
    )
    progress = building / "chapters" / NAME / ".progress" / "ch1.json"
    kept = {name.removeprefix("ch1."): {"status": "passed", "source": f"{name[4:]} = 7"} for name in takes}
    for exercise in load_chapter("ch1").exercises:
        kept.setdefault(exercise.name, {"status": "passed", "source": f"{exercise.name} = 7"})
    progress.parent.mkdir(parents=True, exist_ok=True)
    progress.write_text(json.dumps({"version": 1, "exercises": kept}), encoding="utf-8")
    says = run(building, "-", text=text).stdout.splitlines()
    progress.unlink()
    assert len(says) == 2 and says[1].endswith(": yours."), says


LONE = """\
import json, sys, types
files = types.ModuleType("google.colab.files")
files.upload = lambda: {{"hand-out.zip": open({zipped!r}, "rb").read()}}
output = types.SimpleNamespace(enable_custom_widget_manager=lambda: None)
sys.modules["google"] = types.ModuleType("google")
sys.modules["google.colab"] = sys.modules["google"].colab = types.ModuleType("google.colab")
sys.modules["google.colab"].files, sys.modules["google.colab"].output = files, output
cells = json.load(open({notebook!r}, encoding="utf-8"))["cells"]
for cell in [cell for cell in cells if cell["cell_type"] == "code"][:3]:
    exec("".join(cell["source"]).replace('Path("/content")', "Path({content!r})"), globals())
"""


def test_a_lone_notebook_on_colab(handed, tmp_path):
    """One notebook of a hand-out and its zip, with a stand-in for google.colab: its first cells do all the rest."""
    zipped = shutil.make_archive(str(tmp_path / "zip" / "hand-out"), "zip", handed)
    alone = tmp_path / "alone" / "exercises.ipynb"
    alone.parent.mkdir()
    shutil.copy(handed / "chapters" / NAME / "exercises.ipynb", alone)
    text = LONE.format(zipped=zipped, notebook=str(alone), content=str(tmp_path / "content"))
    text += f"{IMPORTS}\n{answer('GELU')}\ncheck(GELU)\nimport os; print(os.getcwd())"
    env = environment(tmp_path / "scratch") | {"COLAB_RELEASE_TAG": "release-colab"}
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=alone.parent, env=env, capture_output=True, text=True, timeout=300
    )
    says = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "choose the course's zip" in says[0] and "chapter 1" in says[1] and "checks passed" in done.stdout
    assert says[-1] == str(tmp_path / "content" / "course" / "chapters" / NAME)


@pytest.mark.slow
def test_a_notebook_grades_itself(handed, tmp_path):
    block = answer("TransformerBlock")
    cells = [
        SETUP.format(root=str(handed)),
        IMPORTS,
        answer("GELU"),
        answer("MLP"),
        "class LayerNorm(nn.Module):\n    pass",
        block,
    ]
    marks = {"course": {"chapter": "ch1", "notebook": "exercises"}}
    file = handed / "chapters" / NAME / "mine.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=marks), file)
    wanted = [
        f"{file}::{e.id} {e.name}"
        for e in load_chapter("ch1").exercises
        if e.name in ("GELU", "MLP", "TransformerBlock")
    ]
    done = run(handed, "-m", "pytest", "--nbmake", "-p", "no:cacheprovider", *wanted)
    file.unlink()
    assert "2 passed" in done.stdout and "1 failed" in done.stdout, done.stdout + done.stderr
    assert re.search(r"TransformerBlock +0/\d +blocked", done.stdout), done.stdout
    assert "no reference solution is part of this hand-out" in " ".join(done.stdout.split())


def test_its_own_test_run_explains_itself(handed):
    done = run(handed, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", f"tests/{NAME}/test_gelu.py")
    assert done.returncode == 0 and "skipped" in done.stdout and "grade your notebook instead" in done.stdout


@pytest.mark.slow
def test_what_needs_answers_refuses_there_in_one_sentence(handed, tmp_path):
    for verb, out in (("release", tmp_path / "again"), ("autograder", tmp_path / "a.zip")):
        done = run(handed, "-m", "utils.grade", verb, "--chapter", "ch1", "--out", out)
        assert done.returncode == 2 and "hand-out" in done.stderr and done.stderr.count("\n") == 1
        assert not out.exists()


def test_nothing_of_the_machinery_is_missing(handed):
    """Every module can be found that a module of the hand-out names: imports inside functions too."""
    lost = []
    for file in (handed / "utils").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                place = handed.joinpath(*name.split("."))
                if name.split(".")[0] == "utils" and not (place.is_dir() or place.with_suffix(".py").is_file()):
                    lost.append((file.name, name))
    assert lost == []
    done = run(handed, "-c", "import utils.build; print(utils.build.__file__)")
    assert done.stdout.startswith(str(handed)), done.stderr
    assert "No module named" in run(handed, "-c", "import tests.bench").stderr


def test_without_hidden_tests(tmp_path):
    handed = release("ch1", tmp_path / "out", hidden_tests=False, repository="school/class", tag="v1")
    assert not (handed / "tests").exists()
    done = run(handed, "-", text=f"from utils.learn import *\n{IMPORTS}\n{answer('GELU')}\ncheck(GELU)\n")
    assert "The hidden tests of GELU are not part of this hand-out; your instructor has them." in done.stderr
    text = (handed / "chapters" / NAME / "exercises.ipynb").read_text(encoding="utf-8")
    assert "github.com/school/class" in text
    settings = tomllib.loads((handed / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]
    assert settings == {"repository": "school/class", "tag": "v1"}


def test_a_hand_out_never_overwrites(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "thesis.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for out in (tmp_path / "there", tmp_path / "file"):
        with pytest.raises(CourseError, match="holds something already"):
            release("ch1", out)
    with pytest.raises(CourseError, match="is inside what is handed out"):
        release("ch1", course.ROOT / "chapters" / "handout")
    with pytest.raises(CourseError, match="isn't a repository on GitHub"):
        release("ch1", tmp_path / "x", repository='a"\ntag = "b')
    with pytest.raises(CourseError, match="There is no chapter 'ch99'"):
        release("ch99", tmp_path / "x")


def test_what_lies_about_is_not_handed_out(tmp_path):
    home = tmp_path / "in"
    keep = ("chapter.md", "checkpoints/base.json", "widget.py")
    junk = (".progress/ch1.json", "mine.ipynb", "a.backup-1.ipynb", "__pycache__/x.pyc", ".git/config", ".env")
    junk += ("runs/log.json", "x.egg-info/PKG-INFO", "ch1.progress.json", "ch1.progress.json.lock")
    for name in (*keep, *junk):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("secret", encoding="utf-8")
    (home / "link.md").symlink_to("/etc/hostname")
    _copy(home, tmp_path / "out")
    out = tmp_path / "out"
    assert {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()} == set(keep)
