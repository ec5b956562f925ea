"""`make site`: the course as a web site in build/site/html, readable without a network and without a server.

The pages are made of the course's own sources: the solutions notebooks are executed (each result is kept until its
notebook or the code beneath it changes), then stubs and the steps of help replace the answers.
"""

import argparse
import hashlib
import html
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell
from sphinx.cmd.build import build_main

from utils import course, learn
from utils.build.__main__ import make
from utils.build.cut import read_module
from utils.chapter import load_chapter
from utils.learn.ladder import solution, steps

ROOT = course.ROOT
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "chapters/*.md", "docs/*.md", "pyproject.toml")
COMMANDS = ("utils.build", "utils.grade", "utils.env", "docs")
DRAWING = re.compile(r'<img [^>]*src="data:image/svg[^>]*>')
SCROLLS = r'<div class="scrolls" tabindex="0">\g<0></div>'  # sideways, on a narrow screen; by keys too
PLOT = (
    '<div class="scrolls" tabindex="0"><div class="course-plot" role="img" aria-label="{alt}" '
    'style="height:{height}px"></div><script type="application/json">{figure}</script></div>'
)


def main(argv: list[str] | None = None) -> int:
    """Build the site; the exit status is Sphinx's (every warning is an error)."""
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="folder for the site and its cache")
    parser.add_argument("--no-run", action="store_true", help="leave the notebooks' outputs out")
    parser.add_argument("--solutions", action="store_true", help="add the solutions, folded, below the help")
    options = parser.parse_args(argv)
    pages = options.out / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    stage(pages, None if options.no_run else options.out / "executed", options.solutions)
    return build_main(["-W", "--keep-going", "-q", "-b", "html", str(pages), str(options.out / "html")])


def stage(pages: Path, executed: Path | None, solutions: bool) -> None:
    """Write everything that Sphinx reads; `executed` is where the notebooks that have run are kept (None: run none)."""
    from plotly.offline import get_plotlyjs

    for pattern in PAGES:
        for file in ROOT.glob(pattern):
            target = pages / file.relative_to(ROOT / "docs" if file.parent == ROOT / "docs" else ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    shutil.copyfile(ROOT / "docs" / "conf.py", pages / "conf.py")
    shutil.copytree(ROOT / "docs" / "_static", pages / "_static")
    (pages / "_static" / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    built = {str(path): nbformat.reads(text, 4) for path, text in make().items() if path.suffix == ".ipynb"}
    for path, notebook in built.items():
        if not path.startswith("chapters/"):
            continue
        worked = (
            path.replace("chapters/", "solutions/")
            .replace("exercises", "solutions")
            .replace("optional", "optional_solutions")
        )
        page = built.get(worked) or solved(notebook)
        if executed is not None:
            page = run(page, ROOT / Path(worked).parent, executed)
        stubs = {cell.id: cell.source for cell in notebook.cells}
        nbformat.write(read_only(page, stubs, notebook.metadata.course.chapter, solutions), _made(pages / path))
    intro = DRAWING.sub(SCROLLS, built[course.START_PAGE].cells[0].source.replace("](", "](chapters/"))
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").replace("START", intro, 1)
    (pages / "index.md").write_text(index, encoding="utf-8")
    (pages / "commands.md").write_text(commands(), encoding="utf-8")
    (pages / "api.md").write_text(api(), encoding="utf-8")


def solved(notebook):
    """The start page with its answer filled in; the chapters have solutions notebooks."""
    notebook = nbformat.from_dict(notebook)
    source = load_chapter(notebook.metadata.course.chapter)
    for cell in notebook.cells:
        about = cell.metadata.get("exercise", {})
        if about.get("role") == "answer":
            module = ROOT / "solutions" / source.name / f"{source.exercise(about['name']).module}.py"
            cell.source = read_module(module).solution(about["name"])
    return notebook


def run(notebook, folder: Path, kept: Path):
    """The notebook with its outputs, its widgets as plain figures; from `kept` where nothing has changed since."""
    from nbclient import NotebookClient

    sources = sorted([*(ROOT / "utils").rglob("*.py"), *(ROOT / "solutions").rglob("*.py")])
    digest = hashlib.sha256(nbformat.writes(notebook).encode() + b"".join(file.read_bytes() for file in sources))
    file = kept / f"{digest.hexdigest()[:16]}.ipynb"
    if not file.is_file():
        os.environ |= {
            "COURSE_HEADLESS": "1",
            "COURSE_PROGRESS": str(file.with_suffix("")),
        }
        print(f"Running {folder.name} ({notebook.metadata.course.notebook}) ...", flush=True)
        client = NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(folder)}})
        nbformat.write(client.execute(), _made(file))
    return nbformat.read(file, 4)


def read_only(notebook, stubs: dict[str, str], chapter: str, solutions: bool):
    """The notebook as a page: stubs in place of answers, the ladder and the quizzes folded, figures as JSON."""
    source = load_chapter(chapter)
    quizzes = {quiz.name: quiz for quiz in source.quizzes}
    badge = re.compile(r"\[!\[([^\]]*)\]\([^)]*\)\]\(([^)]*)\)")  # its picture would come from a network
    cells = []
    for cell in notebook.cells:
        about = cell.metadata.get("exercise", {})
        quiz = re.fullmatch(r'quiz\("(\w+)"\)', cell.source)
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\n\nStuck\? .*", "", cell.source) if about else cell.source
        if cell.id.endswith(("-colab", "-setup")) or about.get("role") == "check":
            continue
        if cell.id.endswith("-title"):
            cell.source = badge.sub(r"[\1](\2)", stubs[cell.id])
        if cell.cell_type == "markdown":
            cell.source = DRAWING.sub(SCROLLS, cell.source)
        if quiz:
            question = quizzes[quiz[1]]
            choices = [
                folded(text, f"{'Right' if right else 'Not this one'}. {why}") for text, right, why in question.choices
            ]
            cell = new_markdown_cell("\n\n".join([f"**Question.** {question.question}", *choices]))
        elif cell.cell_type == "code":
            cell.outputs = [shown for output in joined(cell.outputs) if (shown := as_page(output))]
        cells.append(cell)
        if about.get("role") == "answer":
            cell.source, cell.outputs = stubs[cell.id], []
            exercise = source.exercise(about["name"])
            ladder = steps(exercise)
            help = [folded(f"Hint {i} of {len(ladder)}: {title}", body) for i, (title, body) in enumerate(ladder, 1)]
            if solutions:
                help.append(folded("Solution", f"```python\n{solution(chapter, exercise)}\n```"))
            cells.append(new_markdown_cell("\n\n".join(help)))
    notebook.cells = cells
    return notebook


def folded(summary: str, body: str) -> str:
    """Markdown that opens on a click."""
    summary = re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(summary, quote=False))
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def joined(outputs: list) -> list:
    """The outputs with what was printed in several goes in one, as a notebook shows it."""
    found: list = []
    for output in outputs:
        stream = output.output_type == "stream"
        if stream and found and found[-1].get("name") == output.name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def as_page(output):
    """One output as a page can show it; None for progress bars and what only a kernel can draw."""
    data = output.get("data", {})
    if figure := data.get("application/vnd.plotly.v1+json"):
        alt = str(
            figure.get("layout", {}).get("meta", {}).get("alt", "a figure; the sentence below says what it shows")
        )
        text = json.dumps({"data": figure["data"], "layout": figure["layout"]}).replace("</", "<\\/")
        height = figure.get("layout", {}).get("height", 400)
        data = {"text/html": PLOT.format(alt=html.escape(alt, quote=True), height=height, figure=text)}
        return nbformat.v4.new_output("display_data", data=data)
    if output.output_type == "stream":  # of a progress bar its last state
        output.text = re.sub(r"[^\n]*\r", "", output.text)
    if output.output_type == "stream" and output.name == "stderr" or "application/vnd.jupyter.widget-view+json" in data:
        return None
    return output


def commands() -> str:
    """What every command of the course prints for --help."""
    parts = ["# Commands\n\nWhat every program of the course prints for `--help`.\n"]
    names = [f"solutions.{name}" for name in course.chapters().values() if course.have_answers(name)]
    for name in [*COMMANDS, *names]:
        done = subprocess.run([sys.executable, "-m", name, "--help"], cwd=ROOT, capture_output=True, text=True,
                              env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})  # fmt: skip
        parts.append(f"## `python -m {name}`\n\n```text\n{done.stdout.strip().replace(str(ROOT), '.')}\n```\n")
    return "\n".join(parts)


def api() -> str:
    """Signature and docstring of everything that a notebook has from `from utils.learn import *`."""
    parts = ["# In a notebook\n\nWhat you get from `from utils.learn import *`.\n"]
    for name in learn.__all__:
        obj = getattr(learn, name)
        signature = str(inspect.signature(obj)) if callable(obj) else ""
        parts.append(f"## `{name}`\n\n```python\n{name}{signature}\n```\n\n{inspect.getdoc(obj)}\n")
    return "\n".join(parts)


def _made(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


if __name__ == "__main__":
    sys.exit(main())
