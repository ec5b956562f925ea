"""A learner's answers survive every build; resets and upgrades keep a backup."""

import errno

import nbformat
import pytest
from small import CHAPTER, PARTS, small_course

from utils import course
from utils.build import learner
from utils.build.__main__ import build, main
from utils.build.source import parse
from utils.chapter import load_chapter

ANSWER = 'def double(x):\n    """Twice."""\n    return 2 * x'


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The miniature course, built, as the course that this process works on."""
    small_course(tmp_path)
    monkeypatch.setattr(course, "ROOT", tmp_path)
    for cached in (course.chapters, course.settings, load_chapter):
        cached.cache_clear()
    build()
    yield tmp_path
    for cached in (course.chapters, course.settings, load_chapter):
        cached.cache_clear()


@pytest.fixture
def file(home):
    return home / "chapters/ch1_small/exercises.ipynb"


def edit(file, change):
    notebook = nbformat.read(file, as_version=4)
    change(notebook)
    nbformat.write(notebook, file)


def cell(notebook, cell_id):
    return next(each for each in notebook.cells if each.id == cell_id)


def answer(notebook):
    cell(notebook, "ch1-double-answer").source = ANSWER


def own_cell(notebook):
    place = notebook.cells.index(cell(notebook, "ch1-double-check"))
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell("mine = 1", id="abc123"))


def renew(home, chapter=None, parts=PARTS):
    """A newer version of the chapter."""
    small_course(home, chapter or CHAPTER.replace("Between the two.", "Between the two, said better."), parts)
    load_chapter.cache_clear()


@pytest.mark.parametrize("change", [answer, own_cell, lambda n: n.cells.pop(5), lambda n: n.cells.reverse()])
def test_build_never_overwrites_work(home, file, change):
    edit(file, change)
    before = file.read_bytes()
    renew(home)
    assert build()[file] == "beside exercises.new.ipynb"
    assert file.read_bytes() == before
    assert "said better" in file.with_name("exercises.new.ipynb").read_text(encoding="utf-8")


def test_unchanged_chapter_leaves_work_and_writes_nothing_beside(home, file, capsys):
    edit(file, answer)
    before = file.read_bytes()
    assert main([]) == 0
    assert "holds your work and is up to date" in capsys.readouterr().out
    assert file.read_bytes() == before and not list(home.rglob("*.new*"))


def test_work_in_the_new_file_is_safe_too(home, file):
    edit(file, answer)
    renew(home)
    build()
    edit(file.with_name("exercises.new.ipynb"), answer)
    renew(home, CHAPTER.replace("Between the two.", "Other words."))
    assert build()[file] == "beside exercises.new-2.ipynb"


def test_a_notebook_that_was_only_run_is_rebuilt(home, file):
    def run(notebook):
        notebook.cells[2].execution_count = 3
        notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="hello")]

    edit(file, run)
    renew(home)
    assert build()[file] == "written"


def test_a_broken_notebook_is_not_overwritten(home, file):
    file.write_text("not a notebook", encoding="utf-8")
    assert build()[file].startswith("beside")
    assert file.read_text(encoding="utf-8") == "not a notebook"


def test_reset_exercise_leaves_the_rest(home, file, capsys):
    edit(file, answer)
    edit(file, own_cell)
    work = file.read_bytes()
    assert main(["reset", "double"]) == 0
    notebook = nbformat.read(file, as_version=4)
    assert cell(notebook, "ch1-double-answer").source.endswith("raise NotImplementedError")
    assert cell(notebook, "abc123").source == "mine = 1"
    assert file.with_name("exercises.backup-1.ipynb").read_bytes() == work
    assert "exercises.backup-1.ipynb" in capsys.readouterr().out


def test_reset_notebook(home, file):
    fresh = file.read_bytes()
    edit(file, answer)
    work = file.read_bytes()
    assert main(["reset", "exercises"]) == 0
    assert file.read_bytes() == fresh
    assert file.with_name("exercises.backup-1.ipynb").read_bytes() == work


def test_reset_without_the_reference(home, file):
    """A class hand-out has no solutions: chapter.json serves."""
    edit(file, answer)
    (home / "solutions/ch1_small/parts.py").unlink()
    (home / "solutions/ch1_small/__init__.py").unlink()
    load_chapter.cache_clear()
    assert main(["reset", "exercises"]) == 0
    notebook = nbformat.read(file, as_version=4)
    assert cell(notebook, "ch1-double-answer").source.endswith("raise NotImplementedError")
    assert not learner.has_work(file)
    assert main([]) == 2


def test_upgrade_keeps_answers_by_exercise(home, file):
    edit(file, answer)
    edit(file, own_cell)
    edit(file, lambda n: setattr(next(c for c in n.cells if c.source == "double(2)"), "source", "double(3)"))
    chapter = CHAPTER.replace("Between the two.", "Between the two, said better.").replace(":id: 1.1", ":id: 1.4")
    renew(home, chapter.replace("## First part", "## New part\n\nNew words.\n\n## First part"))
    taken = learner.upgrade(file)
    assert taken.answers == ("double",) and taken.backup.is_file()
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    sources = [each.source for each in notebook.cells]
    assert cell(notebook, "ch1-double-answer").source == ANSWER
    assert cell(notebook, "ch1-double-answer").metadata.exercise.id == "1.4"
    assert sources.index("mine = 1") == sources.index("check(double)") + 1
    assert "double(3)" in sources and "double(2)" not in sources
    text = "\n".join(sources)
    assert "Between the two, said better." in text and "Between the two." not in text
    assert "## New part\n\nNew words." in text
    assert build()[file] == "kept"


def test_upgrade_takes_new_stubs_where_nothing_was_written(home, file):
    edit(file, answer)
    renew(home, parts=PARTS.replace('"""Counts up."""', '"""Counts up, better."""'))
    learner.upgrade(file)
    assert "Counts up, better." in cell(nbformat.read(file, as_version=4), "ch1-Counter-answer").source


def test_an_edited_cell_that_the_chapter_changed_too_is_kept_beside(home, file):
    edit(file, lambda n: setattr(cell(n, "ch1-given-Base"), "source", "class Base: pass"))
    renew(home, parts=PARTS.replace("value: int = 1", "value: int = 2"))
    learner.upgrade(file)
    sources = [each.source for each in nbformat.read(file, as_version=4).cells]
    place = sources.index("class Base: pass")
    assert "value: int = 2" in sources[place - 1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reset", "nothing"], "No chapter has an exercise 'nothing'."),
        (["reset", "absent.ipynb"], "There is no notebook absent.ipynb."),
        (["upgrade", "absent.ipynb"], "There is no notebook absent.ipynb."),
    ],
)
def test_bad_input_is_one_sentence(home, capsys, arguments, sentence):
    assert main(arguments) == 2
    assert capsys.readouterr().err.strip() == sentence


def test_reset_of_a_deleted_cell_says_so(home, file, capsys):
    edit(file, lambda n: n.cells.remove(cell(n, "ch1-double-answer")))
    assert main(["reset", "double"]) == 2
    assert "has no answer cell of double" in capsys.readouterr().err
    assert parse(home / "chapters/ch1_small/chapter.md").key == "ch1"


def test_upgrade_command_clears_up(home, file, capsys):
    edit(file, answer)
    renew(home)
    build()
    assert main(["upgrade"]) == 0
    assert "answers kept: double;" in capsys.readouterr().out
    assert not file.with_name("exercises.new.ipynb").exists() and file.with_name("exercises.backup-1.ipynb").exists()


@pytest.mark.parametrize("arguments", [["reset", "double"], ["ch1"]])
def test_a_course_that_may_only_be_read_is_one_sentence(home, file, capsys, monkeypatch, arguments):
    edit(file, lambda notebook: cell(notebook, "ch1-double-answer").update(source=ANSWER))
    (home / "chapters/ch1_small/optional.ipynb").unlink(missing_ok=True)

    def refuse(self, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    load_chapter("ch1")
    with (home / "chapters/ch1_small/chapter.md").open("a", encoding="utf-8") as source:
        source.write("\nOne sentence more.\n")
    monkeypatch.setattr("pathlib.Path.open", refuse)
    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "can't be written: Read-only file system." in said
