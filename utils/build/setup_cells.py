"""The cells and badges at the head of every notebook: where it can run, and how it finds the course."""

from pathlib import PurePosixPath

COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BINDER_BADGE = "https://mybinder.org/badge_logo.svg"

# Line 2 puts the folder that holds the course on sys.path, from anywhere inside it; an installed course needs it not.
# ("x" stands for anything in the working folder, so that its parents begin with that folder.) The last line says which
# chapter this is: several have a `train`. No line is so long that JupyterLab scrolls sideways.
SETUP = """\
import sys; from pathlib import Path
sys.path[:0] = [str(p) for p in Path("x").absolute().parents if (p / "utils/learn").is_dir()][:1]
from utils.learn import *
start_chapter("{chapter}")"""

ON_COLAB = """\
# On Google Colab this cell fetches the course; anywhere else it does nothing.
{before}import {modules}
from pathlib import Path

if "COLAB_RELEASE_TAG" in os.environ and not any((p / "utils/learn").is_dir() for p in Path("x").absolute().parents):
    home = Path("/content") / {folder!r}
    if not list(home.rglob("utils/learn")):
{fetch}
    for home in [p.parents[1] for p in home.rglob("utils/learn")][:1]:
        sys.path.insert(0, str(home))
        os.chdir(home / {notebook_folder!r})
    from utils.env.colab import install_missing
    install_missing()
"""

CLONE = """\
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--branch", {tag!r}, {url!r}, str(home)], check=True)"""  # noqa: E501

# While nobody has said where the course is: a zip that the learner has, or an address that the learner knows.
ADDRESS = 'COURSE = ""  # the address of the course as a zip; left empty, the cell asks you for the file\n'
ASK = """\
        if not COURSE:
            from google.colab import files
            print("This notebook needs the rest of the course: choose the course's zip on your computer, "
                  "or write its address into COURSE above and run the cell again.")
        data = urllib.request.urlopen(COURSE).read() if COURSE else next(iter(files.upload().values()), b"")
        if not zipfile.is_zipfile(io.BytesIO(data)):
            raise SystemExit("That was not the course's zip: run this cell again.")
        zipfile.ZipFile(io.BytesIO(data)).extractall(home)"""


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
    """Source of the Colab cell; while no repository is set it asks for the course, and never clones from a guess."""
    place = settings.get("repository", "")
    fills = {"before": ADDRESS, "modules": "io, os, sys, urllib.request, zipfile", "folder": "course", "fetch": ASK}
    if configured(settings):
        fetch = CLONE.format(tag=settings["tag"], url=f"https://github.com/{place}")
        fills = {"before": "", "modules": "os, subprocess, sys", "folder": place.split("/")[-1], "fetch": fetch}
    return ON_COLAB.format(**fills, notebook_folder=str(path.parent)).rstrip()
