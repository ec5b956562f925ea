"""Synthetic submissions of chapter 1, made from the notebooks of the build."""

import copy
import json
from pathlib import Path

from tests.course.sandbox.hostile import ATTACKS
from utils.chapter import load_chapter

MUST_DO = [exercise for exercise in load_chapter("ch1").exercises if not exercise.optional]
POINTS = {exercise.name: exercise.points for exercise in load_chapter("ch1").exercises}
MOST = sum(exercise.points for exercise in MUST_DO)
EPSILON_OUTSIDE = "normalized = centered / (variance.sqrt() + self.config.layer_normalization_epsilon)"
EPSILON_INSIDE = "normalized = centered * (variance + self.config.layer_normalization_epsilon).rsqrt()"
ENDS_PROCESS = next(attack for attack in ATTACKS if attack.name == "os._exit(0) when called").cells
PATCHES = next(attack for attack in ATTACKS if attack.name == "patches torch comparisons").cells


class ClassOf:
    """`write` hands in a notebook: the stubs, with some answers in their places."""

    def __init__(self, notebooks: dict):
        self.notebooks = notebooks
        self.right = {
            cell["metadata"]["exercise"]["name"]: source(cell)
            for cell in notebooks["solutions"]["cells"]
            if cell["metadata"].get("exercise", {}).get("role") == "answer"
        }
        assert EPSILON_INSIDE in self.right["LayerNorm"]
        self.wrong_norm = self.right["LayerNorm"].replace(EPSILON_INSIDE, EPSILON_OUTSIDE)

    def notebook(self, answers: dict, deleted=(), base="exercises") -> dict:
        """`answers`: exercise -> source of its cell; `deleted`: exercises whose cells are gone."""
        made = copy.deepcopy(self.notebooks[base])
        cells = []
        for cell in made["cells"]:
            mark = cell["metadata"].get("exercise", {})
            if mark.get("name") in deleted:
                continue
            if mark.get("role") == "answer" and mark["name"] in answers:
                cell["source"] = answers[mark["name"]]
            cells.append(cell)
        made["cells"] = cells
        return made

    def write(self, file: Path, answers: dict, deleted=(), base="exercises") -> Path:
        return write(file, self.notebook(answers, deleted, base))

    def some(self, *names: str, **other: str) -> dict:
        return {**{name: self.right[name] for name in names}, **other}


def write(file: Path, notebook: dict) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(notebook), encoding="utf-8")
    return file


def source(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def statuses(record) -> dict[str, str]:
    """{exercise: status} without those that were not attempted."""
    return {e.name: str(e.status) for e in record.exercises if e.status != "not attempted"}


def marks(records) -> dict:
    """What has to be the same however a class is graded."""
    return {
        r.student: (r.score, r.problem, [(e.name, e.status, e.points, e.says) for e in r.exercises]) for r in records
    }
