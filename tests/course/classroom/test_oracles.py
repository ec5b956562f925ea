"""Hidden tests may be in learners' hands: what they compute expected values with is no answer, and is known again."""

import ast

import pytest

from utils import course
from utils.chapter import load_chapter
from utils.grade.classroom.flags import flags
from utils.grade.reference import reference_definition
from utils.grade.submission import Definition, Notebook

ORACLE = "holds what a hidden test computes its expected values with, apart from names: for review"
CHAPTER = "ch1_transformer_from_scratch"


def flagged(chapter: str, definition: Definition) -> bool:
    return ORACLE in flags(chapter, definition)


@pytest.mark.parametrize("chapter", list(course.chapters()))
def test_no_oracle_is_the_reference(chapter):
    exercises = load_chapter(chapter).exercises
    assert exercises and not [e.name for e in exercises if flagged(chapter, reference_definition(chapter, e.name))]


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


def test_hidden_tests_define_nothing_under_the_names_of_the_exercises():
    """Chapter 1's model, which a class hand-out once held class by class."""
    names = {exercise.name for exercise in load_chapter("ch1").exercises}
    files = sorted((course.ROOT / "tests" / CHAPTER).glob("*.py"))
    nodes = [(file.name, node) for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    kinds = (ast.ClassDef, ast.FunctionDef)
    assert len(files) > 25 and not [(f, n.name) for f, n in nodes if isinstance(n, kinds) and n.name in names]
