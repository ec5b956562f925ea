"""A class of two hundred: right, wrong, hostile and broken submissions, each with the marks it deserves."""

import copy
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle, islice, zip_longest
from pathlib import Path

import pytest

from tests.course.classroom.submissions import POINTS, ClassOf
from tests.course.sandbox.hostile import ATTACKS, Attack
from utils import course
from utils.grade.classroom.run import Options, grade_class

CHEAP = ("GELU", "accuracy", "chunk_tokens", "apply_causal_mask")
FULL = {name: ("full",) for name in CHEAP}
WRONG = (  # exercise, what stands in the right answer, what stands in the wrong one
    ("GELU", "0.044715", "0.04"),
    ("GELU", "x**3", "x**2"),
    ("GELU", "0.5 * x", "x"),
    ("GELU", "torch.tanh", "torch.sigmoid"),
    ("accuracy", ":-1]", "1:]"),
    ("accuracy", "argmax", "argmin"),
    ("accuracy", "mean()", "sum()"),
    ("accuracy", "== tokens", "!= tokens"),
    ("apply_causal_mask", "T_Q + 1)", "T_Q)"),
    ("apply_causal_mask", ".triu(", ".tril("),
    ("apply_causal_mask", "-torch.inf", "0.0"),
    ("apply_causal_mask", "scores + hidden", "hidden"),
    ("chunk_tokens", "[*document, separator]", "[separator, *document]"),
    ("chunk_tokens", "dtype=torch.int64", "dtype=torch.int32"),
    ("chunk_tokens", "in [*document, separator]", "in document"),
)
SLOW = ("blocking", "memory")  # kinds of attack that use all the time they are given: one of each is enough here
UNREADABLE = {  # what is done to the bytes of a file, and what is said of it
    "cut": (lambda data: data[: len(data) // 2], "not JSON, or was cut off"),
    "nothing": (lambda data: b"", "is empty"),
    "list": (lambda data: b"[" + data + b"]", "not an object"),
    "latin": (lambda data: data.replace(b"Look", "Ünlöök".encode("latin-1")) + b"\xff", "not UTF-8"),
    "cells": (lambda data: data.replace(b'"cells":', b'"sells":'), "no list of cells"),
    "other": (lambda data: data.replace(b'"chapter": "ch1"', b'"chapter": "ch7"'), "a notebook of ch7"),
}
BROKEN = {  # how the answer to GELU is broken, and its status
    "syntax": ("class GELU(nn.Module:\n    pass", "syntax error"),
    "indent": ("class GELU(nn.Module):\ndef forward(self, x):\n    return x", "syntax error"),
    "words": ("this is where GELU goes", "syntax error"),
    "absent": ("pass", "missing"),
    "renamed": ("class Gelu(nn.Module):\n    pass", "missing"),
    "skips": ('skip("GELU")', "skipped"),
    "raises": ("class GELU(nn.Module):\n    def forward(self, x):\n        raise ValueError", "wrong"),
    "import": ("import no_such_module\nclass GELU(no_such_module.Layer):\n    pass", "wrong"),
    "number": ("GELU = 3", "wrong"),
}


@dataclass
class Expected:
    """What a submission must end as: statuses by exercise (any of those given), or the problem that is said."""

    statuses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""

    @property
    def score(self) -> float:
        return sum(POINTS[name] for name, statuses in self.statuses.items() if statuses == ("full",))


def small(handed_in: ClassOf, answers: dict) -> dict:
    """A notebook of few cells: the imports, and the answers with their checks."""
    whole = handed_in.notebook(answers)
    wanted = [*CHEAP, *answers]
    cells = [
        cell
        for cell in whole["cells"]
        if "imports" in cell["metadata"].get("tags", []) or cell["metadata"].get("exercise", {}).get("name") in wanted
    ]
    return {**whole, "cells": cells}


def rearranged(notebook: dict, way: int) -> dict:
    """The same answers in other cells: nothing that an honest learner does to a notebook may cost a point."""
    made = copy.deepcopy(notebook)
    cells = made["cells"]
    if way == 1:
        cells.reverse()
    elif way == 2:
        for cell in cells:
            cell["metadata"] = {}
    elif way == 3:
        code = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        made["cells"] = [{"cell_type": "code", "metadata": {}, "source": code, "outputs": []}]
    elif way == 4:
        cells.insert(0, {"cell_type": "code", "metadata": {}, "source": "print('scratch')\n1 / 0"})
        cells.append({"cell_type": "code", "metadata": {}, "source": "import warnings; warnings.warn('x')\n%time x"})
    return made


def chosen_attacks() -> list[Attack]:
    """Fifty attacks, the kinds in turn."""
    kinds: dict[str, list[Attack]] = {}
    for attack in ATTACKS:
        kinds.setdefault(attack.kind, []).append(attack)
    for kind, attacks in kinds.items():
        kinds[kind] = attacks[:1] if kind in SLOW else [one for one in attacks if one.ends != ("timed out",)]
    turns = zip_longest(*kinds.values())
    return [attack for turn in turns for attack in turn if attack][:50]


@pytest.fixture(scope="module")
def the_class(handed_in, tmp_path_factory) -> tuple[Path, dict[str, Expected]]:
    folder, expected = tmp_path_factory.mktemp("class"), {}

    def hand_in(student: str, data: bytes | dict, wanted: Expected) -> None:
        data = json.dumps(data).encode() if isinstance(data, dict) else data
        (folder / f"{student}.ipynb").write_bytes(data)
        expected[student] = wanted

    right = {name: handed_in.right[name] for name in CHEAP}
    for number in range(50):
        hand_in(f"right{number:02}", rearranged(small(handed_in, right), number % 5), Expected(FULL))
    for number, one in enumerate(islice(cycle(WRONG), 60)):
        answers, statuses = dict(right), dict(FULL)
        others = [two for two in WRONG if two[0] != one[0]]
        for name, before, after in [one, others[number % len(others)]][: 1 + number // 30]:
            assert before in answers[name], (name, before)
            answers[name], statuses[name] = answers[name].replace(before, after), ("wrong",)
        hand_in(f"wrong{number:02}", small(handed_in, answers), Expected(statuses))
    values = {"COURSE": str(course.ROOT), "SECRET": str(folder / "x"), "PORT": "9", "VICTIM": "999999"}
    for number, attack in enumerate(chosen_attacks()):
        text = "\n".join(attack.cells)
        for name, value in values.items():
            text = text.replace(name, value)
        wanted = Expected({**FULL, "LayerNorm": attack.ends})
        hand_in(f"hostile{number:02}", small(handed_in, {**right, "LayerNorm": text}), wanted)
    for number, (name, (spoil, says)) in enumerate(islice(cycle(UNREADABLE.items()), 18)):
        notebook = small(handed_in, {**right, "GELU": right["GELU"] + f"\n# {number}"})
        hand_in(f"unread{number:02}{name}", spoil(json.dumps(notebook).encode()), Expected(problem=says))
    for number, (name, (text, status)) in enumerate(islice(cycle(BROKEN.items()), 18)):
        made = rearranged(small(handed_in, {**right, "GELU": text}), 4 * (number % 2))
        hand_in(f"broken{number:02}{name}", made, Expected({**FULL, "GELU": (status,)}))
    for number in range(4):
        answers = {name: right[name] for name in CHEAP[number + 1 :]}
        statuses = {name: ("full",) if name in answers else ("not attempted",) for name in CHEAP}
        hand_in(f"unfinished{number}", small(handed_in, answers), Expected(statuses))
    assert len(expected) == 200
    return folder, expected


def wrongs(record, expected: Expected) -> list[str]:
    """Where a record is not what it should be."""
    found = [] if record.score == expected.score else [f"{record.score} points, not {expected.score}"]
    if bool(record.problem) != bool(expected.problem) or expected.problem not in record.problem:
        found.append(f"problem {record.problem!r}, not {expected.problem!r}")
    for exercise in record.exercises:
        allowed = expected.statuses.get(exercise.name, ("missing",))
        if str(exercise.status) not in allowed:
            found.append(f"{exercise.name} is {exercise.status}, not {' or '.join(allowed)}: {exercise.says}")
        points = POINTS[exercise.name] if allowed == ("full",) else 0
        if exercise.points != points:
            found.append(f"{exercise.name} has {exercise.points} points, not {points}")
    return found


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_class_of_200(the_class, tmp_path):
    folder, expected = the_class
    options = Options(jobs=2, seconds=2, isolation="bubblewrap")
    summary = grade_class([folder], "ch1", tmp_path / "results", options)
    assert summary.failed == []
    records = {record.student: record for record in summary.records}
    assert sorted(records) == sorted(expected)
    found = {
        student: problems for student, wanted in expected.items() if (problems := wrongs(records[student], wanted))
    }
    assert found == {}, (summary.seed, found)
    assert not (folder / "x").exists() and not list(course.ROOT.glob("owned*"))
    statuses = Counter(str(exercise.status) for record in records.values() for exercise in record.exercises)
    assert {"full", "wrong", "crashed", "timed out", "syntax error", "skipped", "not attempted"} <= set(statuses)


def test_the_attacks_of_the_class_are_of_every_kind():
    attacks = chosen_attacks()
    assert len(attacks) == 50
    assert {attack.kind for attack in attacks} == {attack.kind for attack in ATTACKS}
