"""What a submission can see, wherever the course, its environment, the submissions and the results lie."""

import shutil
import sys
from pathlib import Path

import pytest

from utils import course
from utils.grade import LearnerError
from utils.grade.sandbox import Sandbox, view
from utils.grade.submission import Notebook

pytestmark = pytest.mark.sandbox
ANSWER = Notebook(["def one(x):\n    return x"], ["one"])


def look(function, places, package):
    """Names below each place, and what the package says."""
    import importlib
    import os

    found = [sorted(name for _, folders, files in os.walk(place) for name in [*folders, *files]) for place in places]
    with open("/tmp/mine.txt", "w") as file:  # both are the scratch folder's, wherever an environment lies
        file.write("x")
    return found, importlib.import_module(package).SAYS if package else "", sorted(os.listdir("."))


@pytest.fixture
def place(request, tmp_path):
    """A folder below the temporary one, or below what the interpreter brings."""
    if request.param == "temporary":
        yield tmp_path
        return
    folder = Path(sys.base_prefix, "share", f"class-{tmp_path.name}")
    try:
        folder.mkdir(parents=True)
    except OSError:
        folder = tmp_path / "prefix" / "class"
        folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def write(file: Path, text: str = "secret") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("place", ["temporary", "prefix"], indirect=True)
def test_nothing_is_seen_but_the_packages(place, monkeypatch):
    """A course in this folder, with its environment in it, as it always is, submissions and results beside it."""
    home = place / "course"
    packages = home / ".venv" / "lib" / "site-packages"
    write(packages / "a_package" / "__init__.py", "from a_package.inner import SAYS")
    write(packages / "a_package" / "inner.py", "import led\nSAYS = led.SAYS")
    write(packages / "further.pth", f"import nothing\n{place / 'led'}\n{home}\n")
    write(place / "led" / "led.py", "SAYS = 'here'")
    write(packages / "solutions" / "answers.py")
    for name in (".git/HEAD", "solutions/answers.py", "results/bob.json", ".venv/pyvenv.cfg"):
        write(home / name)
    submissions = [write(place / "class" / f"{name}.ipynb") for name in ("ada", "bob")]
    results = write(place / "results" / "ada" / "ch1.json").parents[1]
    real = view.sysconfig.get_path
    monkeypatch.setattr(course, "ROOT", home)
    monkeypatch.setattr(view.site, "getsitepackages", lambda: [real("purelib"), str(packages)])
    with Sandbox(hidden=[submissions[0], results]) as box:
        runner = box.runner(ANSWER, "one")
        places = [home, place / "class", results, course.ROOT.parent / "class"]
        found, says, scratch = runner.run(look, (list(map(str, places)), "a_package"))
    assert says == "here" and scratch == []
    assert not {"HEAD", "pyvenv.cfg", "bob.json", "answers.py"} & set(found[0]) and "inner.py" in found[0]
    assert found[1:] == [[], [], []]


def test_a_file_among_those_of_the_system_is_hidden_alone(tmp_path, monkeypatch):
    """Nobody keeps a class there, but hiding its folder would hide the packages."""
    packages = tmp_path / "site-packages"
    write(packages / "package.py", "SAYS = 'here'")
    file = write(packages / "ada.ipynb")
    monkeypatch.setattr(view.site, "getsitepackages", lambda: [str(packages)])
    assert view.layers([file, "/usr", "/"])[str(file)] is False
    with Sandbox(hidden=[file]) as box:
        runner = box.runner(ANSWER, "one")
        assert runner.run(look, ([], "package"))[1] == "here"
        with pytest.raises(LearnerError, match="Permission denied"):
            runner.run(read, (str(file),))


def read(function, path):
    with open(path) as file:
        return file.read()


def test_what_any_installed_package_needs_is_there():
    """The heaviest things an answer may import, each from its own folder."""
    with Sandbox() as box:
        runner = box.runner(ANSWER, "one")
        for name in ("torch.nn", "numpy.ctypeslib", "einops", "sklearn.decomposition", "plotly.graph_objects"):
            assert runner.run(imported, (name,)) == name


def imported(function, name):
    import importlib

    return importlib.import_module(name).__name__
