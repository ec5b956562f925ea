"""Reading a learner's notebook: what defines an exercise, in which cell, and what is run of it."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils import course
from utils.chapter import load_chapter
from utils.grade.notebook import Cell, CourseNotebook, course_notebook
from utils.grade.run import NotebookRun


def notebook(*sources, marks=None, kind="exercises") -> CourseNotebook:
    cells = [Cell(i, source, (marks or {}).get(i, {})) for i, source in enumerate(sources)]
    return CourseNotebook(course.ROOT / "x.ipynb", "ch1", kind, cells)


@pytest.mark.parametrize(
    "source",
    [
        "class LayerNorm:\n    pass",
        "%%time\nclass LayerNorm:\n    pass",
        "!ls\n%matplotlib inline\nclass LayerNorm:\n    pass",
        "if True:\n    class LayerNorm:\n        pass",
        "try:\n    from mine import LayerNorm\nexcept ImportError:\n    pass",
        "a, LayerNorm = 1, 2",
        "x = await f()\nLayerNorm = x",
    ],
)
def test_a_definition_is_found_however_it_is_written(source):
    found = notebook("1", source, "print(LayerNorm)").definitions
    assert list(found) == ["LayerNorm"] and found["LayerNorm"].cell.index == 1 and found["LayerNorm"].source


def test_the_last_definition_wins_also_when_it_does_not_parse():
    right, broken = "class GELU:\n    pass", "class GELU\n    pass"
    assert notebook(right, broken).definitions["GELU"].source is None
    assert notebook(broken, right).definitions["GELU"].source == right
    line, _ = notebook(right, "\n" + broken).definitions["GELU"].cell.error
    assert line == 2


def test_a_cell_whose_definition_cannot_be_recognised_is_known_by_the_builds_mark():
    mark = {"exercise": {"name": "MLP", "role": "answer"}}
    assert notebook("clas MLP:", marks={0: mark}).definitions["MLP"].source is None
    assert notebook("clas MLP:", "class MLP: pass", marks={0: mark}).definitions["MLP"].cell.index == 1
    assert notebook("return 3", marks={0: mark}).definitions["MLP"].cell.error


def test_helper_calls_are_blanked_and_lines_stay():
    cell = Cell(0, "x = 1\ncheck(LayerNorm)\nhint(\n    'MLP'\n)\nskip('GELU')\ny = check(x)")
    assert cell.to_run() == "x = 1\n\n\n\n\nskip('GELU')\ny = check(x)"
    check = Cell(0, "check(GELU)\nwhile True: pass\nimport os\nskip('MLP')\nprint(1)", {"exercise": {"role": "check"}})
    assert check.to_run() == "\n\nimport os\nskip('MLP')\n"
    shared = Cell(0, "check(GELU); x = 2")
    assert shared.to_run() == shared.source


def test_what_a_definition_rests_on_is_needed_and_demos_are_not():
    found = notebook(
        "from utils.learn import *",
        "import torch",
        "scale = 3",
        "def helper(x):\n    local = 1\n    return scale * x + local",
        "def greedy(logits):\n    return helper(logits)",
        "model = 1\nlocal = train(model)",
        "print(greedy(model))",
        "scale = 4",
    )
    assert found.needed() == {0, 1, 2, 3, 4, 7}


def test_the_exercises_of_a_notebook_are_those_of_its_kind_and_those_it_defines_anyway():
    exercises = load_chapter("ch1").exercises
    optional = [e.name for e in exercises if e.optional]
    must_do = [e.name for e in exercises if not e.optional]
    assert [e.name for e in notebook("1").exercises] == must_do
    assert [e.name for e in notebook("1", kind="optional_solutions").exercises] == optional
    assert optional[0] in [e.name for e in notebook(f"{optional[0]} = 1").exercises]


def test_a_cell_claims_no_more_time_than_the_chapter_gives_any():
    greedy = {"course": {"timeout": 1e9}}
    run = NotebookRun(notebook("x = 1", "y = 2", "import torch", marks={0: greedy}), cell_timeout=7)
    chapter = load_chapter("ch1")
    most = max([7, *(c.timeout or 0 for c in chapter.cells), *(e.timeout or 0 for e in chapter.exercises)])
    assert [run._limit(cell) for cell in run.notebook.cells] == [most, 7, 180]


def test_a_notebook_without_marks_is_known_by_its_set_up_and_definitions(tmp_path):
    def read(*sources, metadata=None):
        nb = new_notebook(cells=[new_code_cell(source) for source in sources], metadata=metadata or {})
        nbformat.write(nb, tmp_path / "n.ipynb")
        return course_notebook(tmp_path / "n.ipynb")

    optional = next(e.name for e in load_chapter("ch1").exercises if e.optional)
    assert read("class LayerNorm: pass") is None
    assert read("from utils.learn import *", "x = 1") is None
    assert read("from utils.learn import *", "class LayerNorm: pass").chapter == "ch1"
    assert read("from utils.learn import *", f"class {optional}: pass").kind == "optional"
    marked = read("1", metadata={"course": {"chapter": "ch1", "notebook": "optional"}})
    assert (marked.chapter, marked.kind) == ("ch1", "optional")
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"course": {"chapter": "ch1"}}, "worksheets": []}
    (tmp_path / "n.ipynb").write_text("\ufeff" + nbformat.from_dict(old).__repr__().replace("'", '"'), "utf-8")
    assert course_notebook(tmp_path / "n.ipynb").chapter == "ch1"
