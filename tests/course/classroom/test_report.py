"""The HTML report: complete, self-contained, and deaf to what hostile notebooks put into it."""

import re
import shutil
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from class_results import HOSTILE, POINTS, exercise, submission, the_class

from utils.course import CourseError
from utils.grade import report
from utils.grade.__main__ import main
from utils.grade.classroom.record import record_file
from utils.grade.status import Status

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "link", "img", "br", "hr", "input", "rect", "line"}


class Reader(HTMLParser):
    """Tags, attributes, text and links of a page; notes a tag that is never closed."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.attributes, self.open, self.text, self.rows = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag == "tr":
            self.rows.append([])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if "tr" in self.open and data.strip():
            self.rows[-1].append(data.strip())


@pytest.fixture
def results(tmp_path):
    for result in the_class():
        result.write(tmp_path)
    assert report.write(tmp_path, "ch1") == (tmp_path / "ch1.html", [])
    return tmp_path


def pages(folder) -> dict:
    return {file: Reader(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.html"))}


def test_a_page_for_the_class_and_for_everyone(results):
    found = pages(results)
    assert len(found) == 1 + len(the_class())
    links = [value for tag, name, value in found[results / "ch1.html"].attributes if name == "href"]
    assert len(links) == 5 and all((results / unquote(link)).is_file() for link in links)
    for result in the_class():
        assert record_file(results, result.student, "ch1").with_suffix(".html") in found


def test_nothing_is_fetched_and_nothing_runs(results):
    for file, read in pages(results).items():
        assert not {"script", "img", "iframe", "object", "link", "form", "base"} & set(read.tags), file
        for tag, name, value in read.attributes:
            assert not name.startswith("on") and name not in ("src", "srcset", "action"), (file, tag, name)
            assert name != "href" or value.startswith("./")
        text = file.read_text(encoding="utf-8")
        assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text
        assert "default-src 'none'" in text and "prefers-color-scheme: dark" in text
        assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text


def test_hostile_text_is_shown_as_text(results):
    result = the_class()[4]
    read = Reader(record_file(results, result.student, "ch1").with_suffix(".html").read_text(encoding="utf-8"))
    shown = " ".join(read.text)
    visible = HOSTILE.split("\x1b")[0].strip()
    assert shown.count(visible) >= 5  # the name twice, the sentence, the mistake, the notice, the file
    for read in pages(results).values():
        assert "script" not in read.tags and "img" not in read.tags


def test_the_class_page_counts_right(results):
    read = pages(results)[results / "ch1.html"]
    rows = {row[0]: row[1:] for row in read.rows}
    assert rows["1.1 Embedding"][:2] == ["75 %", "3 / 4"]
    assert rows["1.3 LayerNorm"][:3] == ["25 %", "1 / 4", "2 wrong, 1 timed out"]
    assert rows["1.22 KVCache"][0] == "100 %"
    assert rows["unbiased_variance"] == [
        "1.3 LayerNorm",
        "2",
        "The variance was divided by n-1; layer norm divides by n.",
    ]
    tests = [row for row in read.rows if row[0] == "test_values" and row[1] == "1.3 LayerNorm"]
    assert tests == [["test_values", "1.3 LayerNorm", "25 %", "1 / 4"]]
    assert rows["ada"] == ["10 / 7", "143 %", "4 of 4"]
    assert rows["cleo"][-1] == "2 to look at" and rows["zoë"][-1].endswith("it is not JSON.")
    text = " ".join(read.text)
    assert "ran without a sandbox" in text


def test_a_students_page_says_everything(results):
    read = Reader((results / "bob" / "ch1.html").read_text(encoding="utf-8"))
    rows = {row[0]: row[1:] for row in read.rows}
    assert rows["1.1 Embedding"] == ["✓ full", "1 / 1", "3 of 3"]
    assert rows["1.3 LayerNorm"][:3] == [
        "✗ wrong",
        "0 / 2",
        "The variance was divided by n-1; layer norm divides by n.",
    ]
    assert rows["1.5 Attention"] == ["✗ not attempted", "0 / 4"]
    assert "123456" in read.text and "--seed 123456" in read.text


def test_what_a_person_should_look_at_is_on_the_class_page_alone(results):
    told = {file: " ".join(read.text) for file, read in pages(results).items()}
    flagged = told.pop(results / "ch1.html")
    assert "cleo, 1.1 Embedding: uses torch.nn.functional.embedding (line 3): for review" in flagged
    assert "cleo: imports a module from the course's answers (line 1 of cell 2): for review" in flagged
    assert len(told) == len(the_class()) and not [file for file, text in told.items() if "look at" in text]
    assert not [file for file, text in told.items() if "for review" in text or "costs no points" in text]


def test_tables_and_pictures_can_be_read_aloud(results):
    for read in pages(results).values():
        scopes = [value for tag, name, value in read.attributes if tag == "th" and name == "scope"]
        assert len(scopes) == read.tags.count("th") and set(scopes) <= {"col", "row"}
        assert read.tags.count("caption") == read.tags.count("table")
        assert ("html", "lang", "en") in read.attributes and read.tags.count("h1") == 1
        for drawing in range(read.tags.count("svg")):
            told = [value for tag, name, value in read.attributes if tag == "svg" and name == "aria-label"]
            assert told[drawing].startswith("Number of students by score. ")


@pytest.mark.parametrize(
    ("scores", "bins"),
    [
        ([0.0, 7.0], "0-9 percent: 1, 100+ percent: 1"),
        ([0.69, 0.7, 3.5], "0-9 percent: 1, 10-19 percent: 1, 50-59 percent: 1"),
        ([9.0], "100+ percent: 1"),
    ],
)
def test_scores_fall_into_their_bins(scores, bins):
    results = [submission(f"s{i}", score=score, max_score=7.0) for i, score in enumerate(scores)]
    assert f"Number of students by score. {bins}." in report.class_page(results)


def test_an_empty_record_and_no_points_are_fine():
    text = report.class_page([submission("nobody", max_score=0.0)])
    assert "No answer showed one of the known mistakes." in text and "No hidden test was run." in text
    only = submission("x", exercise(*POINTS[0], Status.PARTIAL, points=0.5))
    assert "partial" in report.class_page([only])


def test_what_stands_in_the_way_is_said(tmp_path):
    with pytest.raises(CourseError, match="holds no results of ch1"):
        report.write(tmp_path, "ch1")
    the_class()[0].write(tmp_path)
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(CourseError, match="cannot be written"):
        report.write(tmp_path, "ch1", tmp_path / "taken")
    report.write(tmp_path, "ch1", tmp_path / "pages")
    assert (tmp_path / "pages" / "ada" / "ch1.html").is_file() and not (tmp_path / "ada" / "ch1.html").exists()


@pytest.mark.parametrize("text", ["", "{", '{"format": 1}', "[" * 100_000, '{"format": 1, "score": NaN}', "\0"])
@pytest.mark.parametrize("verb", [["report"], ["export", "--chapter", "ch1", "--format", "csv", "--out", "{}/x.csv"]])
def test_a_damaged_record_is_named_and_the_rest_is_written(results, capsys, verb, text):
    """Status 1, and a sentence: whoever takes the marks over must not overlook that someone's are missing."""
    record_file(results, "bob", "ch1").write_text(text, encoding="utf-8")
    record_file(results, "cleo", "ch1").unlink()
    record_file(results, "cleo", "ch1").mkdir()
    (results / "ada" / "ch1.html").unlink()
    assert main([word.format(results) for word in [verb[0], str(results), *verb[1:]]]) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 2 and str(record_file(results, "bob", "ch1")) in told.err
    assert str(record_file(results, "cleo", "ch1")) in told.err and "Wrote " in told.out
    written = (results / "x.csv") if verb[0] == "export" else (results / "ch1.html")
    assert "ada" in written.read_text(encoding="utf-8") and "bob" not in written.read_text(encoding="utf-8")
    assert verb[0] == "export" or (results / "ada" / "ch1.html").is_file()


def test_a_chapter_without_a_whole_record_does_not_stop_the_others(results, capsys):
    (results / "ada" / "ch2.json").write_text("{", encoding="utf-8")
    (results / "ch1.html").unlink()
    assert main(["report", str(results)]) == 1
    assert "ada/ch2.json" in capsys.readouterr().err and (results / "ch1.html").is_file()
    assert main(["report", str(results), "--chapter", "ch2"]) == 2


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_shows_it_in_light_and_dark(results):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        colours = set()
        for scheme, width in (("light", 1100), ("dark", 1100), ("light", 400)):
            tab = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
            seen = []
            tab.on("dialog", lambda dialog, seen=seen: (seen.append(dialog.message), dialog.dismiss()))
            tab.on("request", lambda request, seen=seen: request.url.startswith("file:") or seen.append(request.url))
            tab.goto((results / "ch1.html").as_uri())
            colours.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for link in [a.get_attribute("href") for a in tab.query_selector_all("a")]:
                tab.click(f'a[href="{link}"]')
                assert tab.title().endswith(": chapter ch1")
                assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), link
                tab.go_back()
            assert re.search(r"\d", tab.get_attribute("svg", "aria-label")) and seen == []
        assert len(colours) == 2
        browser.close()
