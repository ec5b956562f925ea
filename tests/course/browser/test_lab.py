"""Chapter 1 in a real JupyterLab: set-up, a wrong answer's card, the right answer's green, the attention slider."""

import os
import shutil

import nbformat
import pytest

from utils import course
from utils.chapter import load_chapter
from utils.grade.mutants import mutants

from .lab import FLAGS, Notebook, chromium, jupyter_lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOTS = course.ROOT / "build" / "screenshots"  # looked at by people, not committed

WRONG = """
class LayerNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))

    def forward(self, residual):
        centred = residual - residual.mean(-1, keepdim=True)
        root = (residual.var(-1, keepdim=True) + self.config.layer_normalization_epsilon).sqrt()
        return centred / root * self.w + self.b
"""
RIGHT = WRONG.replace("var(-1, keepdim=True)", "var(-1, keepdim=True, unbiased=False)")

VIEWER = """
tokenizer = shipped_tokenizer()
model = mine("ch1.Transformer")(config)
attention_viewer(model, tokenizer, ["The value of the expression is a list of names."])
"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield chrome
        chrome.close()


@pytest.fixture(scope="module")
def served(built, tmp_path_factory):
    """A server over a copy of the fresh chapter-1 notebook, and of one that ends in the attention viewer."""
    root = tmp_path_factory.mktemp("lab")
    source = built / "chapters" / "ch1_transformer_from_scratch" / "exercises.ipynb"
    shutil.copy(source, root / "exercises.ipynb")
    notebook = nbformat.read(source, as_version=4)
    kept = notebook.cells[: cell_index(notebook, lambda cell: cell.source.startswith("config = ")) + 1]
    notebook.cells = [*kept, nbformat.v4.new_code_cell(VIEWER.strip(), id="viewer")]
    nbformat.write(notebook, root / "viewer.ipynb")
    os.environ["COURSE_CHAPTER"] = "ch1"
    with jupyter_lab(root, tmp_path_factory.mktemp("scratch")) as url:
        yield root, url
    del os.environ["COURSE_CHAPTER"]


def cell_index(notebook, wanted) -> int:
    return next(index for index, cell in enumerate(notebook.cells) if wanted(cell))


def role(name: str, kind: str):
    """A predicate: is this the cell of that role of that exercise?"""
    return lambda cell: cell.metadata.get("exercise", {}).get("name") == name and cell.metadata.exercise.role == kind


def code_cells_before(notebook, stop: int) -> list[int]:
    """Set-up, imports and given cells that stand before a cell: no exercise, check, demonstration or hidden cell."""
    config = cell_index(notebook, lambda cell: cell.source.startswith("config = "))
    cells = enumerate(notebook.cells[: min(stop, config + 1)])
    return [i for i, cell in cells if cell.cell_type == "code" and "jupyter" not in cell.metadata]


def open_notebook(browser, served, name: str):
    root, url = served
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    return nbformat.read(root / name, as_version=4), Notebook(page, url, name)


def shot(opened: Notebook, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    opened.page.screenshot(path=SHOTS / f"{name}.png")


def test_wrong_answer_shows_its_card_and_right_answer_turns_green(browser, served):
    notebook, opened = open_notebook(browser, served, "exercises.ipynb")
    answer = cell_index(notebook, role("LayerNorm", "answer"))
    check = cell_index(notebook, role("LayerNorm", "check"))
    for index in code_cells_before(notebook, answer):
        opened.run(index)
    setup = cell_index(notebook, lambda cell: "from utils.learn import *" in cell.source)
    assert "torch" in opened.output(setup)

    opened.run(answer)
    opened.run(check)
    assert "not attempted" in opened.output(check).lower() or "not written" in opened.output(check).lower()

    opened.write(answer, WRONG.strip())
    opened.run(answer)
    opened.run(check)
    says = next(m.says for m in mutants("ch1", "LayerNorm") if m.name == "UnbiasedVariance")
    card = opened.output(check)
    shot(opened, "wrong_answer")
    assert says in " ".join(card.split())
    assert "suite.py" not in card and "assess.py" not in card, "our own frames are shown to the learner"
    assert opened.cell(check).locator("[role=alert]").count() == 1
    assert opened.cell(check).locator("[role=alert]").locator("svg, table").count() >= 2, "expected and got are drawn"

    opened.write(answer, RIGHT.strip())
    opened.run(answer)
    opened.run(check)
    shot(opened, "right_answer")
    assert opened.cell(check).locator("[role=alert]").count() == 0
    points = load_chapter("ch1").exercise("LayerNorm").points
    assert "LayerNorm" in opened.output(check) and str(points) in opened.output(check)
    assert opened.outside == [], "the page asked for something outside this machine"


def test_attention_slider_changes_the_figure(browser, served):
    notebook, opened = open_notebook(browser, served, "viewer.ipynb")
    viewer = len(notebook.cells) - 1
    for index in code_cells_before(notebook, viewer):
        opened.run(index)
    opened.run(viewer)
    figure = opened.cell(viewer).locator(".course-figure")
    opened.page.wait_for_function(
        "() => { const f = document.querySelector('.course-figure'); return f && f._fullData && f._fullData.length; }",
        timeout=120_000,
    )
    assert figure.get_attribute("role") == "img" and "queries" in figure.get_attribute("aria-label").lower()
    before = figure.evaluate("f => f._fullLayout.title.text")
    slider = opened.cell(viewer).locator(".course-query .noUi-handle")
    slider.focus()
    slider.press("Home")
    opened.page.wait_for_function(
        "old => document.querySelector('.course-figure')._fullLayout.title.text !== old", arg=before, timeout=60_000
    )
    by_slider = figure.evaluate("f => f._fullLayout.title.text")
    values = "f => JSON.stringify(Array.from(f._fullData[0].z[f._fullData[0].z.length - 1]))"
    head_0 = figure.evaluate(values)
    opened.cell(viewer).locator(".course-head select").select_option(index=1)
    opened.page.wait_for_function(
        "old => document.querySelector('.course-figure')._fullLayout.title.text !== old", arg=by_slider, timeout=60_000
    )
    shot(opened, "attention_viewer")
    assert figure.evaluate(values) != head_0, "another head must show another pattern"
    assert opened.outside == [], "the page asked for something outside this machine"
