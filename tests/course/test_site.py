"""The site: built of the course's own sources without a warning, every link leads somewhere, and no answer is in it."""

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from utils import course
from utils.chapter import load_chapter
from utils.learn.ladder import solution

pytestmark = pytest.mark.slow  # each worker builds the site for itself

AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]  # axe's names for the rules of WCAG 2.1, levels A and AA
FIRST_PAGE = 1_000_000  # bytes, with everything that it asks for


class Page(HTMLParser):
    """What a page points to, and the places in it that can be pointed to."""

    def __init__(self, file: Path):
        super().__init__()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.places: set[str] = {"", "top"}
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag in ("script", "img", "link") and (address := found.get("src") or found.get("href")):
            self.assets.append(address)
        elif tag == "a" and found.get("href"):
            self.links.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "docs", "--no-run", "--out", str(out)]
    done = subprocess.run(command, cwd=course.ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return out / "html"


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {file: Page(file) for file in site.rglob("*.html") if "_static" not in file.parts}


def test_every_notebook_and_guide_has_a_page(site):
    wanted = [path.with_suffix(".html") for path in (course.ROOT / "chapters").glob("*/*.ipynb")]
    wanted = [path for path in wanted if path.stem in ("exercises", "optional")]
    assert len(wanted) == 10
    for path in wanted:
        assert (site / path.relative_to(course.ROOT)).is_file(), path
    others = (
        "chapters/start chapters/instructors chapters/troubleshooting glossary api commands README CHANGELOG search"
    )
    for name in others.split():
        assert (site / f"{name}.html").is_file(), name


def test_links_lead_somewhere(site, pages):
    broken = []
    for file, page in pages.items():
        for address in page.links + page.assets:
            path, _, place = address.partition("#")
            if re.match(r"(https?|mailto|data):", address):
                continue
            target = (file.parent / unquote(path.partition("?")[0])).resolve() if path else file
            if not target.exists() or (target in pages and unquote(place) not in pages[target].places):
                broken.append(f"{file.relative_to(site)}: {address}")
    assert not broken


def test_nothing_is_asked_of_a_network(site, pages):
    asked = {address for page in pages.values() for address in page.assets if address.startswith(("http", "//"))}
    assert not asked
    styles = [file.read_text(encoding="utf-8") for file in (site / "_static").rglob("*.css")]
    assert not [style for style in styles if re.search(r"@import\s+url\(.?https?:|url\(.?https?:", style)]


def test_the_first_page_is_small(site, pages):
    index = site / "index.html"
    asked = {site / address.partition("?")[0] for address in pages[index].assets if not address.startswith("data:")}
    assert sum(file.stat().st_size for file in {index, *asked}) < FIRST_PAGE


def test_every_drawing_scrolls_where_it_is_too_wide(site):
    for name in ("index", "chapters/start", f"chapters/{course.chapter_name('ch1')}/exercises"):
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        pattern = r'(<div class="scrolls" tabindex="0">)?<img [^>]*src="data:image/svg'
        assert (found := re.findall(pattern, text)) and all(found), name


@pytest.mark.parametrize("key", course.chapters())
def test_help_is_in_the_pages_and_no_solution(site, key):
    folder = site / "chapters" / course.chapter_name(key)
    text = "".join(
        "".join(unescape(re.sub(r"<[^>]+>", "", file.read_text(encoding="utf-8"))).split())
        for file in sorted(folder.glob("*.html"))
    )
    for exercise in load_chapter(key).exercises:
        assert f"Exercise{exercise.id}:{exercise.name}" in text
        given = "".join(load_chapter(key).stubs[exercise.name].split())
        lines = ["".join(line.split()) for line in solution(key, exercise).splitlines()]
        telling = [line for line in lines if len(line) >= 18 and not line.startswith("#") and line not in given]
        assert not telling or not all(line in text for line in telling), f"the answer to {exercise.name} is in the page"
    assert text.count("Hint1of3:") >= len(load_chapter(key).exercises)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everyone_can_read_it(site, theme):
    """Every kind of page passes axe's rules in a real browser, opened as a file: none asks for more than WCAG 2.1 AA.

    Of the chapters one of each theme, because axe needs some ten seconds for a long page. Buttons fade into the
    theme's colours, so a page is looked at when every transition has ended.
    """
    from axe_playwright_python.sync_playwright import Axe
    from browser.lab import FLAGS, chromium
    from playwright.sync_api import sync_playwright

    chapter = "ch1_transformer_from_scratch" if theme == "dark" else "ch3_rasp"
    names = ["index", "chapters/start", f"chapters/{chapter}/optional", "glossary", "api", "search"]
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = chrome.new_page(viewport={"width": 1366, "height": 900}, color_scheme=theme)
        found = {}
        for name in names:
            page.goto((site / f"{name}.html").as_uri())
            assert page.locator("html").get_attribute("data-theme") == theme
            page.evaluate(
                "() => Promise.allSettled(document.getAnimations()"
                ".filter(moving => moving.effect.getComputedTiming().endTime < Infinity)"
                ".map(moving => moving.finished))"
            )
            told = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": AA}).response["violations"]
            found |= {(name, wrong["id"]): [node["html"][:200] for node in wrong["nodes"]] for wrong in told}
        chrome.close()
    assert not found


def test_what_is_printed_in_several_goes_is_one_output():
    from nbformat.v4 import new_output

    from docs.__main__ import joined

    parts = [("stdout", "1\n"), ("stdout", "2\n"), ("stderr", "!"), ("stdout", "3\n")]
    found = joined([new_output("stream", name=name, text=text) for name, text in parts])
    assert [(output.name, output.text) for output in found] == [
        ("stdout", "1\n2\n"),
        ("stderr", "!"),
        ("stdout", "3\n"),
    ]
