"""Hidden tests may be in learners' hands: what they compute expected values with is no answer, and is known again."""

import ast
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from utils import course
from utils.chapter import load_chapter
from utils.grade import subject
from utils.grade.classroom.flags import flags
from utils.grade.limited import limited
from utils.grade.reference import reference_definition
from utils.grade.subject import LocalRunner
from utils.grade.submission import Definition, Notebook
from utils.grade.suite import load_file, run_suite

ORACLE = "holds what a hidden test computes its expected values with, apart from names: for review"
CHAPTER = "ch1_transformer_from_scratch"
KINDS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


@pytest.fixture(autouse=True)
def one_thread():
    """As where classes are graded: a child process can't use the threads of its parent."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def flagged(chapter: str, definition: Definition) -> bool:
    return ORACLE in flags(chapter, definition)


@pytest.mark.parametrize("chapter", list(course.chapters()))
def test_no_oracle_is_the_reference(chapter):
    found = {e.name: flags(chapter, reference_definition(chapter, e.name)) for e in load_chapter(chapter).exercises}
    assert found and not [name for name, said in found.items() if ORACLE in said or "reads " in str(said)]


def test_an_oracle_in_an_answer_is_flagged():
    """Under other names, in a method, and behind a docstring of one's own."""
    source = (course.ROOT / "tests" / CHAPTER / "_stand_in.py").read_text(encoding="utf-8")
    oracle = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == "whole_logits")
    text = ast.unparse(oracle.body[1:]).replace("tokens", "ids").replace("hidden", "inner")
    body = text.replace("\n", "\n        ")
    cell = f'class Transformer(nn.Module):\n    def forward(self, weights, ids):\n        """Mine."""\n        {body}'
    assert flagged("ch1", Notebook([cell], ["Transformer"]).definition("Transformer"))
    other = cell.replace(".sum(1)", ".sum(2)")
    assert other != cell and not flagged("ch1", Notebook([other], ["Transformer"]).definition("Transformer"))


def test_an_oracle_in_a_helper_is_flagged():
    """The answer itself may be one line that asks a pasted helper."""
    source = (course.ROOT / "tests" / "ch3_rasp" / "_language.py").read_text(encoding="utf-8")
    helper = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == "language")
    helper.name = "rasp"
    cells = [ast.unparse(helper), 'def shift(seq, n, fill):\n    return rasp()["shift"](seq, n, fill)']
    assert flagged("ch3", Notebook(cells, ["shift"]).definition("shift"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import sys\n    return sys._getframe(1).f_locals['right']", "_getframe"),
        ("from gc import get_objects\n    return get_objects()", "gc"),
        ("return logits.expand.__globals__", "__globals__"),
        ("import ctypes.util as c\n    return c", "ctypes.util"),
    ],
)
def test_an_answer_that_looks_into_the_interpreter_is_flagged(text, what):
    definition = Notebook([f"def greedy(logits):\n    {text}"], ["greedy"]).definition("greedy")
    assert any(flag.startswith(f"reads {what} (line ") for flag in flags("ch1", definition))


def targets(statement) -> list:
    """What a plain assignment binds; something else than a name for every other statement."""
    return statement.targets if isinstance(statement, ast.Assign) else [statement]


def pieces(file: Path):
    """(name, object) of what a file of hidden tests defines, at any depth, each among what is defined beside it."""

    def below(body, space, deep):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                if node.name in space and not node.name.startswith(("__", "test_", "probe_")):
                    yield node.name, space[node.name]
                if not (deep and isinstance(node, ast.ClassDef)):
                    inner = dict(space)
                    for statement in node.body:
                        if isinstance(statement, KINDS) or all(isinstance(x, ast.Name) for x in targets(statement)):
                            with suppress(Exception):  # what needs the arguments of the function around it
                                exec(compile(ast.Module([statement], []), file.name, "exec"), inner)
                    yield from below(node.body, inner, True)

    space = {**vars(load_file(file)), "torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    return list(below(ast.parse(file.read_text(encoding="utf-8")).body, space, False))


def pasted(chapter: str) -> tuple[int, list[str]]:
    """How many pieces of a chapter's hidden tests were tried as answers, and those that pass."""
    home = course.ROOT / "tests" / course.chapter_name(chapter)
    files = {file: pieces(file) for file in sorted(home.glob("*.py")) if file.name != "conftest.py"}
    tried, answers = 0, []
    for exercise in load_chapter(chapter).exercises:
        own = course.hidden_tests(chapter, exercise.name)
        for file, found in files.items():
            for name, made in found:
                if name == exercise.name or file == own or file.name.startswith("_"):
                    tried += 1
                    results = run_suite(chapter, exercise.name, LocalRunner(made), 5, until_failure=True)
                    answers += [f"{file.name}: {name}"] if all(result.passed for result in results) else []
    return tried, answers


@pytest.mark.parametrize("chapter", list(course.chapters()))
def test_nothing_in_the_hidden_tests_is_an_answer(chapter, monkeypatch):
    """Neither under its own name nor under that of the exercise which it helps to judge."""
    monkeypatch.setattr(subject, "SECONDS", 1.0)
    tried, answers = limited(pasted, chapter, seconds=200)  # in a child: half a probe may leave torch patched
    assert tried > 100 and answers == []
