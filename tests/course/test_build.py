"""The build: what it makes of a chapter, byte for byte the same each time."""

import ast
import base64
import os
import time

import jupytext
import nbformat
import pytest
from small import CHAPTER, PARTS, small_course

from utils import course
from utils.build.__main__ import build, differing, main, make
from utils.build.cut import read_module
from utils.build.lint import MAX_CELLS
from utils.build.source import SourceError
from utils.chapter import is_stub, stub_source

DOUBLE_STUB = 'def double(x):\n    """Twice."""\n    raise NotImplementedError'
COUNTER_STUB = '''\
def _zero():
    return 0


class Counter(Base):
    """Counts up."""

    @property
    def start(self):
        return self.value

    def count(self, to):  # scaffolding stays
        total = _zero()
        raise NotImplementedError
        return total

    def last(self):
        raise NotImplementedError'''


@pytest.fixture
def small(tmp_path):
    small_course(tmp_path)
    build(root=tmp_path)
    return tmp_path


def read(root, name="exercises", top="chapters"):
    return nbformat.read(root / top / "ch1_small" / f"{name}.ipynb", as_version=4)


def by_id(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def test_stub_is_cut_from_the_text(small):
    module = read_module(small / "solutions/ch1_small/parts.py")
    assert module.stub("double") == DOUBLE_STUB
    assert module.stub("Counter") == COUNTER_STUB  # a private helper that the scaffolding reads comes along
    assert module.stub("triple") == "def triple(x):\n    raise NotImplementedError"


def test_solution_keeps_everything_but_the_markers(small):
    module = read_module(small / "solutions/ch1_small/parts.py")
    assert module.solution("double") == 'def double(x):\n    """Twice."""\n    return x + x'
    assert 'text = "# solution"' in module.solution("Counter")
    assert module.solution("triple").startswith("def _add(a, b):\n    return a + b\n\n\ndef triple(x):")


def test_given_object_is_shown_whole(small):
    shown = by_id(read(small), "ch1-given-Base").source
    assert shown.startswith("# what everything starts from\n@dataclass(frozen=True)\nclass Base:")
    assert "# kept as written" in shown


def test_cells_of_an_exercise(small):
    notebook = read(small)
    text, answer, check = (by_id(notebook, f"ch1-double-{role}") for role in ("text", "answer", "check"))
    for cell, role in ((text, "text"), (answer, "answer"), (check, "check")):
        assert cell.metadata.exercise == {"id": "1.1", "name": "double", "role": role}
        assert "tags" not in cell.metadata
    assert [text.cell_type, answer.cell_type, check.cell_type] == ["markdown", "code", "code"]
    assert answer.source == DOUBLE_STUB and check.source == "check(double)"
    for part in ("1.1", "Twice the number.", "●○○○○", "●●○○○", "5 minutes", "1 point ", "must-do", 'hint("double")'):
        assert part in text.source, part
    assert "Builds on `double`." in by_id(notebook, "ch1-Counter-text").source
    assert by_id(notebook, "ch1-Counter-check").metadata.course.timeout == 90
    assert next(c for c in notebook.cells if c.source == "double(2)").metadata.course.timeout == 120
    assert by_id(notebook, "ch1-quiz-sign").source == 'quiz("sign")'
    assert not any(":::" in cell.source or "Look again" in cell.source for cell in notebook.cells)


def test_optional_part_has_its_own_notebook(small):
    names = [c.metadata.exercise.name for c in read(small, "optional").cells if "exercise" in c.metadata]
    assert names == ["triple"] * 3
    assert "triple" not in str(read(small))
    assert any(cell.source == "import math" for cell in read(small, "optional").cells)  # tagged shared
    assert "optional" in by_id(read(small, "optional"), "ch1-triple-text").source


@pytest.mark.parametrize("top, name", [("chapters", "optional"), ("solutions", "optional_solutions")])
def test_optional_part_opens_with_its_words(small, top, name):
    file = small / "chapters/ch1_small/chapter.md"
    words = "What is left: three."
    file.write_text(CHAPTER.replace("+++ optional\n", f"+++ optional\n\n{words}\n"), encoding="utf-8")
    build(root=small)
    cells = read(small, name, top).cells
    assert cells[0].id == "ch1-title" and cells[0].source.endswith(words)
    assert sum(words in cell.source for cell in cells) == 1
    assert [cell.cell_type for cell in cells[1:4]] == ["code"] * 3  # Colab, set-up, what is shared
    assert cells[4].source.startswith("## Further")  # a section keeps its heading
    assert words not in str(read(small))


def test_solutions_differ_in_the_answers_only(small):
    stubs, answers = read(small).cells, read(small, "solutions", "solutions").cells
    assert [cell.id for cell in stubs] == [cell.id for cell in answers]
    changed = [a.id for a, b in zip(stubs, answers, strict=True) if a.source != b.source]
    assert changed == ["ch1-title", "ch1-colab", "ch1-double-answer", "ch1-Counter-answer"]  # each in its own folder
    space: dict = {}
    for cell in answers:
        if cell.id in ("ch1-double-answer", "ch1-Counter-answer", "ch1-given-Base"):
            exec(cell.source, {"dataclass": __import__("dataclasses").dataclass} | space, space)
    assert space["double"](4) == 8


def test_rebuild_gives_the_same_bytes(small):
    before = {file: file.read_bytes() for file in small.rglob("*") if file.is_file()}
    outcome = build(root=small)
    assert set(outcome.values()) == {"unchanged"} and len(outcome) == 5
    assert before == {file: file.read_bytes() for file in small.rglob("*") if file.is_file()}
    assert not differing(root=small)


def test_check_names_what_differs(small):
    file = small / "chapters/ch1_small/chapter.json"
    file.write_text("{}", encoding="utf-8")
    (small / "solutions/ch1_small/solutions.ipynb").unlink()
    assert {path.name for path in differing(root=small)} == {"chapter.json", "solutions.ipynb"}


def test_a_new_cell_leaves_other_ids_as_they_were(small, tmp_path):
    before = [cell.id for cell in read(small).cells]
    chapter = CHAPTER.replace("double(2)\n```", "double(2)\n```\n\n```{code-cell}\ndouble(5)\n```")
    small_course(small, chapter)
    build(root=small)
    after = [cell.id for cell in read(small).cells]
    assert len(after) == len(before) + 1 and [each for each in after if each in before] == before


def test_ids_are_valid_and_short(built):
    files = list(built.rglob("*.ipynb"))
    assert files
    for file in files:
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids) and max(map(len, ids)) <= 64
        assert len(ids) <= MAX_CELLS
        for cell in notebook.cells:
            assert not cell.get("outputs") and cell.get("execution_count") is None
        assert "widgets" not in notebook.metadata


def test_every_code_cell_of_the_course_parses(built):
    for file in built.rglob("*.ipynb"):
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.cell_type == "code":
                ast.parse(cell.source)


def test_notebooks_survive_as_plain_python_files(built):
    for file in built.rglob("*.ipynb"):
        notebook = nbformat.read(file, as_version=4)
        again = jupytext.reads(jupytext.writes(notebook, fmt="py:percent"), fmt="py:percent")
        assert [cell.source for cell in again.cells] == [cell.source for cell in notebook.cells], file.name


def test_stubs_hold_no_answer(built):
    text = "".join(file.read_text(encoding="utf-8") for file in (built / "chapters").rglob("*") if file.is_file())
    assert "# solution" not in text and "end solution" not in text
    for key in course.chapters():
        for path in make([key]):
            if path.name == "chapter.json":
                assert (built / path).read_text(encoding="utf-8").count("raise NotImplementedError") > 0


def test_is_stub_looks_at_the_code_only():
    stub = stub_source("ch1", "LayerNorm")
    assert is_stub(stub, "ch1", "LayerNorm")
    assert is_stub("import torch\n" + stub.replace("raise NotImp", "# hm\n        raise NotImp"), "ch1", "LayerNorm")
    assert not is_stub(stub.replace("raise NotImplementedError", "return residual"), "ch1", "LayerNorm")
    assert not is_stub("x = 1", "ch1", "LayerNorm")
    assert not is_stub("def LayerNorm(:", "ch1", "LayerNorm")


def test_no_badge_without_a_repository(small):
    notebook = read(small)
    assert "badge" not in str(notebook)
    colab = by_id(notebook, "ch1-colab").source
    assert "clone" not in colab and "files.upload()" in colab


def test_badges_point_to_the_tag_and_path(tmp_path):
    small_course(tmp_path, settings='repository = "someone/course"\ntag = "v1.2"')
    build(root=tmp_path)
    notebook = read(tmp_path)
    title, colab = notebook.cells[0].source, by_id(notebook, "ch1-colab").source
    assert "/github/someone/course/blob/v1.2/chapters/ch1_small/exercises.ipynb" in title
    assert "/v2/gh/someone/course/v1.2?urlpath=lab/tree/chapters/ch1_small/exercises.ipynb" in title
    assert '"--depth", "1", "--branch", \'v1.2\'' in colab and "https://github.com/someone/course" in colab
    ast.parse(colab)


def test_build_takes_seconds():
    start = time.process_time()
    make()
    assert time.process_time() - start < 5


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="a learner's notebooks may differ; CI compares (CI=true)")
def test_committed_notebooks_are_up_to_date():
    assert not differing(), "run `make build` and commit what it writes"


def test_too_many_cells_is_an_error(tmp_path):
    small_course(tmp_path, CHAPTER + "".join(f"```{{code-cell}}\n{n}\n```\n" for n in range(MAX_CELLS)))
    with pytest.raises(SourceError, match=rf"optional.ipynb has \d+ cells, more than {MAX_CELLS}"):
        make(root=tmp_path)


def test_code_that_would_scroll_sideways_is_an_error(tmp_path):
    """In a cell of the chapter and in what is taken from the reference."""
    small_course(tmp_path, CHAPTER + "```{code-cell}\nx = 1\n" + f"print({'1' * 112})\n```\n")
    with pytest.raises(
        SourceError, match=r"cell ch1-\S+ of optional.ipynb: 119 columns, and code .* keeps to 118: print"
    ):
        make(root=tmp_path)
    small_course(tmp_path, parts=PARTS.replace('"""Twice."""', f'"""{"Twice" * 23}."""'))
    with pytest.raises(SourceError, match="cell ch1-double-answer of exercises.ipynb: 126 columns"):
        make(root=tmp_path)


WHOLE = "    # solution\n    return x + x\n    # end solution"
LOOP = "        # solution\n        for _ in range(to):\n            total += 1\n"
TRY = "        try:\n            # solution\n            total = to\n        except OSError:\n            pass\n"
MISTAKES = [
    (WHOLE, "    # solution\n    return x + x", r"parts\.py:\d+: '# solution' inside the region that line 14 opened"),
    ("    # solution\n    return _add", "    return _add", r"parts\.py:\d+: '# end solution' closes nothing"),
    ("_add(x, x) + x\n    # end solution", "x", r"parts\.py:\d+: this '# solution' is never closed"),
    (WHOLE, "    return x + x", r"parts\.py:12: exercise double has no region"),
    ("def triple", "def thrice", r"chapter\.md:\d+: solutions/ch1_small/parts\.py defines no object called triple"),
    ("return self.value", "return self.value +", r"parts\.py:\d+: not valid Python"),
    ("class Counter(Base):", "class Counter(Base):\n    # solution\n    size = 3\n    # end solution", "not inside"),
    (LOOP, TRY, "the stub of Counter would not be valid Python"),
    ("return x + x", "x += 1  # solution", "a solution marker needs a line of its own"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_mistakes_in_the_reference(tmp_path, old, new, message):
    assert old in PARTS
    small_course(tmp_path, parts=PARTS.replace(old, new))
    with pytest.raises(SourceError, match=message):
        make(root=tmp_path)


def test_unshown_public_helper_is_an_error(tmp_path):
    parts = PARTS.replace("return x + x", "return helper(x)") + "\n\ndef helper(x):\n    return x + x\n"
    small_course(tmp_path, parts=parts)
    with pytest.raises(SourceError, match="double reads helper, which the notebook lacks"):
        make(root=tmp_path)


def test_command_line(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "ch1"]) == 0
    assert (tmp_path / "chapters/ch1_transformer_from_scratch/exercises.ipynb").is_file()
    assert main(["ch77"]) == 2
    assert "There is no chapter 'ch77'" in capsys.readouterr().err


def test_a_picture_becomes_part_of_its_cell(tmp_path):
    small_course(tmp_path)
    chapter = tmp_path / "chapters" / "ch1_small" / "chapter.md"
    chapter.write_text(chapter.read_text(encoding="utf-8") + '\n![a "red"\ndot](images/dot.svg)\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"no picture images/dot\.svg"):
        make(root=tmp_path)
    picture = chapter.parent / "images" / "dot.svg"
    picture.parent.mkdir()
    for wrong in (b"<html>", b"<svg>" + b" " * 40_000):
        picture.write_bytes(wrong)
        with pytest.raises(SourceError, match="not an SVG of at most 40 kB"):
            make(root=tmp_path)
    picture.write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"/>\r\n')
    build(root=tmp_path)
    cell = read(tmp_path, "optional").cells[-1].source
    packed = cell.partition("base64,")[2].partition('"')[0]
    assert base64.b64decode(packed) == b'<svg xmlns="http://www.w3.org/2000/svg"/>\n'
    assert '<img alt="a &quot;red&quot; dot" src="data:image/svg+xml;base64,' in cell and "images/" not in cell
