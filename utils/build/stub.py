"""The stub of an exercise: what a learner starts from, and whether a definition still is one."""

import ast
import json
from functools import cache, lru_cache

from utils import course
from utils.build.cut import read_module
from utils.build.source import load_chapter


@cache
def _built(chapter: str) -> dict[str, str]:
    file = course.ROOT / "chapters" / course.chapter_name(chapter) / "stubs.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


@cache
def stub_source(chapter: str, name: str) -> str:
    """The stub of an exercise: cut from the reference, or from stubs.json where a hand-out leaves the reference out.

    Raises CourseError for an unknown exercise, or where neither is there.
    """
    exercise = load_chapter(chapter).exercise(name)
    file = course.ROOT / "solutions" / course.chapter_name(chapter) / f"{exercise.module}.py"
    if file.is_file():
        module = read_module(file)
        if exercise.name in module.objects:
            return module.stub(exercise.name)
    if exercise.name in _built(chapter):
        return _built(chapter)[exercise.name]
    raise course.CourseError(f"There is no stub of {exercise.name}: run `make build` where the reference is.")


def is_stub(source: str, chapter: str, name: str) -> bool:
    """Whether `source` defines `name` just as the stub does, comments, docstrings and white space apart.

    False for source that is no Python or does not define the name at all.
    """
    stub = stub_source(chapter, name)
    if "NotImplementedError" in stub and "NotImplementedError" not in source:
        return False  # seen without parsing: most answers
    mine = _definition(source, name)
    return mine is not None and mine == _definition(stub, name)


@lru_cache(maxsize=512)
def _definition(source: str, name: str) -> str | None:
    """The last top-level definition of `name`, as a dump of its AST without docstrings."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node for node in tree.body if isinstance(node, kinds) and node.name == name]
    if not found:
        return None
    for node in ast.walk(found[-1]):
        if isinstance(node, kinds) and len(node.body) > 1 and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(found[-1])
