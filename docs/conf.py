"""Settings of Sphinx for the site; `python -m docs` prepares the pages and calls it. Nothing asks a network."""

import tomllib
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

project = "Inside Transformers"
author = "the authors of Inside Transformers"
root = next(folder for folder in Path(__file__).resolve().parents if (folder / "pyproject.toml").is_file())
release = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_nb"]
exclude_patterns = ["_static"]
nb_execution_mode = "off"  # `python -m docs` has run them, in the course's own way
nb_ipywidgets_js = {}  # it would load require.js and more from a network
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
# the tokens of a text are not a program that a highlighter could understand
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "sphinx_book_theme"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def inline_formula(self, node) -> None:
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def displayed_formula(self, node) -> None:
    self.body.append(f'<div class="math" tabindex="0">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def plotly_where_there_are_figures(app, pagename, templatename, context, doctree) -> None:
    """plotly.js weighs 5 MB: only the pages that draw something ask for it."""
    if "course-plot" in context.get("body", ""):
        app.add_js_file("plotly.min.js", loading_method="defer")
        app.add_js_file("figures.js", loading_method="defer")


def without_icon_font(app, problem) -> None:
    """The theme's icons are 1.5 MB of script; course.css draws the ten that are used."""
    if problem is None:
        (Path(app.outdir) / "_static" / "scripts" / "fontawesome.js").write_text("", encoding="utf-8")


def setup(app) -> None:
    app.add_html_math_renderer("mathml", (inline_formula, None), (displayed_formula, None))
    app.connect("html-page-context", plotly_where_there_are_figures)
    app.connect("build-finished", without_icon_font)
