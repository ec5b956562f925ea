"""Find the notebooks of a class in files, folders and zips, and tell whose they are. Nothing is unpacked to disk.

One folder or zip holds a class: each entry at its top is one student's work, whatever the notebooks inside are called.
Of several paths each is one student's. So no student's zip or folder can hand in for another. The layouts in which
learning platforms hand out downloads are told by name (layouts.py). What is not taken is kept with the reason.
"""

import io
import os
import re
import unicodedata
import zipfile
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from utils import course
from utils.grade.classroom.layouts import LAYOUTS, Layout, looks_like, submitters
from utils.grade.limited import Exhausted, limited
from utils.grade.submission import CELL_MARK, clean, metadata_value, read_cells

LARGEST = 200 * 2**20  # bytes of one notebook with its outputs, however well it was packed
LARGEST_ZIP = 50 * 2**20  # of one zip within a zip
LIST_SECONDS = 20  # of the processor, for the names in one zip and for one notebook's metadata
MOST_MEMBERS = 50_000
DEEPEST = 3  # a class's zip of students' zips, and one more
NOT_THEIRS = re.compile(
    r"^(\.|(__MACOSX|__pycache__|site-packages|node_modules)$)"
)  # hidden files, what macOS and Python add
BY_A_PROGRAM = "was made by a program"  # said in the list of what was not taken, and nowhere else
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
    entry: int = 0  # which of the parts is the student's: what was given, or what is at the top of it
    order: float = 0.0  # when it was changed last

    @property
    def name(self) -> str:
        return "/".join([self.path.name, *self.members])

    @property
    def where(self) -> str:
        """Where it is in the class's folder or zip, the student's entry first."""
        return "/".join(self.parts[self.entry :]) or self.name

    @property
    def is_text(self) -> bool:
        """Whether it is a Python file: jupytext's form of a notebook, perhaps."""
        return self.parts[-1].lower().endswith(".py")

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
                    last = member is self.members[-1]
                    data = _member(archive, archive.getinfo(member), LARGEST if last else LARGEST_ZIP)
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
    """What one student handed in: notebooks, or the sentence that says why there is none.

    `left`: (file, end of the sentence that says why it was not taken). `number`: of the platform that they came from.
    `submitted`: when, as text; `late`: "yes", "no", or empty where that isn't known.
    """

    student: str
    pieces: list[Piece] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    problem: str = ""
    left: list[tuple[str, str]] = field(default_factory=list)
    name: str = ""
    number: str = ""
    submitted: str = ""
    late: str = ""

    @property
    def label(self) -> str:
        return clean(" + ".join(piece.name for piece in self.pieces))

    @property
    def about(self) -> dict[str, str]:
        """What the record takes over: name, time and late mark."""
        return {"name": self.name, "submitted": self.submitted, "late": self.late}


class Who(NamedTuple):
    """Whose a file is: the id as written there; `home` tells two students of one id apart, `notice` is told.

    `theirs`: whether a file that isn't a notebook is theirs too.
    """

    student: str
    home: str = ""
    notice: str = ""
    theirs: bool = True
    late: str = ""
    submitted: str = ""
    name: str = ""


@dataclass
class Gathered:
    """The submissions by student id, and the files that are nobody's, each with the end of a sentence that says why.

    `hint`: a sentence where the names look like a platform's that was not told.
    """

    works: list[Work]
    nobodys: list[tuple[str, str]]
    hint: str = ""


def gather(paths: list[Path], id_from: str = "") -> Gathered:
    """The submissions in those files, folders and zips, one per student, by student id.

    By default the id is the name of the student's entry (see above). `id_from`: a layout ("canvas", "moodle", ...),
    "{student}_ch1.ipynb" or "{student}/exercises.ipynb" (matched against the end of a path; `*` stands for anything),
    "metadata:course.student", or "=ada" (all of it is hers). Raises CourseError for a path that does not exist, a
    pattern without {student}, two students under one id, one zip under two, or when nothing is found.
    """
    everything = [item for path in map(Path, paths) for item in _below(path, alone=len(paths) == 1)]
    whose = _Platform(everything, LAYOUTS[id_from]) if id_from in LAYOUTS else _namer(id_from)
    found: dict[str, Work] = {}
    owners: dict[str, tuple[str, str]] = {}
    zips: dict[str, str] = {}
    loose, nobodys = [], []
    own = (LAYOUTS[id_from].stamp, LAYOUTS[id_from].index) if id_from in LAYOUTS else ()  # the platform's files
    for piece, why in everything:
        for who in whose(piece) if piece.parts[-1] not in own else ():
            if not who.theirs and (why or id_from in LAYOUTS):
                loose.append((who, piece, why or f"isn't where {id_from} keeps a student's work"))
                continue
            student = clean(who.student, 100)
            key, owner = unicodedata.normalize("NFKC", student).casefold(), (who.student, who.home)
            other = owners.setdefault(key, owner)
            if other != owner:
                names = [f"{name} ({home})" if home else name for name, home in (other, owner)]
                raise course.CourseError(f"{names[0]} and {names[1]} have the same student id: rename one of them.")
            if not (why or own) and (zipped := _own_zip(piece)) and zips.setdefault(zipped, student) != student:
                raise course.CourseError(f"{zipped} holds work of two students, {zips[zipped]} and {student}.")
            work = found.setdefault(student, Work(student, name=clean(who.name)))
            work.number = who.home if id_from in LAYOUTS else ""
            work.late, work.submitted = max(work.late, who.late), max(work.submitted, who.submitted)
            if who.notice and not why and who.notice not in work.notices:
                work.notices.append(who.notice)
            if why:
                work.left.append((piece.where, why))
            elif piece not in work.pieces:
                work.pieces.append(piece)
    for who, piece, why in loose:
        owner = found.get(clean(who.student, 100))
        (owner.left if owner else nobodys).append((piece.where, why))
    for work in found.values():
        _without_pairs(work)
        if not work.pieces:
            named = sorted(work.left, key=lambda one: (one[1] == BY_A_PROGRAM, not one[0].lower().endswith(".zip")))
            work.problem = f"There is no notebook: {named[0][0]} {named[0][1]}."
    if not found:
        said = "; ".join(f"{name} {why}" for name, why in nobodys[:3])
        where = ", ".join(map(str, paths)) or "nothing"
        raise course.CourseError(f"No notebook (.ipynb) was found in {where}{f' ({said})' if said else ''}.")
    works = [found[student] for student in sorted(found, key=lambda name: (name.casefold(), name))]
    layout = "" if id_from else looks_like([place(piece) for work in works for piece in work.pieces])
    hint = f"The names look like {layout}'s: --id-from {layout} reads the ids from them." if layout else ""
    return Gathered(works, nobodys, hint)


def _without_pairs(work: Work) -> None:
    """Leave out text notebooks that jupytext keeps beside an .ipynb of the same name."""
    notebooks = {piece.parts[:-1] + (Path(piece.parts[-1]).stem,) for piece in work.pieces if not piece.is_text}
    for piece in [piece for piece in work.pieces if piece.is_text]:
        if piece.parts[:-1] + (Path(piece.parts[-1]).stem,) in notebooks:
            work.pieces.remove(piece)
            work.left.append((piece.where, "is the text of the notebook of that name"))


def place(piece: Piece) -> str:
    """Where a file lies, from the folder or zip that was given on, for a layout to read."""
    return "/".join(re.sub(r"(?i)\.zip$", "", part) for part in piece.parts[max(0, piece.entry - 1) :])


def _beside(piece: Piece) -> bytes:
    """What a platform wrote beside the notebooks; nothing where it can't be read."""
    try:
        return piece.read()
    except Unreadable:
        return b""


class _Platform:
    """Whose a file is in a platform's download. Called with a piece; nobody where it is elsewhere."""

    def __init__(self, everything, layout: Layout):
        self.layout = layout
        places = [(layout.read(place(piece)), piece) for piece, _ in everything]
        index = [piece for found, piece in places if found is None and piece.parts[-1] == layout.index]
        self.index = submitters(_beside(index[0])) if index else {}
        self.stamps = {
            found["student"]: clean(_beside(piece)[:200].decode(errors="replace"), 60)
            for found, piece in places
            if found and layout.stamp and found["rest"] == layout.stamp
        }
        numbers: dict[str, set[str]] = {}
        for found in (found for found, _ in places if found):
            numbers.setdefault(found["student"], set()).add(found.get("number") or "")
        self.shared = {student for student, found in numbers.items() if len(found) > 1}

    def __call__(self, piece: Piece) -> list[Who]:
        found = self.layout.read(place(piece))
        if found is None:
            return [Who(piece.parts[-1], theirs=False)]
        student, number = found["student"], found.get("number") or ""
        if student in self.index:
            return [Who(one["id"], student, "", True, "", one["time"], one["name"]) for one in self.index[student]]
        late = "" if "late" not in found else "yes" if found["late"] else "no"
        submitted = found.get("time") or self.stamps.get(student, "")
        return [Who(f"{student}_{number}" if student in self.shared else student, number, "", True, late, submitted)]


def _own_zip(piece: Piece) -> str:
    """The zip at or above the piece that is one student's, as text; empty where none is."""
    for at in range(piece.entry, len(piece.parts) - 1):
        if piece.parts[at].lower().endswith(".zip"):
            return "/".join(piece.parts[piece.entry : at + 1])
    return ""


def _below(path: Path, alone: bool):
    """(piece, why) for everything below one argument: taken where there is no `why`, the end of a sentence.

    `alone`: it is the only argument, so that a folder or a zip is a class.
    """
    if path.is_dir():
        home = path.resolve().name
        for folder, names, files in os.walk(path):
            for name in sorted([*names, *files]):
                file = Path(folder, name)
                piece = Piece(file, (), (home, *file.relative_to(path).parts), int(alone))
                if NOT_THEIRS.match(name):
                    yield piece, BY_A_PROGRAM
                elif file.is_symlink():  # it may lead to another student's work
                    yield piece, "is a link, and links are not followed"
                elif name in names:
                    try:
                        if not any(file.iterdir()):
                            yield piece, "is an empty folder"
                    except OSError as error:
                        yield piece, f"cannot be read: {error.strerror or error}"
                elif not file.is_file():
                    yield piece, "isn't a file"
                else:
                    yield from _listed(file, piece.parts, piece.entry)
            names[:] = sorted(name for name in names if not NOT_THEIRS.match(name))
    elif path.is_file():
        if alone and not path.name.lower().endswith((".ipynb", ".py", ".zip")):
            raise course.CourseError(f"{path} is neither a notebook (.ipynb) nor a zip nor a folder.")
        parts = path.resolve().parts[1:]
        of_class = alone and path.name.lower().endswith(".zip")
        yield from _listed(path, parts, len(parts) - 1 + of_class)
    else:
        raise course.CourseError(f"There is no file or folder {path}.")


def _listed(file: Path, parts: tuple[str, ...], entry: int):
    """(piece, why) of one file, or of all in a zip, which is opened under limits of time and memory."""
    try:
        piece = Piece(file, (), parts, entry, file.stat().st_mtime)
    except OSError:
        piece = Piece(file, (), parts, entry)
    if not file.name.lower().endswith(".zip"):
        yield from _looked_at(piece)
        return
    try:
        yield from limited(_unzipped, piece, seconds=LIST_SECONDS)
    except Exhausted as error:
        yield piece, str(error)


def _unzipped(zipped: Piece) -> list[tuple[Piece, str]]:
    found, entry = list(_archive(zipped.path, zipped, 1)), zipped.entry
    taken = [piece.parts for piece, why in found if not why]
    one_top = len({inner[entry] for inner in taken if len(inner) > entry}) == 1
    if entry == len(zipped.parts) and one_top and all(inner[entry + 1 : -1][:1] == ("chapters",) for inner in taken):
        return [(replace(piece, entry=entry - 1), why) for piece, why in found]  # one student's hand-out, not a class's
    return found


def _looked_at(piece: Piece):
    """A file that isn't a zip, with the reason why it is not taken; the course's own files are passed over."""
    name = piece.parts[-1]
    if NOT_WORK.search(name):
        yield piece, "is a copy that the course's build made"
    elif "/".join(piece.parts).endswith(course.START_PAGE):
        return  # every hand-out has it
    elif name.lower().endswith(".ipynb"):
        yield piece, ""
    elif any(_ours(piece.parts[at:]) for at in range(piece.entry, len(piece.parts))):
        return
    elif piece.is_text:
        try:
            cells = CELL_MARK.search(piece.read())
        except Unreadable as error:
            yield piece, str(error)
        else:
            yield piece, "" if cells else "is Python without notebook cells (# %%)"
    else:
        yield piece, "isn't a notebook"


@lru_cache(maxsize=4096)
def _ours(parts: tuple[str, ...]) -> bool:
    return course.ROOT.joinpath(*parts).is_file()


def _archive(source, zipped: Piece, depth: int):
    """Pieces in a zip; those of zips in it too, to a depth."""
    told = set()
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                yield zipped, f"holds more than {MOST_MEMBERS} files"
                return
            for info in members:
                names = PurePosixPath(info.filename.replace("\\", "/")).parts
                if info.is_dir() or not names:
                    continue
                made = next((at for at, name in enumerate(names) if NOT_THEIRS.match(name) and name != ".."), None)
                names = names[: None if made is None else made + 1]
                inner = Piece(
                    zipped.path,
                    (*zipped.members, info.filename if made is None else "/".join(names)),
                    (*zipped.parts, *(name for name in names if name not in ("..", "/"))),
                    zipped.entry,
                    _changed(info),
                )
                if made is not None:
                    if inner.parts not in told:  # a folder once, not each of its files
                        told.add(inner.parts)
                        yield inner, BY_A_PROGRAM
                elif not names[-1].lower().endswith(".zip"):
                    yield from _looked_at(inner)
                elif depth >= DEEPEST:
                    yield inner, f"is a zip inside {DEEPEST} others"
                else:
                    try:
                        data = _member(archive, info, LARGEST_ZIP)
                    except Exception as error:
                        yield inner, str(error) if isinstance(error, Unreadable) else "cannot be unpacked"
                    else:
                        yield from _archive(io.BytesIO(data), inner, depth + 1)
    except Exception as error:  # a broken zip raises many kinds
        why = clean(str(error), 100) if isinstance(error, (zipfile.BadZipFile, OSError)) else type(error).__name__
        yield zipped, f"can't be opened as a zip file ({why})"


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """A member's bytes, as many as are allowed whatever its header promises. Raises Unreadable."""
    with archive.open(info) as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise Unreadable(f"is larger than {most // 2**20} MB unpacked")
    return data


def _changed(info: zipfile.ZipInfo) -> float:
    year, month, day, hour, minute, second = info.date_time
    return ((((year - 1970) * 12 + month) * 31 + day) * 24 + hour) * 3600 + minute * 60 + second


def _namer(id_from: str):
    """A function from a piece to the students that it is of: one."""
    if not id_from:
        return lambda piece: [by_name(piece)]
    if id_from.startswith("="):
        if not clean(id_from[1:], 100):
            raise course.CourseError("--id-from =NAME needs a name.")
        return lambda piece: [Who(id_from[1:])]
    told, lacks = _by_metadata(id_from) if id_from.startswith("metadata:") else _by_pattern(id_from)

    def named(piece: Piece) -> list[Who]:
        student = told(piece)
        if isinstance(student, (str, int)) and clean(str(student), 100):
            return [Who(str(student), _own_zip(piece))]
        return [by_name(piece)._replace(notice=f"{piece.name} {lacks}: the id was taken from its name.")]

    return named


def _by_metadata(id_from: str):
    """A function from a piece to the id in its metadata, and what is said of a piece without one."""
    keys = id_from.removeprefix("metadata:").strip()
    if not keys:
        raise course.CourseError("--id-from metadata:KEY needs a key, such as metadata:course.student.")

    def told(piece: Piece):
        try:
            return limited(lambda: metadata_value(read_cells(piece.read())[1], keys), seconds=LIST_SECONDS)
        except (Unreadable, ValueError, Exhausted):
            return None

    return told, f"has no {keys} in its metadata"


def _by_pattern(id_from: str):
    """As `_by_metadata`, by a pattern that the end of the path must fit."""
    if id_from.count("{student}") != 1:
        raise course.CourseError(
            f"--id-from {id_from!r} must be {', '.join(LAYOUTS)}, or hold {{student}} once, as in "
            "'{student}_ch1.ipynb', or be metadata:KEY."
        )
    wanted = "/".join(part for part in id_from.replace("\\", "/").split("/") if part)
    stands_for = {"{student}": "(?P<student>[^/]+?)", "*": "[^/]*"}
    bits = [stands_for.get(bit, re.escape(bit)) for bit in re.split(r"(\{student\}|\*)", wanted)]
    pattern = re.compile(rf"(?is)(?:^|/){''.join(bits)}\Z")

    def told(piece: Piece):
        found = pattern.search("/".join(re.sub(r"(?i)\.zip$", "", part) for part in piece.parts))
        return found and found["student"]

    return told, f"does not fit {id_from!r}"


def by_name(piece: Piece) -> Who:
    """The default id and the entry it is of: the entry's name, or that of the folder (or zip) around it where the
    entry is called as everybody's is."""
    ours = {"chapters", *course.chapters().values()}
    names = [re.sub(r"(?i)\.(ipynb|py|zip)$", "", part) for part in piece.parts]
    inside = len(names) > piece.entry + 1 or piece.parts[-1].lower().endswith(".zip")
    inside = inside or (piece.path.is_dir() and not NOT_THEIRS.match(piece.parts[-1]))
    names[-1] = names[-1] if inside else Path(piece.parts[-1]).stem
    for at in range(min(piece.entry, len(names) - 1), -1, -1):
        if not PLAIN.match(names[at]) and names[at] not in ours and clean(names[at], 100):
            return Who(names[at], "/".join(piece.parts[: at + 1]), theirs=inside)
    return Who(clean(names[-1], 100) or "unnamed", theirs=inside)
