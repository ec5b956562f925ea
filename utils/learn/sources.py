"""The source of what a learner defined in a cell, and whether it is still the stub."""

import ast
import inspect
import linecache
import types
from collections.abc import Iterator

from utils import chapter as built
from utils import course
from utils.grade.cells import first_line, read_cell

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def source_of(obj, name: str | None = None) -> str | None:
    """Source of a class or function as its cell has it, decorators included; None where it cannot be found.

    `inspect.getsource` knows no classes of a notebook before Python 3.13, so a class is found by its methods' code.
    """
    name = name or getattr(obj, "__name__", None)
    for code in _codes(obj):
        text = "".join(linecache.getlines(code.co_filename))
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        lines = text.splitlines(keepends=True)
        for node in reversed([node for node in ast.walk(tree) if isinstance(node, DEFINITIONS)]):
            start = first_line(node)
            if node.name == getattr(obj, "__name__", name) and start <= code.co_firstlineno <= node.end_lineno:
                return inspect.cleandoc("\n" + "".join(lines[start - 1 : node.end_lineno])) + "\n"
    return None


def _codes(obj) -> Iterator[types.CodeType]:
    if inspect.isclass(obj):
        for member in list(vars(obj).values()):
            member = getattr(member, "fget", None) or getattr(member, "__func__", None) or member
            member = _unwrap(member)
            code = getattr(member, "__code__", None)
            if isinstance(code, types.CodeType) and getattr(member, "__qualname__", "").startswith(obj.__qualname__):
                yield code
    else:
        code = getattr(_unwrap(obj), "__code__", None)
        if isinstance(code, types.CodeType):
            yield code


def _unwrap(obj):
    try:
        return inspect.unwrap(obj)
    except ValueError:
        return obj


def is_stub(obj, chapter: str, name: str) -> bool:
    """Whether the object is still the stub that the notebook came with."""
    source = source_of(obj, name)
    return source is not None and built.is_stub(source, chapter, name)


def lost_decorator(obj, chapter: str, name: str) -> str:
    """The stub's decorator that a learner's function lacks, as it is written there; empty where nothing is lost.

    Only those that the chapter defines count, such as @lazily("SOp"): there are other ways to write @torch.no_grad().
    """
    source = source_of(obj, name)
    if source is None or hasattr(obj, "__wrapped__"):
        return ""
    stub = built.stub_source(chapter, name)
    for node in ast.parse(stub).body:
        if isinstance(node, DEFINITIONS) and node.name == name and not ast.parse(source).body[0].decorator_list:
            for decorator in node.decorator_list:
                if isinstance(getattr(decorator, "func", decorator), ast.Name):
                    return f"@{ast.get_source_segment(stub, decorator)}"
    return ""


def wants_class(chapter: str, name: str) -> bool:
    """Whether the exercise asks for a class, and not for a function."""
    body = ast.parse(built.stub_source(chapter, name)).body
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in body)


def is_reference(obj, chapter: str, name: str) -> bool:
    """Whether the object is the reference's (taken by skip or import), or a class that only inherits from it."""
    if not course.have_answers(chapter):
        return False
    home = f"solutions.{course.chapter_name(chapter)}."
    if inspect.isclass(obj):
        return any(base.__module__.startswith(home) and base.__name__ == name for base in inspect.getmro(obj))
    folder = str(course.ROOT / "solutions" / course.chapter_name(chapter))
    inner = _unwrap(obj)
    code = getattr(inner, "__code__", None)
    return code is not None and code.co_filename.startswith(folder) and inner.__name__ == name


def names_read(source: str) -> set[str]:
    """The global names that a cell's definitions read, at once or when they are called."""
    return {name for statement in read_cell(source, 0, 0).statements for name in statement.now | statement.later}


def companions(obj, names: dict, leave_out: set[str]) -> dict[str, str]:
    """Source of what the learner's object reads besides the course's names: own helpers, constants, imports.

    In the order in which they have to run. Found by the names that the source loads, helpers of helpers included.
    """
    found: dict[str, str] = {}

    def visit(source: str | None) -> None:
        for name in sorted(names_read(source or "") - {"_", "In", "Out"} - leave_out - found.keys()):
            if name not in names:
                continue
            value = names[name]
            if isinstance(value, types.ModuleType):
                found[name] = f"import {value.__name__} as {name}\n"
            elif value is None or type(value) in (bool, int, float, str):
                found[name] = f"{name} = {value!r}\n"
            elif inspect.isclass(value) or inspect.isroutine(_unwrap(value)) and value.__module__:
                if value.__module__ != "__main__":
                    found[name] = f"from {value.__module__} import {value.__name__} as {name}\n"
                elif (text := source_of(value)) is not None:
                    found[name] = ""  # a helper that calls itself ends here
                    visit(text)
                    found[name] = found.pop(name) or text

    visit(source_of(obj))
    return found
