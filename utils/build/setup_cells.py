"""The cells and badges at the head of every notebook: where it can run, and how it finds the course."""

from pathlib import PurePosixPath

COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BINDER_BADGE = "https://mybinder.org/badge_logo.svg"

# Line 1 puts the folder that holds the course on sys.path, from anywhere inside it; an installed course needs it not.
# The last says which chapter this is: several have a `train`.
SETUP = """\
import sys; from pathlib import Path; sys.path[:0] = [str(p) for p in [Path.cwd(), *Path.cwd().parents] if (p / "utils" / "learn").is_dir()][:1]
from utils.learn import *
start_chapter("{chapter}")"""  # noqa: E501

ON_COLAB = """\
# On Google Colab this cell fetches the course; anywhere else it does nothing.
import os, subprocess, sys
from pathlib import Path

if "COLAB_RELEASE_TAG" in os.environ and not any((p / "utils" / "learn").is_dir() for p in [Path.cwd(), *Path.cwd().parents]):
"""  # noqa: E501

UNSET = """\
    raise RuntimeError("This copy of the course does not know where it lives: set `repository` and `tag` under [tool.course] in pyproject.toml to its GitHub repository, then run `make build`.")
"""  # noqa: E501

FETCH = """\
    home = Path("/content") / {folder!r}
    if not home.is_dir():
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--branch", {tag!r}, {url!r}, str(home)], check=True)
    sys.path.insert(0, str(home))
    os.chdir(home / {notebook_folder!r})
    from utils.env.colab import install_missing
    install_missing()
"""


def setup_cell(chapter: str) -> str:
    """The lines that make a notebook of this chapter ("ch1") ready."""
    return SETUP.format(chapter=chapter)


def configured(settings: dict) -> bool:
    """Whether `[tool.course]` says which repository and tag the badges may point to."""
    return bool(settings.get("repository") and settings.get("tag"))


def badges(settings: dict, path: PurePosixPath) -> str:
    """One line of Markdown that opens the notebook on Colab or Binder; empty while no repository is set."""
    if not configured(settings):
        return ""
    place, tag = settings["repository"], settings["tag"]
    colab = f"https://colab.research.google.com/github/{place}/blob/{tag}/{path}"
    binder = f"https://mybinder.org/v2/gh/{place}/{tag}?urlpath=lab/tree/{path}"
    return f"[![Open in Colab]({COLAB_BADGE})]({colab}) [![Open in Binder]({BINDER_BADGE})]({binder})"


def colab_cell(settings: dict, path: PurePosixPath) -> str:
    """Source of the Colab cell; while no repository is set it says what to set, and never clones from a guess."""
    if not configured(settings):
        return (ON_COLAB + UNSET).rstrip()
    place = settings["repository"]
    fetch = FETCH.format(
        folder=place.split("/")[-1],
        tag=settings["tag"],
        url=f"https://github.com/{place}",
        notebook_folder=str(path.parent),
    )
    return (ON_COLAB + fetch).rstrip()
