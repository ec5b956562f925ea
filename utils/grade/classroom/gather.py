"""Find the notebooks of a class in files, folders and zips, and tell whose they are. Nothing is unpacked to disk."""

import io
import os
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from utils import course
from utils.grade.classroom.reading import clean, metadata_value, read_cells

LARGEST = 50 * 2**20  # bytes of one notebook, of one zip within a zip, however well they were packed
MOST_MEMBERS = 50_000
DEEPEST = 3  # a class's zip of students' zips, and one more
NOT_THEIRS = re.compile(r"^(\.|__MACOSX$)")  # hidden files, checkpoints, what macOS adds
BACKUP = re.compile(r"\.backup-\d+\.ipynb$")
PLAIN = re.compile(r"(?i)^(copy[ _]of[ _]|kopie[ _]von[ _])?(exercises|optional)([ _-]*(copy)?[ _-]*\(?\d*\)?)$")


class Unreadable(Exception):
    """A submission that cannot be read; its text is the end of the sentence that says so."""


@dataclass(frozen=True)
class Piece:
    """One notebook file: a path on disk, and for one in a zip the members that lead to it."""

    path: Path
    members: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # what a student id is read from: folders, zips and the file's own name
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

    `id_from`: "{student}_ch1.ipynb" or "{student}/exercises.ipynb" (matched against the end of a path; `*` stands for
    anything), "metadata:course.student", or "=ada" (all of it is hers).
    Raises CourseError for a path that does not exist, a pattern without {student}, or when nothing is found.
    """
    student_of = _namer(id_from)
    found: dict[str, Work] = {}
    for path in paths:
        for entry in _below(Path(path)):
            if isinstance(entry, tuple):  # a zip that cannot be opened is somebody's submission
                piece, problem = entry
            else:
                piece, problem = entry, ""
            student, notice = student_of(piece)
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


def _below(path: Path):
    """Pieces below one argument, or (piece, problem)."""
    if path.is_dir():
        for folder, names, files in os.walk(path):
            names[:] = sorted(name for name in names if not NOT_THEIRS.match(name))
            for name in sorted(files):
                file = Path(folder, name)
                if file.is_symlink() or not file.is_file() or NOT_THEIRS.match(name):
                    continue  # a link may lead to another student's work
                if name.lower().endswith((".ipynb", ".zip")):
                    yield from _file(file, (path.resolve().name, *file.relative_to(path).parts))
    elif path.is_file():
        if not path.name.lower().endswith((".ipynb", ".zip")):
            raise course.CourseError(f"{path} is neither a notebook (.ipynb) nor a zip nor a folder.")
        yield from _file(path, path.resolve().parts[1:])
    else:
        raise course.CourseError(f"There is no file or folder {path}.")


def _file(file: Path, parts: tuple[str, ...]):
    if BACKUP.search(file.name):
        return
    try:
        changed = file.stat().st_mtime
    except OSError:
        changed = 0.0
    piece = Piece(file, (), parts, changed)
    if not file.name.lower().endswith(".zip"):
        yield piece
        return
    yield from _archive(file, piece, 1)


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
                stem = Path(zipped.parts[-1]).stem
                inner = Piece(
                    zipped.path,
                    (*zipped.members, info.filename),
                    (*zipped.parts[:-1], stem, *(name for name in names if name not in ("..", "/"))),
                    _changed(info),
                )
                lower = names[-1].lower()
                if lower.endswith(".ipynb") and not BACKUP.search(names[-1]):
                    yield inner
                elif lower.endswith(".zip") and depth < DEEPEST:
                    try:
                        data = _member(archive, info)
                    except Exception as error:
                        yield inner, str(error) if isinstance(error, Unreadable) else "cannot be unpacked"
                    else:
                        yield from _archive(io.BytesIO(data), inner, depth + 1)
    except Exception as error:  # a broken zip raises many kinds
        why = clean(str(error), 100) if isinstance(error, (zipfile.BadZipFile, OSError)) else type(error).__name__
        yield zipped, f"is no zip that can be opened ({why})"


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
    """A function from a piece to (student id, notice)."""
    if id_from.startswith("metadata:"):
        keys = id_from.removeprefix("metadata:").strip()
        if not keys:
            raise course.CourseError("--id-from metadata:KEY needs a key, such as metadata:course.student.")

        def by_metadata(piece: Piece) -> tuple[str, str]:
            try:
                value = metadata_value(read_cells(piece.read())[1], keys)
            except (Unreadable, ValueError):
                value = None
            if isinstance(value, (str, int)) and clean(str(value), 100):
                return clean(str(value), 100), ""
            return by_name(piece), f"{piece.name} has no {keys} in its metadata: the id was taken from its name."

        return by_metadata
    if not id_from:
        return lambda piece: (by_name(piece), "")
    if id_from.startswith("="):
        if not clean(id_from[1:], 100):
            raise course.CourseError("--id-from =NAME needs a name.")
        return lambda piece: (clean(id_from[1:], 100), "")
    if id_from.count("{student}") != 1:
        raise course.CourseError(
            f"--id-from {id_from!r} must hold {{student}} once, as in '{{student}}_ch1.ipynb', or be metadata:KEY."
        )
    wanted = [part for part in id_from.replace("\\", "/").split("/") if part]
    patterns = [re.compile(_regex(part), re.IGNORECASE) for part in wanted]

    def by_pattern(piece: Piece) -> tuple[str, str]:
        parts = piece.parts[-len(patterns) :]
        if len(parts) == len(patterns):
            matches = [pattern.fullmatch(part) for pattern, part in zip(patterns, parts, strict=True)]
            if all(matches):
                student = next(match["student"] for match in matches if "student" in match.groupdict())
                if clean(student, 100):
                    return clean(student, 100), ""
        return by_name(piece), f"{piece.name} does not fit {id_from!r}: the id was taken from its name."

    return by_pattern


def _regex(part: str) -> str:
    text = "".join("(?P<student>.+?)" if p == "{student}" else ".*" if p == "*" else re.escape(p) for p in _split(part))
    return text


def _split(part: str) -> list[str]:
    return [piece for piece in re.split(r"(\{student\}|\*)", part) if piece]


def by_name(piece: Piece) -> str:
    """The default id: the file's name, or that of its folder (or zip) where the file is called as it was handed out."""
    names = [Path(piece.parts[-1]).stem, *reversed(piece.parts[:-1])]
    for name in names:
        if not PLAIN.match(name) and (name := clean(name, 100)):
            return name
    return clean(names[0], 100) or "unnamed"
