"""A learner's work is safe: told from what the build wrote, reset by exercise, taken into a newer chapter."""

from dataclasses import dataclass
from pathlib import Path

import nbformat

from utils import course
from utils.build.notebook import build_chapter, digest, notebook_digest
from utils.build.source import parse
from utils.chapter import is_stub, load_chapter, stub_source
from utils.files import next_free, write_whole


@dataclass(frozen=True)
class Taken:
    """What an upgrade did: exercises whose answers were kept, and how many cells of the learner's own."""

    answers: tuple[str, ...]
    cells: int
    backup: Path


def read_notebook(file: Path):
    """A notebook from disk. Raises CourseError for a file that is none."""
    try:
        return nbformat.read(file, as_version=4)
    except FileNotFoundError:
        raise course.CourseError(f"There is no notebook {file}.") from None
    except Exception as error:  # nbformat raises many kinds for a broken file
        raise course.CourseError(f"{file} is not a Jupyter notebook ({type(error).__name__}).") from None


def edited(cell) -> bool:
    """Whether a cell is not as the build wrote it: changed, or the learner's own."""
    return cell.metadata.get("course", {}).get("digest") != digest(cell.source)


def has_work(file: Path) -> bool:
    """Whether a notebook holds anything that the build did not write; outputs do not count, nor does a missing file."""
    if not file.is_file():
        return False
    try:
        notebook = read_notebook(file)
    except course.CourseError:
        return True  # not ours to judge, so not ours to overwrite
    if any(edited(cell) for cell in notebook.cells):
        return True
    return notebook.metadata.get("course", {}).get("digest") != notebook_digest(notebook.cells)


def based_on(file: Path, text: str) -> bool:
    """Whether a learner's notebook started from just this build."""
    fresh = nbformat.reads(text, as_version=4).metadata["course"]["digest"]
    try:
        return read_notebook(file).metadata.get("course", {}).get("digest") == fresh
    except course.CourseError:
        return False


def _replace(file: Path, text: str) -> Path:
    """Write a notebook anew; what it was stays beside it, under the next free number, which is returned."""
    copy = next_free(lambda number: file.with_name(f"{file.stem}.backup-{number}.ipynb"))
    copy.write_bytes(file.read_bytes())
    write_whole(file, text)
    return copy


def chapter_of(file: Path) -> str:
    """The chapter that a notebook is of. Raises CourseError for one that is not the course's."""
    about = read_notebook(file).metadata.get("course", {})
    if not about.get("chapter") or not about.get("notebook"):
        raise course.CourseError(f"{file} is not a notebook of this course.")
    return about["chapter"]


def fresh_text(file: Path) -> str:
    """What the build makes of a notebook's chapter. Raises CourseError for a notebook that is not the course's."""
    chapter, name = chapter_of(file), read_notebook(file).metadata["course"]["notebook"]
    source = course.ROOT / "chapters" / course.chapter_name(chapter) / "chapter.md"
    for path, text in build_chapter(parse(source)).items():
        if path.name == f"{name}.ipynb":
            return text
    raise course.CourseError(f"The chapter {chapter} no longer has a notebook {name}.")


def reset_exercise(file: Path, name: str) -> Path:
    """Put the stub of one exercise back into a notebook; returns the backup that was made.

    Only the answer cell changes. Raises CourseError for an unknown exercise or a notebook without its answer cell.
    """
    notebook, chapter = read_notebook(file), chapter_of(file)
    exercise = load_chapter(chapter).exercise(name)
    for cell in notebook.cells:
        if _answers(cell) == exercise.name:
            _clear(cell, chapter)
            return _replace(file, nbformat.writes(notebook) + "\n")
    raise course.CourseError(f"{file.name} has no answer cell of {exercise.name}: reset or upgrade the whole notebook.")


def reset_notebook(file: Path) -> Path:
    """Put a notebook back to what the build makes; returns the backup that was made.

    In a hand-out without the reference only the answer cells are put back.
    """
    chapter = chapter_of(file)
    if course.have_answers(chapter):
        return _replace(file, fresh_text(file))
    notebook = read_notebook(file)
    for cell in notebook.cells:
        _clear(cell, chapter)
    return _replace(file, nbformat.writes(notebook) + "\n")


def upgrade(file: Path) -> Taken:
    """Replace a notebook by the newest build of its chapter, with the learner's answers and own cells kept.

    Answers go by exercise name. A cell the learner added follows the cell it followed before; a cell of the chapter
    that the learner edited is kept in place where the chapter did not change it, and beside the new one where it did.
    """
    old, text = read_notebook(file), fresh_text(file)
    new = nbformat.reads(text, as_version=4)
    chapter = new.metadata["course"]["chapter"]
    answers = {}
    extras: dict[str, list] = {}
    places = {cell.id: cell for cell in new.cells}
    by_answer = {_answers(cell): cell for cell in new.cells if _answers(cell)}
    before = new.cells[0].id
    own = 0
    for cell in old.cells:
        name = _answers(cell)
        if name in by_answer and name not in answers:
            before = by_answer[name].id
            if edited(cell) and not is_stub(cell.source, chapter, name):
                answers[name] = cell.source
            continue
        same = places.get(cell.get("id", ""))
        if not edited(cell):
            before = same.id if same else before
            continue
        own += 1
        if same and same.metadata.get("course", {}).get("digest") == cell.metadata.get("course", {}).get("digest"):
            same.source = cell.source
            before = same.id
        else:
            cell.metadata = {k: v for k, v in cell.metadata.items() if k not in ("course", "exercise")}
            if same or not cell.get("id"):
                cell["id"] = f"own-{own}-{digest(cell.source)}"
                before = same.id if same else before
            extras.setdefault(before, []).append(cell)
    for name, source in answers.items():
        by_answer[name].source = source
    new.cells = [each for cell in new.cells for each in (cell, *extras.get(cell.id, []))]
    nbformat.validate(new)
    return Taken(tuple(answers), own, _replace(file, nbformat.writes(new) + "\n"))


def _answers(cell) -> str | None:
    """Name of the exercise a cell answers."""
    about = cell.metadata.get("exercise", {})
    return about.get("name") if cell.cell_type == "code" and about.get("role") == "answer" else None


def _clear(cell, chapter: str) -> None:
    """Take an answer back to its stub, and what running it has left."""
    if name := _answers(cell):
        cell.source = stub_source(chapter, name)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
