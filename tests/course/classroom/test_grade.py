"""A small class in the real sandbox: every kind of submission ends with the marks it deserves."""

import json

import pytest

from tests.course.classroom.submissions import ENDS_PROCESS, MOST, MUST_DO, PATCHES, POINTS, marks, statuses, write
from utils import course
from utils.grade.classroom.record import SubmissionResult, read_results
from utils.grade.classroom.run import Options, grade_class
from utils.grade.status import Status

pytestmark = pytest.mark.sandbox

QUICK = Options(seconds=4, jobs=1)
FULL = "full"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, handed_in):
    """One submission of each kind; only ada's is solved to the end."""
    top, some = tmp_path_factory.mktemp("class"), handed_in.some
    handed_in.write(top / "ada.ipynb", handed_in.right)
    handed_in.write(top / "bob.ipynb", some("Embedding", "LayerNorm", "GELU"))
    handed_in.write(top / "cem.ipynb", some("GELU", "TransformerBlock", LayerNorm=handed_in.wrong_norm))
    handed_in.write(top / "dee.ipynb", some("GELU", LayerNorm="\n".join(PATCHES)))
    handed_in.write(top / "eve.ipynb", some("GELU", LayerNorm="\n".join(ENDS_PROCESS)))
    handed_in.write(
        top / "fay.ipynb", some("GELU", LayerNorm="class LayerNorm(nn.Module:\n    pass", MLP="clas MLP:\n  x")
    )
    gus = handed_in.notebook(some("GELU"), deleted=["LayerNorm"])
    gus["cells"] = [cell for cell in gus["cells"] if "imports" not in cell["metadata"].get("tags", [])]
    write(top / "gus.ipynb", gus)
    for name in ("exercises.ipynb", "exercises (1).ipynb"):
        handed_in.write(top / "hal" / name, some("GELU"))
    colab = handed_in.notebook(some("GELU", "Embedding"))
    colab["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for cell in colab["cells"]:
        cell["metadata"] = {"id": "x"}
        cell.pop("id")
    write(top / "ida.ipynb", colab)
    (top / "jon.ipynb").write_text("this isn't a notebook", encoding="utf-8")
    (top / "kim.ipynb").write_text("", encoding="utf-8")
    skips = handed_in.notebook(some("MLP", GELU="pass"))
    skips["cells"].append({"cell_type": "code", "metadata": {}, "source": 'skip("GELU")\nskip("1.3")\nskip(MLP)'})
    write(top / "lou.ipynb", skips)
    gelu = "class GELU(nn.Module):\n    def forward(self, x): return gelu(x, approximate='tanh')"
    flagged = f"from torch.nn.functional import gelu\n{gelu}"
    stolen = "from solutions.ch1_transformer_from_scratch.layers import MLP"
    handed_in.write(top / "may.ipynb", some("LayerNorm", GELU=flagged, MLP=stolen))
    return top


@pytest.fixture(scope="module")
def graded(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    summary = grade_class([folder], "ch1", out, QUICK)
    return {record.student: record for record in summary.records}, out, summary


def result(graded, student: str, name: str):
    return next(exercise for exercise in graded[0][student].exercises if exercise.name == name)


def test_everyone_has_a_record_on_disk(graded):
    records, out, summary = graded
    assert sorted(records) == [
        "ada",
        "bob",
        "cem",
        "dee",
        "eve",
        "fay",
        "gus",
        "hal",
        "ida",
        "jon",
        "kim",
        "lou",
        "may",
    ]
    assert read_results(out, "ch1") == summary.records
    assert summary.failed == [] and summary.kept == 0
    for record in records.values():
        assert [exercise.name for exercise in record.exercises] == [exercise.name for exercise in MUST_DO]
        assert (record.max_score, record.seed) == (MOST, summary.seed)
        assert record.score == sum(exercise.points for exercise in record.exercises)
        assert all("\n" not in exercise.says and len(exercise.says) <= 300 for exercise in record.exercises)


def test_right(graded):
    record = graded[0]["ada"]
    assert set(statuses(record).values()) == {FULL} and record.score == MOST, record.exercises
    for exercise in record.exercises:
        assert exercise.passed == exercise.total == len(exercise.tests) > 0
        assert exercise.seconds > 0 and exercise.megabytes > 50 and exercise.says == ""


def test_half_done(graded):
    assert statuses(graded[0]["bob"]) == {"Embedding": FULL, "LayerNorm": FULL, "GELU": FULL}
    assert graded[0]["bob"].score == POINTS["Embedding"] + POINTS["LayerNorm"] + POINTS["GELU"]


def test_one_mistake_counts_once_and_has_a_name(graded):
    assert statuses(graded[0]["cem"]) == {"LayerNorm": "wrong", "GELU": FULL, "TransformerBlock": FULL}
    norm = result(graded, "cem", "LayerNorm")
    assert (norm.mutant, norm.points) == ("EpsilonOutsideRoot", 0.0)
    assert "outside the root" in norm.says and norm.test and 0 < norm.passed < norm.total


def test_hostile_answers_earn_nothing_and_cost_their_own_exercise_only(graded):
    assert statuses(graded[0]["dee"]) == {"LayerNorm": "wrong", "GELU": FULL}
    assert statuses(graded[0]["eve"]) == {"LayerNorm": "crashed", "GELU": FULL}


def test_a_syntax_error_costs_one_cell(graded):
    assert statuses(graded[0]["fay"]) == {"LayerNorm": "syntax error", "MLP": "syntax error", "GELU": FULL}
    assert "line 1" in result(graded, "fay", "LayerNorm").says


def test_deleted_cells(graded):
    assert statuses(graded[0]["gus"]) == {"LayerNorm": "missing", "GELU": FULL}, "its imports are gone too"


def test_a_second_version_is_reported(graded):
    assert statuses(graded[0]["hal"]) == {"GELU": FULL}
    assert any("both from hal" in notice for notice in graded[0]["hal"].notices)


def test_an_export_without_our_metadata(graded):
    assert statuses(graded[0]["ida"]) == {"Embedding": FULL, "GELU": FULL}


@pytest.mark.parametrize(("student", "says"), [("jon", "not JSON"), ("kim", "file is empty")])
def test_what_cannot_be_read(graded, student, says):
    record = graded[0][student]
    assert says in record.problem and record.score == 0 and record.isolation == ""


def test_a_skip_counts_as_nothing_unless_there_is_an_answer(graded):
    assert statuses(graded[0]["lou"]) == {"GELU": "skipped", "LayerNorm": "skipped", "MLP": FULL}


def test_flags_are_for_review_and_cost_nothing(graded):
    gelu, norm, mlp = (result(graded, "may", name) for name in ("GELU", "LayerNorm", "MLP"))
    assert gelu.status is Status.FULL and any("torch.nn.functional.gelu" in flag for flag in gelu.flags)
    assert norm.status is Status.FULL and any("published solution" in flag for flag in norm.flags)
    assert mlp.status is Status.MISSING and any("the course's answers" in flag for flag in mlp.flags)
    assert result(graded, "bob", "GELU").flags == []


def test_a_record_is_read_back_and_a_bad_one_is_not(graded):
    text = graded[0]["cem"].to_json()
    assert SubmissionResult.from_json(text) == graded[0]["cem"]
    data = json.loads(text)
    bad = [{**data, "format": 2}, {**data, "score": "36"}, {**data, "seed": True}, {**data, "score": float("nan")}]
    bad += [
        {**data, "exercises": 3},
        {**data, "isolation": "limits"},
        {k: v for k, v in data.items() if k != "student"},
    ]
    bad.append({**data, "exercises": [{**data["exercises"][0], "status": "great"}]})
    for wrong in [*map(json.dumps, bad), "", "[]", "{"]:
        with pytest.raises(course.CourseError, match="record"):
            SubmissionResult.from_json(wrong)


@pytest.mark.slow
def test_the_same_submission_is_not_graded_again(graded, folder, handed_in, tmp_path):
    """Idempotent: a record is kept until the submission or the seed changes."""
    top, out = tmp_path / "class", tmp_path / "out"
    file = handed_in.write(top / "bob.ipynb", handed_in.some("GELU"))
    handed_in.write(top / "cem.ipynb", {})
    first = grade_class([top], "ch1", out, QUICK)
    before = marks(first.records)
    again = grade_class([top], "ch1", out, QUICK)
    assert (first.kept, again.kept, again.seed) == (0, 2, first.seed)
    assert marks(again.records) == before
    handed_in.write(file, handed_in.some("GELU", "Embedding"))
    changed = grade_class([top], "ch1", out, QUICK)
    assert changed.kept == 1 and changed.records[0].score == POINTS["GELU"] + POINTS["Embedding"]
    assert grade_class([top], "ch1", out, Options(seed=first.seed + 1, seconds=4, jobs=1)).kept == 0
    (out / "bob" / "ch1.json").write_text("{", encoding="utf-8")
    repaired = grade_class([top], "ch1", out, QUICK)
    assert repaired.kept == 1 and any("graded again" in notice for notice in repaired.notices)


def test_partial_credit_is_by_hidden_tests(handed_in, tmp_path):
    handed_in.write(tmp_path / "cem.ipynb", {"LayerNorm": handed_in.wrong_norm})
    summary = grade_class([tmp_path / "cem.ipynb"], "ch1", tmp_path / "out", Options(partial=True, jobs=1, seconds=4))
    norm = next(exercise for exercise in summary.records[0].exercises if exercise.name == "LayerNorm")
    assert norm.status is Status.PARTIAL and 0 < norm.points < norm.max_points
    assert norm.points == int(4 * norm.max_points * norm.passed / norm.total) / 4 == summary.records[0].score


def test_without_a_reference_what_builds_on_a_wrong_piece_is_blocked(handed_in, tmp_path, monkeypatch):
    handed_in.write(tmp_path / "cem.ipynb", handed_in.some("GELU", "TransformerBlock", LayerNorm=handed_in.wrong_norm))
    monkeypatch.setattr(course, "have_answers", lambda chapter: False)
    (record,) = grade_class([tmp_path / "cem.ipynb"], "ch1", tmp_path / "out", QUICK).records
    assert statuses(record) == {"GELU": FULL, "LayerNorm": "wrong", "TransformerBlock": "blocked"}


def test_optional_exercises_are_extra_points(handed_in, tmp_path):
    top = tmp_path / "ada"
    handed_in.write(top / "exercises.ipynb", handed_in.some("GELU"))
    handed_in.write(top / "optional.ipynb", {}, base="optional")
    (record,) = grade_class([top], "ch1", tmp_path / "out", QUICK).records
    optional = [exercise for exercise in record.exercises if exercise.optional]
    assert {str(exercise.status) for exercise in optional} == {"not attempted"} and len(optional) == 4
    assert (record.score, record.max_score) == (POINTS["GELU"], MOST)


def test_a_notebook_has_a_time_of_its_own(handed_in, tmp_path, monkeypatch):
    monkeypatch.setattr("utils.grade.policy.EXERCISES", 0)
    handed_in.write(tmp_path / "in" / "slow.ipynb", handed_in.some("GELU"))
    (record,) = grade_class([tmp_path / "in"], "ch1", tmp_path / "out", QUICK).records
    gelu = next(exercise for exercise in record.exercises if exercise.name == "GELU")
    assert (gelu.status, gelu.points) == (Status.TIMED_OUT, 0)
    assert gelu.says == "The notebook as a whole took too long before GELU was reached."
    assert {e.status for e in record.exercises} == {Status.TIMED_OUT, Status.NOT_ATTEMPTED}
