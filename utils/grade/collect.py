"""Read the notebooks back from what a class handed in: a folder of hand-outs, zips or single notebooks."""

import os
from dataclasses import dataclass
from pathlib import Path

from utils import course
from utils.grade.classroom.gather import PLAIN, Piece, Unreadable, Work, gather
from utils.grade.classroom.record import folder_name
from utils.grade.submission import about, read_cells


@dataclass
class Collected:
    """What one student handed in: the files written, and one sentence where something could not be."""

    student: str
    files: list[Path]
    problem: str = ""


def collect(folder: Path, out: Path) -> list[Collected]:
    """Write every student's notebooks to `out/<chapter>/<student>/exercises.ipynb`, ready for `python -m utils.grade`.

    `folder`: a folder (or a zip) with one entry a student: a hand-out, a zip of it, or a notebook; the entry's name is
    the student id. Several notebooks of one kind are numbered, oldest first. Nothing is run, and what cannot be read is
    told of and left out. Raises CourseError where there is nothing to collect, or `out` cannot be written.
    """
    folder, out = Path(folder), Path(out)
    if out.resolve().is_relative_to(folder.resolve()):
        raise course.CourseError(f"{out} lies inside {folder}: name a folder elsewhere.")
    return [_keep(work, out) for work in sorted(gather([folder]), key=lambda work: work.student)]


def _keep(work: Work, out: Path) -> Collected:
    student = work.student
    kept = Collected(student, [], work.problem)
    known, others = [], []
    for piece in sorted(work.pieces, key=lambda piece: (piece.order, piece.name)):
        try:
            data = piece.read()
        except Unreadable as error:
            kept.problem = f"{piece.name} {error}."
            continue
        chapter, kind = _kind(piece, data)
        (known if chapter else others).append((piece, data, chapter, kind))
    if not known:  # a notebook that lost its marks is still somebody's work
        chapters = list(course.chapters())
        known = [(piece, data, chapters[0], kind) for piece, data, _, kind in others]
        if known and len(chapters) > 1:
            kept.problem = f"{known[0][0].name} does not say which chapter it is of: it was taken for {chapters[0]}."
    counts: dict[tuple[str, str], int] = {}
    for piece, data, chapter, kind in known:
        counts[chapter, kind] = number = counts.get((chapter, kind), 0) + 1
        name = f"{kind}.ipynb" if number == 1 else f"{kind}-{number}.ipynb"
        file = out / chapter / folder_name(student) / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except OSError as error:
            raise course.CourseError(f"{file} cannot be written: {error.strerror or error}.") from None
        if piece.order > 0:
            os.utime(file, (piece.order, piece.order))  # of two answers, grading takes the later one
        kept.files.append(file)
    if not kept.files and not kept.problem:
        kept.problem = "no notebook of the course was found."
    return kept


def _kind(piece: Piece, data: bytes) -> tuple[str, str]:
    """Chapter and kind of a notebook, by its own mark or by its place in a hand-out; no chapter: neither tells."""
    try:
        chapter, kind = about(read_cells(data)[1])
    except ValueError:  # not a notebook any more: grading says so to its student
        chapter, kind = "", ""
    keys = {name: key for key, name in course.chapters().items()}
    if chapter not in keys.values():
        chapter = next((keys[part] for part in piece.parts if part in keys), "")
    named = PLAIN.match(Path(piece.parts[-1]).stem)
    if kind not in ("exercises", "optional"):
        kind = named[2].lower() if named else "exercises"
    return chapter, kind
