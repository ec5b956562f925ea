"""Where the learner is: which chapter, which folder, which namespace, which exercise a name means."""

import difflib
import os
import sys
from pathlib import Path

import __main__
from utils import course
from utils.chapter import Exercise, load_chapter


def shell():
    """The running IPython shell, or None; never imports IPython where nothing else has."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def namespace() -> dict:
    """The learner's own names: the notebook's globals, or those of the running script."""
    running = shell()
    return running.user_ns if running is not None else vars(__main__)


def notebook_folder() -> Path:
    """Folder of the running notebook: as VS Code gives it, else the working directory at the first call."""
    file = namespace().get("__vsc_ipynb_file__")
    return Path(file).parent if isinstance(file, str) else _START


_START = Path.cwd()


def _chapter_of(folder: Path) -> str | None:
    """Chapter whose room (in chapters/ or solutions/) holds the folder, or None."""
    try:
        parts = folder.resolve().relative_to(course.ROOT).parts
    except ValueError:
        return None
    if len(parts) < 2 or parts[0] not in ("chapters", "solutions"):
        return None
    return next((key for key, name in course.chapters().items() if name == parts[1]), None)


def current_chapter(name: str | None = None) -> str:
    """Key of the chapter at work: COURSE_CHAPTER, the notebook's folder, the only one with `name`, the first."""
    if os.environ.get("COURSE_CHAPTER"):
        return load_chapter(os.environ["COURSE_CHAPTER"]).key
    if found := _chapter_of(notebook_folder()):
        return found
    if name is not None:
        having = [key for key in course.chapters() if name in _names(key)]
        if len(having) == 1:
            return having[0]
    if not course.chapters():
        raise course.CourseError("No chapter was found: the course folder has lost its chapters/*/chapter.md files.")
    return next(iter(course.chapters()))


def progress_folder(chapter: str) -> Path:
    """Folder that holds a chapter's progress: beside the notebook of that chapter.

    COURSE_PROGRESS overrides it. A notebook outside the course keeps its progress beside itself.
    """
    if os.environ.get("COURSE_PROGRESS"):
        return Path(os.environ["COURSE_PROGRESS"])
    here = notebook_folder()
    home = course.ROOT / "chapters" / course.chapter_name(chapter)
    if _chapter_of(here) == chapter:
        return here / ".progress"
    inside = here.resolve().is_relative_to(course.ROOT)
    other = here / ".progress" / f"{chapter}.json"
    is_current = not inside and os.environ.get("COURSE_CHAPTER", chapter) == chapter
    return other.parent if other.is_file() or is_current else home / ".progress"


def resolve(name: str) -> tuple[str, Exercise]:
    """Chapter and exercise that "LayerNorm", "1.3" or "ch1.LayerNorm" means; CourseError names the nearest."""
    if not isinstance(name, str):
        raise course.CourseError(f"Give the exercise's name in quotes, not {describe(name)}.")
    key, _, short = name.rpartition(".")
    if key and not key.isdigit():
        chapter, name = load_chapter(key).key, short
    else:
        chapter = current_chapter(name)
    for candidate in (chapter, *(other for other in course.chapters() if not key and other != chapter)):
        for exercise in load_chapter(candidate).exercises:
            if name in (exercise.name, exercise.id):
                return candidate, exercise
    raise course.CourseError(unknown(name, chapter))


def unknown(name: str, chapter: str) -> str:
    """One sentence for a name that isn't an exercise: the nearest one, or the list of them."""
    names = _names(chapter)
    folded = {known.lower().replace("_", ""): known for known in names}
    near = difflib.get_close_matches(name.lower().replace("_", ""), list(folded), n=1, cutoff=0.6)
    if near:
        return f"There is no exercise called {name}: did you mean {folded[near[0]]}?"
    return f"There is no exercise called {name}: you can check {', '.join(names)}."


def describe(value) -> str:
    """A learner's word for a value of the wrong kind."""
    if value is None:
        return "None"
    if isinstance(value, (bool, int, float)):
        return f"the number {value}"
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _names(chapter: str) -> list[str]:
    return [exercise.name for exercise in load_chapter(chapter).exercises]
