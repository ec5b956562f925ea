"""A class of forty as instructors have it: five platforms' downloads, rosters, late work, hostile and broken files.

From the hand-out to the gradebook by the guide's commands alone; every one has the mark that is expected.
"""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import jupytext
import pytest

from tests.course.classroom.submissions import ENDS_PROCESS, PATCHES, POINTS, ClassOf
from utils import course
from utils.build.cut import read_module
from utils.chapter import load_chapter
from utils.grade.classroom.roster import NOTHING

NAME = course.chapter_name("ch1")
PLACE = f"chapters/{NAME}/exercises.ipynb"
DUE = "2026-12-01 00:00 UTC"
TIMES = {False: "2026-11-30 12:00:00 UTC", True: "2026-12-02 12:00:00 UTC"}
KNOWS_LATE = ("canvas", "nbgrader", "gradescope")  # Moodle's and GitHub's downloads hold no time
LOOPS = "class LayerNorm(nn.Module):\n    def forward(self, x):\n        while True:\n            pass"
HOSTILE = {
    "canvas": LOOPS,
    "moodle": "\n".join(ENDS_PROCESS),
    "nbgrader": "\n".join(PATCHES),
    "classroom": "from solutions.ch1_transformer_from_scratch.layers import LayerNorm",
    "gradescope": "open('/tmp/owned', 'w').write('x')\nLayerNorm = open",
}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


BROKEN = {  # what comes in place of a notebook, and what is said of it
    "canvas": ({"exercises.ipynb": b'{"cells": [{"cell_type": "code", "sou'}, "not JSON, or was cut off"),
    "moodle": ({"essay.pdf": b"%PDF-1.4"}, "essay.pdf isn't a notebook"),
    "nbgrader": ({"exercises.ipynb": b'{"cells": ' + b"[" * 100_000}, "nested too deeply"),
    "classroom": ({"work.zip": zipped({PLACE: b" " * (201 << 20)})}, "MB unpacked"),
    "gradescope": ({"work.zip": b"PK\x03\x04 broken"}, "can't be opened as a zip file"),
}


@dataclass
class Student:
    """Who hands in `files` (path: content), and what becomes of it: points, a word of the problem, a late mark."""

    id: str
    name: str
    files: dict[str, bytes]
    score: int = 0
    problem: str = ""
    late: bool = False


def section(platform: str, sent: ClassOf) -> list[Student]:
    """The eight students of one platform; their notebooks grow from the hand-out's own."""
    right, worth = sent.right, POINTS

    def notebook(base: str = "exercises", **answers: str) -> bytes:
        return json.dumps(sent.notebook(answers, base=base)).encode()

    bare = sent.notebook({"Embedding": right["Embedding"]})
    bare = {**bare, "metadata": {}, "cells": [{**cell, "metadata": {}} for cell in bare["cells"]]}
    percent = jupytext.writes(jupytext.reads(notebook(GELU=right["GELU"]).decode(), "ipynb"), "py:percent").encode()
    wrong = right["GELU"].replace("0.044715", "0.04")
    hand_out = {PLACE: notebook(GELU=wrong, MLP=right["MLP"]), "README.md": b"# Inside Transformers"}
    cache = load_chapter("ch1").exercise("KVCache")
    answer = read_module(course.ROOT / "solutions" / NAME / f"{cache.module}.py").solution("KVCache")
    extra = {"optional.ipynb": notebook("optional", KVCache=answer)}
    more = {"exercises.ipynb": notebook(GELU=right["GELU"])} if platform == "moodle" else {}
    broken, says = BROKEN[platform]
    people = (
        ("Ann", {"exercises.ipynb": notebook(GELU=right["GELU"], Embedding=right["Embedding"])}, 2),
        ("Ben", {"exercises (1).ipynb": json.dumps(bare).encode()}, worth["Embedding"]),
        ("Cem", {"work.zip": zipped(hand_out)} if platform != "classroom" else hand_out, worth["MLP"]),
        ("Dee", {"exercises.ipynb": notebook(LayerNorm=HOSTILE[platform], MLP=right["MLP"])}, worth["MLP"]),
        ("Eli", broken, 0),
        ("Fay", {"exercises.py": percent, "notes.txt": b"hello"}, worth["GELU"]),
        ("Gus", {**extra, **more}, worth["KVCache"] + (worth["GELU"] if more else 0)),
        ("Hal", {}, 0),
    )
    problems = {"Eli": says, "Hal": NOTHING}
    return [
        Student(f"{platform[:2]}-{name.lower()}", name, files, score, problems.get(name, ""), name in ("Ben", "Cem"))
        for name, files, score in people
    ]


def hand_in(platform: str, home: Path, students: list[Student]) -> tuple[Path, str]:
    """Lay the work out as the platform's download has it; what to collect from, and the roster's text."""
    index, roster = ["---"], [("id", "name")]
    files: dict[str, bytes] = {}
    for number, student in enumerate(students, 101):
        late = student.late
        roster.append((student.id, f"{student.name} {platform.title()}"))
        for part, (path, data) in enumerate(student.files.items()):
            mark = "LATE_" if late else ""
            place = {
                "canvas": f"{platform}{student.name.lower()}_{mark}{number}_{number}{part}_{path}",
                "moodle": f"{student.name} Moodle_{number}_assignsubmission_file_/{path}",
                "nbgrader": f"submitted/{student.id}/ch1/{path}",
                "classroom": f"ch1-submissions/ch1-{student.id}/{path}",
                "gradescope": f"assignment_9_export/submission_{number}/{path}",
            }
            files[place[platform]] = data
        if student.files and platform == "nbgrader":
            files[f"submitted/{student.id}/ch1/timestamp.txt"] = TIMES[late].encode()
        if student.files:
            index += [
                f"submission_{number}:",
                "  :submitters:",
                f"  - :name: {student.name}",
                f"    :sid: {student.id}",
            ]
            index += [f"  :created_at: {TIMES[late].replace(' UTC', '.000000000 Z')}"]
    if platform == "gradescope":
        files["assignment_9_export/submission_metadata.yml"] = "\n".join(index).encode()
    text = "\n".join(",".join(row) for row in roster) + "\n"
    if platform in ("canvas", "moodle"):  # as they come: a zip
        home.with_suffix(".zip").write_bytes(zipped(files))
        return home.with_suffix(".zip"), text
    for path, data in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(data)
    return home, text


def grade(*words) -> str:
    """`python -m utils.grade WORDS`, which must end well; what it prints."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COURSE"))}
    command = [sys.executable, "-m", "utils.grade", *map(str, words)]
    env |= {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=course.ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.skipif(not course.have_answers("ch1"), reason="a hand-out cannot be made from a hand-out")
def test_a_class_of_40_from_release_to_gradebook(handed_in, tmp_path):
    handed, results = tmp_path / "handout", tmp_path / "results"
    grade("release", "--chapter", "ch1", "--out", handed)
    fresh = {
        kind: json.loads((handed / "chapters" / NAME / f"{kind}.ipynb").read_text(encoding="utf-8"))
        for kind in ("exercises", "optional")
    }
    sent = ClassOf({**handed_in.notebooks, **fresh})
    everyone: dict[str, Student] = {}
    for platform in HOSTILE:
        students = section(platform, sent)
        everyone |= {student.id: student for student in students}
        place, roster = hand_in(platform, tmp_path / platform, students)
        if platform == "nbgrader":
            unknown = place / "submitted" / "mallory" / "ch1" / "exercises.ipynb"
            unknown.parent.mkdir(parents=True)
            unknown.write_text(json.dumps(sent.notebook({"GELU": sent.right["GELU"]})), encoding="utf-8")
        (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
        out = tmp_path / "submissions" / platform
        options = ("--id-from", platform, "--roster", tmp_path / "roster.csv", "--due", DUE)
        said = grade("collect", place, "--out", out, *options)
        assert f"Handed in nothing: {platform[:2]}-hal." in said and "notes.txt isn't a notebook" in said
        assert ("Not on the roster: mallory." in said) == (platform == "nbgrader")
        assert ("Late: " in said) == (platform in KNOWS_LATE)
        grade(out / "ch1", "--chapter", "ch1", "--out", results, "--jobs", "1", "--seconds", "2")
    grade("export", results, "--chapter", "ch1", "--format", "csv", "--out", tmp_path / "grades.csv")
    rows = csv.DictReader(io.StringIO((tmp_path / "grades.csv").read_bytes().decode("utf-8-sig")))
    marks = {row["student"]: row for row in rows}
    assert len(everyone) == 40 and set(marks) == {*everyone, "mallory"}
    assert {key: int(marks[key]["score"]) for key in everyone} == {key: one.score for key, one in everyone.items()}
    for key, student in everyone.items():
        row, platform = marks[key], next(name for name in HOSTILE if key.startswith(f"{name[:2]}-"))
        assert student.problem in row["problem"] and bool(student.problem) == bool(row["problem"]), row
        assert row["name"].startswith(student.name) and row["max_score"] == marks["mallory"]["max_score"]
        told = platform in KNOWS_LATE and student.files
        assert row["late"] == (("yes" if student.late else "no") if told else ""), (key, row["late"])
        if platform in ("nbgrader", "gradescope") and student.files:
            assert row["submitted"].startswith(TIMES[student.late][:19])
        if student.name == "Gus" and platform != "moodle":
            assert row["1.6 GELU status"] == "" and row["1.22 KVCache status"] == "full"
        if student.name == "Dee":
            assert row["1.3 LayerNorm status"] not in ("full", "")
    assert "mallory is not on the roster." in (results / "mallory" / "ch1.json").read_text(encoding="utf-8")
    assert not Path("/tmp/owned").exists()
    assert str(results / "ch1.html") in grade("report", results)
    page = (results / "ch1.html").read_text(encoding="utf-8")
    assert "<dt>students</dt><dd>41</dd>" in page and "<dt>handed in nothing</dt><dd>5</dd>" in page
    assert "<dt>late</dt><dd>6</dd>" in page and all((results / key / "ch1.html").is_file() for key in marks)
    kept = grade(tmp_path / "submissions/moodle/ch1", "--chapter", "ch1", "--out", results, "--jobs", "1")
    assert "0 graded, 8 kept from before" in kept
