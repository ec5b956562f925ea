"""Find the notebooks of a class in files, folders and zips, and tell whose they are. Nothing is unpacked to disk.

One folder or zip holds a class: each entry at its top is one student's work, whatever the notebooks inside are called.
Of several paths each is one student's. So no student's zip or folder can hand in for another.
"""

import io
import os
import re
import unicodedata
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from utils import course
from utils.grade.submission import clean, metadata_value, read_cells

LARGEST = 50 * 2**20  # bytes of one notebook, of one zip within a zip, however well they were packed
MOST_MEMBERS = 50_000
DEEPEST = 3  # a class's zip of students' zips, and one more
NOT_THEIRS = re.compile(r"^(\.|__MACOSX$)")  # hidden files, checkpoints, what macOS adds
NOT_WORK = re.compile(r"\.(backup-\d+|new(-\d+)?)\.ipynb$")  # what the build wrote beside somebody's work
PLAIN = re.compile(r"(?i)^(copy[ _]of[ _]|kopie[ _]von[ _])?(exercises|optional)([ _-]*(copy)?[ _-]*\(?\d*\)?)$")


class Unreadable(Exception):
    """A submission that cannot be read; its text is the end of the sentence that says so."""


@dataclass(frozen=True)
class Piece:
    """One notebook file: a path on disk, and for one in a zip the members that lead to it."""

    path: Path
    members: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # the folders, zips and the file's own name
    entry: int = 0  # which of the parts is the student's: what was given, or what lies at the top of it
    order: float = 0.0  # when it was changed last

    @property
    def name(self) -> str:
        return "/".join([self.path.name, *self.members])

    def read(self) -> bytes:
        """The file's bytes. Raises Unreadable."""
        try:
            if not self.members:
                if self.path.stat().st_size > LARGEST:
                    raise Unreadable(f"is larger than {LARGEST // 2**20} MB")
                return self.path.read_bytes()
            data = self.path.read_bytes() if len(self.members) > 1 else None
            for member in self.members:
                with zipfile.ZipFile(self.path if data is None else io.BytesIO(data)) as archive:
                    data = _member(archive, archive.getinfo(member))
            return data
        except Unreadable:
            raise
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror or error}") from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, EOFError, ValueError) as error:
            raise Unreadable(f"cannot be unpacked: {clean(str(error), 100)}") from None
        except Exception as error:  # zlib, lzma and bz2 have errors of their own
            raise Unreadable(f"cannot be unpacked ({type(error).__name__})") from None


@dataclass
class Work:
    """What one student handed in: notebooks, or the sentence that says why there is none."""

    student: str
    pieces: list[Piece] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def label(self) -> str:
        return clean(" + ".join(piece.name for piece in self.pieces))


def gather(paths: list[Path], id_from: str = "") -> list[Work]:
    """The submissions in those files, folders and zips, one per student, by student id.

    By default the id is the name of the student's entry (see above). `id_from`: "{student}_ch1.ipynb" or
    "{student}/exercises.ipynb" (matched against the end of a path; `*` stands for anything),
    "metadata:course.student", or "=ada" (all of it is hers). Raises CourseError for a path that does not exist, a
    pattern without {student}, two students under one id, one zip under two, or when nothing is found.
    """
    student_of = _namer(id_from)
    found: dict[str, Work] = {}
    owners: dict[str, tuple[str, str]] = {}
    zips: dict[str, str] = {}
    for path in map(Path, paths):
        for piece, problem in _below(path, alone=len(paths) == 1):
            raw, home, notice = student_of(piece)
            student = clean(raw, 100)
            key = unicodedata.normalize("NFKC", student).casefold()
            other = owners.setdefault(key, (raw, home))
            if other != (raw, home):
                names = [f"{name} ({place})" if place else name for name, place in (other, (raw, home))]
                raise course.CourseError(f"{names[0]} and {names[1]} have the same student id: rename one of them.")
            if (zipped := _own_zip(piece)) and zips.setdefault(zipped, student) != student:
                raise course.CourseError(f"{zipped} holds work of two students, {zips[zipped]} and {student}.")
            work = found.setdefault(student, Work(student))
            if notice and notice not in work.notices:
                work.notices.append(notice)
            if problem:
                work.notices.append(f"{piece.name} {problem}.")
                work.problem = f"{piece.name} {problem}."
            elif piece not in work.pieces:
                work.pieces.append(piece)
    for work in found.values():
        if work.pieces:
            work.problem = ""
    if not found:
        raise course.CourseError(f"No notebook (.ipynb) was found in {', '.join(map(str, paths)) or 'nothing'}.")
    return [found[student] for student in sorted(found, key=lambda name: (name.casefold(), name))]


def _own_zip(piece: Piece) -> str:
    """The zip at or above the piece that is one student's, as text; empty where none is."""
    for at in range(piece.entry, len(piece.parts) - 1):
        if piece.parts[at].lower().endswith(".zip"):
            return "/".join(piece.parts[piece.entry : at + 1])
    return ""


def _below(path: Path, alone: bool):
    """(piece, problem) for everything below one argument; a zip that cannot be opened is somebody's submission.

    `alone`: it is the only argument, so that a folder or a zip is a class.
    """
    if path.is_dir():
        for folder, names, files in os.walk(path):
            names[:] = sorted(name for name in names if not NOT_THEIRS.match(name))
            for name in sorted(files):
                file = Path(folder, name)
                if file.is_symlink() or not file.is_file() or NOT_THEIRS.match(name):
                    continue  # a link may lead to another student's work
                if name.lower().endswith((".ipynb", ".zip")):
                    yield from _file(file, (path.resolve().name, *file.relative_to(path).parts), int(alone))
    elif path.is_file():
        if not path.name.lower().endswith((".ipynb", ".zip")):
            raise course.CourseError(f"{path} is neither a notebook (.ipynb) nor a zip nor a folder.")
        parts = path.resolve().parts[1:]
        of_class = alone and path.name.lower().endswith(".zip")
        yield from _file(path, parts, len(parts) - 1 + of_class)
    else:
        raise course.CourseError(f"There is no file or folder {path}.")


def _file(file: Path, parts: tuple[str, ...], entry: int):
    if NOT_WORK.search(file.name):
        return
    try:
        changed = file.stat().st_mtime
    except OSError:
        changed = 0.0
    piece = Piece(file, (), parts, entry, changed)
    if not file.name.lower().endswith(".zip"):
        yield piece, ""
        return
    found = list(_archive(file, piece, 1))
    tops = {piece.parts[entry] for piece, _ in found if len(piece.parts) > entry}
    if entry == len(parts) and len(tops) == 1 and all(_hand_out(piece.parts[entry + 1 :]) for piece, _ in found):
        found = [(replace(piece, entry=entry - 1), problem) for piece, problem in found]  # one student's, not a class's
    yield from found


def _hand_out(parts: tuple[str, ...]) -> bool:
    return len(parts) > 1 and parts[0] == "chapters"


def _archive(source, zipped: Piece, depth: int):
    """Pieces in a zip; those of zips in it too, to a depth."""
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                yield zipped, f"holds more than {MOST_MEMBERS} files"
                return
            for info in members:
                names = PurePosixPath(info.filename.replace("\\", "/")).parts
                if info.is_dir() or not names or any(NOT_THEIRS.match(name) and name != ".." for name in names):
                    continue
                inner = Piece(
                    zipped.path,
                    (*zipped.members, info.filename),
                    (*zipped.parts, *(name for name in names if name not in ("..", "/"))),
                    zipped.entry,
                    _changed(info),
                )
                lower = names[-1].lower()
                if lower.endswith(".ipynb") and not NOT_WORK.search(names[-1]):
                    yield inner, ""
                elif lower.endswith(".zip") and depth < DEEPEST:
                    try:
                        data = _member(archive, info)
                    except Exception as error:
                        yield inner, str(error) if isinstance(error, Unreadable) else "cannot be unpacked"
                    else:
                        yield from _archive(io.BytesIO(data), inner, depth + 1)
    except Exception as error:  # a broken zip raises many kinds
        why = clean(str(error), 100) if isinstance(error, (zipfile.BadZipFile, OSError)) else type(error).__name__
        yield zipped, f"can't be opened as a zip file ({why})"


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes, as many as are allowed whatever its header promises. Raises Unreadable."""
    with archive.open(info) as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST // 2**20} MB unpacked")
    return data


def _changed(info: zipfile.ZipInfo) -> float:
    year, month, day, hour, minute, second = info.date_time
    return ((((year - 1970) * 12 + month) * 31 + day) * 24 + hour) * 3600 + minute * 60 + second


def _namer(id_from: str):
    """A function from a piece to (raw student id, the entry it is of or "", notice)."""
    if id_from.startswith("metadata:"):
        keys = id_from.removeprefix("metadata:").strip()
        if not keys:
            raise course.CourseError("--id-from metadata:KEY needs a key, such as metadata:course.student.")

        def by_metadata(piece: Piece) -> tuple[str, str, str]:
            try:
                value = metadata_value(read_cells(piece.read())[1], keys)
            except (Unreadable, ValueError):
                value = None
            if isinstance(value, (str, int)) and clean(str(value), 100):
                return str(value), _own_zip(piece), ""
            return *by_name(piece), f"{piece.name} has no {keys} in its metadata: the id was taken from its name."

        return by_metadata
    if not id_from:
        return lambda piece: (*by_name(piece), "")
    if id_from.startswith("="):
        if not clean(id_from[1:], 100):
            raise course.CourseError("--id-from =NAME needs a name.")
        return lambda piece: (id_from[1:], "", "")
    if id_from.count("{student}") != 1:
        raise course.CourseError(
            f"--id-from {id_from!r} must hold {{student}} once, as in '{{student}}_ch1.ipynb', or be metadata:KEY."
        )
    wanted = [part for part in id_from.replace("\\", "/").split("/") if part]
    patterns = [re.compile(_regex(part), re.IGNORECASE) for part in wanted]

    def by_pattern(piece: Piece) -> tuple[str, str, str]:
        parts = [re.sub(r"(?i)\.zip$", "", part) for part in piece.parts[-len(patterns) :]]
        if len(parts) == len(patterns):
            matches = [pattern.fullmatch(part) for pattern, part in zip(patterns, parts, strict=True)]
            if all(matches):
                student = next(match["student"] for match in matches if "student" in match.groupdict())
                if clean(student, 100):
                    return student, _own_zip(piece), ""
        return *by_name(piece), f"{piece.name} does not fit {id_from!r}: the id was taken from its name."

    return by_pattern


def _regex(part: str) -> str:
    pieces = re.split(r"(\{student\}|\*)", part)
    return "".join({"{student}": "(?P<student>.+?)", "*": ".*"}.get(piece, re.escape(piece)) for piece in pieces)


def by_name(piece: Piece) -> tuple[str, str]:
    """The default id and the entry it is of: the entry's name, or that of the folder (or zip) around it where the
    entry is called as everybody's is."""
    ours = {"chapters", *course.chapters().values()}
    names = [re.sub(r"(?i)\.(ipynb|zip)$", "", part) for part in piece.parts]
    for at in range(min(piece.entry, len(names) - 1), -1, -1):
        if not PLAIN.match(names[at]) and names[at] not in ours and clean(names[at], 100):
            return names[at], "/".join(piece.parts[: at + 1])
    return clean(names[-1], 100) or "unnamed", ""
