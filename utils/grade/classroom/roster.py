"""The class list: who belongs to a class, under which id, and what is known of each submission before it is graded."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from utils import course
from utils.grade.classroom.gather import Work
from utils.grade.classroom.record import folder_name
from utils.grade.exports.common import write_table

IDS = ("id", "student id", "student_id", "sid", "username", "login", "student")  # what the column may be called
NAMES = ("name", "full name", "student name", "student")
COLUMNS = ("id", "name", "submitted", "late", "note")  # of the list that `collect` writes
NOTHING = "Nothing was handed in."
OTHERS = "Nothing of this chapter was handed in."


@dataclass(frozen=True)
class Enrolment:
    """How submissions become those of a class."""

    # where the student ids are: canvas, moodle, nbgrader, classroom, gradescope, '{student}_ch1.ipynb',
    # '{student}/*.ipynb', metadata:KEY.KEY or =NAME
    id_from: str = ""
    roster: Path | None = None  # a CSV of the class: a column id, and name if you like
    due: str = ""  # such as '2026-12-01 23:59': later work is marked


@dataclass
class Person:
    """A line of the list; `note` says what became of a submission that holds no notebook."""

    id: str
    name: str = ""
    submitted: str = ""
    late: str = ""
    note: str = ""


class Roster:
    """The people of a class, found by their id or by anything else that the list says of one of them alone."""

    def __init__(self, file: Path):
        """Read a CSV with a line of titles. Raises CourseError: it cannot be read, or names nobody."""
        try:
            text = Path(file).read_bytes().decode("utf-8-sig")
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise course.CourseError(f"The roster {file} can't be read: {error}.") from None
        titles = {(title or "").strip().casefold(): title for title in (rows[0] if rows else ())}
        ids = next((titles[title] for title in IDS if title in titles), None)
        names = next((titles[title] for title in NAMES if title in titles and titles[title] != ids), None)
        self.people: dict[str, Person] = {}
        ways: dict[str, set[str]] = {}
        for row in rows:
            cells = {key: value.strip().removeprefix("'") for key, value in row.items() if key and value}
            key = cells.get(ids, "")
            if not key:  # the line of maximum points in a gradebook
                continue
            if key in self.people:
                raise course.CourseError(f"The roster {file} has the id {key!r} twice.")
            known = {column: cells.get(titles.get(column), "") for column in ("submitted", "late", "note")}
            self.people[key] = Person(key, cells.get(names, ""), **known)
            others = [value for column, value in cells.items() if column not in map(titles.get, COLUMNS[2:])]
            name = self.people[key].name
            turned = [" ".join([*name.split()[-1:], *name.split()[:-1]]), " ".join(name.split(",")[::-1])]
            for way in (*others, *turned, folder_name(key)):
                ways.setdefault(_plain(way), set()).add(key)
        if not self.people:
            raise course.CourseError(f"The roster {file} names nobody: it needs a column called id, with an id a line.")
        self.ways = {way: found.pop() for way, found in ways.items() if way and len(found) == 1}
        self.ways |= {_plain(key): key for key in self.people}

    def find(self, work: Work) -> Person | None:
        """Whose submission it is, by its id, its number on the platform, or its name."""
        found = (self.ways.get(_plain(way)) for way in (work.student, work.number, work.name))
        return self.people.get(next(filter(None, found), ""))


def _plain(text: str) -> str:
    """Letters and digits alone: platforms write "Doe, Jane" as doejane."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in text if c.isalnum()) or text


def enrol(works: list[Work], roster: Path | None = None, due: str = "") -> tuple[list[Work], list[str]]:
    """The works of a class in the order of the ids, and the ids that are not on the roster.

    With a roster each work gets its id and name there, and one who handed in nothing has a work without notebooks.
    Without a mark of the platform's own, a time after `due` makes a work late.
    Raises CourseError for two works of one person.
    """
    unknown: list[str] = []
    if roster is not None:
        people = Roster(roster)
        owners: dict[str, str] = {}
        for work in works:
            person = people.find(work)
            if person is None:
                unknown.append(work.student)
                work.notices.append(f"{work.student} is not on the roster.")
                continue
            if person.id in owners:
                raise course.CourseError(f"{owners[person.id]} and {work.student} are both {person.id} on the roster.")
            owners[person.id] = work.student
            work.student, work.name = person.id, person.name or work.name
            work.submitted, work.late = work.submitted or person.submitted, work.late or person.late
            work.notices += [person.note] if person.note else []
        for person in people.people.values():
            if person.id not in owners:
                about = {"name": person.name, "submitted": person.submitted, "late": person.late}
                works.append(Work(person.id, problem=person.note or NOTHING, **about))
    if due:
        end = moment(due)
        if end is None:
            raise course.CourseError(f"--due {due!r} isn't a time: write it like '2026-12-01 23:59'.")
        for work in works:
            if not work.late and (at := moment(work.submitted)):
                work.late = "yes" if at > end else "no"
    return sorted(works, key=lambda work: (work.student.casefold(), work.student)), unknown


def write(works: list[Work], taken: dict[str, list], file: Path) -> None:
    """Write the class list of a chapter, which `python -m utils.grade` reads; `taken`: whose notebooks there are."""
    rows = [COLUMNS]
    for work in works:
        note = work.problem or OTHERS * (work.student not in taken) or " ".join(work.notices)
        rows.append((work.student, work.name, work.submitted, work.late, note))
    write_table(file, rows)


def list_beside(folder: Path) -> Path | None:
    """The class list that `collect` wrote beside a chapter's submissions, if there is one."""
    file = folder.resolve().parent / f"{folder.resolve().name}.csv"
    try:
        with file.open(encoding="utf-8-sig") as opened:
            return file if opened.readline().strip() == ",".join(COLUMNS) else None
    except (OSError, UnicodeDecodeError):
        return None


def moment(text: str) -> datetime | None:
    """The time that a text gives, None for another text; without a zone it is this machine's."""
    found = re.match(r"([\d-]{10}(?:[T ][\d:.]+)?)\s*(.*)", text.strip())
    try:
        at, zone = datetime.fromisoformat(found[1]), found[2].strip()
        if not zone:
            return at.astimezone()
        if zone == "Z" or zone[0] in "+-":
            return datetime.fromisoformat(f"{at.isoformat()}{zone}")
        return at.replace(tzinfo=ZoneInfo(zone))
    except (TypeError, ValueError, OSError, KeyError, OverflowError):  # KeyError: a zone that is not known here
        return None
