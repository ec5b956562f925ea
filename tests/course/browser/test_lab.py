"""Every chapter in a real JupyterLab, one in Notebook 7 too: a card, its help, every widget by mouse and by keys."""

import re

import nbformat
import pytest

from utils import course
from utils.chapter import load_chapter, stub_source

from . import slices
from .lab import FLAGS, Notebook, chromium, jupyter_lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB, SEVEN = "lab/tree", "notebooks"
WRONG = {course.START: "return counts / counts.sum()"}  # what is written in place of the stub's raise, else None
LONG = {  # trainings of minutes, cut out or short: here only the widgets count, what they show is tested elsewhere
    "ch1": (r"(?s)\ASTEPS = .*", ""),
    "ch4": (r"plan = \(\(.*", "plan = ((2, 0.5), (2, 0.1))"),
    "ch5": (r"train\(model, world, \d+", "train(model, world, 250"),
}
PICTURE = """i => {
  const figure = document.querySelectorAll(".jp-Notebook .jp-Cell")[i].querySelector(".course-figure");
  if (!figure?._fullLayout) return null;
  return figure.getAttribute("aria-label") + figure._fullLayout.title.text + JSON.stringify(figure.data);
}"""  # all that a figure shows, as one text
ACTIVE = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
INSIDE = "e => e === document.activeElement || e.contains(document.activeElement)"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield chrome
        chrome.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One server for all tests, over a folder in which each puts its notebook."""
    root = tmp_path_factory.mktemp("lab")
    with jupyter_lab(root, tmp_path_factory.mktemp("scratch")) as url:
        yield root, url


@pytest.fixture
def opened(browser, served):
    """A function that opens a notebook; what the page asked for and complained of is looked at in the end."""
    root, url = served
    pages = []

    def open_notebook(notebook, name: str, app: str) -> Notebook:
        (root / name).mkdir()  # a progress of its own
        nbformat.write(notebook, root / name / "page.ipynb")
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        pages.append(Notebook(page, url, f"{name}/page.ipynb", app))
        return pages[-1]

    yield open_notebook
    for page in pages:
        page.page.close()
        assert page.outside == [], "the page asked for something outside this machine"
        assert page.errors == [], "the browser's console shows errors"


def role(name: str, kind: str):
    """A predicate: is this the cell of that role of that exercise?"""
    return lambda cell: cell.metadata.get("exercise", {}).get("name") == name and cell.metadata.exercise.role == kind


def changes(page: Notebook, index: int, act, what: str) -> None:
    """The figure of a cell is another one after `act`."""
    before = page.page.evaluate(PICTURE, index)
    act()
    try:
        page.wait(f"([i, old]) => {{ const now = ({PICTURE})(i); return now && now !== old; }}", [index, before], 60)
    except Exception:
        page.shot(f"unchanged_{index}")
        raise AssertionError(f"cell {index}: {what} does not change the figure") from None


def first_exercise(page: Notebook, name: str, answer: int, check: int, stub: str, right: str, wrong: str) -> None:
    """The stub's card, its help by a button, a wrong answer's card, the right answer's green."""
    alert = page.cell(check).locator("[role=alert]")
    page.write(answer, stub)
    page.run(answer)
    page.run(check)
    assert "not attempted" in page.output(check)
    page.write(answer, stub.replace("raise NotImplementedError", wrong))
    page.run(answer)
    page.run(check)
    card = page.output(check)
    assert alert.count() == 1 and "not attempted" not in card and name in card
    assert "suite.py" not in card and "assess.py" not in card, "our own frames are shown to the learner"
    button = page.cell(check).locator("button.jupyter-button")
    assert button.inner_text().startswith("Hint 1 of 3")
    button.focus()
    page.page.keyboard.press("Enter")
    page.wait("e => e.textContent.startsWith('Hint 2')", button.element_handle(), 30)
    assert "Hint 1 of 3 for" in page.output(check)
    page.shot(f"wrong_{name}")
    page.write(answer, right)
    page.run(answer)
    page.run(check)
    assert alert.count() == 0 and "checks passed" in page.output(check)
    assert page.cell(check).locator("[role=progressbar]").count() == 1
    page.shot(f"right_{name}")


def move(page: Notebook, index: int, control) -> None:
    """One control of a figure: by keys, then by mouse, and the keys stay in it."""
    keyboard, mouse = page.page.keyboard, page.page.mouse
    classes = control.get_attribute("class")
    what = next(name for name in classes.split() if name.startswith("course-"))
    active = page.page.evaluate(ACTIVE)
    if "widget-dropdown" in classes:
        inner = control.locator("select")
        inner.focus()
        key = inner.evaluate("s => s.selectedIndex + 1 < s.options.length ? 'ArrowDown' : 'ArrowUp'")
        changes(page, index, lambda: keyboard.press(key), f"{key} in {what}")
        other = inner.evaluate("s => s.selectedIndex === 0 ? 1 : 0")
        changes(page, index, lambda: inner.select_option(index=other), f"the mouse in {what}")
    elif "slider" in classes:
        inner = control.locator(".noUi-handle")
        inner.focus()
        keyboard.press("Home")  # a slider may start at its end, and its last places may lie beyond a short text
        changes(page, index, lambda: keyboard.press("ArrowRight"), f"ArrowRight on {what}")
        at, box = inner.bounding_box(), control.locator(".noUi-base").bounding_box()

        def drag():
            mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
            mouse.down()
            mouse.move(box["x"] + box["width"] - 2, at["y"] + at["height"] / 2, steps=4)
            mouse.up()

        changes(page, index, drag, f"the mouse on {what}")
    elif "widget-checkbox" in classes:
        inner = control.locator("input")
        inner.focus()
        changes(page, index, lambda: keyboard.press("Space"), f"Space on {what}")
        changes(page, index, inner.click, f"the mouse on {what}")
    else:
        inner = control.locator("input")
        inner.click()
        keyboard.press("Control+a")
        changes(page, index, lambda: keyboard.type("indices") or keyboard.press("Enter"), f"Enter in {what}")
    assert inner.evaluate(INSIDE), f"the focus has left {what}"
    assert page.page.evaluate(ACTIVE) in (active, index), f"the arrow keys in {what} went to the notebook"


def radio_buttons(page: Notebook, index: int) -> None:
    """The arrows choose among the answers of a quiz and stay in it; its button explains every choice."""
    choices = page.cell(index).locator("input[type=radio]")
    choices.first.focus()
    active = page.page.evaluate(ACTIVE)
    page.page.keyboard.press("Space")
    for number in range(1, choices.count()):
        page.page.keyboard.press("ArrowDown")
        assert choices.nth(number).is_checked() and choices.nth(number).evaluate(INSIDE)
    assert page.page.evaluate(ACTIVE) == active
    page.cell(index).get_by_role("button", name="Answer").click()
    page.wait(
        "([i]) => document.querySelectorAll('.jp-Notebook .jp-Cell')[i].textContent.includes('your choice')", [index]
    )


@pytest.mark.parametrize(
    "key, app",
    [(course.START, LAB), (course.START, SEVEN), *((key, LAB) for key in course.chapters()), ("ch3", SEVEN)],
)
def test_chapter(opened, built, key, app):
    place = course.START_PAGE if key == course.START else f"solutions/{course.chapter_name(key)}/solutions.ipynb"
    whole = nbformat.read(built / place, as_version=4)
    name = load_chapter(key).exercises[0].name
    answer, check = (next(i for i, c in enumerate(whole.cells) if role(name, kind)(c)) for kind in ("answer", "check"))
    for cell in whole.cells:
        cell.source = re.sub(*LONG.get(key, ("^", "")), cell.source)
    code = [i for i, cell in enumerate(whole.cells) if cell.cell_type == "code"]
    figures = [i for i in code if slices.ends_in(whole.cells[i].source, slices.explorers(key))]
    quizzes = [i for i in code if whole.cells[i].source.startswith("quiz(")][:1]
    notebook, (answer, check, *rest) = slices.only(whole, [answer, check, *figures, *quizzes])
    figures, quizzes = rest[: len(figures)], rest[len(figures) :]
    assert figures or key == course.START

    page = opened(notebook, f"{key}-{app[:3]}", app)
    for index in range(answer):
        page.run(index)
    assert "torch" in page.output(index_of_setup(notebook))
    stub, right = stub_source(key, name), notebook.cells[answer].source
    if key == course.START:
        right = stub.replace("raise NotImplementedError", "return counts / counts.sum(-1, keepdim=True)")
    first_exercise(page, name, answer, check, stub, right, WRONG.get(key, "return None"))
    page.run_all()
    for index in figures:
        cell = page.cell(index)
        cell.scroll_into_view_if_needed()
        page.wait(PICTURE, index)
        assert cell.locator(".course-figure").get_attribute("role") == "img"
        controls = cell.locator("[class*='course-']:is(.jupyter-widgets, .widget-slider)")
        controls.first.wait_for(timeout=60_000)
        for number in range(controls.count()):
            move(page, index, controls.nth(number))
        page.shot(f"{key}_{app[:3]}_{index}")
    for index in quizzes:
        radio_buttons(page, index)


def index_of_setup(notebook) -> int:
    return next(index for index, cell in enumerate(notebook.cells) if cell.id.endswith("-setup"))


def test_a_whole_solved_notebook_runs(opened, built):
    """The shortest of the solutions notebooks, run by the menu: no error in a cell, none in the browser."""
    place = built / "solutions" / course.chapter_name("ch3") / "optional_solutions.ipynb"
    page = opened(nbformat.read(place, as_version=4), "whole", LAB)
    page.run_all()
    assert page.page.locator(".jp-RenderedText[data-mime-type*=stderr]:has-text('Traceback')").count() == 0
    assert page.page.locator("[role=alert]").count() == 0


def test_a_plain_figure_stays_whole(opened):
    """Another theme, and a narrower window, after it was drawn: JupyterLab draws it again, as high as before."""
    draw = "from utils.plot import line\nline({'a': [1, 2, 3]}, title='t', x='x', y='y', caption='A line.')"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    page = opened(nbformat.v4.new_notebook(metadata=kernel, cells=[nbformat.v4.new_code_cell(draw)]), "plain", LAB)
    page.run(0)
    size = "(e => e && [e.clientWidth, e.clientHeight])(document.querySelector('.js-plotly-plot'))"
    page.wait(f"() => {size}?.[1] === 380")
    wide, _ = page.page.evaluate(size)
    theme = "t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: `JupyterLab ${t}`})"
    page.page.evaluate(theme, "Dark")
    page.wait("() => document.body.dataset.jpThemeLight === 'false'")
    page.page.set_viewport_size({"width": 1000, "height": 900})
    drawn = "Number(document.querySelector('.js-plotly-plot .main-svg').getAttribute('width'))"
    page.wait(f"wide => {drawn} < wide - 100", wide)
    assert page.page.evaluate(f"[{size}[1], {size}[0] - {drawn}]") == [380, 0]
    page.page.evaluate(theme, "Light")
