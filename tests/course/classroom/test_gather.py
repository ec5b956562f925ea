"""Submissions are found in files, folders and zips, under the right name, whatever else lies there."""

import io
import json
import os
import zipfile

import pytest

from utils.course import CourseError
from utils.grade.classroom import gather as gathering
from utils.grade.classroom.assemble import asked, assemble
from utils.grade.classroom.gather import gather as gathered
from utils.grade.submission import clean, read_cells

NORM = "class LayerNorm:\n    pass"


def notebook(*sources: str, **metadata) -> bytes:
    cells = [{"cell_type": "code", "metadata": {}, "source": text, "outputs": []} for text in sources]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def put(file, data: bytes = b""):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data or notebook(NORM))
    return file


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def gather(paths, id_from="") -> list:
    return gathered(paths, id_from).works


def students(paths, id_from="") -> list[str]:
    return [work.student for work in gather(paths, id_from)]


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("ada.ipynb", "ada"),
        ("ada/exercises.ipynb", "ada"),
        ("ada/exercises (1).ipynb", "ada"),
        ("ada/Copy of exercises.ipynb", "ada"),
        ("ada/optional.ipynb", "ada"),
        ("ada/my solution.ipynb", "ada"),
        ("ada/chapters/ch1_transformer_from_scratch/exercises.ipynb", "ada"),
        ("ada/hand out/chapters/ch1_transformer_from_scratch/exercises.ipynb", "ada"),
        ("Zoë Müller_1234_assignsubmission_file/exercises.ipynb", "Zoë Müller_1234_assignsubmission_file"),
    ],
)
def test_the_default_id(tmp_path, path, student):
    put(tmp_path / "class" / path)
    assert students([tmp_path / "class"]) == [student]


@pytest.mark.parametrize(
    ("pattern", "path", "student"),
    [
        ("{student}_ch1.ipynb", "ada_ch1.ipynb", "ada"),
        ("{student}_*_ch1.ipynb", "ada_99_ch1.ipynb", "ada"),
        ("{student}/exercises.ipynb", "x/ada/exercises.ipynb", "ada"),
        ("{student}/*/*.ipynb", "ada/deep/work.ipynb", "ada"),
        ("s-{student}.ipynb", "s-a.b+c.ipynb", "a.b+c"),
        ("=ada", "whatever.ipynb", "ada"),
    ],
)
def test_a_pattern(tmp_path, pattern, path, student):
    put(tmp_path / path)
    work = gather([tmp_path], pattern)
    assert [one.student for one in work] == [student] and work[0].notices == []


def test_a_file_that_does_not_fit_the_pattern_is_graded_and_said(tmp_path):
    put(tmp_path / "ada.ipynb")
    (work,) = gather([tmp_path], "{student}_ch1.ipynb")
    assert work.student == "ada" and "does not fit" in work.notices[0]


def test_the_id_in_the_metadata(tmp_path):
    put(tmp_path / "a.ipynb", notebook(NORM, course={"student": "  ada\n\x1b "}))
    put(tmp_path / "b.ipynb", notebook(NORM, course={"student": ["no", "text"]}))
    put(tmp_path / "c.ipynb", b"no json")
    assert students([tmp_path], "metadata:course.student") == ["ada", "b", "c"]


@pytest.mark.parametrize("pattern", ["student.ipynb", "{student}{student}", "metadata:", "="])
def test_a_pattern_that_says_nothing(tmp_path, pattern):
    put(tmp_path / "a.ipynb")
    with pytest.raises(CourseError, match="--id-from"):
        gather([tmp_path], pattern)


def test_what_is_not_a_submission_is_left_alone(tmp_path):
    for name in (
        ".ipynb_checkpoints/ada-checkpoint.ipynb",
        ".hidden.ipynb",
        "ada.backup-1.ipynb",
        "__MACOSX/._a.ipynb",
    ):
        put(tmp_path / name)
    put(tmp_path / "notes.txt", b"x")
    secret = put(tmp_path.parent / "secret" / "eve.ipynb")
    (tmp_path / "link.ipynb").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe.ipynb")
    with pytest.raises(CourseError, match="No notebook"):
        gather([tmp_path])


def test_zips_in_zips_and_paths_that_climb(tmp_path):
    inner = zipped({"exercises.ipynb": notebook(NORM), "../../../evil.ipynb": notebook(NORM), "/etc/abs.ipynb": b"{}"})
    put(tmp_path / "class.zip", zipped({"bob/exercises.ipynb": notebook(NORM), "ada.zip": inner}))
    before = sorted(tmp_path.parent.rglob("*"))
    works = gather([tmp_path / "class.zip"])
    assert [work.student for work in works] == ["ada", "bob"]
    assert read_cells(works[0].pieces[0].read())[0] == [(NORM, "")]
    assert sorted(tmp_path.parent.rglob("*")) == before, "something was unpacked to disk"


HAND_OUT = "inside-transformers/chapters/ch1_transformer_from_scratch/exercises.ipynb"


@pytest.mark.parametrize("inner", ["bob.ipynb", "bob/exercises.ipynb", HAND_OUT])
def test_one_students_zip_never_answers_for_another(tmp_path, inner):
    """A notebook named after another, however new it is, stays with the zip or the folder that it came in."""
    put(tmp_path / "class" / "ada.zip", zipped({inner: notebook(NORM, late=True), "exercises.ipynb": notebook(NORM)}))
    put(tmp_path / "class" / "bob.ipynb")
    put(tmp_path / "class" / "cem" / inner)
    for paths in ([tmp_path / "class"], sorted((tmp_path / "class").iterdir())):
        works = {work.student: [piece.name for piece in work.pieces] for work in gather(paths)}
        assert {student: len(names) for student, names in works.items()} == {"ada": 2, "bob": 1, "cem": 1}
    with pytest.raises(CourseError, match="ada.zip holds work of two students|have the same student id"):
        gather([tmp_path / "class"], "{student}.ipynb")


def test_zips_of_the_hand_out_do_not_merge(tmp_path):
    for name in ("ada", "bob"):
        put(tmp_path / f"{name}.zip", zipped({HAND_OUT: notebook(NORM)}))
        assert students([tmp_path / f"{name}.zip"]) == [name]
    assert students([tmp_path]) == ["ada", "bob"]
    assert students([tmp_path / "ada.zip", tmp_path / "bob.zip"]) == ["ada", "bob"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("ada.ipynb", "Ada.ipynb"), ("ada.ipynb", "ada  .ipynb"), ("ada.zip", "ada.ipynb"), ("x" * 110, "x" * 111)],
)
def test_two_entries_of_one_id_are_refused_by_name(tmp_path, one, other):
    for name in (one, other):
        place = name if name.endswith(("zip", "ipynb")) else f"{name}/exercises.ipynb"
        put(tmp_path / "class" / place, zipped({"exercises.ipynb": notebook(NORM)}) if "zip" in name else b"")
    with pytest.raises(CourseError, match="have the same student id: rename one of them") as caught:
        gather([tmp_path / "class"])
    assert one in str(caught.value) and other in str(caught.value)


def test_what_a_student_tried_elsewhere_is_no_rival_of_the_answers(tmp_path):
    old = put(tmp_path / "ada" / "exercises.ipynb", notebook(NORM, course={"chapter": "ch1", "notebook": "exercises"}))
    put(tmp_path / "ada" / "scratch.ipynb", notebook("x = 1"))
    put(tmp_path / "ada" / "ch2.ipynb", notebook(NORM, course={"chapter": "ch2", "notebook": "exercises"}))
    put(tmp_path / "ada" / "exercises.new.ipynb", notebook("new = 1", NORM))
    os.utime(old, (1e9, 1e9))
    (work,) = gather([tmp_path])
    task = assemble(work, "ch1")
    assert task.cells == [(NORM, "")] and task.notices == [
        "ada/exercises.new.ipynb is a copy that the course's build made: not taken.",
        "ch2.ipynb is a notebook of ch2, not of ch1.",
    ]


def test_a_bomb_is_capped(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "LARGEST", 1 << 20)
    monkeypatch.setattr(gathering, "LARGEST_ZIP", 1 << 20)
    bomb = zipped({"exercises.ipynb": b" " * (50 << 20)})
    put(tmp_path / "ada.zip", bomb)
    put(tmp_path / "bob.zip", zipped({"inner.zip": b"0" * (2 << 20)}))
    ada, bob = gather([tmp_path])
    assert "larger than 1 MB" in assemble(ada, "ch1").problem
    assert "larger than 1 MB" in bob.problem


def test_a_broken_zip_is_somebodys_submission(tmp_path):
    put(tmp_path / "ada.zip", b"PK\x03\x04 broken")
    encrypted = bytearray(zipped({"exercises.ipynb": notebook(NORM)}))
    for at in (6, encrypted.index(b"PK\x01\x02") + 8):
        encrypted[at] |= 1
    put(tmp_path / "bob.zip", bytes(encrypted))
    ada, bob = gather([tmp_path])
    assert "can't be opened as a zip file" in ada.problem
    assert "cannot be unpacked" in assemble(bob, "ch1").problem


def test_a_file_name_that_is_no_text(tmp_path):
    (tmp_path / "class").mkdir()
    put(tmp_path / "class" / os.fsdecode(b"\xff\x1b.ipynb"))
    (work,) = gather([tmp_path / "class"])
    assert work.student == "class" and assemble(work, "ch1").label.isprintable()


def test_paths_that_are_nothing(tmp_path):
    with pytest.raises(CourseError, match="no file or folder"):
        gather([tmp_path / "nowhere"])
    with pytest.raises(CourseError, match="neither a notebook"):
        gather([put(tmp_path / "a.txt", b"x")])


def test_exercises_and_optional_of_one_student_are_joined(tmp_path):
    cache = "class KVCache:\n    pass"
    put(tmp_path / "ada" / "exercises.ipynb", notebook(NORM, course={"chapter": "ch1", "notebook": "exercises"}))
    extra = notebook("class LayerNorm:\n    x = 1", cache, course={"chapter": "ch1", "notebook": "optional"})
    put(tmp_path / "ada" / "optional.ipynb", extra)
    (work,) = gather([tmp_path])
    task = assemble(work, "ch1")
    assert task.kinds == ("exercises", "optional") and task.notices == [] and task.problem == ""
    assert [text for text, _ in task.cells][-1] == NORM, "the answer of exercises.ipynb comes last"


def test_the_optional_notebook_alone_leaves_nothing_missing(tmp_path):
    extra = notebook("class KVCache:\n    pass", course={"chapter": "ch1", "notebook": "optional"})
    put(tmp_path / "ada" / "optional.ipynb", extra)
    task = assemble(gather([tmp_path])[0], "ch1")
    assert task.kinds == ("optional",) and "Only the optional notebook was handed in" in task.notices[0]
    assert {exercise.optional for exercise in asked("ch1", task.kinds)} == {True}


def test_of_two_versions_the_newer_is_graded_and_it_is_said(tmp_path):
    old = put(tmp_path / "ada" / "exercises.ipynb", notebook("old = 1", NORM))
    new = put(tmp_path / "ada" / "exercises (1).ipynb", notebook("new = 1", NORM))
    os.utime(old, (1e9, 1e9))
    os.utime(new, (2e9, 2e9))
    (work,) = gather([tmp_path])
    task = assemble(work, "ch1")
    assert task.cells[0][0] == "new = 1" and len(task.notices) == 1
    assert "both from ada" in task.notices[0] and "(1)" in task.label


def test_a_notebook_of_another_chapter_is_not_graded(tmp_path):
    put(tmp_path / "ada.ipynb", notebook(NORM, course={"chapter": "ch7", "notebook": "exercises"}))
    (work,) = gather([tmp_path])
    assert assemble(work, "ch1").problem == "ada.ipynb is a notebook of ch7, not of ch1."


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "file is empty"),
        (b" \n", "file is empty"),
        (b"%PDF-1.4", "not JSON"),
        (b"\x80\x81", "not UTF-8"),
        (b"[]", "not an object"),
        (b"{}", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": [' + b"[" * 100_000, "nested too deeply"),
        (b'{"cells": [{"cell_type": "code", "sou', "not JSON"),
        (b'{"n": ' + b"1" * 10_000 + b"}", "too many digits"),
    ],
)
def test_what_is_no_notebook(data, says):
    with pytest.raises(ValueError, match=says):
        read_cells(data)


def test_odd_notebooks_are_read():
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1\n", "b = 2"]}]}], "nbformat": 3}
    assert read_cells(json.dumps(old).encode())[0] == [("a = 1\nb = 2", "")]
    odd = {"cells": [None, 3, {"cell_type": "code"}, {"cell_type": "code", "source": [1, "x"], "metadata": 5}]}
    assert read_cells(json.dumps(odd).encode("utf-16"))[0] == [("x", "")]
    assert read_cells(b"\xef\xbb\xbf" + json.dumps(odd).encode())[0] == [("x", "")]


def test_clean_text():
    assert clean("a\x1b[31m\u202e b\n\x00c\ud800") == "a [31m b c"
    assert len(clean("x" * 10_000, 50)) == 50
