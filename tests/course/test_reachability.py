"""The program is the learner's code: the command line of each chapter is built on that chapter's exercise objects.

Read off the source, without running it: starting from `main` in cli.py, which names does a function or class use, and
which do those use? Annotations of arguments and results don't count, and neither does a local variable that happens to
have the name of an exercise.
"""

import ast
import json
from functools import cache
from pathlib import Path

import pytest

from utils.course import ROOT, chapters

# Exercises that the program does without, and why. The list should stay short: what is NOT_YET is to be taken off it.
NOT_YET = "the program still has a form of its own"
EXCEPTIONS: dict[str, dict[str, str]] = {
    "ch3": dict.fromkeys(("report",), NOT_YET),
}


class Module:
    """One file of a package: its top-level definitions, and what its imports bind."""

    def __init__(self, file: Path, dotted: str, names: set[str]):
        package = dotted if file.name == "__init__.py" else dotted.rpartition(".")[0]
        tree = ast.parse(file.read_text(encoding="utf-8"))
        self.definitions: dict[str, list[ast.stmt]] = {}
        self.imported: dict[str, tuple[str, str | None]] = {}  # name here -> (module, name there or None: the module)
        for statement in tree.body:
            for name in _defined(statement):
                self.definitions.setdefault(name, []).append(statement)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                source = ".".join([*above, *([node.module] if node.module else [])])
                for alias in node.names:
                    whole = f"{source}.{alias.name}"
                    target = (whole, None) if whole in names else (source, alias.name)
                    self.imported[alias.asname or alias.name] = target


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return []
    return ["(when imported)"]


def _used(node: ast.AST, hidden: frozenset[str] = frozenset()) -> set[str]:
    """Names (and module.attribute pairs, with a dot) that a piece of source reads from outside itself."""
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        inside = list(ast.walk(node))
        hidden = hidden | {arg.arg for arg in inside if isinstance(arg, ast.arg)}
        hidden = hidden | {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(node, ast.Name):
        return {node.id} - hidden if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in hidden:
        return {f"{node.value.id}.{node.attr}"}
    used = set()
    for field, value in ast.iter_fields(node):
        if field == "returns" or (field == "annotation" and isinstance(node, ast.arg)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                used |= _used(child, hidden)
    return used


def _modules(package: Path) -> dict[str, Module]:
    files = {}
    for file in package.rglob("*.py"):
        parts = file.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return {dotted: Module(file, dotted, set(files)) for dotted, file in files.items()}


def reached(package: Path, start: str = "cli", name: str = "main") -> set[str]:
    """Names of all top-level definitions of a package that the start leads to."""
    modules = _modules(package)
    seen: set[tuple[str, str]] = set()
    waiting = [(f"{package.name}.{start}", name)]

    def follow(module: str, name: str) -> None:
        """Put what a name in a module stands for on the list."""
        base, _, attribute = name.partition(".")
        where = modules.get(module)
        if where is None:
            return
        if base in where.imported and base not in where.definitions:
            target, there = where.imported[base]
            target = target.removeprefix("solutions.")
            if there is not None:
                follow(target, there)
            elif attribute:
                follow(target, attribute)
            elif target in modules:  # the module itself is handed on, as in getattr(module, name): all of it
                waiting.extend((target, one) for one in modules[target].definitions)
        elif base in where.definitions:
            waiting.append((module, base))

    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        module, name = place
        waiting.append((module, "(when imported)"))
        for statement in modules[module].definitions.get(name, []) if module in modules else []:
            for used in _used(statement):
                follow(module, used)
    return {name for _, name in seen}


@cache
def _chapter(key: str) -> tuple[set[str], set[str]]:
    """The names of a chapter's exercises, and those that its command line reaches."""
    name = chapters()[key]
    built = json.loads((ROOT / "chapters" / name / "chapter.json").read_text(encoding="utf-8"))
    exercises = {exercise["name"] for exercise in built["exercises"]}
    return exercises, exercises & reached(ROOT / "solutions" / name)


@pytest.mark.parametrize("key", chapters())
def test_the_command_line_is_built_on_every_exercise(key):
    exercises, found = _chapter(key)
    missing = exercises - found - set(EXCEPTIONS.get(key, {}))
    assert not missing, f"the program of {key} never uses {sorted(missing)}"


@pytest.mark.parametrize("key", chapters())
def test_exceptions_are_exercises_that_are_really_left_out(key):
    exercises, found = _chapter(key)
    listed = EXCEPTIONS.get(key, {})
    assert set(listed) <= exercises and all(listed.values())
    assert not found & set(listed), f"the program of {key} does use {sorted(found & set(listed))}: take it off the list"


def test_how_names_are_followed(tmp_path):
    """Through imports, re-exports, aliases, modules handed on; but not through annotations or local variables."""
    package = tmp_path / "pack"
    (package / "deep").mkdir(parents=True)
    sources = {
        "__init__.py": "from .parts import through_init\n",
        "cli.py": (
            "from . import parts, registry\n"
            "from .deep import table\n"
            "from .parts import direct as other, annotated, shadowed\n"
            "from pack import through_init\n"
            "class Command:\n"
            "    def run(self, x: annotated, shadowed) -> annotated:\n"
            "        from .deep.late import inside\n"
            "        local = [shadowed, x]\n"
            "        return other, parts.dotted, getattr(registry, 'any'), inside, local\n"
            "def main():\n"
            "    return Command, through_init, table.FOUND\n"
        ),
        "parts.py": "\n".join(
            f"def {name}(): return None"
            for name in ("direct", "dotted", "annotated", "shadowed", "unused", "through_init", "in_table")
        ),
        "registry.py": "def any(): return None\ndef other_entry(): return None\n",
        "deep/__init__.py": "",
        "deep/table.py": "from ..parts import in_table, unused\nFOUND = {'a': in_table}\nLEFT = unused\n",
        "deep/late.py": "def inside(): return None\n",
    }
    for name, text in sources.items():
        (package / name).write_text(text, encoding="utf-8")
    found = reached(package)
    assert {"direct", "dotted", "through_init", "any", "other_entry", "inside", "in_table"} <= found
    assert not found & {"annotated", "shadowed", "unused", "LEFT"}
