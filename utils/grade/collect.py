"""Read the notebooks back from what a class handed in: a folder of hand-outs, zips or single notebooks."""

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from utils import course
from utils.files import writing
from utils.grade.classroom import roster as enrolling
from utils.grade.classroom.assemble import READ_SECONDS
from utils.grade.classroom.gather import PLAIN, Piece, Unreadable, Work, gather
from utils.grade.classroom.record import folder_name
from utils.grade.exports.common import write_table
from utils.grade.limited import Exhausted, limited
from utils.grade.submission import course_chapter, read_cells

NOT_TAKEN = "not_taken.csv"
SHOWN = 10


@dataclass
class Collected:
    """What came of a collection: the students, with what of theirs was left, and the files by chapter and student.

    `unknown`: ids that the roster does not have; `nobodys`: files of no student; `hint`: what might be meant.
    """

    works: list[Work]
    unknown: list[str]
    nobodys: list[tuple[str, str]]
    files: dict[str, dict[str, list[Path]]] = field(default_factory=dict)
    hint: str = ""


@dataclass(frozen=True)
class _Look:
    """What a file turned out to be; no chapter where nothing says so. `broken`: why it is not a notebook any more."""

    piece: Piece
    chapter: str
    kind: str
    digest: str
    broken: str = ""


def collect(
    folder: Path,
    out: Path,
    id_from: str = "",
    roster: Path | None = None,
    due: str = "",
    chapter: str = "",
    several: bool = False,
) -> Collected:
    """Write every student's notebooks to `out/<chapter>/<student>/exercises.ipynb`, ready for `python -m utils.grade`.

    `folder`: a folder (or a zip) with one entry a student: a hand-out, a zip of it, or a notebook; `id_from` says where
    else the ids are (see `gather`). Beside each chapter is its class list, `out/<chapter>.csv`, with times and late
    marks; `out/not_taken.csv` has every file that was left. `chapter`: take this one only. `several`: number the
    notebooks of one kind that one student handed in, oldest first; else they are refused by name. Nothing is run.
    Raises CourseError where there is nothing to collect, `out` holds such a collection, or it cannot be written.
    """
    folder, out = Path(folder), Path(out)
    wanted = course.chapter_name(chapter).split("_")[0] if chapter else ""
    if out.resolve().is_relative_to(folder.resolve()):
        raise course.CourseError(f"{out} is inside {folder}: name a folder elsewhere.")
    gathered = gather([folder], id_from)
    works, unknown = enrolling.enrol(gathered.works, roster, due)
    done = Collected(works, unknown, gathered.nobodys, hint=gathered.hint)
    looks = {work.student: _looks(work) for work in works}
    told = Counter(look.chapter for found in looks.values() for look in found if look.chapter)
    usual = wanted or (told.most_common(1)[0][0] if told else next(iter(course.chapters())))
    chosen = {work.student: _choose(work, looks[work.student], usual, wanted) for work in works}
    if not several:
        _refuse_several(chosen, done.hint)
    keys = sorted({key for found in chosen.values() for key, _ in found}) or [usual]
    for path in [out / name for key in keys for name in (key, f"{key}.csv")]:
        if path.exists():  # students of another collection would be graded along, and what was corrected be lost
            more = "" if wanted else ", or take one chapter with --chapter"
            raise course.CourseError(f"{path} is of an earlier collection: name another folder{more}.")
    with writing(out):
        for key in keys:
            done.files[key] = {}
            for student, found in chosen.items():
                if files := _write(found, key, out / key / folder_name(student)):
                    done.files[key][student] = files
            enrolling.write(works, done.files[key], out / f"{key}.csv")
        left = [(work.student, *one) for work in works for one in work.left] + [("", *one) for one in done.nobodys]
        write_table(out / NOT_TAKEN, [("student", "file", "reason"), *left])
    return done


def _looks(work: Work) -> list[_Look]:
    """What each file of a student is, oldest first; one that can't be read is left."""
    found = []
    for piece in sorted(work.pieces, key=lambda piece: (piece.order, piece.name)):
        try:
            found.append(limited(lambda piece=piece: _look(piece, piece.read()), seconds=READ_SECONDS))
        except Exhausted as error:
            work.left.append((piece.where, str(error)))
            work.problem = f"{piece.name} {error}."
        except (Unreadable, course.CourseError) as error:
            why = f"is a notebook of another course ({error})" if isinstance(error, course.CourseError) else str(error)
            work.left.append((piece.where, why))
            work.problem = f"{piece.name} {why}."
    return found


def _look(piece: Piece, data: bytes) -> _Look:
    """Chapter and kind of a notebook: by its mark or its cells, else by its place in a hand-out."""
    digest, broken = hashlib.sha256(data).hexdigest(), ""
    try:
        chapter, kind = course_chapter(*read_cells(data), handed_in=True) or ("", "")
        chapter = "" if chapter == course.START else chapter
    except ValueError as error:  # not a notebook any more: grading says so to its student
        chapter, kind, broken = "", "", str(error)
    keys = {name: key for key, name in course.chapters().items()}
    chapter = chapter or next((keys[part] for part in piece.parts if part in keys), "")
    named = PLAIN.match(Path(piece.parts[-1]).stem)
    if kind not in ("exercises", "optional"):
        kind = named[2].lower() if named else "exercises"
    return _Look(piece, chapter, kind, digest, broken)


def _choose(work: Work, looks: list[_Look], usual: str, wanted: str) -> dict[tuple[str, str], list[Piece]]:
    """A student's notebooks by chapter and kind; the others are left, each with its reason."""
    known = any(look.chapter for look in looks)
    chosen: dict[tuple[str, str], dict[str, Piece]] = {}
    for look in looks:
        chapter, why = look.chapter or usual, ""
        rivals = chosen.setdefault((chapter, look.kind), {})
        if wanted and chapter != wanted:
            why = f"is a notebook of {chapter}"
        elif known and not look.chapter and not look.broken:
            why = "holds no exercise of the course"
        elif look.digest in rivals:
            why = f"is the same as {rivals[look.digest].where}"
        if why:
            work.left.append((look.piece.where, why))
            continue
        rivals[look.digest] = look.piece
        if not look.chapter:
            says = look.broken or "does not say which chapter it is of"
            work.problem = f"{look.piece.name} {says}: it was treated as one of {chapter}."
    found = {key: list(pieces.values()) for key, pieces in chosen.items() if pieces}
    if not found and not work.problem:
        work.problem = (
            "There is no notebook of the course: " + "; ".join(f"{n} {why}" for n, why in work.left[:3]) + "."
        )
    return found


def _refuse_several(chosen: dict[str, dict], hint: str) -> None:
    """Raises CourseError for notebooks that would become one student's, naming them."""
    clashes = [
        f"{student}: "
        + " and ".join(piece.where for piece in pieces[:3])
        + f" are {len(pieces)} notebooks of {key} {kind}"
        for student, found in chosen.items()
        for (key, kind), pieces in found.items()
        if len(pieces) > 1
    ]
    if clashes:
        more = [f"... and {len(clashes) - SHOWN} more"] if len(clashes) > SHOWN else []
        advice = hint or "If they are of several students, tell where their ids are (--id-from)."
        advice += " If they are one student's, --several takes them all, and the newest is graded."
        raise course.CourseError("\n".join([*clashes[:SHOWN], *more, f"Nothing was collected. {advice}"]))


def _write(found: dict[tuple[str, str], list[Piece]], chapter: str, folder: Path) -> list[Path]:
    """Write a student's notebooks of a chapter; of two answers, grading takes the later one. Raises OSError."""
    files = []
    for (key, kind), pieces in sorted(found.items()):
        for number, piece in enumerate(pieces if key == chapter else (), 1):
            suffix = ".py" if piece.is_text else ".ipynb"
            file = folder / (f"{kind}{suffix}" if number == 1 else f"{kind}-{number}{suffix}")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(piece.read())
            if piece.order > 0:
                os.utime(file, (piece.order, piece.order))
            files.append(file)
    return files
