"""What platforms hand out is read back under the right ids, and nothing that a class handed in is lost in silence."""

import csv
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils import course
from utils.chapter import load_chapter
from utils.course import CourseError
from utils.grade import __main__ as commands
from utils.grade.classroom.gather import gather
from utils.grade.classroom.roster import Enrolment, Roster, list_beside, moment
from utils.grade.classroom.run import Options, grade_class
from utils.grade.collect import collect

NAME = course.chapter_name("ch1")
PLACE = f"chapters/{NAME}/exercises.ipynb"
SETUP = 'from utils.learn import *\nstart_chapter("{}")'
YML = """\
---
submission_456:
  :submitters:
  - :name: Doe, Jane
    :sid: '0017'
    :email: jane@school.example
  :created_at: 2026-11-28 10:00:00.000000000 -05:00
  :score: 3.0
  :results:
    :output: "submission_457: never mind"
submission_457:
  :submitters:
  - :name: Roe, Eric
    :sid:
    :email: eric@school.example
  - :name: "M\\u00fcller, Zo\\u00eb"
    :sid: '19'
    :email: zoe@school.example
  :created_at: 2026-12-02 10:00:00.000000000 -05:00
"""


def notebook(text: str, chapter: str = "ch1", kind: str = "exercises") -> str:
    marks = {"course": {"chapter": chapter, "notebook": kind}} if chapter else {}
    return nbformat.writes(new_notebook(cells=[new_code_cell(text)], metadata=marks))


def put(home: Path, *names: str) -> Path:
    """Files of a download: a notebook that holds the file's name as its only cell, unless it isn't a notebook."""
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        made = notebook(f"# {name}", kind="optional" if "optional" in name else "exercises")
        (home / name).write_text(made if name.endswith(".ipynb") else name, encoding="utf-8")
    return home


def zipped(folder: Path) -> Path:
    """The folder as the zip that a platform makes of it."""
    with zipfile.ZipFile(f"{folder}.zip", "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(folder))
    return Path(f"{folder}.zip")


def table(file: Path) -> list[dict]:
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"))))


CANVAS = ("doejane_12345_678901_exercises.ipynb", "doejane_12345_678902_optional.ipynb")
CANVAS += ("roeeric_LATE_12346_678903_exercises-1.ipynb", "saoyun_12347_678904_essay.pdf")
MOODLE = ("Jane Doe_1234567_assignsubmission_file_/exercises.ipynb", "Jane Doe_1234567_assignsubmission_file_/my.pdf")
MOODLE += (
    "Eric Roe_1234568_assignsubmission_file_exercises.ipynb",
    "Eric Roe_1234568_assignsubmission_onlinetext.html",
)
NBGRADER = ("submitted/jane/ps1/exercises.ipynb", "submitted/eric/ps1/exercises.ipynb", "submitted/eric/ps1/notes.txt")
NBGRADER += ("source/ps1/exercises.ipynb", "autograded/jane/ps1/exercises.ipynb")
CLASSROOM = (f"ch1-submissions/ch1-jane-d/{PLACE}", "ch1-submissions/ch1-eric/exercises.ipynb")
GRADESCOPE = ("submission_456/exercises.ipynb", f"submission_457/{PLACE}")
LAYOUT_CASES = {
    "canvas": (CANVAS, {"doejane": "", "roeeric": "", "saoyun": ""}),
    "moodle": (MOODLE, {"Jane Doe": "", "Eric Roe": ""}),
    "nbgrader": (NBGRADER, {"jane": "2026-11-30 22:10:00.5 UTC", "eric": "2026-12-01 09:00:00 Europe/Berlin"}),
    "classroom": (CLASSROOM, {"jane-d": "", "eric": ""}),
    "gradescope": (
        GRADESCOPE,
        {
            "0017": "2026-11-28 10:00:00 -05:00",
            "eric@school.example": "2026-12-02 10:00:00 -05:00",
            "19": "2026-12-02 10:00:00 -05:00",
        },
    ),
}


def download(layout: str, home: Path) -> dict[str, str]:
    """Lay a platform's download out below `home`; {student: time}."""
    names, times = LAYOUT_CASES[layout]
    put(home, *names)
    if layout == "nbgrader":
        for student, time in times.items():
            (home / f"submitted/{student}/ps1/timestamp.txt").write_text(time + "\n", encoding="utf-8")
    if layout == "gradescope":
        (home / "submission_metadata.yml").write_text(YML, encoding="utf-8")
    return times


@pytest.mark.parametrize("form", ["a folder", "its zip", "the zip in a folder"])
@pytest.mark.parametrize("layout", LAYOUT_CASES)
def test_the_layouts_of_platforms(tmp_path, layout, form):
    """The folder as it is unpacked, the zip as it comes, and the zip where the browser put it."""
    home = tmp_path / "downloads" / "submissions" if form == "the zip in a folder" else tmp_path / "submissions"
    times = download(layout, home)
    given = home if form == "a folder" else zipped(home)
    if form == "the zip in a folder":
        shutil.rmtree(home)
        given = put(given.parent, "read me.txt")
    done = collect(given, tmp_path / "out", layout, due="2026-12-01 00:00 UTC")
    works = {work.student: work for work in done.works}
    assert {student: work.submitted for student, work in works.items()} == times
    names, _ = LAYOUT_CASES[layout]
    texts = [file.read_text(encoding="utf-8") for files in done.files["ch1"].values() for file in files]
    taken = [name for name in names if name.endswith(".ipynb") and not name.startswith(("source", "autograded"))]
    if form == "a folder" and layout != "gradescope":  # where a group of two has one submission
        assert len(texts) == len(taken) and all(any(f"# {name}" in text for text in texts) for name in taken)
    left = {row["file"].rpartition("/")[2] for row in table(tmp_path / "out" / "not_taken.csv")}
    others = {Path(name).name for name in names if not name.endswith(".ipynb")}
    assert others <= left and not left & {"timestamp.txt", "submission_metadata.yml"}
    if layout == "canvas":
        assert [works[student].late for student in ("doejane", "roeeric")] == ["no", "yes"]
        assert "essay.pdf isn't a notebook" in works["saoyun"].problem
    if layout == "nbgrader":
        assert (works["jane"].late, works["eric"].late) == ("no", "yes")
        assert ("source" in str(done.nobodys)) and ("autograded" in str(done.nobodys))
    if layout == "gradescope":
        assert {student: work.late for student, work in works.items()}["0017"] == "no" and works["19"].late == "yes"
        assert works["19"].name == "Müller, Zoë"


def test_nbgraders_inbound_folder_and_a_renamed_tree(tmp_path):
    put(
        tmp_path / "inbound",
        "ada+ps1+2026-11-30 10:00:00 UTC+x1y2/exercises.ipynb",
        "bob+ps1+2026-11-30 11:00:00 UTC/a.ipynb",
    )
    works = gather([tmp_path / "inbound"], "nbgrader").works
    assert [(work.student, work.submitted) for work in works] == [
        ("ada", "2026-11-30 10:00:00 UTC"),
        ("bob", "2026-11-30 11:00:00 UTC"),
    ]
    put(tmp_path / "from the hub", "ada/ps1/exercises.ipynb", "bob/ps1/exercises.ipynb")
    assert [work.student for work in gather([tmp_path / "from the hub"], "nbgrader").works] == ["ada", "bob"]


@pytest.mark.parametrize("text", ["", "a: [", "submission_456: 3", "submission_456: {':submitters': word}", "- 1"])
def test_an_index_that_is_none_leaves_the_submissions_their_numbers(tmp_path, text):
    (put(tmp_path / "in", *GRADESCOPE) / "submission_metadata.yml").write_text(text, encoding="utf-8")
    assert [work.student for work in gather([tmp_path / "in"], "gradescope").works] == [
        "submission_456",
        "submission_457",
    ]


def test_namesakes_of_a_platform_stay_two_students(tmp_path):
    put(tmp_path / "in", "doejane_1_10_exercises.ipynb", "doejane_2_11_exercises.ipynb")
    works = gather([tmp_path / "in"], "canvas").works
    assert [(work.student, len(work.pieces)) for work in works] == [("doejane_1", 1), ("doejane_2", 1)]


def test_a_students_own_names_do_not_make_work_of_another(tmp_path):
    """A zip that holds files named as the platform names another's stays its owner's."""
    put(tmp_path / "x", "roeeric_3_4_exercises.ipynb", "submission_457/a.ipynb", "submitted/eric/ps1/optional.ipynb")
    home = put(tmp_path / "in", "roeeric_3_5_exercises.ipynb")
    zipped(tmp_path / "x").rename(home / "doejane_1_2_all.zip")
    assert {w.student: len(w.pieces) for w in gather([home], "canvas").works} == {"doejane": 3, "roeeric": 1}


def test_notebooks_that_would_become_one_student_are_refused_by_name(tmp_path):
    home = put(tmp_path / "downloads" / "submissions", *CANVAS[:1], *CANVAS[2:3], "saoyun_12347_678905_a.ipynb")
    zipped(home)
    for name in home.iterdir():
        name.unlink()
    home.rmdir()
    with pytest.raises(CourseError) as caught:
        collect(home.parent, tmp_path / "out")
    said = str(caught.value)
    assert "submissions: submissions.zip/doejane_12345_678901_exercises.ipynb and" in said and "are 3 notebooks" in said
    assert "--id-from canvas" in said and "--several" in said and not (tmp_path / "out").exists()
    done = collect(home.parent, tmp_path / "out", several=True)
    assert [len(files) for files in done.files["ch1"].values()] == [3]


def test_the_same_file_twice_is_no_clash(tmp_path):
    put(tmp_path / "in", "ada/exercises.ipynb")
    (tmp_path / "in/ada/exercises (1).ipynb").write_bytes((tmp_path / "in/ada/exercises.ipynb").read_bytes())
    done = collect(tmp_path / "in", tmp_path / "out")
    assert len(done.files["ch1"]["ada"]) == 1 and "is the same as" in done.works[0].left[0][1]


def test_an_earlier_collection_is_left_alone(tmp_path):
    """Its students, under other ids perhaps, would be graded along with the new ones."""
    out = tmp_path / "out"
    collect(put(tmp_path / "in", *CANVAS), out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for gone in (None, out / "ch1.csv"):
        if gone:
            before.pop(gone)
            gone.unlink()
        with pytest.raises(CourseError, match="ch1.* is of an earlier collection: name another folder, or take one"):
            collect(tmp_path / "in", out, "canvas")
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (tmp_path / "in" / "doejane_9_9_exercises.ipynb").write_text(notebook("x", "ch2"), encoding="utf-8")
    assert list(collect(tmp_path / "in", out, "canvas", chapter="ch2").files) == ["ch2"]


def test_a_file_that_is_why_there_is_nothing_is_told_once(tmp_path):
    home = tmp_path / "in"
    home.mkdir()
    with zipfile.ZipFile(home / "ada.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("exercises.ipynb", b" " * (201 << 20))
    assert commands.collect(home, tmp_path / "out", Enrolment()).count("exercises.ipynb") == 1


def test_a_hint_where_the_names_are_a_platforms(tmp_path):
    said = commands.collect(put(tmp_path / "in", *CANVAS), tmp_path / "out", Enrolment())
    assert "--id-from canvas" in said
    own = put(tmp_path / "own", "ada.ipynb", "bob.ipynb")
    assert "--id-from" not in commands.collect(own, tmp_path / "out2", Enrolment())


ROSTERS = {
    "our own": "id,name\nada,Ada L.\nbob,Bob\ncleo,Cleo\n",
    "with a byte order mark and other titles": "\ufeffName,Student ID,Section\nAda L.,ada,A\nBob,bob,A\nCleo,cleo,A\n",
}


@pytest.mark.parametrize("text", ROSTERS.values(), ids=ROSTERS)
def test_a_roster_tells_who_is_absent_and_who_is_unknown(tmp_path, text):
    home = put(tmp_path / "in", "ada.ipynb", "Bob/exercises.ipynb", "mallory.ipynb")
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    done = collect(home, tmp_path / "out", roster=tmp_path / "roster.csv")
    assert [(work.student, work.name, len(work.pieces)) for work in done.works] == [
        ("ada", "Ada L.", 1),
        ("bob", "Bob", 1),
        ("cleo", "Cleo", 0),
        ("mallory", "", 1),
    ]
    assert done.unknown == ["mallory"]
    rows = {row["id"]: row for row in table(tmp_path / "out" / "ch1.csv")}
    assert rows["cleo"]["note"] == "Nothing was handed in." and rows["ada"]["name"] == "Ada L."
    said = commands.collect(home, tmp_path / "two", Enrolment(roster=tmp_path / "roster.csv"))
    assert "Handed in nothing: cleo." in said and "Not on the roster: mallory." in said


def test_a_canvas_gradebook_is_a_roster(tmp_path):
    titles = "Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"
    (tmp_path / "r.csv").write_text(
        titles + '"Doe, Jane",12345,s1,jd1,A\n"Roe, Eric",12346,s2,er1,A\n', encoding="utf-8"
    )
    done = collect(put(tmp_path / "in", *CANVAS[:3]), tmp_path / "out", "canvas", roster=tmp_path / "r.csv")
    assert [(w.student, w.name, w.late) for w in done.works] == [
        ("12345", "Doe, Jane", "no"),
        ("12346", "Roe, Eric", "yes"),
    ]
    roster = Roster(tmp_path / "r.csv")
    assert roster.people.keys() == {"12345", "12346"} and roster.ways["jd1"] == "12345"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names nobody"),
        ("first,second\na,b\n", "names nobody"),
        ("id,name\nada,A\nada,B\n", "has the id 'ada' twice"),
    ],
)
def test_a_roster_that_is_none(tmp_path, text, says):
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=says):
        Roster(tmp_path / "r.csv")
    with pytest.raises(CourseError, match="can't be read"):
        Roster(tmp_path / "none.csv")


def test_two_works_of_one_person_are_refused(tmp_path):
    (tmp_path / "r.csv").write_text("id,login\n7,ada\n", encoding="utf-8")
    with pytest.raises(CourseError, match="7 and ada are both 7 on the roster"):
        collect(put(tmp_path / "in", "7.ipynb", "ada.ipynb"), tmp_path / "out", roster=tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-12-01 12:00:00.000000 UTC", "2026-12-01T12:00Z"),
        ("2026-12-01 12:00 America/New_York", "2026-12-01 17:00 UTC"),
        ("2026-12-01 10:00:00.000000000 -05:00", "2026-12-01 15:00:00 +0000"),
        ("2026-12-01", "2026-12-01 00:00"),
    ],
)
def test_times(one, other):
    assert moment(one) == moment(other) is not None


def test_what_is_no_time(tmp_path):
    assert [moment(text) for text in ("", "soon", "2026-13-01", "2026-12-01 12:00 Atlantis/Center")] == [None] * 4
    with pytest.raises(CourseError, match="--due 'soon' isn't a time"):
        collect(put(tmp_path / "in", "ada.ipynb"), tmp_path / "out", due="soon")


def test_every_file_that_is_not_taken_is_named_with_its_reason(tmp_path):
    home = put(
        tmp_path / "in", "ada/exercises.ipynb", "ada/essay.pdf", "ada/helper.py", "ada/.git/config", "bob/only.docx"
    )
    put(
        home,
        "ada/utils/learn/check.py",
        "ada/README.md",
        "ada/chapters/start.ipynb",
        "ada/exercises.backup-1.ipynb",
        "notes.txt",
        "cleo.pdf",
    )
    (home / "ada" / "ch2.ipynb").write_text(notebook("x = 1", "ch2"), encoding="utf-8")
    (home / "ada" / "scratch.ipynb").write_text(notebook("x = 1", ""), encoding="utf-8")
    (home / "ada" / "other.ipynb").write_text(notebook("x = 1", "ch77"), encoding="utf-8")
    (home / "dan").mkdir()
    (home / "eve").mkdir()
    (home / "eve" / "exercises.ipynb").symlink_to(home / "ada" / "exercises.ipynb")
    done = collect(home, tmp_path / "out", chapter="ch1")
    rows = {row["file"]: (row["student"], row["reason"]) for row in table(tmp_path / "out" / "not_taken.csv")}
    why = {
        "ada/essay.pdf": ("ada", "isn't a notebook"),
        "ada/helper.py": ("ada", "is Python without notebook cells (# %%)"),
        "ada/.git": ("ada", "was made by a program"),
        "ada/exercises.backup-1.ipynb": ("ada", "is a copy that the course's build made"),
        "ada/ch2.ipynb": ("ada", "is a notebook of ch2"),
        "ada/scratch.ipynb": ("ada", "holds no exercise of the course"),
        "bob/only.docx": ("bob", "isn't a notebook"),
        "notes.txt": ("", "isn't a notebook"),
        "cleo.pdf": ("", "isn't a notebook"),
        "dan": ("dan", "is an empty folder"),
        "eve/exercises.ipynb": ("eve", "is a link, and links are not followed"),
    }
    assert {file: rows[file] for file in why} == why
    assert rows["ada/other.ipynb"][1].startswith("is a notebook of another course (There is no chapter 'ch77'")
    assert len(rows) == len(why) + 1, "the course's own files are nobody's work, and are passed over"
    listed = {row["id"]: row["note"] for row in table(tmp_path / "out" / "ch1.csv")}
    assert listed["bob"] == "There is no notebook: bob/only.docx isn't a notebook." and set(listed) == {
        "ada",
        "bob",
        "dan",
        "eve",
    }
    said = commands.collect(home, tmp_path / "two", Enrolment(), chapter="ch1")
    assert "Not taken: notes.txt isn't a notebook." in said and "bob: There is no notebook: bob/only.docx" in said
    assert ".git" not in said and "essay.pdf isn't a notebook; " in said
    assert [len(files) for files in done.files["ch1"].values()] == [1]


def test_a_loose_file_of_somebody_known_is_theirs(tmp_path):
    works = gather([put(tmp_path / "in", "ada.ipynb", "ada.pdf")]).works
    assert works[0].left == [("ada.pdf", "isn't a notebook")]


@pytest.mark.parametrize("stripped", [False, True])
def test_a_notebook_as_a_percent_file_is_taken(tmp_path, stripped):
    cells = [new_code_cell(SETUP.format("ch1")), new_code_cell("def greedy(logits):\n    return logits.argmax(-1)")]
    marks = {} if stripped else {"course": {"chapter": "ch1", "notebook": "exercises"}}
    text = jupytext.writes(
        new_notebook(cells=cells, metadata={**marks, "jupytext": {"notebook_metadata_filter": "all"}}), "py:percent"
    )
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "exercises.py").write_text(text, encoding="utf-8")
    done = collect(tmp_path / "in", tmp_path / "out")
    assert [file.name for file in done.files["ch1"]["ada"]] == ["exercises.py"] and not done.works[0].problem
    (work,) = gather([tmp_path / "out" / "ch1"]).works
    assert work.student == "ada" and len(work.pieces) == 1
    (tmp_path / "in" / "ada" / "exercises.ipynb").write_text(notebook("paired"), encoding="utf-8")
    (work,) = gather([tmp_path / "in"]).works
    assert [piece.name for piece in work.pieces] == ["exercises.ipynb"]
    assert work.left == [("ada/exercises.py", "is the text of the notebook of that name")]


def bare(file: Path) -> str:
    """A notebook of the build without a mark: what a form that keeps no metadata leaves."""
    made = json.loads(file.read_text(encoding="utf-8"))
    made["metadata"] = {}
    for cell in made["cells"]:
        cell["metadata"] = {}
    return json.dumps(made)


@pytest.mark.parametrize("set_up", ["as it is", "of an older hand-out", "deleted"])
@pytest.mark.parametrize("chapter", course.chapters())
@pytest.mark.parametrize("kind", ["exercises", "optional"])
def test_a_notebook_without_metadata_is_recognised(built, tmp_path, chapter, kind, set_up):
    """By its set-up line, and where that is gone too by the names of its exercises."""
    text = bare(built / "chapters" / course.chapter_name(chapter) / f"{kind}.ipynb")
    exercises = [e for e in load_chapter(chapter).exercises if e.optional == (kind == "optional")]
    if set_up == "deleted" and len(exercises) < 2:
        return  # one name alone might be anybody's
    if set_up != "as it is":
        made = json.loads(text)
        for cell in made["cells"]:
            if f'start_chapter("{chapter}")' in "".join(cell["source"]):
                old = f'import os; os.environ.setdefault("COURSE_CHAPTER", "{chapter}")\nfrom utils.learn import *'
                cell["source"] = "" if set_up == "deleted" else old
        text = json.dumps(made)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ada.ipynb").write_text(text, encoding="utf-8")
    done = collect(tmp_path / "in", tmp_path / "out")
    assert [file.name for file in done.files[chapter]["ada"]] == [f"{kind}.ipynb"] and not done.works[0].problem


def test_hand_outs_zips_and_single_notebooks(tmp_path):
    home = put(tmp_path / "in", f"ada/{PLACE}", f"ada/chapters/{NAME}/.ipynb_checkpoints/exercises-checkpoint.ipynb")
    (home / "ada" / "chapters" / NAME / "optional.ipynb").write_text(
        notebook("more", kind="optional"), encoding="utf-8"
    )
    with zipfile.ZipFile(home / "bob.zip", "w") as archive:
        archive.writestr(f"inside-transformers/{PLACE}", notebook("bob"))
        archive.writestr("../../escape.ipynb", notebook("escape"))
    (home / "cleo.ipynb").write_text(notebook("from colab", ""), encoding="utf-8")
    put(home, "=1+1,x.ipynb")
    (home / "dan.zip").write_text("no zip at all", encoding="utf-8")
    put(home, "eve/exercises.ipynb")
    (home / "eve" / "exercises.ipynb").write_text("{ broken", encoding="utf-8")
    out = tmp_path / "out"
    found = {work.student: work for work in collect(home, out, several=True).works}
    assert set(found) == {"ada", "bob", "cleo", "dan", "eve", "=1+1,x"}
    cells = {p.relative_to(out).as_posix(): p.read_text(encoding="utf-8") for p in out.rglob("*.ipynb")}
    assert {name for name in cells if "=1" not in name} == {
        "ch1/ada/exercises.ipynb",
        "ch1/ada/optional.ipynb",
        "ch1/bob/exercises.ipynb",
        "ch1/bob/exercises-2.ipynb",
        "ch1/cleo/exercises.ipynb",
        "ch1/eve/exercises.ipynb",
    }
    assert cells["ch1/eve/exercises.ipynb"] == "{ broken" and "does not say which chapter" in found["cleo"].problem
    assert "dan.zip can't be opened" in found["dan"].problem and not found["ada"].problem
    assert {p.name for p in tmp_path.iterdir()} == {"in", "out"}  # nothing was unpacked beside it
    said = commands.collect(home, tmp_path / "second", Enrolment(), several=True)
    assert "Collected 7 notebooks of 5 students for ch1" in said and "--chapter ch1 --out results" in said
    with pytest.raises(CourseError, match="is inside"):
        collect(home, home / "out")
    with pytest.raises(CourseError, match="There is no file or folder"):
        collect(tmp_path / "nowhere", out)
    os.chmod(out, 0o500)
    try:
        if os.geteuid():
            with pytest.raises(CourseError, match="cannot be written"):
                collect(home, out / "deeper", several=True)
    finally:
        os.chmod(out, 0o700)


def test_grading_takes_the_list_that_collect_wrote(tmp_path, capsys):
    """Who is absent has zeros; a line corrected by hand changes the record without grading again."""
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada L.\nbob,Bob\n", encoding="utf-8")
    collect(put(tmp_path / "in", "ada.ipynb"), tmp_path / "out", roster=tmp_path / "roster.csv")
    options = Options(jobs=1, seed=1, isolation="none")
    first = grade_class([tmp_path / "out" / "ch1"], "ch1", tmp_path / "results", options)
    ada, bob = first.records
    assert (ada.name, ada.late, ada.problem) == ("Ada L.", "", "")
    assert (bob.score, bob.problem) == (0, "Nothing was handed in.")
    assert {exercise.status for exercise in bob.exercises} == {"missing"} and bob.max_score == ada.max_score
    listed = tmp_path / "out" / "ch1.csv"
    listed.write_text(
        listed.read_text(encoding="utf-8").replace("Ada L.,,", "Ada L.,2026-12-02 10:00,yes"), encoding="utf-8"
    )
    again = grade_class([tmp_path / "out" / "ch1"], "ch1", tmp_path / "results", options)
    assert again.kept == 2 and (again.records[0].late, again.records[0].submitted) == ("yes", "2026-12-02 10:00")
    grade_class([put(tmp_path / "canvas", *CANVAS[:3])], "ch1", tmp_path / "results", options)
    assert "--id-from canvas" in capsys.readouterr().err


def test_a_table_that_is_no_class_list_is_left_alone(tmp_path):
    put(tmp_path, "ch1/ada.ipynb")
    (tmp_path / "ch1.csv").write_text("student,score\nada,3\n", encoding="utf-8")
    assert list_beside(tmp_path / "ch1") is None and list_beside(tmp_path / "none") is None
