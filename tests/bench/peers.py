"""The peers that grade notebooks, nbgrader and Otter-Grader: their environment, and one notebook in their formats."""

import copy
import json
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

from utils import course

ENVIRONMENT = course.ROOT / "build" / "bench-env"
PEERS = ("nbgrader==0.9.6", "otter-grader==7.0.0")
NEEDED = ("torch", "einops", "jaxtyping", "tqdm")  # what the answers import, in the versions of constraints.txt
TESTS = {
    "Embedding": """
from types import SimpleNamespace
sizes = dict(embedding_dimension=12, vocabulary_size=17, context_length=9, attention_head_dimension=4, mlp_dimension=20)
sizes |= dict(num_attention_heads=3, layer_normalization_epsilon=1e-5, weight_initialization_range=0.02)
settings = SimpleNamespace(**sizes)
tokens, residual = torch.randint(0, 17, (2, 5)), torch.randn(2, 5, 12)
layer = Embedding(settings)
assert torch.allclose(layer(tokens), layer.W_E[tokens])
""",
    "PositionalEmbedding": """
layer = PositionalEmbedding(settings)
assert torch.allclose(layer(tokens), layer.W_P[:5].expand(2, 5, 12))
""",
    "LayerNorm": """
layer = LayerNorm(settings)
layer.w.data, layer.b.data = torch.randn(12), torch.randn(12)
assert torch.allclose(layer(residual), F.layer_norm(residual, (12,), layer.w, layer.b, 1e-5), atol=1e-5)
""",
    "apply_causal_mask": """
scores = torch.randn(2, 3, 5, 5)
hidden = torch.ones(5, 5, dtype=torch.bool).triu(1)
assert torch.allclose(apply_causal_mask(scores).softmax(-1), scores.masked_fill(hidden, -torch.inf).softmax(-1))
""",
    "Attention": """
layer = Attention(settings)
for weight in layer.parameters(): weight.data = torch.randn_like(weight)
q, k, v = (torch.einsum("bte,neh->bnth", residual, w) + b[:, None]
    for w, b in ((layer.W_Q, layer.b_Q), (layer.W_K, layer.b_K), (layer.W_V, layer.b_V)))
wanted = F.scaled_dot_product_attention(q, k, v, is_causal=True)
wanted = torch.einsum("bnth,nhe->bte", wanted, layer.W_O) + layer.b_O
assert torch.allclose(layer(residual), wanted, atol=1e-4)
""",
    "GELU": """
assert torch.allclose(GELU()(residual), F.gelu(residual, approximate="tanh"), atol=1e-6)
""",
    "MLP": """
layer = MLP(settings)
wanted = F.gelu(residual @ layer.W_in + layer.b_in, approximate="tanh") @ layer.W_out + layer.b_out
assert torch.allclose(layer(residual), wanted, atol=1e-6)
""",
    "Unembedding": """
layer = Unembedding(settings)
assert torch.allclose(layer(residual), residual @ layer.W_U + layer.b_U, atol=1e-6)
""",
}
OTTER = """
import sys
from otter.api import grade_submission
for file in sys.argv[2:]:
    results = grade_submission(file, sys.argv[1], quiet=True)
    assert results.total == len(results.test_files) == {count}, (results.total, results.test_files)
"""


class NoPeers(Exception):
    """The peers cannot be run here; its text is the sentence that says why."""


def python() -> Path:
    """The interpreter of the peers' environment, which is made where it is missing. Raises NoPeers."""
    inside = ENVIRONMENT / "bin" / "python"
    pins = dict(re.findall(r"(?m)^([\w-]+)==(\S+)", (course.ROOT / "constraints.txt").read_text(encoding="utf-8")))
    wanted = [*PEERS, *(f"{name}=={pins[name]}" for name in NEEDED)]
    check = "import sys; from importlib.metadata import version; "
    check += "sys.exit(any(version(w.split('==')[0]).split('+')[0] != w.split('==')[1] for w in sys.argv[1:]))"
    if inside.exists() and subprocess.run([inside, "-c", check, *wanted], capture_output=True).returncode == 0:
        return inside
    print("bench: making the environment of nbgrader and Otter-Grader ...", file=sys.stderr, flush=True)
    make = [[sys.executable, "-m", "venv", ENVIRONMENT], [inside, "-m", "pip", "install", "-q", *wanted]]
    for command in make:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise NoPeers(f"nbgrader and Otter-Grader cannot be installed into {ENVIRONMENT}: {last}")
    return inside


def environment(inside: Path) -> dict:
    """What a command of the environment of `inside` runs with: its own scripts first, and one thread."""
    path = os.pathsep.join([str(Path(inside).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}


def notebook() -> dict:
    """The answers to the exercises of TESTS from the chapter's solutions, and the imports they need; nothing else."""
    file = course.ROOT / "solutions" / course.chapter_name("ch1") / "solutions.ipynb"
    made = json.loads(file.read_text(encoding="utf-8"))
    cells = []
    for cell in made["cells"]:
        mark = cell["metadata"].get("exercise", {})
        if "imports" in cell["metadata"].get("tags", []):
            source = "".join(cell["source"])
            lines = [line for line in source.splitlines() if not line.startswith("from utils")]
            cells.append({**cell, "source": "\n".join(lines)})
        elif mark.get("role") == "answer" and mark["name"] in TESTS:
            cells.append({**cell, "outputs": [], "execution_count": None})
    return {**made, "cells": cells}


def with_tests(plain: dict) -> dict:
    """The notebook with a locked cell of tests after each answer, as nbgrader wants it."""
    cells, made = [], copy.deepcopy(plain)
    for cell in made["cells"]:
        cells.append(cell)
        if name := cell["metadata"].pop("exercise", {}).get("name"):
            mark = {"schema_version": 3, "grade_id": name, "grade": False, "solution": True, "locked": False}
            cell["metadata"]["nbgrader"] = {**mark, "task": False}
            mark = {**mark, "grade_id": f"test_{name}", "grade": True, "solution": False, "locked": True, "points": 1}
            test = {**cell, "id": f"test-{name}", "source": TESTS[name].strip()}
            cells.append({**test, "metadata": {"nbgrader": {**mark, "task": False}}})
    return {**made, "cells": cells}


def nbgrader_course(folder: Path, students: int, inside: Path) -> list:
    """Lay out a course of nbgrader and release its one assignment; returns the command that grades it."""
    text = json.dumps(with_tests(notebook()))
    places = [folder / "source" / "ps1", *(folder / "submitted" / f"s{n}" / "ps1" for n in range(students))]
    for place in places:
        place.mkdir(parents=True)
        (place / "answers.ipynb").write_text(text, encoding="utf-8")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'c'\n", "utf-8")
    release = [inside, "-m", "nbgrader", "generate_assignment", "ps1"]
    done = subprocess.run(release, cwd=folder, env=environment(inside), capture_output=True, text=True)
    if done.returncode:
        raise NoPeers(f"nbgrader cannot release the notebook: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return [inside, "-m", "nbgrader", "autograde", "ps1", "--create"]


def nbgrader_points(folder: Path) -> list[float]:
    """The points that nbgrader gave to each student."""
    with sqlite3.connect(folder / "gradebook.db") as gradebook:
        query = "select sum(auto_score) from grade group by notebook_id"
        return [points for (points,) in gradebook.execute(query)]


def otter_class(folder: Path, students: int, inside: Path) -> list:
    """Write submissions and an autograder of Otter's; returns the command that grades them in one process."""
    folder.mkdir(parents=True)
    text, files = json.dumps(notebook()), []
    for number in range(students):
        files.append(folder / f"s{number}.ipynb")
        files[-1].write_text(text, encoding="utf-8")
    with zipfile.ZipFile(folder / "autograder.zip", "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"lang": "python"}))
        for name, test in TESTS.items():
            both = TESTS["Embedding"].partition("layer =")[0] + test if name != "Embedding" else test
            lines = "\n".join((">>> " if line[0] != " " else "... ") + line for line in both.splitlines() if line)
            case = {"code": lines, "hidden": False, "locked": False}
            suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
            written = {"name": name, "points": 1, "suites": [suite]}
            archive.writestr(f"tests/{name}.py", f"OK_FORMAT = True\ntest = {written!r}\n")
    return [inside, "-c", OTTER.replace("{count}", str(len(TESTS))), folder / "autograder.zip", *files]
